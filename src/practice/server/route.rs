//! From a path to what is asked for.

use super::{
    kinds::{REVIEWS, Scope, Served, is_of_reviews},
    status::Refused,
};

/// One object or one collection.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its kind.
    pub kind: &'static Served,
    /// Its namespace; none for cluster-scoped kinds, and for collections of all namespaces.
    pub namespace: Option<String>,
    /// Its name; empty for a collection.
    pub name: String,
    /// Its subresource; empty for the object itself.
    pub part: String,
}

/// What is asked for.
#[derive(Debug)]
pub enum Route {
    /// A health check.
    Health,
    /// `/version`
    Version,
    /// `/api`
    Core,
    /// `/apis`
    Groups,
    /// `/apis/GROUP`
    Group(String),
    /// `/api/v1` and `/apis/GROUP/VERSION`
    Kinds(String, String),
    /// `/openapi/v3`
    Schemas,
    /// `/openapi/v3/api/v1` and `/openapi/v3/apis/GROUP/VERSION`
    Schema(String, String),
    /// A question about rights, by its kind.
    Review(&'static str),
    /// Objects.
    Objects(Place),
}

impl Route {
    /// Reads a path.
    pub fn of(path: &str) -> Result<Self, Refused> {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match parts.as_slice() {
            ["healthz" | "readyz" | "livez", ..] => Ok(Self::Health),
            ["version"] => Ok(Self::Version),
            ["api"] => Ok(Self::Core),
            ["apis"] => Ok(Self::Groups),
            ["openapi", "v3"] => Ok(Self::Schemas),
            ["openapi", "v3", "api", version] => Ok(Self::Schema(String::new(), (*version).to_owned())),
            ["openapi", "v3", "apis", group, version] => Ok(Self::Schema((*group).to_owned(), (*version).to_owned())),
            ["api", version] => Ok(Self::Kinds(String::new(), (*version).to_owned())),
            ["apis", group] => Ok(Self::Group((*group).to_owned())),
            ["apis", group, version] => Ok(Self::Kinds((*group).to_owned(), (*version).to_owned())),
            ["apis", group, "v1", plural] if is_of_reviews(group) => {
                let known = REVIEWS.iter().find(|(of, _, known)| of == group && known == plural);
                known.map(|(_, kind, _)| Self::Review(kind)).ok_or_else(Refused::no_such_path)
            }
            ["api", version, rest @ ..] => objects("", version, rest),
            ["apis", group, version, rest @ ..] => objects(group, version, rest),
            _ => Err(Refused::no_such_path()),
        }
    }
}

fn objects(group: &str, version: &str, rest: &[&str]) -> Result<Route, Refused> {
    let own = |part: &&str| matches!(*part, "status" | "finalize");
    let (namespace, rest) = match rest {
        ["namespaces", namespace, rest @ ..] if rest.first().is_some_and(|part| !own(part)) => {
            (Some((*namespace).to_owned()), rest)
        }
        rest => (None, rest),
    };
    let (plural, name, part) = match rest {
        [plural] => (plural, "", ""),
        [plural, name] => (plural, *name, ""),
        [plural, name, part] => (plural, *name, *part),
        _ => return Err(Refused::no_such_path()),
    };
    let kind = Served::find(group, version, plural).ok_or_else(Refused::no_such_path)?;
    let fits = match kind.scope {
        Scope::Cluster => namespace.is_none(),
        Scope::Namespaced => namespace.is_some() || name.is_empty(),
    };
    if !fits || (!part.is_empty() && !kind.subresources.contains(&part)) {
        return Err(Refused::no_such_path());
    }
    Ok(Route::Objects(Place { kind, namespace, name: name.to_owned(), part: part.to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(path: &str) -> Option<(&'static str, Option<String>, String, String)> {
        match Route::of(path) {
            Ok(Route::Objects(place)) => Some((place.kind.kind, place.namespace, place.name, place.part)),
            _ => None,
        }
    }

    #[test]
    fn paths_lead_to_objects() {
        let ns = || Some("plant".to_owned());
        let to = |kind, namespace, name: &str, part: &str| Some((kind, namespace, name.to_owned(), part.to_owned()));
        assert_eq!(place("/api/v1/namespaces/plant"), to("Namespace", None, "plant", ""));
        assert_eq!(place("/api/v1/namespaces/plant/status"), to("Namespace", None, "plant", "status"));
        assert_eq!(place("/api/v1/namespaces/plant/pods"), to("Pod", ns(), "", ""));
        assert_eq!(place("/api/v1/pods"), to("Pod", None, "", ""));
        assert_eq!(place("/api/v1/namespaces/plant/pods/a/log"), to("Pod", ns(), "a", "log"));
        assert_eq!(
            place("/apis/apps/v1/namespaces/plant/statefulsets/db/scale"),
            to("StatefulSet", ns(), "db", "scale")
        );
        for wrong in ["/api/v1/pods/a", "/api/v1/namespaces/plant/nodes/a", "/apis/apps/v1/pods", "/api/v2/pods"] {
            assert_eq!(place(wrong), None, "{wrong}");
        }
    }
}
