//! Patches: merge, JSON patch, strategic merge, and server-side apply as a plain deep merge without owners of fields.

use serde_json::{Map, Value};

use super::status::Refused;

/// How a patch is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchKind {
    /// RFC 7386.
    Merge,
    /// RFC 6902.
    Json,
    /// Lists by their keys, with `$patch` and its like.
    Strategic,
    /// Server-side apply.
    Apply,
}

impl PatchKind {
    /// By the type of the body.
    pub fn of(media: &str) -> Result<Self, Refused> {
        match media.split(';').next().unwrap_or_default().trim() {
            "application/merge-patch+json" => Ok(Self::Merge),
            "application/json-patch+json" => Ok(Self::Json),
            "application/strategic-merge-patch+json" => Ok(Self::Strategic),
            "application/apply-patch+yaml" => Ok(Self::Apply),
            other => Err(Refused::unsupported_media(other)),
        }
    }

    /// The document after the patch.
    pub fn apply(self, before: &Value, patch: &Value) -> Result<Value, Refused> {
        let mut after = before.clone();
        match self {
            Self::Merge => json_patch::merge(&mut after, patch),
            Self::Json => {
                let patch: json_patch::Patch = serde_json::from_value(patch.clone())
                    .map_err(|error| Refused::bad_request(format!("error decoding patch: {error}")))?;
                json_patch::patch(&mut after, &patch).map_err(|error| Refused::bad_request(error.to_string()))?;
            }
            Self::Strategic | Self::Apply => strategic(&mut after, patch),
        }
        Ok(after)
    }
}

/// The fields that name an item of a list; none for a list that is one value.
fn keys(list: &str) -> &'static [&'static str] {
    match list {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "volumes"
        | "env"
        | "imagePullSecrets"
        | "secrets" => &["name"],
        "ports" => &["containerPort", "port"],
        "volumeMounts" => &["mountPath"],
        "volumeDevices" => &["devicePath"],
        "conditions" | "addresses" => &["type"],
        "ownerReferences" => &["uid"],
        "hostAliases" => &["ip"],
        "taints" => &["key"],
        "topologySpreadConstraints" => &["topologyKey"],
        _ => &[],
    }
}

fn directive(patch: &Map<String, Value>) -> Option<&str> {
    patch.get("$patch").and_then(Value::as_str)
}

fn without_directives(patch: &Map<String, Value>) -> Value {
    let kept = patch.iter().filter(|(name, value)| !name.starts_with('$') && !value.is_null());
    Value::Object(
        kept.map(|(name, value)| {
            let mut clean = Value::Null;
            strategic(&mut clean, value);
            (name.clone(), clean)
        })
        .collect(),
    )
}

fn strategic(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *into = patch.clone();
        return;
    };
    let Value::Object(fields) = into else {
        *into = without_directives(patch);
        return;
    };
    if directive(patch) == Some("replace") {
        *into = without_directives(patch);
        return;
    }
    if let Some(kept) = patch.get("$retainKeys").and_then(Value::as_array) {
        fields.retain(|name, _| kept.iter().any(|keep| keep.as_str() == Some(name)));
    }
    for (name, value) in patch {
        if let Some(list) = name.strip_prefix("$deleteFromPrimitiveList/") {
            let gone = value.as_array().cloned().unwrap_or_default();
            if let Some(items) = fields.get_mut(list).and_then(Value::as_array_mut) {
                items.retain(|item| !gone.contains(item));
            }
            continue;
        }
        match value {
            _ if name.starts_with('$') => {}
            Value::Null => {
                fields.shift_remove(name);
            }
            Value::Array(items) if name == "finalizers" || !keys(name).is_empty() => {
                let list = fields.entry(name.clone()).or_insert_with(|| Value::Array(Vec::new()));
                merge_list(list, items, keys(name));
            }
            Value::Object(object) if directive(object) == Some("delete") => {
                fields.shift_remove(name);
            }
            value => strategic(fields.entry(name.clone()).or_insert(Value::Null), value),
        }
    }
}

fn merge_list(list: &mut Value, patch: &[Value], keys: &[&str]) {
    if !list.is_array() {
        *list = Value::Array(Vec::new());
    }
    let Some(list) = list.as_array_mut() else { return };
    if patch.iter().filter_map(Value::as_object).any(|item| directive(item) == Some("replace")) {
        list.clear();
    }
    for item in patch {
        let Value::Object(fields) = item else {
            if !list.contains(item) {
                list.push(item.clone());
            }
            continue;
        };
        let named = keys.iter().find_map(|key| fields.get(*key).map(|value| (*key, value)));
        let at = named.and_then(|(key, value)| list.iter().position(|known| known.get(key) == Some(value)));
        match (directive(fields), at) {
            (Some("delete"), Some(at)) => {
                list.remove(at);
            }
            (Some("delete" | "replace"), _) => {}
            (_, Some(at)) => strategic(&mut list[at], item),
            (_, None) => list.push(without_directives(fields)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patched(kind: PatchKind, before: &Value, patch: &Value) -> Value {
        kind.apply(before, patch).unwrap()
    }

    #[test]
    fn a_strategic_patch_knows_lists_by_their_keys() {
        let before = json!({"spec": {"containers": [{"name": "a", "image": "1", "env": [{"name": "X", "value": "1"}]}, {"name": "b"}]}});
        let patch = json!({"spec": {"$setElementOrder/containers": [{"name": "a"}], "containers": [
            {"name": "a", "image": "2", "env": [{"name": "Y", "value": "2"}]}, {"name": "b", "$patch": "delete"}, {"name": "c", "image": null}]}});
        assert_eq!(
            patched(PatchKind::Strategic, &before, &patch),
            json!({"spec": {"containers": [{"name": "a", "image": "2", "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}]}, {"name": "c"}]}})
        );
    }

    #[test]
    fn lists_without_keys_are_one_value_and_null_takes_away() {
        let before = json!({"spec": {"args": ["a", "b"], "x": 1}, "metadata": {"finalizers": ["a/b"]}});
        let patch =
            json!({"spec": {"args": ["c"], "x": null}, "metadata": {"$deleteFromPrimitiveList/finalizers": ["a/b"]}});
        assert_eq!(
            patched(PatchKind::Strategic, &before, &patch),
            json!({"spec": {"args": ["c"]}, "metadata": {"finalizers": []}})
        );
        let patch = json!([{"op": "replace", "path": "/spec/x", "value": 2}]);
        assert_eq!(patched(PatchKind::Json, &before, &patch)["spec"]["x"], 2);
        assert!(PatchKind::Json.apply(&before, &json!([{"op": "test", "path": "/spec/x", "value": 9}])).is_err());
        assert_eq!(
            patched(PatchKind::Merge, &before, &json!({"spec": null})),
            json!({"metadata": {"finalizers": ["a/b"]}})
        );
    }
}
