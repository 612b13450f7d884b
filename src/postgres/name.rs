//! Names of tables and sequences, and the only function that puts a name into SQL.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `text` as a quoted identifier, whatever it holds.
pub fn quote_identifier(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// A table or sequence with its schema. Both parts are plain text, without quotes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct QualifiedName {
    /// The schema.
    pub schema: String,
    /// The relation's own name.
    pub name: String,
}

impl QualifiedName {
    /// Reads `schema.name` as SQL does: a part in quotes is taken as it is, another is folded to lower case.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, rest) = Self::leading(text)?;
        rest.is_empty().then_some(name)
    }

    /// As [`QualifiedName::parse`], but a name without a schema is taken to be in `schema`.
    pub fn parse_in(schema: &str, text: &str) -> Option<Self> {
        match leading_identifier(text)? {
            (name, "") => Some(Self { schema: schema.to_owned(), name }),
            _ => Self::parse(text),
        }
    }

    /// The qualified name that `text` begins with, and what follows it.
    pub(super) fn leading(text: &str) -> Option<(Self, &str)> {
        let (schema, rest) = leading_identifier(text)?;
        let (name, rest) = leading_identifier(rest.strip_prefix('.')?)?;
        Some((Self { schema, name }, rest))
    }

    /// For SQL: both parts quoted always, since which words are reserved differs between versions.
    pub fn sql(&self) -> String {
        format!("{}.{}", quote_identifier(&self.schema), quote_identifier(&self.name))
    }
}

/// For people, and for comparing: quoted only where the letters ask for it, so that two servers with other reserved words
/// give the same text.
impl fmt::Display for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", plain_or_quoted(&self.schema), plain_or_quoted(&self.name))
    }
}

impl From<QualifiedName> for String {
    fn from(name: QualifiedName) -> Self {
        name.to_string()
    }
}

impl TryFrom<String> for QualifiedName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("{text:?} is no name of the form schema.name"))
    }
}

/// The identifier that `text` begins with, unquoted, and what follows it.
pub(super) fn leading_identifier(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find(|c: char| !is_part(c)).unwrap_or(text.len());
        let starts_well = text.starts_with(|c: char| is_part(c) && !c.is_ascii_digit() && c != '$');
        return starts_well.then(|| (text[..end].to_ascii_lowercase(), &text[end..]));
    };
    let mut name = String::new();
    loop {
        let (part, after) = rest.split_once('"')?;
        name.push_str(part);
        match after.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return (!name.is_empty()).then_some((name, after)),
        }
    }
}

fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

fn plain_or_quoted(part: &str) -> String {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let plain = part.chars().all(letters) && !part.starts_with(|c: char| c.is_ascii_digit()) && !part.is_empty();
    if plain { part.to_owned() } else { quote_identifier(part) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(schema: &str, name: &str) -> QualifiedName {
        QualifiedName { schema: schema.into(), name: name.into() }
    }

    #[test]
    fn names_are_read_as_sql_reads_them() {
        for (text, expected) in [
            ("public.objects", Some(name("public", "objects"))),
            ("Public.Objects", Some(name("public", "objects"))),
            ("public.\"DeviceModel\"", Some(name("public", "DeviceModel"))),
            ("\"a.b\".\"c\"\"d\"", Some(name("a.b", "c\"d"))),
            ("naïve._x$1", Some(name("naïve", "_x$1"))),
            ("objects", None),
            ("public.", None),
            ("public.1st", None),
            ("public.\"open", None),
            ("public.\"\"", None),
            ("public.objects;", None),
            ("public.objects, pg_catalog.pg_class", None),
        ] {
            assert_eq!(QualifiedName::parse(text), expected, "{text}");
        }
        assert_eq!(QualifiedName::parse_in("public", "\"Mixed\""), Some(name("public", "Mixed")));
        assert_eq!(QualifiedName::parse_in("public", "other.t"), Some(name("other", "t")));
    }

    #[test]
    fn reserved_words_do_not_change_the_text_for_people() {
        assert_eq!(name("public", "order").to_string(), "public.order");
        assert_eq!(name("public", "order").sql(), "\"public\".\"order\"");
        assert_eq!(name("public", "Order").to_string(), "public.\"Order\"");
    }

    proptest! {
        #[test]
        fn what_is_quoted_is_read_back(schema in "[^\0]{1,12}", table in "[^\0]{1,12}") {
            let name = name(&schema, &table);
            prop_assert_eq!(QualifiedName::parse(&name.sql()), Some(name.clone()));
            prop_assert_eq!(QualifiedName::parse(&name.to_string()), Some(name));
        }
    }
}
