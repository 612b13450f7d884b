//! Whether a namespace can be the scratch place of a rehearsal: rightly named, not the target's own, not there yet. Only reads.

use serde_json::Value;

use crate::ports::{ObjectRef, Objects, PortError, PortErrorKind, kinds};

/// Longest name of a namespace.
const LONGEST: usize = 63;

/// Why the name is none for a scratch place beside the namespace `target`, or nothing.
pub fn misnamed(name: &str, target: &str) -> Option<String> {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let count = name.chars().count();
    if name.is_empty() {
        Some("a namespace has a name".to_owned())
    } else if name == target {
        Some("it is the target's own namespace".to_owned())
    } else if count > LONGEST {
        Some(format!("it has {count} letters; the name of a namespace has at most {LONGEST}"))
    } else if !name.chars().all(|c| letter(c) || c == '-') || !name.starts_with(letter) || !name.ends_with(letter) {
        Some("the name of a namespace is of a to z, 0 to 9 and -, with no - at either end".to_owned())
    } else {
        None
    }
}

/// Why a namespace of this name is not free, or nothing.
pub async fn taken(name: &str, objects: &dyn Objects) -> Result<Option<String>, PortError> {
    let place = ObjectRef { kind: kinds::namespace(), namespace: None, name: name.to_owned() };
    match objects.get(&place).await {
        Ok(found) => Ok(found.map(|found| why(name, &found))),
        // who may not read it is told of that by the preflight, with all other rights
        Err(error) if error.kind == PortErrorKind::Forbidden => Ok(None),
        Err(error) => Err(error),
    }
}

fn why(name: &str, found: &Value) -> String {
    if found.pointer("/metadata/deletionTimestamp").is_some() {
        return format!("namespace {name} is being removed; wait until it is gone, or name another");
    }
    match found.pointer("/metadata/labels").and_then(|labels| labels.get("drydock.run")).and_then(Value::as_str) {
        Some(run) => format!(
            "namespace {name} is left of run {run}; name another, or remove it: kubectl delete namespace {name}"
        ),
        None => format!("namespace {name} exists, and drydock never empties what it has not made; name another"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_scratch_namespace_has_a_name_of_its_own() {
        let longest = "a".repeat(LONGEST);
        for fits in ["plant-rehearsal", "0", "x--y", &longest] {
            assert_eq!(misnamed(fits, "plant"), None, "{fits}");
        }
        let wrong = ["", "plant", "Plant-2", "-x", "x-", "x.y", "x y", " x", "größe", &format!("{longest}a")];
        for name in wrong {
            assert!(misnamed(name, "plant").is_some(), "{name}");
        }
        assert!(misnamed("plant", "plant").is_some_and(|why| why.contains("target's own")));
        assert!(misnamed(&format!("{longest}a"), "plant").is_some_and(|why| why.contains("64 letters")));
    }

    #[test]
    fn one_that_exists_says_whose_it_is() {
        let of = |metadata: Value| why("lab", &json!({"metadata": metadata}));
        assert!(of(json!({"name": "lab"})).contains("exists, and drydock never empties"));
        assert!(of(json!({"labels": {"drydock.run": "7f3a"}})).contains("is left of run 7f3a"));
        let ending = json!({"labels": {"drydock.run": "7f3a"}, "deletionTimestamp": "2026-11-20T20:00:00Z"});
        assert!(of(ending).contains("is being removed"));
    }
}
