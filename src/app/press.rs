//! A key or a paste: what it means where it is pressed, and what it does there.

use super::{
    App, Cmd, Effect, Front, Key, Leave, Over, Place, Quit, UnlockFocus,
    app_state::Waiting,
    keymap::meaning,
    log::LogPage,
    screens::{Act, SecretFor},
};
use crate::run::{Command, FieldInput, Reply, SecretHandle};

/// Keys pressed sooner after a gate or failure appeared are thrown away, in milliseconds.
const TYPE_AHEAD: u64 = 300;
/// Two Ctrl-C within this time leave at once, in milliseconds.
const TWICE: u64 = 2_000;

impl App {
    /// Which keys hold now.
    pub fn place(&self) -> Place {
        match &self.over {
            Some(Over::Help { .. }) => Place::Help,
            Some(Over::Page(_)) => Place::Page,
            Some(Over::Palette(_)) => Place::Palette,
            Some(Over::Log(page)) => {
                if page.typing.is_some() {
                    Place::Inputs
                } else {
                    Place::Log
                }
            }
            Some(Over::Leave(_)) => Place::Leave,
            Some(Over::Unlock(_)) => Place::Unlock,
            None if !self.stuck().is_empty() => Place::Waiting,
            None => self.front.screen().map_or(Place::Running, super::screens::Screen::place),
        }
    }

    /// Whether a text has the focus.
    pub fn is_typing(&self) -> bool {
        match &self.over {
            Some(Over::Palette(_)) => true,
            Some(Over::Log(page)) => page.typing.is_some(),
            Some(Over::Unlock(dialog)) => dialog.focus == UnlockFocus::Passphrase,
            Some(_) => false,
            None => self.front.screen().is_some_and(super::screens::Screen::typing),
        }
    }

    pub(super) fn key(&mut self, key: Key) -> Vec<Effect> {
        if let Some(notice) = self.notice.take() {
            self.noticed = Some(notice);
        }
        let guarded = self.over.is_none() && self.front.screen().is_some_and(super::screens::Screen::guarded);
        if guarded && self.at < self.shown_at + TYPE_AHEAD {
            return Vec::new();
        }
        if let Some(effects) = self.key_hides(key) {
            return effects;
        }
        if self.window.is_small {
            return self.small(key);
        }
        if let Some(cmd) = meaning(self.place(), key, self.is_typing()) {
            return self.command(cmd, key);
        }
        self.edit(key);
        Vec::new()
    }

    /// Keys of a window that is too small to show what they would do: only leaving and plain mode.
    fn small(&mut self, key: Key) -> Vec<Effect> {
        let cmd = meaning(Place::Everywhere, key, self.is_typing());
        match cmd {
            Some(Cmd::Leave) => vec![Effect::Quit(if self.is_working() { Quit::AfterThisStep } else { Quit::Now })],
            Some(cmd @ (Cmd::Plain | Cmd::Drop | Cmd::Suspend | Cmd::Repaint)) => self.command(cmd, key),
            _ => Vec::new(),
        }
    }

    fn edit(&mut self, key: Key) {
        let at = self.at;
        match &mut self.over {
            None if self.lock.is_shut => self.ask_unlock(),
            Some(Over::Unlock(dialog)) => {
                if !dialog.sent {
                    dialog.text.key(key);
                }
            }
            Some(Over::Palette(palette)) => palette.edit(key),
            Some(Over::Log(page)) => {
                if let Some(text) = &mut page.typing {
                    text.key(key);
                }
            }
            Some(_) => {}
            None => {
                // with the focus on a button a letter is nobody's
                if let Some(screen) = self.front.screen_mut().filter(|screen| screen.typing()) {
                    screen.edit(key, at);
                }
            }
        }
    }

    pub(super) fn paste(&mut self, text: &str) -> Vec<Effect> {
        // what covers the screen hides where the paste would go
        let covered = self.shown.take().is_some() && self.window.covers;
        if self.window.is_small || covered {
            return Vec::new();
        }
        match &mut self.over {
            None if self.lock.is_shut => self.ask_unlock(),
            Some(Over::Unlock(dialog)) => {
                dialog.text.paste(text);
            }
            None => self.notice = self.front.screen_mut().and_then(|screen| screen.paste(text)),
            Some(Over::Palette(palette)) => palette.paste(text),
            Some(Over::Log(LogPage { typing: Some(search), .. })) => {
                search.paste(text);
            }
            Some(_) => {}
        }
        Vec::new()
    }

