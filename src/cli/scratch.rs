//! Whether a namespace can be the scratch place of a rehearsal: rightly named, not the target's own, and not there yet, or empty. Only reads.

use crate::{
    actions::unusable_for_a_rehearsal,
    ports::{ObjectRef, Objects, PortError, PortErrorKind, kinds},
};

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

/// Why a namespace of this name cannot be used, or nothing: where it is not there, and where it is empty.
pub async fn taken(name: &str, objects: &dyn Objects) -> Result<Option<String>, PortError> {
    let place = ObjectRef { kind: kinds::namespace(), namespace: None, name: name.to_owned() };
    let looked = async {
        match objects.get(&place).await {
            Ok(None) => Ok(None),
            Ok(Some(found)) => unusable_for_a_rehearsal(objects, name, Some(&found)).await,
            Err(error) if error.kind == PortErrorKind::Forbidden => unusable_for_a_rehearsal(objects, name, None).await,
            Err(error) => Err(error),
        }
    };
    match looked.await {
        // who may not read it is told of that by the preflight, with all other rights
        Err(error) if error.kind == PortErrorKind::Forbidden => Ok(None),
        looked => looked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
