//! The query of a request, and the selectors in it.

use axum::{extract::Query as Extract, http::Uri};
use serde_json::Value;

use super::{
    kinds::{Scope, Served},
    status::Refused,
};

/// The pairs of a query, repeated names included.
#[derive(Debug, Clone, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the query of an address.
    pub fn of(uri: &Uri) -> Result<Self, Refused> {
        let pairs = Extract::<Vec<(String, String)>>::try_from_uri(uri);
        pairs.map(|Extract(pairs)| Self(pairs)).map_err(|_| Refused::bad_request("the query cannot be read"))
    }

    /// The first value of a name; none when it is empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Every value of a name, in order.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    }

    /// Whether a switch is on.
    pub fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| !matches!(value, "false" | "0" | "f" | "False"))
    }

    /// A number.
    pub fn number(&self, name: &str) -> Result<Option<u64>, Refused> {
        let wrong = || Refused::bad_request(format!("the value of {name} is no number"));
        self.get(name).map(|value| value.parse().map_err(|_| wrong())).transpose()
    }

    /// Whether nothing is to be stored.
    pub fn is_dry_run(&self) -> bool {
        self.get("dryRun").is_some()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    Has(String),
    Lacks(String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
}

impl Term {
    fn fits<'a>(&self, value: impl Fn(&str) -> Option<&'a str>) -> bool {
        match self {
            Self::Has(key) => value(key).is_some(),
            Self::Lacks(key) => value(key).is_none(),
            Self::In(key, values) => value(key).is_some_and(|found| values.iter().any(|value| value == found)),
            Self::NotIn(key, values) => value(key).is_none_or(|found| values.iter().all(|value| value != found)),
        }
    }

    fn key(&self) -> &str {
        match self {
            Self::Has(key) | Self::Lacks(key) | Self::In(key, _) | Self::NotIn(key, _) => key,
        }
    }
}

/// Which objects of a kind are meant.
#[derive(Debug, Clone, Default)]
pub struct Selector {
    labels: Vec<Term>,
    fields: Vec<Term>,
}

fn term(text: &str) -> Option<Term> {
    let text = text.trim();
    let set = |rest: &str| -> Option<Vec<String>> {
        let inner = rest.trim().strip_prefix('(')?.strip_suffix(')')?;
        Some(inner.split(',').map(|value| value.trim().to_owned()).collect())
    };
    if let Some((key, rest)) = text.split_once(" notin ") {
        return Some(Term::NotIn(key.trim().to_owned(), set(rest)?));
    }
    if let Some((key, rest)) = text.split_once(" in ") {
        return Some(Term::In(key.trim().to_owned(), set(rest)?));
    }
    if let Some((key, value)) = text.split_once("!=") {
        return Some(Term::NotIn(key.trim().to_owned(), vec![value.trim().to_owned()]));
    }
    if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return Some(Term::In(key.trim().to_owned(), vec![value.trim().to_owned()]));
    }
    let (key, lacks) = text.strip_prefix('!').map_or((text, false), |key| (key.trim(), true));
    let known = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if key.is_empty() || !key.chars().all(known) {
        return None;
    }
    Some(if lacks { Term::Lacks(key.to_owned()) } else { Term::Has(key.to_owned()) })
}

/// The terms of a selector; commas inside brackets part nothing.
fn terms(text: &str) -> Result<Vec<Term>, Refused> {
    let (mut depth, mut parts, mut part) = (0, Vec::new(), String::new());
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    parts.push(part);
    let read = |part: &String| {
        term(part).ok_or_else(|| Refused::bad_request(format!("unable to parse requirement: found '{part}'")))
    };
    parts.iter().filter(|part| !part.trim().is_empty()).map(read).collect()
}

/// Fields that a kind can be selected by, beside name and namespace.
fn fields_of(kind: &Served) -> &'static [&'static str] {
    match kind.plural {
        "pods" => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        "events" => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        "namespaces" => &["status.phase"],
        "secrets" => &["type"],
        "nodes" => &["spec.unschedulable"],
        "jobs" => &["status.successful"],
        "replicasets" => &["status.replicas"],
        _ => &[],
    }
}

/// The text of a field; what is not there counts as empty, as in a real server.
fn field<'a>(object: &'a Value, name: &str) -> &'a str {
    let path = match name {
        "source" => "/source/component".to_owned(),
        name => format!("/{}", name.replace('.', "/")),
    };
    match object.pointer(&path) {
        Some(Value::String(text)) => text,
        Some(Value::Bool(true)) => "true",
        Some(Value::Bool(false)) => "false",
        _ => "",
    }
}

impl Selector {
    /// The selector of a request for a kind.
    pub fn of(query: &Query, kind: &Served) -> Result<Self, Refused> {
        let labels = terms(query.get("labelSelector").unwrap_or_default())?;
        let fields = terms(query.get("fieldSelector").unwrap_or_default())?;
        for term in &fields {
            let key = term.key();
            let general = key == "metadata.name" || (key == "metadata.namespace" && kind.scope == Scope::Namespaced);
            if !general && !fields_of(kind).contains(&key) {
                return Err(Refused::bad_request(format!(
                    "\"{key}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
                )));
            }
        }
        Ok(Self { labels, fields })
    }

    /// Whether it means an object.
    pub fn fits(&self, object: &Value) -> bool {
        let label = |key: &str| object.pointer("/metadata/labels")?.get(key)?.as_str();
        self.labels.iter().all(|term| term.fits(label))
            && self.fields.iter().all(|term| term.fits(|key| Some(field(object, key))))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn selector(kind: &str, query: &str) -> Result<Selector, Refused> {
        let uri: Uri = format!("/x?{query}").parse().unwrap();
        Selector::of(&Query::of(&uri).unwrap(), Served::find("", "v1", kind).unwrap())
    }

    #[test]
    fn selectors_mean_what_kubectl_means() {
        let pod =
            json!({"metadata": {"name": "a", "labels": {"app": "db", "tier": "x"}}, "status": {"phase": "Running"}});
        for (query, fits) in [
            ("labelSelector=app=db", true),
            ("labelSelector=app==db,tier!=y", true),
            ("labelSelector=app%20in%20(web,db),!gone", true),
            ("labelSelector=app%20notin%20(web,db)", false),
            ("labelSelector=tier", true),
            ("labelSelector=!tier", false),
            ("labelSelector=other!=1", true),
            ("fieldSelector=status.phase!=Running", false),
            ("fieldSelector=metadata.name=a,status.phase=Running", true),
            ("fieldSelector=spec.nodeName=", true),
        ] {
            assert_eq!(selector("pods", query).unwrap().fits(&pod), fits, "{query}");
        }
        assert!(selector("pods", "labelSelector=a%20b").is_err());
        assert!(selector("configmaps", "fieldSelector=data.x=1").is_err());
    }
}
