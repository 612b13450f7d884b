//! Rules of the cluster that have a say about objects of the target namespace, by name: pod security, quota, limits, webhooks and
//! policies. They are only told; what they say of our objects is asked of the server itself.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    actions::{
        context::{Halt, StepCx},
        objects::pods::text,
    },
    ports::{Kind, PortErrorKind},
};

/// Group of webhooks and policies.
const ADMISSION: &str = "admissionregistration.k8s.io";
/// What is made or removed by a run, of the kinds that rules are written about.
const TOUCHED: [&str; 9] =
    ["*", "*/*", "pods", "deployments", "statefulsets", "services", "secrets", "configmaps", "persistentvolumeclaims"];

/// Names of the rules, one line a kind of rule.
///
/// # Errors
/// A failure, when the cluster does not answer. What may not be listed is told as such.
pub async fn rules(cx: &StepCx) -> Result<Vec<String>, Halt> {
    let labels: BTreeMap<String, String> = cx
        .target
        .labels
        .iter()
        .filter_map(|label| label.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let mut told = Vec::new();
    if let Some(level) = labels.get("pod-security.kubernetes.io/enforce") {
        told.push(format!("pod security {level}"));
    }
    let here = Some(cx.namespace());
    for (kind, plural, word) in [("ResourceQuota", "resourcequotas", "quota"), ("LimitRange", "limitranges", "limits")]
    {
        let names = names(cx, &Kind::new("", "v1", kind, plural, true), here, |_| true).await?;
        told.extend(listed(word, names));
    }
    let hears = |object: &Value| {
        webhooks(object).any(|hook| fits(&hook["namespaceSelector"], &labels) && touches(&hook["rules"]))
    };
    for (kind, plural) in [
        ("ValidatingWebhookConfiguration", "validatingwebhookconfigurations"),
        ("MutatingWebhookConfiguration", "mutatingwebhookconfigurations"),
    ] {
        let names = names(cx, &Kind::new(ADMISSION, "v1", kind, plural, false), None, hears).await?;
        told.extend(listed("webhooks", names));
    }
    let binds = |object: &Value| {
        object.pointer("/spec/matchResources").is_none_or(|all| fits(&all["namespaceSelector"], &labels))
    };
    let binding =
        Kind::new(ADMISSION, "v1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", false);
    told.extend(listed("policies", names(cx, &binding, None, binds).await?));
    Ok(told)
}

fn listed(word: &str, names: Result<Vec<String>, String>) -> Option<String> {
    match names {
        Ok(names) if names.is_empty() => None,
        Ok(names) => Some(format!("{word} {}", names.join(", "))),
        Err(plural) => Some(format!("{plural} may not be listed, and were asked all the same")),
    }
}

/// Names of those objects of a kind that count; the plural, where they may not be listed.
async fn names(
    cx: &StepCx,
    kind: &Kind,
    namespace: Option<&str>,
    counts: impl Fn(&Value) -> bool,
) -> Result<Result<Vec<String>, String>, Halt> {
    match cx.world.objects.list(kind, namespace, "").await {
        Ok(all) => {
            Ok(Ok(all.iter().filter(|one| counts(one)).map(|one| text(one, "/metadata/name").to_owned()).collect()))
        }
        Err(error) if error.kind == PortErrorKind::Forbidden => Ok(Err(kind.plural.clone())),
        // a server that does not know the kind has none of it
        Err(error) if error.kind == PortErrorKind::NotFound => Ok(Ok(Vec::new())),
        Err(error) => Err(error.into()),
    }
}

fn webhooks(configuration: &Value) -> impl Iterator<Item = &Value> {
    configuration.get("webhooks").and_then(Value::as_array).into_iter().flatten()
}

/// Whether any rule is about something that a run makes or removes.
fn touches(rules: &Value) -> bool {
    let resources = rules.as_array().into_iter().flatten().filter_map(|rule| rule["resources"].as_array()).flatten();
    resources.filter_map(Value::as_str).any(|resource| TOUCHED.contains(&resource))
}

/// Whether a label selector fits; none fits everything.
fn fits(selector: &Value, labels: &BTreeMap<String, String>) -> bool {
    let equal = selector["matchLabels"].as_object().into_iter().flatten();
    let all_equal = equal.into_iter().all(|(key, value)| labels.get(key).map(String::as_str) == value.as_str());
    let mut terms = selector["matchExpressions"].as_array().into_iter().flatten();
    all_equal
        && terms.all(|term| {
            let found = labels.get(text(term, "/key"));
            let named = found.is_some_and(|found| {
                term["values"].as_array().into_iter().flatten().any(|value| value.as_str() == Some(found))
            });
            match text(term, "/operator") {
                "In" => named,
                "NotIn" => !named,
                "Exists" => found.is_some(),
                "DoesNotExist" => found.is_none(),
                _ => true,
            }
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectors_and_rules_are_read_as_the_server_reads_them() {
        let labels: BTreeMap<String, String> = [("env".to_owned(), "test".to_owned())].into();
        let term = |operator: &str, values: &[&str]| json!({"matchExpressions": [{"key": "env", "operator": operator, "values": values}]});
        for (selector, is_fit) in [
            (Value::Null, true),
            (json!({}), true),
            (json!({"matchLabels": {"env": "test"}}), true),
            (json!({"matchLabels": {"env": "prod"}}), false),
            (term("In", &["test", "lab"]), true),
            (term("In", &["prod"]), false),
            (term("NotIn", &["test"]), false),
            (term("NotIn", &["prod"]), true),
            (term("Exists", &[]), true),
            (term("DoesNotExist", &[]), false),
        ] {
            assert_eq!(fits(&selector, &labels), is_fit, "{selector}");
        }
        assert!(touches(&json!([{"resources": ["nodes"]}, {"resources": ["pods"]}])));
        assert!(!touches(&json!([{"resources": ["ingresses", "nodes/status"]}])) && !touches(&Value::Null));
    }
}
