//! S02: which context and namespace, and who that is.

use std::collections::{BTreeMap, BTreeSet};

use super::{Begin, Cmd, Context, DoorEffect, InputAsk, Key, Procedure};
use crate::{
    app::{menu::Menu, text_field::TextField},
    ports::Identity,
    run::Environment,
};

/// Letters after which namespaces are proposed.
const LETTERS: usize = 2;

/// A server that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// How long that took, in milliseconds.
    pub ms: u64,
    /// Its namespaces; none where they may not be listed.
    pub namespaces: Vec<String>,
}

/// Whether runs here knew this target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Never.
    Never,
    /// The same ids, on that day.
    Same(String),
    /// Other ids under the same names, on that day.
    Other(String),
}

/// A target that was read.
#[derive(Debug, Clone)]
pub struct Found {
    /// Who it is.
    pub identity: Identity,
    /// What it counts as.
    pub environment: Environment,
    /// Why.
    pub because: String,
    /// What runs there, in a few words.
    pub holds: String,
    /// Whether it was known.
    pub seen: Seen,
    /// What the runbook asks for this target.
    pub inputs: Vec<InputAsk>,
}

/// What has the focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetFocus {
    Context,
    Namespace,
    Environment,
    Back,
    Use,
}

const ORDER: [TargetFocus; 5] =
    [TargetFocus::Context, TargetFocus::Namespace, TargetFocus::Environment, TargetFocus::Back, TargetFocus::Use];

/// What follows a command.
pub(super) enum Next {
    Stay(Vec<DoorEffect>),
    Tell(String),
    LogIn(String),
    Home,
    Use(Box<Begin>, Environment, Vec<InputAsk>),
}

/// The screen.
#[derive(Debug)]
pub struct TargetScreen {
    /// What is to be done there.
    pub procedure: Procedure,
    /// The contexts.
    pub contexts: Vec<Context>,
    /// The chosen one.
    pub menu: Menu,
    /// What is known of them by name.
    pub contacts: BTreeMap<String, Result<Contact, String>>,
    /// Those whose plugin could log in at a terminal.
    logins: BTreeSet<String>,
    /// The namespace as typed.
    pub namespace: TextField,
    /// Who it is, once read.
    pub found: Option<Result<Box<Found>, Vec<String>>>,
    /// Whether it is being read.
    pub reading: bool,
    /// Whether it was raised to PROD.
    pub raised: bool,
    /// What has the focus.
    pub focus: TargetFocus,
}

impl TargetScreen {
    /// The choice among these contexts. The focus is on them; the kubeconfig's current one is not taken by itself.
    pub fn new(procedure: Procedure, contexts: &[Context]) -> Self {
        Self {
            procedure,
            contexts: contexts.to_vec(),
            menu: Menu::new(contexts.len(), 0),
            contacts: BTreeMap::new(),
            logins: BTreeSet::new(),
            namespace: TextField::open(""),
            found: None,
            reading: false,
            raised: false,
            focus: TargetFocus::Context,
        }
    }

    /// The chosen context.
    pub fn context(&self) -> Option<&Context> {
        self.contexts.get(self.menu.at)
    }

    /// What to look at for the chosen context: nothing, when it was looked at.
    pub fn look(&self) -> Vec<DoorEffect> {
        let unknown = self.context().filter(|context| !self.contacts.contains_key(&context.name));
        unknown.map(|context| DoorEffect::Look(context.name.clone())).into_iter().collect()
    }

    /// Whether the namespace is being typed.
    pub fn is_typing(&self) -> bool {
        self.focus == TargetFocus::Namespace
    }

    /// Namespaces that begin with, or else hold, what is typed.
    pub fn proposals(&self) -> Vec<&str> {
        let typed = self.namespace.text();
        let Some(Ok(contact)) = self.context().and_then(|context| self.contacts.get(&context.name)) else {
            return Vec::new();
        };
        if typed.chars().count() < LETTERS {
            return Vec::new();
        }
        let all = || contact.namespaces.iter().map(String::as_str);
        let begins = all().filter(|name| name.starts_with(typed));
        begins.chain(all().filter(|name| !name.starts_with(typed) && name.contains(typed))).collect()
    }

    /// The target as read, if it could be.
    pub fn target(&self) -> Option<&Found> {
        self.found.as_ref().and_then(|found| found.as_ref().ok()).map(AsRef::as_ref)
    }

    /// What the target counts as, if it could be read: at least what its label says.
    pub fn environment(&self) -> Option<Environment> {
        self.target().map(|found| if self.raised { Environment::Prod } else { found.environment })
    }

