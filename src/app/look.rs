//! Commands that only look: what they lay over the screen in front. They change nothing of the run.

use super::{App, Cmd, Front, Over, Palette, log::LogPage, page, text_field::TextField};

impl App {
    /// What a command lays over the screen; nothing, when it is another command or there is nothing to show.
    pub(super) fn look(&self, cmd: Cmd) -> Option<Over> {
        Some(match cmd {
            Cmd::Help => Over::Help { place: self.place(), from: 0 },
            Cmd::Palette => Over::Palette(Palette::new(self.commands())),
            Cmd::Why => Over::Page(self.why()?),
            Cmd::Evidence => Over::Page(self.evidence()),
            Cmd::Overview => Over::Page(page::overview(&self.run, &self.records)),
            Cmd::Log => Over::Log(LogPage::default()),
            Cmd::Search => Over::Log(LogPage { typing: Some(TextField::open("")), ..LogPage::default() }),
            _ => return None,
        })
    }

    /// Of the plan the chosen phase, else the step in hand.
    fn why(&self) -> Option<page::Page> {
        match &self.front {
            Front::Plan(screen) => Some(page::why_phase(&self.run, screen.phases.at)),
            _ if self.rolls_back() => self.step().map(|step| self.why_back(step)),
            _ => self.step().map(page::why),
        }
    }

    fn evidence(&self) -> page::Page {
        if let Front::Plan(screen) = &self.front {
            return screen.steps();
        }
        let mut page = self.step().map_or_else(|| page::proven(&self.run), |step| page::evidence(&self.run, step));
        let told: Vec<String> = self.noticed.iter().cloned().chain(self.whole()).collect();
        if !told.is_empty() {
            let shown = told.iter().map(|line| format!("  {line}"));
            let first = std::iter::once("On the screen, whole:".to_owned()).chain(shown);
            page.lines.splice(0..0, first.chain([String::new()]));
        }
        page.lines.extend([String::new(), "Where:".to_owned()]);
        page.lines.extend(self.place_whole().iter().map(|line| format!("  {line}")));
        page
    }
}
