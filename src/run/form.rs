//! Forms: what is asked, what is there, and whether a text would do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    item::{FieldValue, Item, JsonType},
    login::{has_masked_login, secrets_within},
    mask::{is_mask, masks_within},
};

/// What may stand in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// One line of text.
    #[default]
    Text,
    /// An absolute http or https URL.
    Url,
    /// A name: lower-case letters, digits and hyphens.
    Name,
    /// `true` or `false`.
    Bool,
    /// A JSON object.
    Json,
    /// Path of a file here whose content is wanted, byte for byte. The content goes to the vault.
    SecretFile,
    /// A secret that is typed, or found. Goes to the vault.
    Secret,
    /// A JSON object that may hold secrets: it goes to the vault, and only the names of its members are shown.
    SecretJson,
}

impl FieldKind {
    /// The type in which a text goes back to the application, where it had `found` there.
    pub fn json_type(self, found: Option<JsonType>) -> JsonType {
        match self {
            Self::Bool => JsonType::Bool,
            Self::Json | Self::SecretJson => JsonType::Object,
            Self::Text | Self::Url | Self::Name | Self::Secret | Self::SecretFile => found.unwrap_or_default(),
        }
    }
}

/// One field of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its id, `[a-z][a-z0-9_]*`.
    pub id: String,
    /// Its label.
    pub label: String,
    /// What may stand in it.
    #[serde(default)]
    pub kind: FieldKind,
    /// Whether it may stay empty.
    #[serde(default)]
    pub optional: bool,
    /// Whether spaces are refused.
    #[serde(default)]
    pub no_spaces: bool,
    /// An example that would pass.
    #[serde(default)]
    pub example: String,
    /// Variables that a dotenv file must define; the field is checked as one when not empty.
    #[serde(default)]
    pub dotenv: Vec<String>,
}

impl Field {
    /// Whether the value lives in the vault.
    pub fn is_secret(&self) -> bool {
        matches!(self.kind, FieldKind::Secret | FieldKind::SecretFile | FieldKind::SecretJson)
    }

    /// Whether `text` goes to the vault: all of a secret, and what holds one in an address.
    pub fn hides(&self, text: &str) -> bool {
        self.is_secret() || !secrets_within(text).is_empty()
    }

    /// Whether it is typed unseen.
    pub fn is_typed_unseen(&self) -> bool {
        matches!(self.kind, FieldKind::Secret | FieldKind::SecretJson)
    }

    /// Whether a JSON object stands in it.
    pub fn is_json(&self) -> bool {
        matches!(self.kind, FieldKind::Json | FieldKind::SecretJson)
    }

    /// Whether `text` would do; else the rule in words with an example that would pass.
    ///
    /// # Errors
    /// The sentence to show at the field. Never contains the text of a secret field.
    pub fn check(&self, text: &str) -> Result<(), String> {
        let example = if self.example.is_empty() { String::new() } else { format!(" Example: {}", self.example) };
        if text.is_empty() {
            return if self.optional { Ok(()) } else { Err(format!("needs a value.{example}")) };
        }
        if text.chars().any(char::is_control) && self.kind != FieldKind::SecretFile && !self.is_json() {
            return Err(format!("a control character is not allowed here.{example}"));
        }
        if self.no_spaces && text.chars().any(char::is_whitespace) {
            return Err(format!("a space is not allowed here.{example}"));
        }
        if self.kind != FieldKind::SecretFile && has_masked_login(text) {
            return Err("holds an address that shows only a mask of its secret.".to_owned());
        }
        match self.kind {
            FieldKind::Text | FieldKind::SecretFile => Ok(()),
            FieldKind::Url => check_url(text).map_err(|rule| format!("{rule}{example}")),
            FieldKind::Name => {
                let good = text.len() <= 40
                    && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
                    && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
                if good { Ok(()) } else { Err(format!("up to 40 lower-case letters, digits and hyphens.{example}")) }
            }
            FieldKind::Bool => match text {
                "true" | "false" => Ok(()),
                _ => Err("is true or false.".to_owned()),
            },
            // a mask's place is named by members only, a fault by its column: neither quotes the text
            FieldKind::Json | FieldKind::SecretJson => match serde_json::from_str::<serde_json::Value>(text) {
                Ok(value @ serde_json::Value::Object(_)) => match masks_within(&self.id, &value).first() {
                    None => Ok(()),
                    Some(at) => Err(format!("holds only a mask for {at}, not the value itself.")),
                },
                Ok(_) => Err(format!("needs a JSON object in braces.{example}")),
                Err(error) => Err(format!("is not JSON yet, column {}.{example}", error.column())),
            },
            FieldKind::Secret => {
                if is_mask(text) {
                    Err("is only a mask, not the secret itself.".to_owned())
                } else {
                    Ok(())
                }
            }
        }
    }
}

