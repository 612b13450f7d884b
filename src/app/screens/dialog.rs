//! A line that is asked for over the list of a form: the name of a new item, or why there is none. Closing it keeps its text.

use crate::{
    app::text_field::TextField,
    run::{Field, FieldKind, Form, Item},
};

/// Least length of a reason, in characters.
const REASON: usize = 10;

/// A line that is asked for over the list.
#[derive(Debug)]
pub enum Dialog {
    /// Name of a new item.
    Add(TextField),
    /// Why there is none.
    None(TextField),
}

impl Dialog {
    /// The line.
    pub fn text(&mut self) -> &mut TextField {
        match self {
            Self::Add(text) | Self::None(text) => text,
        }
    }

    /// Why the line cannot be used yet, or nothing: known before it is sent, so that nothing typed goes with a refusal.
    pub fn missing(&self, rule: &Field, items: &[Item]) -> String {
        match self {
            Self::Add(text) if text.is_empty() => "a name".to_owned(),
            Self::Add(_) if self.fault(rule, items).is_some() => "a name that passes".to_owned(),
            Self::None(_) if !items.is_empty() => {
                format!("the list has {}; x takes the chosen one out", items.len())
            }
            Self::None(text) if text.chars() < REASON => format!("a reason of at least {REASON} letters"),
            Self::Add(_) | Self::None(_) => String::new(),
        }
    }

    /// The fault of a name, as it is typed.
    pub fn fault(&self, rule: &Field, items: &[Item]) -> Option<String> {
        let Self::Add(text) = self else { return None };
        let name = text.text();
        if items.iter().any(|item| item.id == name) {
            return Some(format!("{name} is in the list already."));
        }
        if name.is_empty() { None } else { rule.check(name).err() }
    }

    /// Whether the run took it.
    pub(super) fn is_taken(&self, items: &[Item], reason: &str) -> bool {
        match self {
            Self::Add(text) => items.iter().any(|item| item.id == text.text()),
            Self::None(text) => text.text() == reason,
        }
    }

    /// Its row below that many items.
    pub(super) fn row(&self, items: usize) -> usize {
        match self {
            Self::Add(_) => items,
            Self::None(_) => items + 1,
        }
    }
}

/// The rule for the name of an item, as the run has it, with the form's own example.
pub(super) fn rule(form: &Form) -> Field {
    let own = form.fields.iter().find(|field| field.id == "name");
    Field {
        id: "name".to_owned(),
        label: "Name".to_owned(),
        kind: FieldKind::Name,
        optional: false,
        no_spaces: false,
        example: own.map_or_else(String::new, |field| field.example.clone()),
        dotenv: Vec::new(),
    }
}

/// What was typed and not used yet.
#[derive(Debug, Default)]
pub(super) struct Kept {
    name: String,
    reason: String,
}

impl Kept {
    /// With the reason that is known.
    pub fn new(reason: &str) -> Self {
        Self { name: String::new(), reason: reason.to_owned() }
    }

    /// Asks for a name.
    pub fn add(&self) -> Dialog {
        Dialog::Add(TextField::open(&self.name))
    }

    /// Asks for a reason.
    pub fn none(&self) -> Dialog {
        Dialog::None(TextField::open(&self.reason))
    }

    /// Keeps the text of a line that is closed.
    pub fn keep(&mut self, closed: &Dialog) {
        match closed {
            Dialog::Add(text) => self.name = text.text().to_owned(),
            Dialog::None(text) => self.reason = text.text().to_owned(),
        }
    }

    /// A name was used.
    pub fn used(&mut self) {
        self.name.clear();
    }
}
