//! Prompts: a line, a secret, a number; and the words that every one of them understands.

use std::{io::Write, path::Path};

use secrecy::SecretString;
use zeroize::Zeroizing;

use super::{
    keyboard::{Heard, Keyboard},
    lines::wrapped,
    pages,
};
use crate::run::{RunState, StepId};

/// Why a prompt gave no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    /// To what was before.
    Back,
    /// The run pauses here.
    Pause,
    /// The full screen shall go on.
    ToScreen,
    /// Nobody is there any more.
    Ended,
}

/// Whether the terminal can show the full screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FullScreen {
    /// It can.
    Here,
    /// It cannot, or nobody is there.
    #[default]
    NotHere,
}

/// A question of one line.
#[derive(Default)]
pub(super) struct Prompt {
    text: String,
    help: Vec<String>,
    pages: Vec<(&'static str, Vec<String>)>,
    expected: String,
}

impl Prompt {
    /// A prompt with its text.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// Adds a sentence to its help.
    pub fn help(mut self, sentence: impl Into<String>) -> Self {
        self.help.push(sentence.into());
        self
    }

    /// Adds a word of its own, which tells these lines.
    pub fn page(mut self, word: &'static str, lines: Vec<String>) -> Self {
        self.pages.push((word, lines));
        self
    }

    /// A text that is meant as it stands, even if it is one of the words.
    pub fn expects(mut self, text: &str) -> Self {
        text.clone_into(&mut self.expected);
        self
    }
}

/// The words that every prompt understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Help,
    Why,
    Evidence,
    Plan,
    Log(usize),
    Back,
    Pause,
    Tui,
}

const LOG: usize = 20;

impl Word {
    fn of(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        Some(match text.as_str() {
            "?" | "help" => Self::Help,
            "why" => Self::Why,
            "evidence" => Self::Evidence,
            "plan" => Self::Plan,
            "log" => Self::Log(LOG),
            "back" => Self::Back,
            "pause" => Self::Pause,
            "tui" => Self::Tui,
            other => Self::Log(other.strip_prefix("log ")?.trim().parse().ok()?),
        })
    }
}

/// Lines in and out, and what the words tell of.
pub(super) struct Talk<'a> {
    pub keyboard: &'a mut Keyboard,
    pub out: &'a mut (dyn Write + Send),
    pub state: &'a RunState,
    pub step: Option<StepId>,
    pub outputs: Option<&'a Path>,
    pub screen: FullScreen,
}

impl Talk<'_> {
    /// Writes a line.
    pub fn say(&mut self, line: &str) {
        for row in wrapped(line) {
            let _ = writeln!(self.out, "{row}");
        }
        let _ = self.out.flush();
    }

    fn say_all(&mut self, lines: &[String]) {
        for line in lines {
            self.say(line);
        }
    }

    /// Asks for a line. A word is answered, and the question put again.
    pub async fn line(&mut self, prompt: &Prompt) -> Result<String, Leave> {
        loop {
            self.put(&prompt.text);
            let line = self.heard().await?;
            if let Some(text) = self.understood(prompt, &line)? {
                return Ok(text.to_owned());
            }
        }
    }

    /// Asks for a secret; what is typed stays hidden where the input is a terminal.
    pub async fn secret(&mut self, prompt: &Prompt) -> Result<SecretString, Leave> {
        loop {
            // the echo goes before the prompt comes: who answers a prompt is not seen
            let echo = self.keyboard.hidden();
            self.put(&prompt.text);
            let line = self.heard().await;
            drop(echo);
            self.say("");
            let line = line?;
            if let Some(text) = self.understood(prompt, &line)? {
                return Ok(SecretString::from(text));
            }
        }
    }

    /// Asks for one of these, by number; an empty line is `default`, where there is one.
    pub async fn number(&mut self, options: &[String], default: Option<usize>, help: &str) -> Result<usize, Leave> {
        let count = options.len();
        for (index, option) in options.iter().enumerate() {
            let mark = if default == Some(index + 1) { " (default)" } else { "" };
            self.say(&format!("  {}. {option}{mark}", index + 1));
        }
        let numbers = match count {
            1 => "1".to_owned(),
            2 => "1 or 2".to_owned(),
            _ => format!("1 to {count}"),
        };
        let empty = default.map_or_else(
            || "An empty line chooses nothing.".to_owned(),
            |default| format!("An empty line is {default}."),
        );
        let prompt = Prompt::new(format!("Choose {numbers}:"))
            .help(help)
            .help(format!("Type the number of what you want, then Enter. {empty}"));
        loop {
            let line = self.line(&prompt).await?;
            match (line.trim(), default) {
                ("", Some(default)) => return Ok(default),
                (text, _) => match text.parse::<usize>() {
                    Ok(n) if (1..=count).contains(&n) => return Ok(n),
                    _ => self.say(&format!("not yet. A number: {numbers}.")),
                },
            }
        }
    }

    fn put(&mut self, text: &str) {
        let mut rows = wrapped(text);
        let last = rows.pop().unwrap_or_default();
        for row in rows {
            let _ = writeln!(self.out, "{row}");
        }
        let _ = write!(self.out, "{last} ");
        let _ = self.out.flush();
    }

    async fn heard(&mut self) -> Result<Zeroizing<String>, Leave> {
        let heard = self.keyboard.line().await;
        if !matches!(heard, Heard::Line(_)) {
            // the prompt has no line end of its own
            self.say("");
        }
        match heard {
            Heard::Line(line) => Ok(line),
            Heard::End | Heard::Gone => Err(Leave::Ended),
            Heard::Interrupt => Err(Leave::Pause),
        }
    }

    /// The text, if it is no word.
    fn understood<'t>(&mut self, prompt: &Prompt, line: &'t str) -> Result<Option<&'t str>, Leave> {
        if !prompt.expected.is_empty() && line.trim() == prompt.expected {
            return Ok(Some(line));
        }
        let own = prompt.pages.iter().find(|(word, _)| line.trim().eq_ignore_ascii_case(word));
        if let Some((_, lines)) = own {
            self.say_all(lines);
            return Ok(None);
        }
        let Some(word) = Word::of(line) else {
            // a backslash before a word makes it a text
            let bare = line.trim_start_matches('\\');
            return Ok(Some(if bare.len() < line.len() && Word::of(bare).is_some() { &line[1..] } else { line }));
        };
        let lines = match word {
            Word::Back => return Err(Leave::Back),
            Word::Pause => return Err(Leave::Pause),
            Word::Tui if self.screen == FullScreen::Here => return Err(Leave::ToScreen),
            Word::Tui => vec!["not here. This terminal cannot show the full screen; the lines do the same.".to_owned()],
            Word::Help => help(prompt),
            Word::Why => pages::why(self.state, self.step.as_ref()),
            Word::Evidence => pages::evidence(self.state, self.step.as_ref()),
            Word::Plan => pages::plan(self.state),
            Word::Log(count) => pages::log(self.state, self.step.as_ref(), self.outputs, count),
        };
        self.say_all(&lines);
        Ok(None)
    }
}

