//! A kept secret on the screen: asked for by name, shown for ten seconds or until the next key, then dropped.
//!
//! Owns which secret can be shown now, and for how long. Its value comes beside the events, through [`App::show`]; the views
//! read it from here and keep nothing of it.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::{
    App, Cmd, Effect, Front, Key, keymap,
    screens::{SHOWN, Screen},
};
use crate::run::{Command, SecretHandle, SecretName};

/// Rows by which a page of a secret goes on.
const ROWS: usize = 10;

/// A secret that was asked for, and its value once that came. No `Debug`: it is the value itself.
pub struct Shown {
    handle: SecretHandle,
    name: SecretName,
    value: Option<SecretString>,
    until: u64,
    /// First row of its page, where it has one.
    pub from: usize,
}

impl App {
    /// The kept secrets that the screen in front can show now: that of the field in focus, or those of the chosen item.
    pub fn can_show(&self) -> Vec<SecretName> {
        if self.over.is_some() || self.lock.is_shut {
            return Vec::new();
        }
        let (step, item, fields) = match &self.front {
            Front::Form(screen) => {
                let Some((item, field)) = screen.kept_secret() else { return Vec::new() };
                (&screen.step, item, std::slice::from_ref(field))
            }
            Front::Reapply(screen) => match screen.items.get(screen.list.at) {
                Some(item) if !screen.typing() => (&screen.step, &item.id, &item.secrets[..]),
                _ => return Vec::new(),
            },
            _ => return Vec::new(),
        };
        let name = |field: &String| SecretName { step: step.clone(), item: item.clone(), field: field.clone() };
        fields.iter().map(name).collect()
    }

    /// The secret behind that which was shown, round and round; the first one where none was.
    fn behind(&self, before: Option<&SecretName>) -> Option<SecretName> {
        let mut can = self.can_show();
        let after = before.and_then(|before| can.iter().position(|name| name == before)).map_or(0, |at| at + 1);
        if can.is_empty() { None } else { Some(can.swap_remove(after % can.len())) }
    }

    /// The secret that the key would show now.
    pub fn next_shown(&self) -> Option<SecretName> {
        self.behind(self.shown.as_ref().map(|shown| &shown.name))
    }

    /// Asks for the secret in front; where an item has several, for the one behind that which is shown.
    pub(super) fn ask_shown(&mut self, before: Option<&SecretName>) -> Vec<Effect> {
        let Some(name) = self.behind(before) else { return Vec::new() };
        if self.question.is_none() {
            // what is being saved may be this very secret
            self.notice = Some("Not yet: what was typed is being saved. Press it again.".to_owned());
            return Vec::new();
        }
        self.handles += 1;
        let handle = SecretHandle(self.handles);
        self.shown = Some(Shown { handle, name: name.clone(), value: None, until: self.at + SHOWN, from: 0 });
        vec![Effect::Send(Command::Show { handle, secret: name })]
    }

    /// Takes a secret that was asked for; one that nobody waits for any more is dropped.
    pub fn show(&mut self, at: u64, now: Timestamp, handle: SecretHandle, value: SecretString) {
        (self.at, self.now) = (at, now);
        self.watch_lock();
        if let Some(shown) = self.shown.as_mut().filter(|shown| shown.handle == handle) {
            (shown.value, shown.until) = (Some(value), at + SHOWN);
        }
        self.watch_shown();
    }

    /// It is not shown, and why.
    pub(super) fn not_shown(&mut self, handle: SecretHandle, reason: &str) {
        if self.shown.as_ref().is_some_and(|shown| shown.handle == handle) {
            self.shown = None;
            self.notice = Some(format!("Not shown: {reason}."));
        }
    }

    /// The secret that is shown: its name, its value, the first row of its page.
    pub fn shown(&self) -> Option<(&SecretName, &str, usize)> {
        let shown = self.shown.as_ref().filter(|shown| self.at < shown.until)?;
        Some((&shown.name, shown.value.as_ref()?.expose_secret(), shown.from))
    }

    /// When the clock must look at the screen again because a secret goes from it.
    pub fn shown_wakes_at(&self) -> Option<u64> {
        self.shown.as_ref().map(|shown| shown.until)
    }

    /// Drops what was shown when its time is over, or what it belongs to is not in front any more.
    pub(super) fn watch_shown(&mut self) {
        let holds = |shown: &Shown| {
            self.at < shown.until && self.front.screen().is_some() && self.can_show().contains(&shown.name)
        };
        if self.shown.as_ref().is_some_and(|shown| !holds(shown)) {
            self.shown = None;
        }
    }

    /// A key ends what is shown. Nothing, where it meant something else as well: a page of its own takes every key.
    pub(super) fn key_hides(&mut self, key: Key) -> Option<Vec<Effect>> {
        let mut shown = self.shown.take()?;
        if self.window.is_small {
            return None;
        }
        let again = keymap::meaning(self.place(), key, self.is_typing()) == Some(Cmd::ShowSecret);
        let covers = self.window.covers && shown.value.is_some();
        if again && covers && shown.from < self.window.scroll {
            (shown.from, shown.until) = ((shown.from + ROWS).min(self.window.scroll), self.at + SHOWN);
            self.shown = Some(shown);
            return Some(Vec::new());
        }
        if again {
            return Some(self.ask_shown(Some(&shown.name)));
        }
        covers.then(Vec::new)
    }
}