fn check_url(text: &str) -> Result<(), String> {
    let uri: http::Uri = text.parse().map_err(|_| "is not a URL yet.".to_owned())?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http" | "https"), Some(host)) if !host.is_empty() => Ok(()),
        (Some("http" | "https"), _) => Err("needs a host after the scheme.".to_owned()),
        _ => Err("begins with https:// or http://.".to_owned()),
    }
}

/// A form of one group, repeated or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// What one item is called: `connection`.
    pub noun: String,
    /// The fields, in order.
    pub fields: Vec<Field>,
    /// Whether there may be any number of items.
    #[serde(default)]
    pub repeated: bool,
    /// Where to look when drydock did not find it.
    #[serde(default)]
    pub look: String,
}

impl Form {
    /// Whether every required field of `item` holds something that passes.
    pub fn is_complete(&self, item: &Item) -> bool {
        self.fields.iter().all(|field| match item.values.get(&field.id) {
            // a name that the application gave is its own affair
            Some(found @ FieldValue::Text { .. }) if field.kind == FieldKind::Name && found.is_found() => true,
            Some(FieldValue::Text { value, .. }) => field.check(value).is_ok(),
            Some(FieldValue::Secret { .. }) => true,
            Some(FieldValue::Empty) | None => field.optional,
        }) && item.faults.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: FieldKind) -> Field {
        Field {
            id: "f".into(),
            label: "F".into(),
            kind,
            optional: false,
            no_spaces: false,
            example: String::new(),
            dotenv: vec![],
        }
    }

    #[test]
    fn values_are_checked_at_their_field() {
        assert!(field(FieldKind::Url).check("https://lns.example.net:8443/api/v3").is_ok());
        for bad in ["lns.example.net", "ftp://x", "https://", "http ://x", ""] {
            assert!(field(FieldKind::Url).check(bad).is_err(), "{bad}");
        }
        assert!(field(FieldKind::Json).check("{\"a\": [1]}").is_ok());
        assert!(field(FieldKind::Json).check("[1]").is_err());
        assert!(field(FieldKind::Json).check("{\"a\": [\"********\"]}").unwrap_err().contains("f.a[0]"));
        assert!(field(FieldKind::Json).check("{").is_err());
        let fault = field(FieldKind::SecretJson).check("{\"smtp_pass\": \"s3cr3t").unwrap_err();
        assert!(fault.contains("column 21") && !fault.contains("s3cr3t") && !fault.contains("smtp"), "{fault}");
        assert!(field(FieldKind::SecretJson).check("{\"smtp_pass\": \"s3cr3t\"}").is_ok());
        assert!(field(FieldKind::Url).check("https://u:****@lns.example.net").unwrap_err().contains("mask"));
        assert!(field(FieldKind::Url).hides("https://u:p@lns.example.net"));
        assert!(!field(FieldKind::Url).hides("https://lns.example.net"));
        assert!(field(FieldKind::Secret).check("********").is_err());
        assert!(field(FieldKind::Secret).check("b4ck-up_token").is_ok());
        assert!(field(FieldKind::Name).check("lns-main").is_ok());
        assert!(field(FieldKind::Name).check("LNS main").is_err());
        assert!(field(FieldKind::Text).check("a\u{1b}b").is_err());
    }
}
