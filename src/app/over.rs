//! What lies over a screen: help, palette, pages, the log, the question before leaving.

use super::{
    Key, Place,
    commands::Named,
    lock::Unlock,
    log::LogPage,
    menu::{Menu, Options},
    page::Page,
    text_field::TextField,
};

/// One thing over the screen; a second replaces the first.
#[derive(Debug)]
pub enum Over {
    /// S18: help for the place.
    Help { place: Place, from: usize },
    /// S18: commands by name.
    Palette(Palette),
    /// Text.
    Page(Page),
    /// The log, whole height.
    Log(LogPage),
    /// S04b: the wizard is locked.
    Unlock(Unlock),
    /// S21: leave?
    Leave(Leave),
}

/// The commands by name.
#[derive(Debug)]
pub struct Palette {
    /// What is typed.
    pub text: TextField,
    /// The chosen one of those that fit.
    pub menu: Menu,
    /// All commands.
    pub all: Vec<Named>,
}

impl Palette {
    /// All of these.
    pub fn new(all: Vec<Named>) -> Self {
        Self { text: TextField::open(""), menu: Menu::new(all.len(), 0), all }
    }

    /// The commands that fit what is typed: any part of their name.
    pub fn found(&self) -> Vec<&Named> {
        let wanted = self.text.text().to_lowercase();
        self.all.iter().filter(|named| named.name.to_lowercase().contains(&wanted)).collect()
    }

    /// The chosen one.
    pub fn chosen(&self) -> Option<&Named> {
        self.found().get(self.menu.at).copied()
    }

    /// Follows what is typed.
    pub fn filter(&mut self) {
        // what fits best stands first again
        self.menu = Menu::new(self.found().len(), 0);
    }

    /// Takes a word that came at once.
    pub fn paste(&mut self, text: &str) {
        self.text.paste(text);
        self.filter();
    }

    /// Takes a key of editing.
    pub fn edit(&mut self, key: Key) {
        self.text.key(key);
        self.filter();
    }
}

/// The question before leaving while something runs.
#[derive(Debug)]
pub struct Leave {
    /// The chosen option.
    pub chosen: Options,
    /// Whether stopping is asked once more.
    pub sure: bool,
    /// Why the step may not be stopped in the middle, or empty.
    pub uncut: &'static str,
}

impl Leave {
    /// The question; `uncut` is why the step may not be stopped in its middle, or empty.
    pub(super) fn asked(uncut: &'static str) -> Self {
        Self { chosen: Options::default(), sure: false, uncut }.counted()
    }

    /// The same once more about stopping.
    pub(super) fn once_more(self) -> Self {
        Self { sure: true, ..self }.counted()
    }

    fn counted(self) -> Self {
        Self { chosen: Options::new(self.options().len(), 0), ..self }
    }

    /// The options with what they cost.
    pub fn options(&self) -> Vec<(&'static str, &'static str)> {
        if self.sure {
            return vec![("Keep going", ""), ("Stop", "what was begun is looked at on resume")];
        }
        let mut options = vec![
            ("Stay and watch", ""),
            ("Pause after this step", "it is finished first, then nothing starts"),
            ("Leave now", "this step ends without a screen, then it pauses"),
        ];
        if self.uncut.is_empty() {
            options.push(("Stop this step now", "the part done is looked at later"));
        }
        options
    }
}
