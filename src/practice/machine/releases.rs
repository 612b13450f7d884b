//! Helm's records: one Secret a revision, its content gzipped and twice in base64, as Helm 3 stores it.

use std::io::{Read, Write};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde_json::{Value, json};

use crate::practice::{objects::Key, state::Shared};

/// What `Chart.yaml` says.
pub fn chart() -> Value {
    json!({"name": "pixelcore", "version": "1.0.0", "description": "Stand-in for the PixelCore IoT platform, for upgrade tests",
        "apiVersion": "v2", "appVersion": "5.0.0"})
}

fn place(namespace: &str, release: &str, revision: u64) -> Key {
    Key::new("", "secrets", Some(namespace), &format!("sh.helm.release.v1.{release}.v{revision}"))
}

/// Writes a revision down, over what was written of it.
pub fn write(shared: &Shared, namespace: &str, record: &Value) -> Result<(), String> {
    let (name, revision) = (record["name"].as_str().unwrap_or_default(), record["version"].as_u64().unwrap_or(1));
    let mut zip = GzEncoder::new(Vec::new(), Compression::best());
    let zipped =
        zip.write_all(record.to_string().as_bytes()).and_then(|()| zip.finish()).map_err(|error| error.to_string())?;
    let content = json!({"release": STANDARD.encode(STANDARD.encode(zipped))});
    let labels = json!({"name": name, "owner": "helm", "status": record["info"]["status"], "version": revision.to_string(),
        "modifiedAt": jiff::Timestamp::now().as_second().to_string()});
    let at = place(namespace, name, revision);
    let made = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"labels": labels}, "type": "helm.sh/release.v1", "data": content});
    if shared.objects.get(&at).is_none() {
        let open = shared.objects.get(&Key::new("", "namespaces", None, namespace));
        if open.is_none() {
            return Err(format!("create: failed to create: namespaces \"{namespace}\" not found"));
        }
        return shared.objects.create(&at, made).map(|_| ()).map_err(|error| error.to_string());
    }
    let changed = shared.objects.update(&at, |secret| {
        secret["metadata"]["labels"] = labels;
        secret["data"] = content;
        Ok(())
    });
    changed.map(|_| ()).map_err(|error| error.to_string())
}

fn read(secret: &Value) -> Option<Value> {
    let outer = STANDARD.decode(secret.pointer("/data/release")?.as_str()?).ok()?;
    let zipped = STANDARD.decode(outer).ok()?;
    let mut text = String::new();
    GzDecoder::new(zipped.as_slice()).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// Every revision of a namespace, newest last.
pub fn all(shared: &Shared, namespace: &str) -> Vec<Value> {
    let (_, secrets) = shared.objects.list("", "secrets", Some(namespace));
    let mut found: Vec<Value> = secrets
        .iter()
        .filter(|secret| secret["type"] == "helm.sh/release.v1")
        .filter_map(|secret| read(secret))
        .collect();
    found.sort_by_key(|record| (record["name"].as_str().unwrap_or_default().to_owned(), record["version"].as_u64()));
    found
}

/// The newest revision of a release.
pub fn last(shared: &Shared, namespace: &str, release: &str) -> Option<Value> {
    all(shared, namespace).into_iter().rfind(|record| record["name"] == release)
}

/// Takes every revision of a release away.
pub fn forget(shared: &Shared, namespace: &str, release: &str) {
    for record in all(shared, namespace).iter().filter(|record| record["name"] == release) {
        // somebody else may have taken it away
        let _ = shared.objects.delete(&place(namespace, release, record["version"].as_u64().unwrap_or(1)), None);
    }
}