    pub(super) fn command(&mut self, cmd: Cmd, key: Key) -> Vec<Effect> {
        if key == Key::Ctrl('c') {
            let twice = self.interrupted_at.replace(self.at).is_some_and(|before| self.at < before + TWICE);
            if twice {
                return vec![Effect::Quit(Quit::AfterThisStep)];
            }
        }
        match cmd {
            Cmd::Repaint => return vec![Effect::Repaint],
            Cmd::Suspend => return vec![Effect::Suspend],
            Cmd::Drop => return vec![Effect::Quit(Quit::AfterThisStep)],
            // line prompts can be answered: they are no way around the lock
            Cmd::Plain if self.lock.is_shut => {
                self.ask_unlock();
                return Vec::new();
            }
            Cmd::Plain => return self.leave_to_plain(),
            Cmd::Report => {
                let text = crate::run::report::markdown(&self.run, &self.records);
                return vec![Effect::Save { name: "report.md".to_owned(), text }];
            }
            _ => {}
        }
        if self.over.is_some() {
            return self.over_command(cmd, key);
        }
        if self.lock.is_shut && !self.is_done_locked(cmd) {
            self.ask_unlock();
            return Vec::new();
        }
        if let Some(over) = self.look(cmd) {
            self.over = Some(over);
            return Vec::new();
        }
        match cmd {
            Cmd::ShowSecret if !self.can_show().is_empty() => self.ask_shown(None),
            Cmd::Pause if self.is_working() => {
                self.pausing = !self.pausing;
                vec![Effect::Send(if self.pausing { Command::Pause } else { Command::Go })]
            }
            Cmd::Leave if !matches!(self.front, Front::Finish(_)) => self.leave(),
            _ => self.screen_command(cmd, key),
        }
    }

    /// The same place as line prompts. What is being typed is saved first.
    fn leave_to_plain(&mut self) -> Vec<Effect> {
        let mut effects = self.put_down();
        if self.outbox.is_empty() {
            effects.push(Effect::Quit(Quit::ToPlain));
        } else {
            self.notice = Some("Not yet: what was typed is being saved. Press it again.".to_owned());
        }
        effects
    }

    pub(super) fn leave(&mut self) -> Vec<Effect> {
        if !self.is_working() {
            return vec![Effect::Quit(Quit::Now)];
        }
        self.over = Some(Over::Leave(Leave::asked(self.uncut())));
        Vec::new()
    }

    fn screen_command(&mut self, cmd: Cmd, key: Key) -> Vec<Effect> {
        let at = self.at;
        if self.waiting_command(cmd, key) {
            return Vec::new();
        }
        let Some(screen) = self.front.screen_mut() else {
            match cmd {
                Cmd::Up => self.log.scroll(1),
                Cmd::Down => self.log.scroll(-1),
                Cmd::PageUp => self.log.scroll(10),
                Cmd::PageDown => self.log.scroll(-10),
                Cmd::Last | Cmd::Space => self.log.toggle(),
                _ => {}
            }
            return Vec::new();
        };
        let acts = screen.command(cmd, key, at);
        self.acts(acts)
    }

    /// Lets the screen in front let go of what is being typed.
    pub(super) fn put_down(&mut self) -> Vec<Effect> {
        let acts = self.front.screen_mut().map(super::screens::Screen::put_down).unwrap_or_default();
        self.acts(acts)
    }

    /// What a screen wants is done.
    fn acts(&mut self, acts: Vec<Act>) -> Vec<Effect> {
        let mut effects = Vec::new();
        for act in acts {
            match act {
                Act::Say(reply) => self.outbox.push_back(Waiting { reply, secret: None }),
                Act::Secret(what, secret) => {
                    self.handles += 1;
                    let handle = SecretHandle(self.handles);
                    self.secrets.insert(handle, secret);
                    let reply = match what {
                        SecretFor::Passphrase => Reply::Vault { passphrase: handle },
                        SecretFor::Field { item, field } => {
                            Reply::Set { item, field, input: FieldInput::Secret(handle) }
                        }
                    };
                    self.outbox.push_back(Waiting { reply, secret: Some(handle) });
                }
                Act::Page(page) => self.over = Some(Over::Page(page)),
                Act::Log => self.over = Some(Over::Log(LogPage::default())),
                Act::Notice(text) => self.notice = Some(text),
                Act::Save { name, text } => effects.push(Effect::Save { name, text }),
                Act::Done => effects.push(Effect::Quit(Quit::Ended)),
            }
        }
        effects.extend(self.flush());
        if self.question.is_none()
            && !matches!(
                self.front,
                Front::Form(_) | Front::Vault(_) | Front::Checks(_) | Front::Reapply(_) | Front::Finish(_)
            )
        {
            // answered: the screen makes room for what runs now
            self.front = Front::Running;
        }
        effects
    }
}
