//! Items of a form: what each field holds, what may be shown of it, and in which JSON type it goes back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::form::{Field, FieldKind, Form};
use crate::{
    ports::Provenance,
    text::{in_query, printable, units},
};

/// What a field holds now.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FieldValue {
    /// Nothing.
    #[default]
    Empty,
    /// A value that is no secret.
    Text { value: String, provenance: Provenance },
    /// A secret that is in the vault: its length in characters, its keyed check, and what may be shown of it: the names of the
    /// members of JSON, an address without its login.
    Secret {
        length: usize,
        check: String,
        provenance: Provenance,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        members: String,
    },
}

impl FieldValue {
    /// What may be shown of it: a secret as the names of its members, length and check.
    pub fn told(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text { value, .. } => printable(value),
            Self::Secret { length, check, members, .. } => {
                let names = if members.is_empty() { String::new() } else { format!("{members} · ") };
                format!("{names}{} · check {check}", units::plural(*length, "character", "characters"))
            }
        }
    }

    /// Whether it is a secret that was typed or found. One that was read from a file lies at the path that is named.
    pub fn can_be_shown(&self) -> bool {
        matches!(self, Self::Secret { provenance, .. } if !matches!(provenance, Provenance::File { .. }))
    }

    /// Whether the application itself told it.
    pub fn is_found(&self) -> bool {
        matches!(self, Self::Secret { provenance, .. } | Self::Text { provenance, .. }
            if matches!(provenance, Provenance::Found { .. }))
    }
}

/// The JSON type that a member had in the application, so that it goes back as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonType {
    /// A string.
    #[default]
    Text,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// An object.
    Object,
    /// A list.
    List,
}

impl JsonType {
    /// The type of a value; nothing is as good as a text.
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null | Value::String(_) => Self::Text,
            Value::Bool(_) => Self::Bool,
            Value::Number(_) => Self::Number,
            Value::Object(_) => Self::Object,
            Value::Array(_) => Self::List,
        }
    }

    /// A text as a value of this type, if it is one.
    pub fn value(self, text: &str) -> Option<Value> {
        if self == Self::Text {
            return Some(Value::String(text.to_owned()));
        }
        serde_json::from_str(text).ok().filter(|value| Self::of(value) == self && !value.is_null())
    }

    /// What it is called.
    pub fn words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Bool => "true or false",
            Self::Number => "a number",
            Self::Object => "a JSON object in braces",
            Self::List => "a JSON list in brackets",
        }
    }
}

/// Names of an object's members as they may be shown; nothing of their values.
pub fn member_names(members: &serde_json::Map<String, Value>) -> String {
    if members.is_empty() {
        return "no members".to_owned();
    }
    printable(&members.keys().map(String::as_str).collect::<Vec<_>>().join(", "))
}

/// Name of a vault entry: step, item and field; a form that is not repeated has no item. What an application calls an item may
/// hold any sign: here it is written as in an address.
pub fn secret_name(step: &str, item: &str, field: &str) -> String {
    if item == "1" { format!("{step}/{field}") } else { format!("{step}/{}/{field}", in_query(item)) }
}

/// What the application says now of an item that was captured before.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Live {
    /// The same, as far as it was asked.
    #[default]
    Same,
    /// Something else: by field id; what no field shows is under an id of its own. Secrets by their length only.
    Differs(BTreeMap<String, String>),
    /// Nothing: it is not there any more.
    Gone,
}

impl Live {
    fn is_same(&self) -> bool {
        *self == Self::Same
    }

    /// What the application says now in a field, where that is something else.
    pub fn of(&self, field: &str) -> Option<&str> {
        match self {
            Self::Differs(now) => now.get(field).map(String::as_str),
            Self::Same | Self::Gone => None,
        }
    }
}

