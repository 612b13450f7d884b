//! The chart of a captured release, taken out of helm's own record of it: what is deployed can be installed elsewhere without
//! the folder that it came from.
//!
//! Called by `chart`, where the runbook names none.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::read::GzDecoder;
use serde_json::Value;

use super::copy;
use crate::{actions::objects::pods::text, ports::SecretBytes, text::stays_inside};

/// Most bytes of a record, unpacked: helm's own limit for a chart, and room for the values and the manifest.
const MOST: u64 = 64 << 20;

/// Writes the chart of a record, as it lies in the vault, into the empty folder `to`.
///
/// # Errors
/// In words, without a piece of the record: it is damaged, or the chart had others inside, which helm does not write down.
pub fn unpack(record: &SecretBytes, to: &Path) -> Result<(), String> {
    let record = read(record).ok_or("helm's record in the vault cannot be understood")?;
    let chart = &record["chart"];
    let charts = chart.pointer("/metadata/dependencies").and_then(Value::as_array).map_or(0, Vec::len);
    if charts > 0 {
        return Err(format!(
            "the chart {} is made of others ({charts}), and helm writes those down nowhere",
            text(chart, "/metadata/name")
        ));
    }
    copy::make_empty(to)?;
    let mut files = vec![
        // JSON is YAML, too
        (PathBuf::from("Chart.yaml"), chart["metadata"].to_string().into_bytes()),
        (PathBuf::from("values.yaml"), chart.get("values").unwrap_or(&Value::Null).to_string().into_bytes()),
    ];
    if let Some(schema) = chart["schema"].as_str() {
        files.push((PathBuf::from("values.schema.json"), decoded(schema)?));
    }
    for part in ["templates", "files"] {
        for file in chart[part].as_array().into_iter().flatten() {
            files.push((inside(text(file, "/name"))?, decoded(text(file, "/data"))?));
        }
    }
    for (name, bytes) in files.into_iter().filter(|(name, _)| !copy::is_left_out_anywhere(name)) {
        copy::write(&to.join(name), &bytes)?;
    }
    Ok(())
}

/// The record's content: a Secret whose value is gzipped, in the base64 of helm and in that of the API.
fn read(secret: &SecretBytes) -> Option<Value> {
    let secret: Value = serde_json::from_slice(secret.expose_secret()).ok()?;
    let zipped = STANDARD.decode(STANDARD.decode(secret.pointer("/data/release")?.as_str()?).ok()?).ok()?;
    let mut bytes = Vec::new();
    GzDecoder::new(zipped.as_slice()).take(MOST).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn decoded(text: &str) -> Result<Vec<u8>, String> {
    STANDARD.decode(text).map_err(|_| "helm's record holds a file that cannot be read".to_owned())
}

/// A path that stays inside of the chart.
fn inside(name: &str) -> Result<PathBuf, String> {
    let refused = || "helm's record names a file that is not inside of its chart".to_owned();
    stays_inside(name).then(|| PathBuf::from(name)).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write as _};

    use flate2::{Compression, write::GzEncoder};
    use serde_json::json;

    use super::*;

    fn record(chart: &Value) -> SecretBytes {
        let mut zip = GzEncoder::new(Vec::new(), Compression::default());
        zip.write_all(json!({"chart": chart, "config": {"password": "canary"}}).to_string().as_bytes()).unwrap();
        let release = STANDARD.encode(STANDARD.encode(zip.finish().unwrap()));
        SecretBytes::new(json!({"data": {"release": release}}).to_string().into_bytes())
    }

    #[test]
    fn a_chart_comes_out_as_it_was() {
        let home = tempfile::tempdir().unwrap();
        let to = home.path().join("chart");
        let file = |name: &str, content: &str| json!({"name": name, "data": STANDARD.encode(content)});
        let chart = json!({"metadata": {"name": "pix", "version": "1.0.0"}, "values": {"a": 1},
            "templates": [file("templates/core.yaml", "kind: X\n")], "files": [file("README.md", "read")]});
        unpack(&record(&chart), &to).unwrap();
        let of = |name: &str| fs::read_to_string(to.join(name)).unwrap();
        assert_eq!((of("templates/core.yaml"), of("README.md")), ("kind: X\n".to_owned(), "read".to_owned()));
        assert_eq!(serde_json::from_str::<Value>(&of("Chart.yaml")).unwrap(), chart["metadata"]);
        assert_eq!(of("values.yaml"), r#"{"a":1}"#);
    }

    #[test]
    fn what_is_not_whole_or_leads_out_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let to = home.path().join("chart");
        let refused = |record: SecretBytes| unpack(&record, &to).unwrap_err();
        assert!(refused(SecretBytes::new(b"canary".to_vec())).contains("cannot be understood"));
        let parts = json!({"metadata": {"name": "pix", "dependencies": [{"name": "db"}]}});
        assert_eq!(refused(record(&parts)), "the chart pix is made of others (1), and helm writes those down nowhere");
        for name in ["../out", "/etc/passwd", ""] {
            let out = json!({"metadata": {"name": "pix"}, "templates": [{"name": name, "data": ""}]});
            assert!(refused(record(&out)).contains("not inside of its chart"), "{name}");
        }
        assert!(!home.path().join("out").exists());
    }
}
