//! The environment of a container, from its spec and the ConfigMaps and Secrets of this moment.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{super::objects::Key, Shared, text};

/// The variables of a pod's first container; the error is the kubelet's.
pub fn of(shared: &Shared, namespace: &str, pod: &Value) -> Result<BTreeMap<String, String>, String> {
    let container = pod.pointer("/spec/containers/0").cloned().unwrap_or_default();
    let mut env = BTreeMap::from([
        ("HOSTNAME".to_owned(), text(pod, "/metadata/name").to_owned()),
        ("HOME".to_owned(), "/root".to_owned()),
        ("PATH".to_owned(), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned()),
    ]);
    for source in container.get("envFrom").and_then(Value::as_array).into_iter().flatten() {
        for (pointer, plural) in [("/configMapRef/name", "configmaps"), ("/secretRef/name", "secrets")] {
            let name = text(source, pointer);
            if !name.is_empty() {
                env.extend(data(shared, namespace, plural, name)?);
            }
        }
    }
    for entry in container.get("env").and_then(Value::as_array).into_iter().flatten() {
        let name = text(entry, "/name").to_owned();
        let refs = [("/valueFrom/configMapKeyRef", "configmaps"), ("/valueFrom/secretKeyRef", "secrets")];
        let found =
            refs.iter().find_map(|(pointer, plural)| entry.pointer(pointer).map(|reference| (reference, *plural)));
        let value = match found {
            None => text(entry, "/value").to_owned(),
            Some((reference, plural)) => {
                let (from, key) = (text(reference, "/name"), text(reference, "/key"));
                let kind = if plural == "secrets" { "Secret" } else { "ConfigMap" };
                let missing = || format!("couldn't find key {key} in {kind} {namespace}/{from}");
                data(shared, namespace, plural, from)?.remove(key).ok_or_else(missing)?
            }
        };
        env.insert(name, value);
    }
    Ok(env)
}

fn data(shared: &Shared, namespace: &str, plural: &str, name: &str) -> Result<BTreeMap<String, String>, String> {
    let found = shared.objects.get(&Key::new("", plural, Some(namespace), name));
    let found = found.ok_or_else(|| format!("{} \"{name}\" not found", plural.trim_end_matches('s')))?;
    let mut all = BTreeMap::new();
    for (key, value) in found.get("data").and_then(Value::as_object).into_iter().flatten() {
        let raw = value.as_str().unwrap_or_default();
        let value = if plural == "secrets" {
            STANDARD.decode(raw).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
        } else {
            raw.to_owned()
        };
        all.insert(key.clone(), value);
    }
    // what the API server has not yet turned into data
    for (key, value) in found.get("stringData").and_then(Value::as_object).into_iter().flatten() {
        all.insert(key.clone(), value.as_str().unwrap_or_default().to_owned());
    }
    Ok(all)
}
