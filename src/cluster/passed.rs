//! What was passed on of a container's log, so that a log that is read again goes on where it was cut.
//!
//! The node writes the lines of stdout and stderr into one file, with stamps that are not in order; a server can be asked for
//! lines since a second only. The order in the file never changes, though: what was passed on is a beginning of it. The end
//! of that beginning is kept here and recognised in what is read again. Called by `container_log`. Knows no connection.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
};

use jiff::{SignedDuration, Timestamp};

/// Lines that are kept at most: below 2 MiB a container.
const MOST: usize = 32_768;
/// So far before the last line a log is read again: stamps differ by less where two streams are merged.
const SPAN: SignedDuration = SignedDuration::from_secs(30);

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// The last lines that were passed on.
#[derive(Default)]
pub struct Passed {
    lines: VecDeque<(Timestamp, u64)>,
    /// Newest stamp of those that are not kept any more.
    forgotten: Option<Timestamp>,
}

impl Passed {
    /// Keeps a line.
    pub fn keep(&mut self, at: Timestamp, text: &str) {
        self.lines.push_back((at, hash(text)));
        let oldest = at.checked_sub(SPAN).unwrap_or(Timestamp::MIN);
        while self.lines.len() > MOST || self.lines.front().is_some_and(|(front, _)| *front < oldest) {
            let Some((gone, _)) = self.lines.pop_front() else { return };
            self.forgotten = self.forgotten.max(Some(gone));
        }
    }

    /// Stamp of the last line.
    pub fn last(&self) -> Option<Timestamp> {
        self.lines.back().map(|(at, _)| *at)
    }

    /// From when a log has to be read again.
    pub fn since(&self) -> Option<Timestamp> {
        self.last().map(|last| last.checked_sub(SPAN).unwrap_or(Timestamp::MIN))
    }

    /// What a log that is read again may hold of it; `file` says whether the last line must stand in it.
    pub fn again(&self, file: File) -> Again {
        let mut left = HashMap::new();
        for line in &self.lines {
            *left.entry(*line).or_insert(0) += 1;
        }
        let forgotten = if file == File::Same { self.forgotten } else { None };
        Again { left, forgotten, met: false, over: false }
    }
}

/// Which log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum File {
    /// The one whose lines were passed on last.
    Same,
    /// One of another start of the container.
    Other,
}

/// A log that is read again, line by line.
pub struct Again {
    left: HashMap<(Timestamp, u64), u32>,
    forgotten: Option<Timestamp>,
    met: bool,
    over: bool,
}

impl Again {
    /// Whether this line was passed on before.
    pub fn knows(&mut self, at: Timestamp, text: &str) -> bool {
        if self.over {
            return false;
        }
        let key = (at, hash(text));
        if let Some(times) = self.left.get_mut(&key) {
            *times -= 1;
            if *times == 0 {
                self.left.remove(&key);
            }
            self.met = true;
            return true;
        }
        // what stands before every line that is kept was passed on, too
        if !self.met && self.forgotten.is_some_and(|forgotten| at <= forgotten) {
            return true;
        }
        self.over = true;
        self.left = HashMap::new();
        false
    }

    /// Whether a line that was passed on was found: what follows goes on from it without a gap.
    pub fn met(&self) -> bool {
        self.met
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanos: i64) -> Timestamp {
        Timestamp::from_nanosecond(1_700_000_000_000_000_000 + i128::from(nanos)).unwrap()
    }

    /// What is new in `log` after `passed`, and whether it follows without a gap.
    fn new<'a>(passed: &Passed, file: File, log: &[(i64, &'a str)]) -> (Vec<&'a str>, bool) {
        let mut again = passed.again(file);
        let new = log.iter().filter(|(nanos, text)| !again.knows(at(*nanos), text)).map(|(_, text)| *text).collect();
        (new, again.met())
    }

    #[test]
    fn lines_out_of_order_come_once_and_none_is_left_out() {
        let log = [(5, "b"), (3, "a"), (9, "c"), (9, "c"), (4, "late"), (11, "d")];
        for cut in 1..log.len() {
            let mut passed = Passed::default();
            log[..cut].iter().for_each(|(nanos, text)| passed.keep(at(*nanos), text));
            let rest: Vec<&str> = log[cut..].iter().map(|(_, text)| *text).collect();
            assert_eq!(new(&passed, File::Same, &log), (rest, true), "cut after {cut}");
        }
    }

    #[test]
    fn a_log_that_begins_later_is_not_met() {
        let mut passed = Passed::default();
        passed.keep(at(1), "a");
        passed.keep(at(2), "b");
        assert_eq!(new(&passed, File::Same, &[(7, "x"), (8, "y")]), (vec!["x", "y"], false));
    }

    #[test]
    fn a_flood_is_kept_in_part_and_still_comes_once() {
        let (mut passed, many) = (Passed::default(), i64::try_from(MOST).unwrap() + 5000);
        let log: Vec<(i64, String)> = (0..many + 3).map(|n| (n, format!("line {n}"))).collect();
        log[..usize::try_from(many).unwrap()].iter().for_each(|(nanos, text)| passed.keep(at(*nanos), text));
        assert!(passed.lines.len() <= MOST);
        let shown: Vec<(i64, &str)> = log.iter().map(|(nanos, text)| (*nanos, text.as_str())).collect();
        let (left, met) = new(&passed, File::Same, &shown);
        assert_eq!((left.len(), met, left[0]), (3, true, format!("line {many}").as_str()));
    }

    #[test]
    fn another_start_with_an_older_clock_is_new() {
        let mut passed = Passed::default();
        for second in 0..100 {
            passed.keep(at(second * 1_000_000_000), "tick");
        }
        assert_eq!(new(&passed, File::Other, &[(5, "hello"), (6, "world")]).0, ["hello", "world"]);
        // a clock that goes back within one start forgets nothing that is needed
        passed.keep(at(7), "back");
        assert_eq!(new(&passed, File::Same, &[(7, "back"), (8, "on")]), (vec!["on"], true));
    }
}
