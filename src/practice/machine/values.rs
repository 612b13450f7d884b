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

fn nest(path: &str, value: Value) -> Value {
    path.rsplit('.').fold(value, |inner, key| {
        let mut object = Map::new();
        object.insert(key.to_owned(), inner);
        Value::Object(object)
    })
}

/// Lays `a.b=c` upon the values.
pub fn set(values: &mut Value, text: &str) -> Result<(), String> {
    let (path, value) =
        text.split_once('=').ok_or_else(|| format!("failed parsing --set data: key \"{text}\" has no value"))?;
    merge(values, &nest(path, typed(value)));
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

/// As Helm prints them.
pub fn print(values: &Value) -> String {
    serde_saphyr::to_string(values).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_laid_over_one_another() {
        let mut values = read("version: 4.2.0\nstorage:\n  size: 5Gi\n").unwrap();
        set(&mut values, "version=5.0.0").unwrap();
        set(&mut values, "worker.replicas=2").unwrap();
        set_file(&mut values, "dotenv", "A=1\nB='x y'\n".to_owned());
        assert_eq!(values["version"], "5.0.0");
        assert_eq!(values["worker"]["replicas"], 2);
        let again = read(&print(&values)).unwrap();
        assert_eq!(again, values);
        assert!(set(&mut values, "x").is_err());
    }
}
