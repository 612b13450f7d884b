//! Commands to what lies over a screen.

use super::{
    App, Cmd, Effect, Key, Leave, Over, Quit,
    commands::Does,
    log::{Log, LogPage},
    page::Page,
    text_field::TextField,
};
use crate::run::Command;

impl App {
    pub(super) fn over_command(&mut self, cmd: Cmd, key: Key) -> Vec<Effect> {
        let last = self.window.scroll;
        let Some(over) = &mut self.over else { return Vec::new() };
        match over {
            Over::Help { from, .. } | Over::Page(Page { from, .. }) => match cmd {
                Cmd::Up => *from = from.saturating_sub(1),
                Cmd::Down => *from = (*from + 1).min(last),
                Cmd::PageUp => *from = from.saturating_sub(10),
                Cmd::PageDown | Cmd::Space => *from = (*from + 10).min(last),
                Cmd::First => *from = 0,
                Cmd::Last => *from = last,
                Cmd::Save => {
                    if let Over::Page(page) = over {
                        let text = format!("{}\n\n{}\n", page.title, page.lines.join("\n"));
                        return vec![Effect::Save { name: "page.txt".to_owned(), text }];
                    }
                }
                _ => self.over = None,
            },
            Over::Palette(palette) => match cmd {
                Cmd::Enter => {
                    let chosen = palette.chosen().map(|named| (named.does, named.not_now));
                    return chosen.map_or_else(Vec::new, |(does, not_now)| self.named_command(does, not_now));
                }
                Cmd::Up | Cmd::Down | Cmd::PageUp | Cmd::PageDown => {
                    palette.menu.moved(cmd, key);
                }
                Cmd::Back | Cmd::Leave => self.over = None,
                _ => palette.edit(key),
            },
            Over::Unlock(_) => return self.unlock_command(cmd, key),
            Over::Log(page) => {
                return Self::log_command(page, &mut self.log, cmd, key).unwrap_or_else(|| {
                    self.over = None;
                    Vec::new()
                });
            }
            Over::Leave(leave) => {
                let (taken, sure) = (leave.chosen.taken(cmd, key), leave.sure);
                if taken.is_some() || cmd == Cmd::Back || cmd == Cmd::Leave {
                    self.over = None;
                }
                match (sure, taken) {
                    (false, Some(1)) => {
                        self.pausing = true;
                        return vec![Effect::Send(Command::Pause)];
                    }
                    (false, Some(2)) => return vec![Effect::Quit(Quit::AfterThisStep)],
                    (false, Some(3)) => {
                        self.over = Some(Over::Leave(Leave::asked(self.uncut()).once_more()));
                    }
                    (true, Some(1)) => return vec![Effect::Send(Command::Stop)],
                    _ => {}
                }
            }
        }
        Vec::new()
    }

    /// What was chosen by name; what is not possible says why, and the palette stays.
    fn named_command(&mut self, does: Does, not_now: &str) -> Vec<Effect> {
        if !not_now.is_empty() {
            self.notice = Some(format!("Not now: {not_now}."));
            return Vec::new();
        }
        self.over = None;
        match does {
            Does::Option(number) => {
                let digit = u32::try_from(number).ok().and_then(|number| char::from_digit(number, 10));
                let mut effects = self.command(Cmd::Number, Key::Char(digit.unwrap_or('1')));
                effects.extend(self.command(Cmd::Enter, Key::Enter));
                effects
            }
            Does::Key(cmd @ (Cmd::Add | Cmd::None | Cmd::Take), key) => {
                // they are of the list: a field that is being typed into is left first
                let mut effects = self.put_down();
                effects.extend(self.command(cmd, key));
                effects
            }
            Does::Key(cmd, key) => self.command(cmd, key),
        }
    }

    /// None when the log is closed.
    fn log_command(page: &mut LogPage, log: &mut Log, cmd: Cmd, key: Key) -> Option<Vec<Effect>> {
        if let Some(mut text) = page.typing.take() {
            match cmd {
                Cmd::Enter => {
                    page.search = text.text().to_owned();
                    log.find(&page.search, false);
                }
                Cmd::Back => {}
                _ => {
                    text.key(key);
                    page.typing = Some(text);
                }
            }
            return Some(Vec::new());
        }
        match cmd {
            Cmd::Up => log.scroll(1),
            Cmd::Down => log.scroll(-1),
            Cmd::PageUp => log.scroll(10),
            Cmd::PageDown => log.scroll(-10),
            Cmd::First => log.scroll(isize::MAX),
            Cmd::Last | Cmd::Space => log.toggle(),
            Cmd::Search => page.typing = Some(TextField::open("")),
            Cmd::SearchNext => {
                log.find(&page.search, false);
            }
            Cmd::SearchPrevious => {
                log.find(&page.search, true);
            }
            Cmd::Save => {
                let lines: Vec<String> =
                    log.lines.iter().map(|line| format!("{:.0} {} {}", line.at, line.source, line.text)).collect();
                return Some(vec![Effect::Save { name: "log.txt".to_owned(), text: lines.join("\n") + "\n" }]);
            }
            _ => return None,
        }
        Some(Vec::new())
    }
}
