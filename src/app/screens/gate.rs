//! S09: the gate of a removal. A list of locks; when all are open, two things to type and a button that waits.

use super::{Act, Screen};
use crate::{
    app::{Cmd, Key, Place, menu::Menu, page::Page, text_field::TextField},
    run::{Gate, Reply, StepId},
};

/// Time after the last letter before the button answers, in milliseconds.
const STILL: u64 = 2_000;

/// What has the focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateFocus {
    /// A lock of the list, while one is shut.
    Locks,
    Namespace,
    Word,
    Back,
    Delete,
}

/// The gate.
#[derive(Debug)]
pub struct GateScreen {
    /// The step.
    pub step: StepId,
    /// What it asks.
    pub gate: Gate,
    /// The chosen lock or button, while one is shut.
    pub locks: Menu,
    /// The namespace as typed.
    pub namespace: TextField,
    /// The word as typed.
    pub word: TextField,
    /// What has the focus.
    pub focus: GateFocus,
    /// Whether an answer is awaited.
    pub sent: bool,
    last_letter: u64,
}

impl GateScreen {
    /// A new screen. Nothing that deletes has the focus.
    pub fn new(step: &StepId, gate: &Gate) -> Self {
        let focus = if gate.is_open() { GateFocus::Namespace } else { GateFocus::Locks };
        let first_shut = gate.locks.iter().position(|lock| !lock.open).unwrap_or(0);
        Self {
            step: step.clone(),
            gate: gate.clone(),
            locks: Menu::new(gate.locks.len(), first_shut),
            namespace: TextField::open(""),
            word: TextField::open(""),
            focus,
            sent: false,
            last_letter: 0,
        }
    }

    fn order(&self) -> &'static [GateFocus] {
        use GateFocus::{Back, Delete, Locks, Namespace, Word};
        if self.gate.is_open() { &[Namespace, Word, Back, Delete] } else { &[Locks, Back, Delete] }
    }

    fn step(&mut self, by: isize) {
        let order = self.order();
        let at = order.iter().position(|focus| *focus == self.focus).unwrap_or(0);
        // behind the last comes the first; before the first nothing does
        self.focus = order[at.saturating_add_signed(by) % order.len()];
    }

    /// What is still missing before the button answers, or nothing.
    pub fn missing(&self) -> &'static str {
        if !self.gate.is_open() {
            "a lock is shut"
        } else if self.namespace.text() != self.gate.namespace {
            "namespace"
        } else if self.word.text() != self.gate.word {
            "word"
        } else {
            ""
        }
    }

    fn objects(&self) -> Page {
        let goes = self
            .gate
            .goes
            .iter()
            .map(|removal| format!("goes   {} {}   uid {}", removal.kind, removal.name, removal.uid));
        let stays = self.gate.stays.iter().map(|line| format!("stays  {line}"));
        Page::new("What goes and what stays", goes.chain(stays).collect())
    }

    /// One level back. The first time it may be the rest of an arrow key that a slow line tore: it clears nothing.
    fn back(&mut self) -> Vec<Act> {
        let empty = self.namespace.is_empty() && self.word.is_empty();
        if self.focus != GateFocus::Back {
            self.focus = GateFocus::Back;
            let next = if empty { "goes back" } else { "empties both fields" };
            return vec![Act::Notice(format!("Esc once more {next} · this deletes nothing"))];
        }
        if empty {
            return self.leave();
        }
        self.namespace.clear();
        self.word.clear();
        vec![Act::Notice("Both fields are empty again · Esc once more goes back · this deletes nothing".to_owned())]
    }

    fn leave(&mut self) -> Vec<Act> {
        self.sent = true;
        vec![Act::Say(Reply::Back)]
    }

    fn delete(&mut self, at: u64) -> Vec<Act> {
        if !self.gate.is_open() {
            self.sent = true;
            return vec![Act::Say(Reply::Again)];
        }
        let missing = self.missing();
        if !missing.is_empty() {
            return vec![Act::Notice(format!("Not yet: {missing}. Nothing was deleted."))];
        }
        if at < self.last_letter + STILL {
            return vec![Act::Notice("Not yet: two seconds after the last letter. Nothing was deleted.".to_owned())];
        }
        self.sent = true;
        let (namespace, word) = (self.namespace.text().to_owned(), self.word.text().to_owned());
        vec![Act::Say(Reply::Gate { namespace, word })]
    }
}

impl Screen for GateScreen {
    fn place(&self) -> Place {
        match self.focus {
            GateFocus::Locks => Place::GateShut,
            GateFocus::Namespace | GateFocus::Word => Place::GateTyping,
            GateFocus::Back | GateFocus::Delete => Place::GateButtons,
        }
    }

