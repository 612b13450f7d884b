//! Environment files: read for checking only. What is passed on is always the file itself, byte for byte.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::actions::{
    context::{Halt, StepCx},
    objects::pods::{container, environment, ready_pod, sources},
};

/// Variables of a dotenv file. A fault names its line and never its content.
///
/// # Errors
/// The line and what is wrong with it, in words.
pub fn parse(content: &[u8]) -> Result<BTreeMap<String, String>, String> {
    let text = std::str::from_utf8(content).map_err(|_| "is not UTF-8 text".to_owned())?;
    let mut found = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let Some((key, value)) = line.split_once('=') else {
            return Err(format!("line {number} has no `=`. Example: PIX_DB_NAME=pixelcore"));
        };
        let key = key.trim();
        let good = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !good {
            return Err(format!("line {number} begins with no variable name"));
        }
        let value = value.trim();
        let value = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let inner = &value[1..];
                let Some(end) = inner.find(quote) else {
                    return Err(format!("line {number} opens a quote and does not close it"));
                };
                &inner[..end]
            }
            _ => value,
        };
        found.insert(key.to_owned(), value.to_owned());
    }
    Ok(found)
}

/// Whether the file can be read and defines every variable of `needed`.
///
/// # Errors
/// A sentence for the field, without values.
pub fn check(content: &[u8], needed: &[String]) -> Result<(), String> {
    let found = parse(content)?;
    let missing: Vec<&str> =
        needed.iter().filter(|key| found.get(*key).is_none_or(String::is_empty)).map(String::as_str).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("does not define {}", missing.join(", "))) }
}

/// Whether every variable of the file is what the core container has. The inner error names variables, never values.
pub async fn agrees_with_core(cx: &StepCx, content: &[u8]) -> Result<Result<(), String>, Halt> {
    let found = match parse(content) {
        Ok(found) => found,
        Err(fault) => return Ok(Err(fault)),
    };
    let at = &cx.deployment()?.core;
    let (_, pod) = ready_pod(cx, cx.namespace(), at).await?;
    let running = environment(cx, cx.namespace(), &pod, &at.container).await?;
    let differs: Vec<&str> = found
        .iter()
        .filter(|(key, value)| running.get(*key).is_none_or(|now| now.expose_secret() != value.as_bytes()))
        .map(|(key, _)| key.as_str())
        .collect();
    if !differs.is_empty() {
        return Ok(Err(format!(
            "is not the file of this deployment: {} {} from what {} runs with",
            differs.join(", "),
            if differs.len() == 1 { "differs" } else { "differ" },
            at.container
        )));
    }
    let missing = missing(cx, &pod, &at.container, &found).await?;
    Ok(if missing.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "is not the whole file: {} runs with {}, and the file does not have it",
            at.container,
            missing.join(", ")
        ))
    })
}

/// Variables that the container has from where the file's own went, and that the file does not define.
async fn missing(cx: &StepCx, pod: &Value, name: &str, file: &BTreeMap<String, String>) -> Result<Vec<String>, Halt> {
    let Some(container) = container(pod, name) else { return Ok(Vec::new()) };
    let sources = sources(cx, cx.namespace(), container).await?;
    let of_the_file = sources.iter().filter(|source| source.keys().any(|key| file.contains_key(key)));
    let mut missing: Vec<String> =
        of_the_file.flatten().map(|(key, _)| key.clone()).filter(|key| !file.contains_key(key)).collect();
    missing.sort();
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dotenv_file_is_read_and_its_faults_are_at_their_line() {
        let good = parse(b"# c\nA=1\nexport B='x #1'\nC=\"two words\" # note\n\nD=\n").unwrap();
        assert_eq!(good["B"], "x #1");
        assert_eq!(good["C"], "two words");
        assert_eq!(good["D"], "");
        assert_eq!(check(b"A=1\n", &["A".into(), "D".into()]), Err("does not define D".into()));
        for (bad, line) in [("A=1\nB\n", "line 2"), ("A='x\n", "line 1"), ("1A=x\n", "line 1")] {
            assert!(parse(bad.as_bytes()).unwrap_err().contains(line), "{bad}");
        }
        assert!(!parse(b"SECRET\n").unwrap_err().contains("SECRET"));
    }
}
