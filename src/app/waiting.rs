//! S10: the parts that a running step waits for. Since when each stands as it does, which of them need eyes, and what there is
//! to see of one. It only looks: nothing here changes the run.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{App, Cmd, Front, Key, menu::Options, page::Page};
use crate::{
    run::{EVENT, OutputLine, Progress, Row, Sign},
    text::units,
};

/// Parts that are offered to look at: with waiting on there are nine numbers.
const MOST: usize = 8;
/// Ages move in such steps: a wait is calm.
const AGES: u64 = 5;
/// Lines of a part's log on its page.
const LOG: usize = 40;

/// How long parts have stood as they do, and the chosen option.
#[derive(Debug, Default)]
pub struct Parts {
    since: BTreeMap<String, (Sign, String, Timestamp)>,
    /// The first option waits on; each of the others looks at a part.
    pub options: Options,
}

impl Parts {
    /// Takes in how the parts stand now.
    pub(super) fn take(&mut self, now: Timestamp, told: &Progress) {
        let before = std::mem::take(&mut self.since);
        for row in &told.rows {
            let same = before.get(&row.name).filter(|(sign, word, _)| (*sign, word) == (row.sign, &row.word));
            let since = same.map_or(now, |(_, _, since)| *since);
            self.since.insert(row.name.clone(), (row.sign, row.word.clone(), since));
        }
        let stuck = told.rows.iter().filter(|row| needs_eyes(row)).count().min(MOST);
        self.options = Options::new(stuck + 1, self.options.at());
    }

    /// Seconds that a part has stood so, in steps of five.
    fn age(&self, row: &Row, now: Timestamp) -> Option<u64> {
        let (_, _, since) = self.since.get(&row.name)?;
        let seconds = u64::try_from(now.as_second() - since.as_second()).ok()?;
        Some(seconds / AGES * AGES).filter(|age| *age > 0)
    }
}

fn needs_eyes(row: &Row) -> bool {
    matches!(row.sign, Sign::Careful | Sign::Failed)
}

impl App {
    /// The picture of the step in hand, while it works.
    pub fn told(&self) -> Option<&Progress> {
        let step = self.step()?;
        self.progress.as_ref().filter(|told| told.step == step.id)
    }

    /// Parts of the running step that do not go on by themselves.
    pub fn stuck(&self) -> Vec<&Row> {
        if !self.is_working() {
            return Vec::new();
        }
        let rows = self.told().into_iter().flat_map(|told| &told.rows);
        rows.filter(|row| needs_eyes(row)).take(MOST).collect()
    }

    /// What is known of a part, with how long it has stood so, where it does not tell that itself.
    pub fn detail(&self, row: &Row) -> String {
        let own = row.detail.split_once(" s").is_some_and(|(age, _)| age.parse::<u64>().is_ok());
        match self.parts.age(row, self.now).filter(|_| !own && row.sign != Sign::Done) {
            Some(age) => format!("{} · {}", units::seconds(age), row.detail),
            None => row.detail.clone(),
        }
    }

    /// The options while a part needs eyes, with what each does.
    pub fn waiting_options(&self) -> Vec<(String, String)> {
        let stuck = self.stuck();
        if stuck.is_empty() {
            return Vec::new();
        }
        let wait = ("Keep waiting".to_owned(), "asks you by itself when it does not get better".to_owned());
        let look = |row: &&Row| (format!("Look at {}", row.name), "events, log, commands to read more".to_owned());
        std::iter::once(wait).chain(stuck.iter().map(look)).collect()
    }

    /// A key while a part needs eyes; none when it is for the log.
    pub(super) fn waiting_command(&mut self, cmd: Cmd, key: Key) -> bool {
        if self.stuck().is_empty() || !matches!(self.front, Front::Running) || matches!(cmd, Cmd::Space | Cmd::Last) {
            return false;
        }
        match self.parts.options.taken(cmd, key) {
            Some(0) => self.notice = Some("It waits on. Nothing was changed.".to_owned()),
            Some(number) => {
                let page = self.stuck().get(number - 1).map(|row| self.part(row));
                self.over = page.map(super::Over::Page);
            }
            None => {}
        }
        true
    }

    /// All there is to see of a part here, and the commands that show more.
    fn part(&self, row: &Row) -> Page {
        let mut lines = vec![format!("{}: {}", row.word, self.detail(row)), String::new()];
        let of_part = |source: &str| source == row.name || source.starts_with(&format!("{}-", row.name));
        let said = self.log.lines.iter().filter(|line| of_part(&line.source));
        let (events, log): (Vec<&OutputLine>, Vec<&OutputLine>) = said.partition(|line| line.text.starts_with(EVENT));
        let told = |line: &&OutputLine| format!("  {} {}", line.source, line.text);
        for (found, title, none) in [
            (events, "What the cluster says of it, the newest last:", "The cluster has told no event of it here."),
            (log, "The last lines of its pods:", "Its pods have written no line that came here."),
        ] {
            lines.push(if found.is_empty() { none } else { title }.to_owned());
            lines.extend(found[found.len().saturating_sub(LOG)..].iter().map(told));
            lines.push(String::new());
        }
        let commands = self.step().map_or(&[][..], |step| &step.commands[..]);
        let mut named = commands.iter().flat_map(|command| command.split_whitespace());
        let workload = named.find(|word| word.rsplit('/').next() == Some(&row.name) && word.contains('/'));
        let namespace = self.run.target.as_ref().map(|target| target.namespace.as_str());
        if let (Some(workload), Some(namespace)) = (workload, namespace) {
            lines.push("Commands that read more and change nothing:".to_owned());
            let kubectl = format!("  $ kubectl --context {} -n {namespace}", self.run.context);
            lines.push(format!("{kubectl} describe {workload}"));
            lines.push(format!("{kubectl} logs {workload} --all-containers --tail 100"));
            lines.push(format!("{kubectl} get events --sort-by .lastTimestamp"));
        }
        Page::new(&format!("Look at {}", row.name), lines)
    }
}