fn help(prompt: &Prompt) -> Vec<String> {
    let own: Vec<&str> = prompt.pages.iter().map(|(word, _)| *word).collect();
    let mut lines = vec!["help. About this prompt:".to_owned()];
    lines.extend(prompt.help.iter().filter(|line| !line.is_empty()).map(|line| format!("  {line}")));
    if !own.is_empty() {
        lines.push(format!("  Words of this prompt: {}.", own.join(", ")));
    }
    lines.extend(
        [
            "  Words of every prompt:",
            "    why       why this step is done, its risk and its undo",
            "    evidence  the exact commands of this step, and what was proven so far",
            "    plan      all steps and how they stand",
            "    log 20    the last 20 lines of the newest output",
            "    back      to what was before; from the first prompt of a step, to the step before it",
            "    pause     the run pauses here, and can be resumed",
            "    Ctrl-C    the same; while a step runs: pause after it",
            "    tui       the full screen, at the same place, where the terminal can show it",
            "  To type one of these words as a text, put a backslash before it: \\why",
        ]
        .map(str::to_owned),
    );
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_words_and_nothing_else_is() {
        assert_eq!(Word::of(" ? "), Some(Word::Help));
        assert_eq!(Word::of("Log 7"), Some(Word::Log(7)));
        assert_eq!(Word::of("log"), Some(Word::Log(20)));
        for text in ["log x", "why not", "", "backup", "pause 3"] {
            assert_eq!(Word::of(text), None, "{text}");
        }
    }

    #[tokio::test]
    async fn a_backslash_makes_a_text_of_a_word_and_the_expected_text_is_none() {
        let state = RunState::default();
        let ask = async |input: &'static str, prompt: &Prompt| {
            let mut out = Vec::new();
            let mut keyboard = Keyboard::new(Box::new(input.as_bytes()));
            let mut talk = Talk {
                keyboard: &mut keyboard,
                out: &mut out,
                state: &state,
                step: None,
                outputs: None,
                screen: FullScreen::NotHere,
            };
            let heard = talk.line(prompt).await;
            (heard, String::from_utf8(out).unwrap())
        };
        let plain = Prompt::new("Name:").help("A name.");
        assert_eq!(ask("\\why\n", &plain).await.0.unwrap(), "why");
        assert_eq!(ask("\\\\why\n", &plain).await.0.unwrap(), "\\why");
        assert_eq!(ask("\\x\n", &plain).await.0.unwrap(), "\\x");
        assert_eq!(ask("back\n", &plain).await.0, Err(Leave::Back));
        assert_eq!(ask("pause\n", &plain).await.0, Err(Leave::Pause));
        assert_eq!(ask("", &plain).await.0, Err(Leave::Ended));
        assert_eq!(ask("plan\n", &Prompt::new("Namespace:").expects("plan")).await.0.unwrap(), "plan");
        let (heard, out) =
            ask("?\nlist\nx\n", &Prompt::new("Name:").help("A name.").page("list", vec!["one".into()])).await;
        assert_eq!(heard.unwrap(), "x");
        assert!(
            out.contains("A name.") && out.contains("Words of this prompt: list.") && out.contains("Name: one\n"),
            "{out}"
        );
        assert_eq!(out.matches("Name: ").count(), 3, "the question is put again after each word");
    }
}