    fn typing(&self) -> bool {
        matches!(self.focus, GateFocus::Namespace | GateFocus::Word)
    }

    fn guarded(&self) -> bool {
        true
    }

    fn command(&mut self, cmd: Cmd, key: Key, at: u64) -> Vec<Act> {
        if self.sent {
            return Vec::new();
        }
        match cmd {
            Cmd::Next => self.step(1),
            Cmd::Previous => self.step(-1),
            Cmd::Up | Cmd::Down if self.focus != GateFocus::Locks => self.step(if cmd == Cmd::Up { -1 } else { 1 }),
            Cmd::ShowAll => return vec![Act::Page(self.objects())],
            Cmd::Again if !self.gate.is_open() => {
                self.sent = true;
                return vec![Act::Say(Reply::Again)];
            }
            Cmd::Back => return self.back(),
            Cmd::Enter => match self.focus {
                GateFocus::Namespace | GateFocus::Word => self.step(1),
                GateFocus::Locks => {
                    let Some(lock) = self.gate.locks.get(self.locks.at) else { return Vec::new() };
                    let word = if lock.open { "open" } else { "SHUT" };
                    let lines = vec![format!("{word}. {}", lock.sentence), format!("Opened by step {}.", lock.step)];
                    return vec![Act::Page(Page::new(&format!("Lock {}", lock.name), lines))];
                }
                GateFocus::Back => return self.leave(),
                GateFocus::Delete => return self.delete(at),
            },
            _ => {
                self.locks.moved(cmd, key);
            }
        }
        Vec::new()
    }

    fn edit(&mut self, key: Key, at: u64) {
        self.last_letter = at;
        let field = if self.focus == GateFocus::Word { &mut self.word } else { &mut self.namespace };
        field.key(key);
    }

    fn paste(&mut self, _: &str) -> Option<String> {
        Some("Typing only; paste is not accepted here. Nothing was deleted.".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn gate(open: bool) -> Gate {
        let lock = crate::run::Lock {
            name: "proven".into(),
            open,
            sentence: "x".into(),
            step: "2.5".into(),
            again: Vec::new(),
        };
        Gate {
            namespace: "plant".into(),
            cluster8: "7c41e09b".into(),
            word: "heron".into(),
            prod: true,
            locks: vec![lock],
            goes: Vec::new(),
            stays: Vec::new(),
            way_back: "9 min".into(),
            refusal: String::new(),
        }
    }

    fn press(screen: &mut GateScreen, key: Key, at: u64) -> Vec<Act> {
        if let Some(cmd) = crate::app::keymap::meaning(screen.place(), key, screen.typing()) {
            return screen.command(cmd, key, at);
        }
        screen.edit(key, at);
        Vec::new()
    }

    fn deletes(acts: &[Act]) -> bool {
        acts.iter().any(|act| matches!(act, Act::Say(Reply::Gate { .. } | Reply::Phrase { .. })))
    }

    #[test]
    fn both_words_by_keys_and_two_seconds_open_it() {
        let mut screen = GateScreen::new(&StepId("remove".into()), &gate(true));
        for key in Key::script("plant<Enter>heron<Enter><Tab>") {
            assert!(!deletes(&press(&mut screen, key, 1_000)));
        }
        assert_eq!(screen.focus, GateFocus::Delete);
        assert!(!deletes(&press(&mut screen, Key::Enter, 2_900)), "too soon after the last letter");
        assert!(deletes(&press(&mut screen, Key::Enter, 3_100)));
    }

    #[test]
    fn a_shut_gate_never_deletes_and_paste_is_refused() {
        let mut screen = GateScreen::new(&StepId("remove".into()), &gate(false));
        for key in Key::script("plant<Tab>heron<Tab><Tab><Enter><Enter><Enter>") {
            assert!(!deletes(&press(&mut screen, key, 90_000)));
        }
        let mut open = GateScreen::new(&StepId("remove".into()), &gate(true));
        assert!(open.paste("plant").is_some());
        assert!(open.namespace.is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn no_keys_without_both_words_delete(keys in proptest::collection::vec(0usize..12, 0..60)) {
            // every key of the screen and letters that are not the words
            let all = Key::script("<Enter><Tab><Shift-Tab><Esc><Up><Down>a1plnth<Backspace>");
            let mut screen = GateScreen::new(&StepId("remove".into()), &gate(true));
            for (n, index) in keys.into_iter().enumerate() {
                let acts = press(&mut screen, all[index % all.len()], n as u64 * 5_000);
                prop_assert!(!deletes(&acts));
                screen.sent = false;
            }
        }
    }
}
