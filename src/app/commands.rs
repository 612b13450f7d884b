//! Every command by name, for the palette: what it does, its key, and why it is not possible now.
//!
//! Owns the names and the reasons; which key means what stands in `keymap` alone. The palette teaches by it: what cannot be
//! done now is shown, too.

use super::{App, Cmd, Front, Key, keymap::BINDINGS};

/// What a named command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// What this key does on the screen.
    Key(Cmd, Key),
    /// It takes the numbered option of the screen, from 1.
    Option(usize),
}

/// A command by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Verb and object.
    pub name: String,
    /// Its key as it is written, or empty.
    pub shown: String,
    /// What it does.
    pub does: Does,
    /// Why it is not possible now, or empty.
    pub not_now: &'static str,
}

/// The names. What moves the focus has none: it is done by its key.
const NAMES: &[(Cmd, &str)] = &[
    (Cmd::Why, "why: reason, risk and undo"),
    (Cmd::Evidence, "evidence: exact commands, proofs, texts"),
    (Cmd::Log, "log: the output, full screen"),
    (Cmd::Search, "search the log"),
    (Cmd::Overview, "overview: all steps, how they stand"),
    (Cmd::Report, "report: save what happened so far"),
    (Cmd::Pause, "pause after this step"),
    (Cmd::Again, "recheck: look and read again"),
    (Cmd::Space, "mark the warning as seen"),
    (Cmd::ShowAll, "show all checks, or all objects"),
    (Cmd::ShowSecret, "reveal the secret for 10 s"),
    (Cmd::Add, "add one by hand"),
    (Cmd::None, "none at all, because…"),
    (Cmd::Take, "remove this one from the list"),
    (Cmd::TakeLive, "take what the application says now"),
    (Cmd::Help, "help for this screen"),
    (Cmd::Plain, "plain text mode, at the same place"),
    (Cmd::Suspend, "suspend the screen"),
    (Cmd::Repaint, "repaint the screen"),
    (Cmd::Drop, "drop the screen now"),
    (Cmd::Leave, "leave the wizard"),
];

impl App {
    /// All commands: what is possible, the options of the screen, then what is not possible.
    pub fn commands(&self) -> Vec<Named> {
        let waiting = || self.waiting_options().into_iter().map(|(label, _)| label).collect();
        let options = self.front.screen().map_or_else(waiting, super::screens::Screen::options);
        let options = options.into_iter().enumerate().map(|(index, name)| Named {
            name,
            shown: (index + 1).to_string(),
            does: Does::Option(index + 1),
            not_now: "",
        });
        // an option is taken by its name or after a look, never by the first Enter
        let named = NAMES.iter().map(|(cmd, name)| self.named(*cmd, name));
        let mut all: Vec<Named> = named.chain(options).collect();
        all.sort_by_key(|named| !named.not_now.is_empty());
        all
    }

    fn named(&self, cmd: Cmd, name: &str) -> Named {
        let place = self.place();
        let here = BINDINGS.iter().find(|binding| binding.cmd == cmd && binding.place == place);
        let binding = here.or_else(|| BINDINGS.iter().find(|binding| binding.cmd == cmd));
        let name = if cmd == Cmd::Pause && self.pausing { "take the pause back" } else { name };
        Named {
            name: name.to_owned(),
            shown: binding.map_or("", |binding| binding.shown).to_owned(),
            does: Does::Key(cmd, binding.map_or(Key::Enter, |binding| binding.keys[0])),
            not_now: self.not_now(cmd),
        }
    }

    /// Why a command is not possible now, or nothing.
    fn not_now(&self, cmd: Cmd) -> &'static str {
        let (possible, reason) = match cmd {
            _ if self.is_locked() && !self.is_done_locked(cmd) => (false, "it is locked"),
            Cmd::Why => (self.step().is_some(), "every step is over"),
            Cmd::Log | Cmd::Search => (self.log.step.is_some(), "no step wrote anything yet"),
            Cmd::Pause => (self.is_working(), "no step is running"),
            Cmd::Again => match &self.front {
                Front::Checks(screen) => (!screen.sent, "it is being asked"),
                Front::Gate(screen) => (!screen.gate.is_open() && !screen.sent, "all locks are open"),
                _ => (false, "no checks are shown"),
            },
            Cmd::Space => (matches!(&self.front, Front::Checks(screen) if screen.warns()), "no warning is chosen"),
            Cmd::ShowAll => match &self.front {
                Front::Gate(screen) => (screen.gate.is_open(), "the gate is shut"),
                front => (matches!(front, Front::Checks(_)), "no checks and no gate here"),
            },
            Cmd::ShowSecret => match &self.front {
                Front::Form(screen) => (screen.is_secret(), "no secret has the focus"),
                Front::Reapply(_) => (!self.can_show().is_empty(), "this item holds no secret to show"),
                front => (matches!(front, Front::Vault(_)), "no secret has the focus"),
            },
            Cmd::Add | Cmd::None => {
                (matches!(&self.front, Front::Form(screen) if screen.form.repeated), "no list here")
            }
            Cmd::TakeLive => (
                matches!(&self.front, Front::Form(screen) if screen.can_take_live()),
                "it says nothing else of this item",
            ),
            Cmd::Take => (
                matches!(&self.front, Front::Form(screen) if screen.form.repeated && screen.item().is_some()),
                "no item is chosen",
            ),
            _ => (true, ""),
        };
        if possible { "" } else { reason }
    }
}
