//! Reading a file that has faults: each is told, and what could be read is made into a runbook that the lint can look at. The
//! shape comes from the schema, so that it is written down once, in the model.

use serde_json::{Map, Value, json};

use super::{
    NOT_BUILT,
    fault::{Fault, near},
    tree::{Content, Entry, Node},
};

/// A file with faults.
pub(super) struct Shaped {
    /// What does not have the shape of a runbook.
    pub faults: Vec<Fault>,
    /// Paths of what could not be read: nothing more can be said of them.
    pub unread: Vec<String>,
    /// What could be read, with the least that has the shape in place of what could not.
    pub value: Value,
}

/// Reads all that has the shape of `schema`.
pub(super) fn shaped(node: &Node, schema: &Value) -> Shaped {
    let mut reader = Reader { root: schema, faults: Vec::new(), unread: Vec::new() };
    let value = reader.read(schema, node, "").unwrap_or_else(|| reader.least(schema));
    Shaped { faults: reader.faults, unread: reader.unread, value }
}

/// What may stand at a place.
enum Shape<'a> {
    Text,
    Whole(u64),
    Flag,
    List(&'a Value),
    /// A map whose keys are known, and those that must be there.
    Fields(&'a Map<String, Value>, Vec<&'a str>),
    /// A map whose keys are free.
    Names(&'a Value),
    /// One of these words.
    Words(Vec<&'a str>),
    /// A map with one of these keys.
    Kinds(Vec<(&'a str, &'a Value)>),
}

struct Reader<'a> {
    root: &'a Value,
    faults: Vec<Fault>,
    unread: Vec<String>,
}

impl<'a> Reader<'a> {
    /// The shape that a schema says, and whether nothing may stand there too.
    fn shape(&self, schema: &'a Value) -> (Shape<'a>, bool) {
        if let Some(name) = schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/")) {
            return self.shape(&self.root["$defs"][name]);
        }
        if let Some(all) = schema["anyOf"].as_array() {
            let some = all.iter().find(|one| one["type"] != "null").unwrap_or(schema);
            return (self.shape(some).0, all.len() > 1);
        }
        if let Some(all) = schema["oneOf"].as_array() {
            let words: Vec<&str> = all.iter().filter_map(|one| one["const"].as_str()).collect();
            if words.len() == all.len() {
                return (Shape::Words(words), false);
            }
            let kinds = all.iter().filter_map(|one| one["properties"].as_object()).flatten();
            return (Shape::Kinds(kinds.map(|(name, schema)| (name.as_str(), schema)).collect()), false);
        }
        let names: Vec<&str> = match &schema["type"] {
            Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
            one => one.as_str().into_iter().collect(),
        };
        let shape = match names.first().copied().unwrap_or_default() {
            "integer" if schema["format"] == "uint16" => Shape::Whole(u16::MAX.into()),
            "integer" => Shape::Whole(u32::MAX.into()),
            "boolean" => Shape::Flag,
            "array" => Shape::List(&schema["items"]),
            "object" => match schema["properties"].as_object() {
                Some(fields) => {
                    let needed = schema["required"].as_array().into_iter().flatten();
                    Shape::Fields(fields, needed.filter_map(Value::as_str).collect())
                }
                None if schema["additionalProperties"].is_object() => Shape::Names(&schema["additionalProperties"]),
                // a kind that says nothing more about itself
                None => Shape::Fields(NO_FIELDS.get_or_init(Map::new), Vec::new()),
            },
            _ => Shape::Text,
        };
        (shape, names.contains(&"null"))
    }

    /// The least that has the shape.
    fn least(&self, schema: &'a Value) -> Value {
        let (shape, may_be_nothing) = self.shape(schema);
        match shape {
            _ if may_be_nothing => Value::Null,
            Shape::Text => json!(""),
            Shape::Whole(_) => json!(0),
            Shape::Flag => json!(false),
            Shape::List(_) => json!([]),
            Shape::Names(_) => json!({}),
            Shape::Words(words) => json!(words.first()),
            Shape::Fields(fields, needed) => {
                needed.into_iter().map(|name| (name.to_owned(), self.least(&fields[name]))).collect()
            }
            Shape::Kinds(kinds) => {
                kinds.first().map(|(name, schema)| ((*name).to_owned(), self.least(schema))).into_iter().collect()
            }
        }
    }

    /// What stands at `path`, or nothing where it has another shape; that is told then.
    fn read(&mut self, schema: &'a Value, node: &Node, path: &str) -> Option<Value> {
        let (shape, may_be_nothing) = self.shape(schema);
        let nothing = matches!(&node.content, Content::Scalar(Value::Null));
        if nothing && may_be_nothing {
            return Some(Value::Null);
        }
        match (shape, &node.content) {
            (Shape::List(items), Content::List(list)) => Some(self.list(items, list, path)),
            // `key:` with nothing behind it is an empty list or map
            (Shape::List(_), _) if nothing => Some(json!([])),
            (Shape::Fields(fields, needed), Content::Map(map)) => Some(self.fields(fields, &needed, node, map, path)),
            (Shape::Fields(fields, needed), _) if nothing => Some(self.fields(fields, &needed, node, &[], path)),
            (Shape::Names(schema), Content::Map(map)) => Some(self.names(schema, map, path)),
            (Shape::Names(_), _) if nothing => Some(json!({})),
            (Shape::Kinds(kinds), Content::Map(map)) if !map.is_empty() => self.kind(&kinds, map, path),
            (Shape::Text, Content::Scalar(value)) if !nothing => {
                Some(value.as_str().map_or_else(|| json!(value.to_string()), |text| json!(text)))
            }
            (Shape::Whole(most), Content::Scalar(value)) => {
                let number = value.as_u64().or_else(|| value.as_str()?.parse().ok()).filter(|number| *number <= most);
                number.map(Value::from).or_else(|| self.wrong(&Shape::Whole(most), node, path))
            }
            (Shape::Flag, Content::Scalar(value)) => {
                let flag = value.as_bool().or_else(|| value.as_str()?.parse().ok());
                flag.map(Value::from).or_else(|| self.wrong(&Shape::Flag, node, path))
            }
            (Shape::Words(words), Content::Scalar(Value::String(word))) => {
                if words.contains(&word.as_str()) {
                    return Some(json!(word));
                }
                self.fault(node.at, format!("`{word}` is not one of {}", words.join(", ")), near(word, &words));
                self.unread.push(path.to_owned());
                None
            }
            (shape, _) => self.wrong(&shape, node, path),
        }
    }

    fn fault(&mut self, at: super::tree::At, what: String, help: impl Into<String>) {
        self.faults.push(Fault { at, what, help: help.into() });
    }

    /// Something of another shape.
    fn wrong(&mut self, shape: &Shape, node: &Node, path: &str) -> Option<Value> {
        let stands = match &node.content {
            Content::Scalar(Value::Null) => "nothing stands here",
            Content::Scalar(Value::Bool(_)) => "a yes or no stands here",
            Content::Scalar(Value::Number(_)) => "a number stands here",
            Content::Scalar(_) => "a text stands here",
            Content::List(_) => "a list stands here",
            Content::Map(_) => "a map stands here",
        };
        let (wanted, help) = match shape {
            Shape::Text => {
                ("a text", "write one text; one that holds `: ` or begins with `{` or `[` stands in quotes".into())
            }
            Shape::Whole(most) => ("a whole number", format!("write a number from 0 to {most}")),
            Shape::Flag => ("true or false", "write `true` or `false`".into()),
            Shape::List(_) => ("a list", "write `[a, b]`, or one `- item` a line".into()),
            Shape::Fields(fields, _) if fields.is_empty() => ("an empty map", "write `{}`".into()),
            Shape::Fields(fields, _) => ("a map", format!("its keys are {}", words(fields.keys().map(String::as_str)))),
            Shape::Names(_) => ("a map", "write `name: value`, one a line".into()),
            Shape::Words(known) => ("one word", format!("it is one of {}", known.join(", "))),
            Shape::Kinds(kinds) => {
                ("a map with one key", format!("the key is one of {}", words(kinds.iter().map(|(name, _)| *name))))
            }
        };
        self.fault(node.at, format!("{stands}, and {wanted} is expected"), help);
        self.unread.push(path.to_owned());
        None
    }

    fn list(&mut self, items: &'a Value, list: &[Node], path: &str) -> Value {
        let read =
            |(index, node)| self.read(items, node, &format!("{path}/{index}")).unwrap_or_else(|| self.least(items));
        list.iter().enumerate().map(read).collect()
    }

    /// Entries whose key is there for the first time; the others are told.
    fn once<'b>(&mut self, map: &'b [Entry]) -> Vec<&'b Entry> {
        let mut once: Vec<&Entry> = Vec::new();
        for entry in map {
            if once.iter().any(|other| other.key == entry.key) {
                self.fault(entry.at, format!("`{}` is there twice", entry.key), "leave one of them out");
            } else {
                once.push(entry);
            }
        }
        once
    }

    fn names(&mut self, schema: &'a Value, map: &[Entry], path: &str) -> Value {
        let mut found = Map::new();
        for entry in self.once(map) {
            let value = self.read(schema, &entry.node, &format!("{path}/{}", entry.key));
            found.insert(entry.key.clone(), value.unwrap_or_else(|| self.least(schema)));
        }
        Value::Object(found)
    }

    fn fields(
        &mut self,
        fields: &'a Map<String, Value>,
        needed: &[&'a str],
        node: &Node,
        map: &[Entry],
        path: &str,
    ) -> Value {
        let mut found = Map::new();
        let known: Vec<&str> = fields.keys().map(String::as_str).collect();
        for entry in self.once(map) {
            let Some(schema) = fields.get(&entry.key) else {
                let help = near(&entry.key, &known);
                // what was meant is not missing
                let meant = known.iter().find(|name| help.contains(&format!("did you mean `{name}`")));
                self.unread.extend(meant.map(|name| format!("{path}/{name}")));
                self.fault(entry.at, format!("unknown field `{}`", entry.key), help);
                continue;
            };
            if let Some(value) = self.read(schema, &entry.node, &format!("{path}/{}", entry.key)) {
                found.insert(entry.key.clone(), value);
            }
        }
        for name in needed.iter().filter(|name| !found.contains_key(**name)).collect::<Vec<_>>() {
            let missing = format!("{path}/{name}");
            if !self.unread.contains(&missing) {
                self.fault(node.at, format!("missing field `{name}`"), format!("add `{name}:`"));
                self.unread.push(missing);
            }
        }
        for name in needed {
            if !found.contains_key(*name) {
                found.insert((*name).to_owned(), self.least(&fields[*name]));
            }
        }
        Value::Object(found)
    }

    fn kind(&mut self, kinds: &[(&'a str, &'a Value)], map: &[Entry], path: &str) -> Option<Value> {
        let known: Vec<&str> = kinds.iter().map(|(name, _)| *name).collect();
        let mut found = None;
        for (index, entry) in self.once(map).into_iter().enumerate() {
            let Some((name, schema)) = kinds.iter().find(|(name, _)| *name == entry.key) else {
                let help = if NOT_BUILT.contains(&entry.key.as_str()) {
                    format!("the kind `{}` is part of the format and not built in this version", entry.key)
                } else {
                    near(&entry.key, &known)
                };
                self.fault(entry.at, format!("unknown kind `{}`", entry.key), help);
                continue;
            };
            let value = self.read(schema, &entry.node, &format!("{path}/{name}")).unwrap_or_else(|| self.least(schema));
            if index > 0 {
                self.fault(entry.at, format!("`{name}` is a second kind, where one is expected"), "make two of it");
            } else {
                found = Some(Value::Object([((*name).to_owned(), value)].into_iter().collect()));
            }
        }
        if found.is_none() {
            self.unread.push(path.to_owned());
        }
        found
    }
}

/// Fields of a kind that has none.
static NO_FIELDS: std::sync::OnceLock<Map<String, Value>> = std::sync::OnceLock::new();

fn words<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}
