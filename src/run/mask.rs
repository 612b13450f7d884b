//! Masks: what an application shows in place of a secret. A mask is no value: it is neither kept, nor put back, nor equal
//! to anything. Called by `actions` (captures, compares) and by the forms. Holds the mask of drydock's own, too, for which
//! the same is true.

use serde_json::Value;

use super::login::{has_masked_login, without_logins};
use crate::text::printable;

/// What stands in output, records and events where a program said a secret of the run. Its length tells nothing.
pub const HIDDEN: &str = "••••••••";

/// Whether a secret that was read is nothing but a mask (asterisks, bullets or dots).
pub fn is_mask(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| matches!(c, '*' | '•' | '●' | '.' | '·'))
        || matches!(text, "<redacted>" | "[redacted]" | "<hidden>" | "REDACTED")
}

/// Whether a value that nobody said to be a secret is a mask: `*`, `**`, `.` and `..` are patterns and folders there.
fn is_value_mask(text: &str) -> bool {
    is_mask(text) && !matches!(text, "*" | "**" | "." | "..")
}

/// Where in `value` a mask stands, at any depth: `settings.password`, `settings.hosts[1].token`.
pub fn masks_within(name: &str, value: &Value) -> Vec<String> {
    match value {
        Value::String(text) if is_value_mask(text) || has_masked_login(text) => vec![printable(name)],
        Value::Object(members) => {
            members.iter().flat_map(|(key, inner)| masks_within(&format!("{name}.{key}"), inner)).collect()
        }
        Value::Array(all) => {
            all.iter().enumerate().flat_map(|(at, inner)| masks_within(&format!("{name}[{at}]"), inner)).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether `now` is `wanted` wherever it shows no mask.
pub fn equal_but_for_masks(wanted: &Value, now: &Value) -> bool {
    match (wanted, now) {
        (_, Value::String(text)) if is_value_mask(text) => true,
        (Value::String(wanted), Value::String(now)) if has_masked_login(now) => {
            without_logins(wanted) == without_logins(now)
        }
        (Value::Object(wanted), Value::Object(now)) => {
            wanted.len() == now.len()
                && wanted.iter().all(|(key, value)| now.get(key).is_some_and(|now| equal_but_for_masks(value, now)))
        }
        (Value::Array(wanted), Value::Array(now)) => {
            wanted.len() == now.len() && wanted.iter().zip(now).all(|(wanted, now)| equal_but_for_masks(wanted, now))
        }
        _ => wanted == now,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mask_is_found_at_any_depth() {
        let value =
            json!({"password": "********", "every": "*", "here": "..", "hosts": [{"token": "a"}, {"token": "•••"}]});
        let mut found = masks_within("settings", &value);
        found.sort();
        assert_eq!(found, ["settings.hosts[1].token", "settings.password"]);
        assert!(masks_within("settings", &json!({"s": 30, "stars": "5 ***"})).is_empty());
    }

    #[test]
    fn what_stands_beside_a_mask_is_compared() {
        let wanted = json!({"password": "real", "s": 30});
        assert!(equal_but_for_masks(&wanted, &json!({"password": "********", "s": 30})));
        assert!(!equal_but_for_masks(&wanted, &json!({"password": "********", "s": 31})));
        assert!(!equal_but_for_masks(&wanted, &json!({"password": "********", "s": 30, "t": 1})));
        assert!(!equal_but_for_masks(&json!([1, 2]), &json!([1])));
        let wanted = json!("https://u:real@h/a");
        assert!(equal_but_for_masks(&wanted, &json!("https://u:****@h/a")));
        assert!(!equal_but_for_masks(&wanted, &json!("https://u:****@h/b")));
        assert!(!equal_but_for_masks(&wanted, &json!("https://u:other@h/a")));
        assert_eq!(masks_within("url", &json!("https://u:****@h/a")), ["url"]);
    }
}
