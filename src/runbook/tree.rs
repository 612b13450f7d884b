//! A YAML file as a tree whose nodes know their places, so that every fault can be told where it stands. A node is named by a
//! path, as `/intents/0/phases/1/steps/2/do`.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::{DuplicateKeyPolicy, Location, Spanned};

/// Line and column, from 1.
pub(super) type At = (u64, u64);

/// A node of the file.
#[derive(Debug)]
pub(super) struct Node {
    /// Where it begins.
    pub at: At,
    /// What it holds.
    pub content: Content,
}

/// What a node holds.
#[derive(Debug)]
pub(super) enum Content {
    /// Nothing, a yes or no, a number or a text.
    Scalar(serde_json::Value),
    /// A list.
    List(Vec<Node>),
    /// A map, in the file's order; a key may be there twice.
    Map(Vec<Entry>),
}

/// One key of a map.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its name.
    pub key: String,
    /// Where the key stands.
    pub at: At,
    /// What stands under it.
    pub node: Node,
}

impl Node {
    /// Reads a file.
    ///
    /// # Errors
    /// What is no YAML at all; nothing else can be told of such a file.
    pub fn read(text: &str) -> Result<Self, serde_saphyr::Error> {
        // a key that is there twice is told with everything else
        let options = serde_saphyr::options! { duplicate_keys: DuplicateKeyPolicy::LastWins };
        serde_saphyr::from_str_with_options(text, options)
    }

    /// Where the node of `path` stands: a single value at itself, a list or map at its key; what is not there, at the
    /// nearest node around it.
    pub fn place(&self, path: &str) -> At {
        let (mut node, mut at) = (self, self.at);
        for part in path.split('/').skip(1) {
            match node.child(part) {
                Some((key, child)) => {
                    at = if matches!(child.content, Content::Scalar(_)) { child.at } else { key.unwrap_or(child.at) };
                    node = child;
                }
                None => return at,
            }
        }
        at
    }

    /// A child by key or index, with the place of its key.
    fn child(&self, part: &str) -> Option<(Option<At>, &Self)> {
        match &self.content {
            Content::Scalar(_) => None,
            Content::List(items) => items.get(part.parse::<usize>().ok()?).map(|node| (None, node)),
            Content::Map(entries) => {
                entries.iter().find(|entry| entry.key == part).map(|entry| (Some(entry.at), &entry.node))
            }
        }
    }

    /// Paths of all texts at and below `path` for which `wanted` holds, given the path and the text.
    pub fn texts(&self, path: &str, wanted: &dyn Fn(&str, &str) -> bool) -> Vec<String> {
        let below = path.split('/').skip(1).try_fold(self, |node, part| node.child(part).map(|(_, child)| child));
        let mut found = Vec::new();
        if let Some(node) = below {
            node.gather(path, wanted, &mut found);
        }
        found
    }

    fn gather(&self, path: &str, wanted: &dyn Fn(&str, &str) -> bool, found: &mut Vec<String>) {
        match &self.content {
            Content::Scalar(serde_json::Value::String(text)) if wanted(path, text) => found.push(path.to_owned()),
            Content::Scalar(_) => {}
            Content::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    item.gather(&format!("{path}/{index}"), wanted, found);
                }
            }
            Content::Map(entries) => {
                for entry in entries {
                    entry.node.gather(&format!("{path}/{}", entry.key), wanted, found);
                }
            }
        }
    }
}

fn at(location: Location) -> At {
    (location.line(), location.column())
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = Spanned::<Content>::deserialize(deserializer)?;
        Ok(Self { at: at(read.referenced), content: read.value })
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text, number, list or map")
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::Scalar(serde_json::Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Content, E> {
        Ok(Content::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Content, E> {
        Ok(Content::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Content, E> {
        Ok(Content::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Content, E> {
        Ok(Content::Scalar(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Content, E> {
        Ok(Content::Scalar(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Content, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Content::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Content, A::Error> {
        let mut map = Vec::new();
        while let Some((key, node)) = entries.next_entry::<Spanned<String>, Node>()? {
            map.push(Entry { key: key.value, at: at(key.referenced), node });
        }
        Ok(Content::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_knows_its_place() -> Result<(), serde_saphyr::Error> {
        let text = "a: 1\nb:\n  - {c: x, d: [y, x]}\n  - e\nb: twice\nl: |\n  x\n";
        let node = Node::read(text)?;
        for (path, place) in [
            ("", (1, 1)),
            ("/a", (1, 4)),
            ("/b", (2, 1)),
            ("/b/0", (3, 5)),
            ("/b/0/c", (3, 9)),
            ("/b/0/d", (3, 12)),
            ("/b/0/d/1", (3, 19)),
            ("/b/1", (4, 5)),
            ("/b/0/none/deeper", (3, 5)),
        ] {
            assert_eq!(node.place(path), place, "{path}");
        }
        assert_eq!(node.texts("/b/0", &|_, text| text == "x"), ["/b/0/c", "/b/0/d/1"]);
        let Content::Map(entries) = &node.content else { unreachable!() };
        assert_eq!(entries.iter().filter(|entry| entry.key == "b").count(), 2, "{entries:?}");
        // a key that is none has a place of its own
        let told = Node::read("a: 1\n~: n\n").err().map(|error| error.to_string()).unwrap_or_default();
        assert!(told.contains("line 2 column 1"), "{told}");
        Ok(())
    }
}
