//! What the runbook asks before its plan can be made.

use std::collections::BTreeMap;

use super::{Begin, Chosen, Cmd, DoorEffect, Key};
use crate::{app::text_field::TextField, run::Environment};

/// One input, as the runbook has it for the chosen target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputAsk {
    /// Its id.
    pub id: String,
    /// What it is, in words.
    pub title: String,
    /// The only values allowed; empty for any.
    pub choices: Vec<String>,
    /// What it is unless changed.
    pub value: String,
    /// Whether it may not be empty.
    pub required: bool,
}

/// What has the focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputsFocus {
    Field(usize),
    Back,
    Go,
}

/// The screen.
#[derive(Debug)]
pub struct InputsScreen {
    /// The run that is to begin.
    pub begin: Begin,
    /// What its target counts as.
    pub environment: Environment,
    /// The inputs with their texts and faults.
    pub fields: Vec<(InputAsk, TextField, String)>,
    /// What has the focus.
    pub focus: InputsFocus,
    /// Whether they are being checked.
    pub checking: bool,
}

impl InputsScreen {
    /// The form with what was typed into it before; the focus is on the first input that must be given.
    pub fn new(
        begin: Begin,
        environment: Environment,
        inputs: Vec<InputAsk>,
        typed: &BTreeMap<String, String>,
    ) -> Self {
        let fields: Vec<_> = inputs
            .into_iter()
            .map(|input| {
                let allowed = |text: &&String| input.choices.is_empty() || input.choices.contains(*text);
                let text = TextField::open(typed.get(&input.id).filter(allowed).unwrap_or(&input.value));
                (input, text, String::new())
            })
            .collect();
        let first = fields.iter().position(|(input, text, _)| input.required && text.is_empty());
        let focus = first.map_or(InputsFocus::Go, InputsFocus::Field);
        Self { begin, environment, fields, focus, checking: false }
    }

    /// What was typed, by input: what still is as the runbook has it for this target is not among it.
    pub(super) fn typed(&self) -> BTreeMap<String, String> {
        let changed = self.fields.iter().filter(|(input, text, _)| text.text() != input.value);
        changed.map(|(input, text, _)| (input.id.clone(), text.text().to_owned())).collect()
    }

    /// What is to begin, with the inputs as they stand.
    fn asked(&self) -> Begin {
        let inputs = self.fields.iter().map(|(input, text, _)| (input.id.clone(), text.text().to_owned())).collect();
        Begin { inputs, ..self.begin.clone() }
    }

    /// Whether a text is being typed.
    pub fn is_typing(&self) -> bool {
        match self.focus {
            InputsFocus::Field(at) => self.fields.get(at).is_some_and(|(input, ..)| input.choices.is_empty()),
            _ => false,
        }
    }

    /// The first required input that is empty.
    pub fn missing(&self) -> &str {
        let empty = self.fields.iter().find(|(input, text, _)| input.required && text.is_empty());
        empty.map_or("", |(input, ..)| input.id.as_str())
    }

    fn step(&mut self, forward: bool) {
        let count = self.fields.len() + 2;
        let at = match self.focus {
            InputsFocus::Field(at) => at,
            InputsFocus::Back => self.fields.len(),
            InputsFocus::Go => self.fields.len() + 1,
        };
        let next = if forward { (at + 1) % count } else { (at + count - 1) % count };
        self.focus = match next.checked_sub(self.fields.len()) {
            None => InputsFocus::Field(next),
            Some(0) => InputsFocus::Back,
            Some(_) => InputsFocus::Go,
        };
    }

    /// Whether a command leads back to the target.
    pub(super) fn leaves(&self, cmd: Cmd) -> bool {
        cmd == Cmd::Back || (cmd == Cmd::Enter && self.focus == InputsFocus::Back)
    }

    pub(super) fn command(&mut self, cmd: Cmd, key: Key) -> Vec<DoorEffect> {
        match (cmd, self.focus) {
            (Cmd::Next | Cmd::Down, _) => self.step(true),
            (Cmd::Previous | Cmd::Up, _) => self.step(false),
            (Cmd::Space, InputsFocus::Field(at)) => self.turn(at),
            (Cmd::Enter, InputsFocus::Field(at)) => {
                // after the last field the button is next, not the way back
                if at + 1 == self.fields.len() { self.focus = InputsFocus::Go } else { self.step(true) }
            }
            (Cmd::Enter, InputsFocus::Go) if self.missing().is_empty() && !self.checking => {
                self.checking = true;
                return vec![DoorEffect::Check(Box::new(self.asked()))];
            }
            _ => self.edit(key),
        }
        Vec::new()
    }

    /// The next choice of a field that has some.
    fn turn(&mut self, at: usize) {
        if let Some((input, text, fault)) = self.fields.get_mut(at)
            && !input.choices.is_empty()
        {
            let now = input.choices.iter().position(|choice| choice == text.text()).unwrap_or(0);
            *text = TextField::open(&input.choices[(now + 1) % input.choices.len()]);
            fault.clear();
            self.checking = false;
        }
    }

    pub(super) fn edit(&mut self, key: Key) {
        if let InputsFocus::Field(at) = self.focus
            && let Some((input, text, fault)) = self.fields.get_mut(at)
            && input.choices.is_empty()
            && text.key(key)
        {
            fault.clear();
            self.checking = false;
        }
    }

    pub(super) fn paste(&mut self, pasted: &str) {
        if let InputsFocus::Field(at) = self.focus
            && let Some((input, text, fault)) = self.fields.get_mut(at)
            && input.choices.is_empty()
        {
            text.paste(pasted);
            fault.clear();
            self.checking = false;
        }
    }

    pub(super) fn checked(
        &mut self,
        asked: &Begin,
        checked: Result<BTreeMap<String, String>, BTreeMap<String, String>>,
    ) -> Vec<DoorEffect> {
        // the answer to an older question is none to this one
        if !self.checking || self.asked() != *asked {
            return Vec::new();
        }
        self.checking = false;
        match checked {
            Ok(inputs) => {
                let begin = Begin { inputs, ..self.begin.clone() };
                vec![DoorEffect::Choose(Chosen::Begin(Box::new(begin)))]
            }
            Err(faults) => {
                for (input, _, fault) in &mut self.fields {
                    *fault = faults.get(&input.id).cloned().unwrap_or_default();
                }
                let first = self.fields.iter().position(|(.., fault)| !fault.is_empty());
                self.focus = first.map_or(self.focus, InputsFocus::Field);
                Vec::new()
            }
        }
    }
}