    /// Why it cannot be used yet, or nothing.
    pub fn missing(&self) -> &'static str {
        match (&self.found, self.reading) {
            (_, true) => "it is being read",
            (Some(Ok(_)), _) => "",
            (Some(Err(_)), _) => "it could not be read",
            (None, _) if self.namespace.is_empty() => "namespace",
            (None, _) => "Enter reads it",
        }
    }

    /// One level back: empties the namespace first. Whether there is nothing left to go back from.
    pub(super) fn back(&mut self) -> bool {
        if self.focus == TargetFocus::Context {
            return true;
        }
        self.focus = TargetFocus::Context;
        false
    }

    fn step(&mut self, forward: bool) {
        let at = ORDER.iter().position(|focus| *focus == self.focus).unwrap_or(0);
        let by = if forward { 1 } else { ORDER.len() - 1 };
        let next = ORDER[(at + by) % ORDER.len()];
        self.focus = if next == TargetFocus::Environment && self.target().is_none() {
            // it has no row before the target is known
            ORDER[(at + 2 * by) % ORDER.len()]
        } else {
            next
        };
    }

    /// Takes the one namespace that begins with what was typed.
    fn complete(&mut self) {
        let only = match self.proposals()[..] {
            [only] if only.starts_with(self.namespace.text()) => only.to_owned(),
            _ => return,
        };
        self.namespace = TextField::open(&only);
    }

    fn forget(&mut self) {
        (self.found, self.reading, self.raised) = (None, false, false);
    }

    pub(super) fn command(&mut self, cmd: Cmd, key: Key) -> Next {
        match (cmd, self.focus) {
            (Cmd::Next, _) => self.step(true),
            (Cmd::Previous, _) => self.step(false),
            (Cmd::Enter, TargetFocus::Context) => match self.login() {
                Some(name) => {
                    // afterwards it is looked at anew
                    self.logins.remove(&name);
                    self.contacts.remove(&name);
                    return Next::LogIn(name);
                }
                None => self.focus = TargetFocus::Namespace,
            },
            (Cmd::Enter, TargetFocus::Namespace) => {
                self.complete();
                return Next::Stay(self.read());
            }
            (Cmd::Enter | Cmd::Space, TargetFocus::Environment) => {
                let prod = self.target().is_some_and(|found| found.environment == Environment::Prod);
                if prod {
                    return Next::Tell("It counts as PROD already; it cannot be lowered.".to_owned());
                }
                self.raised = self.target().is_some() && !self.raised;
            }
            (Cmd::Enter, TargetFocus::Back) => return Next::Home,
            (Cmd::Enter, TargetFocus::Use) if self.found.is_none() && !self.reading && !self.namespace.is_empty() => {
                self.complete();
                return Next::Stay(self.read());
            }
            (Cmd::Enter, TargetFocus::Use) => return self.take(),
            (Cmd::Down | Cmd::Up, TargetFocus::Namespace) => self.step(cmd == Cmd::Down),
            (_, TargetFocus::Context) => {
                let before = self.menu.at;
                self.menu.moved(cmd, key);
                if self.menu.at != before {
                    self.forget();
                    return Next::Stay(self.look());
                }
            }
            _ => {}
        }
        Next::Stay(Vec::new())
    }

    fn read(&mut self) -> Vec<DoorEffect> {
        let (Some(context), false) = (self.context(), self.namespace.is_empty()) else { return Vec::new() };
        let effect = DoorEffect::Identify {
            procedure: self.procedure.clone(),
            context: context.name.clone(),
            namespace: self.namespace.text().to_owned(),
        };
        self.forget();
        self.reading = true;
        vec![effect]
    }

    fn take(&self) -> Next {
        let (Some(context), Some(found), Some(environment)) = (self.context(), self.target(), self.environment())
        else {
            return Next::Tell(format!("Not yet: {}.", self.missing()));
        };
        let begin = Begin {
            procedure: self.procedure.clone(),
            context: context.name.clone(),
            namespace: self.namespace.text().to_owned(),
            prod: self.raised,
            inputs: BTreeMap::new(),
        };
        Next::Use(Box::new(begin), environment, found.inputs.clone())
    }

    pub(super) fn edit(&mut self, key: Key) {
        if key == Key::Right
            && self.namespace.cursor() == self.namespace.chars()
            && let Some(first) = self.proposals().first().map(|name| (*name).to_owned())
        {
            self.namespace = TextField::open(&first);
            self.forget();
            return;
        }
        let before = self.namespace.text().to_owned();
        self.namespace.key(key);
        if self.namespace.text() != before {
            self.forget();
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        if self.is_typing() {
            self.namespace.paste(text.trim());
            self.forget();
        }
    }

    /// The chosen context, where a login at a terminal could help.
    fn login(&self) -> Option<String> {
        self.context().map(|context| context.name.clone()).filter(|name| self.logins.contains(name))
    }

    pub(super) fn unknown(&mut self, context: &str, why: String) {
        self.logins.insert(context.to_owned());
        self.contacts.insert(context.to_owned(), Err(why));
    }

    pub(super) fn contacted(&mut self, context: &str, contact: Result<Contact, String>) {
        self.logins.remove(context);
        self.contacts.insert(context.to_owned(), contact);
    }

    pub(super) fn found(&mut self, context: &str, namespace: &str, found: Result<Box<Found>, Vec<String>>) {
        // the answer to an older question is none to this one
        let asked = self.context().is_some_and(|chosen| chosen.name == context) && self.namespace.text() == namespace;
        if !asked || !self.reading {
            return;
        }
        self.reading = false;
        if found.is_ok() {
            self.focus = TargetFocus::Use;
        }
        self.found = Some(found);
    }
}
