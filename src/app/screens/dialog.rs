//! A line that is asked for over the list of a form: the name of a new item, or why there is none. Closing it keeps its text.

use crate::app::text_field::TextField;

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

    /// Why the line cannot be used yet, or nothing.
    pub fn missing(&self) -> &'static str {
        match self {
            Self::Add(text) if text.is_empty() => "a name",
            Self::None(text) if text.chars() < REASON => "a reason of at least 10 letters",
            _ => "",
        }
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
