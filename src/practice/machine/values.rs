//! Values of a release: files, `--set`, `--set-file`, laid over one another.

use serde_json::{Map, Value};

/// Lays `over` upon `base`.
pub fn merge(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                merge(base.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over.clone(),
    }
}

/// A value of `--set` as Helm reads it.
fn typed(text: &str) -> Value {
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "null" => Value::Null,
        text => text.parse::<i64>().map_or_else(|_| Value::String(text.to_owned()), Value::from),
    }
}

/// The pairs of one flag: at a comma another begins, unless a backslash makes it a letter like any other.
fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let (mut all, mut letters) = (vec![String::new()], text.chars());
    while let Some(letter) = letters.next() {
        let letter = match letter {
            ',' => {
                all.push(String::new());
                continue;
            }
            '\\' => letters.next(),
            other => Some(other),
        };
        if let Some(last) = all.last_mut() {
            last.extend(letter);
        }
    }
    let pair = |pair: String| match pair.split_once('=') {
        Some((path, value)) => Ok((path.to_owned(), value.to_owned())),
        None => Err(format!("failed parsing --set data: key \"{pair}\" has no value")),
    };
    all.into_iter().map(pair).collect()
}

fn nest(path: &str, value: Value) -> Value {
    path.rsplit('.').fold(value, |inner, key| {
        let mut object = Map::new();
        object.insert(key.to_owned(), inner);
        Value::Object(object)
    })
}

/// Lays `a.b=c,d=e` upon the values.
pub fn set(values: &mut Value, text: &str) -> Result<(), String> {
    pairs(text)?.iter().for_each(|(path, value)| merge(values, &nest(path, typed(value))));
    Ok(())
}

/// The same where every value is text.
pub fn set_string(values: &mut Value, text: &str) -> Result<(), String> {
    pairs(text)?.into_iter().for_each(|(path, value)| merge(values, &nest(&path, Value::String(value))));
    Ok(())
}

/// Lays the content of a file upon the values.
pub fn set_file(values: &mut Value, path: &str, content: String) {
    merge(values, &nest(path, Value::String(content)));
}

/// Reads a values file.
pub fn read(text: &str) -> Result<Value, String> {
    if text.trim().is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    serde_saphyr::from_str(text).map_err(|_| "failed to parse values: error converting YAML to JSON".to_owned())
}

/// As Helm prints them: keys in order, text bare where it can be, lines as they are.
pub fn print(values: &Value) -> String {
    let mut text = String::new();
    write(&mut text, values, 0);
    text.trim_start_matches(['\n', ' ']).to_owned()
}

fn write(text: &mut String, value: &Value, depth: usize) {
    let begin = format!("\n{}", "  ".repeat(depth));
    match value {
        Value::Object(map) if !map.is_empty() => {
            let mut entries: Vec<(&String, &Value)> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            for (key, value) in entries {
                text.push_str(&begin);
                text.push_str(&scalar(key));
                text.push(':');
                // a list stands as deep as its key
                write(text, value, depth + usize::from(!value.is_array()));
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                let mut inner = String::new();
                write(&mut inner, item, depth + 1);
                text.push_str(&begin);
                text.push_str("- ");
                text.push_str(inner.trim_start());
            }
        }
        Value::String(lines) if lines.contains('\n') && !lines.starts_with([' ', '\n']) => {
            text.push_str(if lines.ends_with('\n') { " |" } else { " |-" });
            for line in lines.lines() {
                if line.is_empty() {
                    text.push('\n');
                } else {
                    text.push_str(&begin);
                    text.push_str(line);
                }
            }
        }
        Value::String(word) => {
            text.push(' ');
            text.push_str(&scalar(word));
        }
        other => {
            text.push(' ');
            text.push_str(&other.to_string());
        }
    }
    if depth == 0 {
        text.push('\n');
    }
}

/// A text on one line, in quotes where it would be read as something else.
fn scalar(text: &str) -> String {
    let first = text.chars().next().is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '('));
    let inner = text.chars().all(|c| !c.is_control())
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([' ', ':']);
    let itself =
        first && inner && matches!(serde_saphyr::from_str::<Value>(text), Ok(Value::String(read)) if read == text);
    let other = matches!(text.to_ascii_lowercase().as_str(), "y" | "n" | "yes" | "no" | "on" | "off");
    if itself && !other { text.to_owned() } else { Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_laid_over_one_another() {
        let mut values = read("version: 4.2.0\nstorage:\n  size: 5Gi\n").unwrap();
        set(&mut values, "version=5.0.0").unwrap();
        set(&mut values, "worker.replicas=2").unwrap();
        let mut texts = Value::Object(Map::new());
        set_string(&mut texts, "version=7,a.b=x\\,y=z\\\\").unwrap();
        assert_eq!(texts, serde_json::json!({"version": "7", "a": {"b": "x,y=z\\"}}));
        set(&mut texts, "a.b=1,c=true").unwrap();
        assert_eq!(texts, serde_json::json!({"version": "7", "a": {"b": 1}, "c": true}));
        set_file(&mut values, "dotenv", "A=1\nB='x y'\n".to_owned());
        assert_eq!(values["version"], "5.0.0");
        assert_eq!(values["worker"]["replicas"], 2);
        let printed = print(&values);
        assert!(
            printed.starts_with("dotenv: |\n  A=1\n  B='x y'\nstorage:\n  size: 5Gi\nversion: 5.0.0\nworker:\n"),
            "{printed}"
        );
        values["odd"] = serde_json::json!({"list": [1, {"a": "", "b": [true, "no"]}, []], "x": "5.0", "y": " \n", "z": "a: b #", "e": {}});
        assert_eq!(read(&print(&values)).unwrap(), values);
        assert!(set(&mut values, "x").is_err());
    }
}