/// One thing of a repeated group, or the only one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its name: the value of the form's `name` field, or `1` where a form is not repeated.
    pub id: String,
    /// Values by field id.
    pub values: BTreeMap<String, FieldValue>,
    /// Faults by field id, in words.
    pub faults: BTreeMap<String, String>,
    /// Whether a human confirmed it since the last change.
    pub confirmed: bool,
    /// Names of further settings that were found and that no field shows; their values are in the vault.
    #[serde(default)]
    pub extra: String,
    /// JSON types by field id. A form of an earlier version has none.
    #[serde(default)]
    pub types: BTreeMap<String, JsonType>,
    /// What the application says now, when it was asked again after the capture.
    #[serde(default, skip_serializing_if = "Live::is_same")]
    pub live: Live,
}

impl Item {
    /// Faults of what no field of `form` shows.
    pub fn further_faults(&self, form: &Form) -> impl Iterator<Item = &str> {
        let shown = |id: &str| form.fields.iter().any(|field| field.id == id);
        self.faults.iter().filter(move |(id, _)| !shown(id)).map(|(_, fault)| fault.as_str())
    }

    /// What the application says now of what no field of `form` shows.
    pub fn further_live(&self, form: &Form) -> Option<&str> {
        let Live::Differs(now) = &self.live else { return None };
        let shown = |id: &str| form.fields.iter().any(|field| field.id == id);
        now.iter().find(|(id, _)| !shown(id)).map(|(_, now)| now.as_str())
    }

    /// Whether it was added by hand: the application told nothing of it, so it cannot be gone from there.
    pub fn is_by_hand(&self) -> bool {
        self.extra.is_empty() && !self.values.values().any(FieldValue::is_found)
    }

    /// Whether a field is typed unseen: of a secret, also where only what was put in made it one.
    pub fn is_unseen(&self, field: &Field) -> bool {
        field.is_typed_unseen() || self.values.get(&field.id).is_some_and(FieldValue::can_be_shown)
    }

    /// What a field holds, as far as it may be edited: a secret is never brought back, only the path it came from.
    pub fn editable(&self, field: &Field) -> &str {
        match self.values.get(&field.id) {
            Some(FieldValue::Text { value, .. }) => value,
            Some(FieldValue::Secret { provenance: Provenance::File { path }, .. })
                if field.kind == FieldKind::SecretFile =>
            {
                path
            }
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_goes_back_in_the_type_that_was_found() {
        for value in [json!("true"), json!("{\"a\": 1}"), json!("42"), json!(""), json!(true), json!(30), json!(0.75)] {
            let kind = JsonType::of(&value);
            let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            assert_eq!(FieldKind::Text.json_type(Some(kind)).value(&text), Some(value));
        }
        assert_eq!(JsonType::Number.value("thirty"), None);
        assert_eq!(JsonType::Number.value("\"30\""), None);
        assert_eq!(JsonType::List.value("[1]"), Some(json!([1])));
        assert_eq!(FieldKind::Bool.json_type(Some(JsonType::Text)).value("true"), Some(json!(true)));
        assert_eq!(FieldKind::SecretJson.json_type(None).value("{\"a\": 1}"), Some(json!({"a": 1})));
        assert_eq!(FieldKind::Text.json_type(None).value("{\"a\": 1}"), Some(json!("{\"a\": 1}")));
    }

    #[test]
    fn items_of_an_earlier_version_are_understood_and_a_secret_tells_its_members() {
        let old = json!({"id": "geo", "values": {
            "settings": {"text": {"value": "{\"s\": 30}", "provenance": {"typed": {"by": "ann"}}}},
            "token": {"secret": {"length": 11, "check": "90aa", "provenance": {"found": {"place": "GET /"}}}},
        }, "faults": {}, "confirmed": true, "extra": ""});
        let item: Item = serde_json::from_value(old).unwrap();
        assert!(item.types.is_empty() && item.live == Live::Same);
        assert_eq!(item.values["token"].told(), "11 characters · check 90aa");
        let members = member_names(json!({"interval_s": 1, "smtp_pass": "x"}).as_object().unwrap());
        let provenance = Provenance::Typed { by: "ann".into() };
        let secret = FieldValue::Secret { length: 64, check: "90aa".into(), provenance, members };
        assert_eq!(secret.told(), "interval_s, smtp_pass · 64 characters · check 90aa");
    }
}
