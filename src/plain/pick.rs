//! A choice before there is a run: by number, or by name where names are known to people.

use std::{
    io::{BufReader, Write, stdin},
    path::Path,
};

use super::{
    keyboard::Keyboard,
    talk::{FullScreen, Leave, Prompt, Talk},
};
use crate::run::RunState;

/// What was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Picked {
    /// This one.
    Name(String),
    /// The person went back, or is gone.
    Left,
}

/// Asks a person, on the lines of `out`.
pub struct Picker<W: Write + Send> {
    keyboard: Keyboard,
    out: W,
}

impl<W: Write + Send> Picker<W> {
    /// At standard input. Ctrl-C ends the program as ever: nothing is begun yet.
    pub fn new(out: W) -> Self {
        Self::with(Keyboard::new(Box::new(BufReader::new(stdin()))), out)
    }

    /// At this keyboard.
    pub fn with(keyboard: Keyboard, out: W) -> Self {
        Self { keyboard, out }
    }

    /// One of these, each a name and what is known of it; nothing is preselected. Where none are known, any name.
    pub async fn pick(&mut self, title: &str, options: &[(String, String)], prompt: &str, help: &str) -> Picked {
        let state = RunState::default();
        let nowhere: Option<&Path> = None;
        let mut talk = Talk {
            keyboard: &mut self.keyboard,
            out: &mut self.out,
            state: &state,
            step: None,
            outputs: nowhere,
            screen: FullScreen::NotHere,
        };
        talk.say(title);
        for (index, (name, about)) in options.iter().enumerate() {
            talk.say(format!("  {}. {name}  {about}", index + 1).trim_end());
        }
        let prompt = Prompt::new(prompt).help(help).help("\"back\" or \"pause\" leaves; nothing was begun.");
        loop {
            let line = match talk.line(&prompt).await {
                Ok(line) => line.trim().to_owned(),
                Err(Leave::Back | Leave::Pause | Leave::ToScreen | Leave::Ended) => return Picked::Left,
            };
            // a name wins: names may be numbers
            let named = options.iter().any(|(name, _)| *name == line) || options.is_empty() && !line.is_empty();
            if named {
                return Picked::Name(line);
            }
            let chosen = line.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).and_then(|at| options.get(at));
            if let Some((name, _)) = chosen {
                return Picked::Name(name.clone());
            }
            talk.say(match options.len() {
                0 => "not yet. A name is needed.",
                _ => "not yet. A number or a name of the list.",
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_number_or_a_name_chooses_and_nothing_is_preselected() {
        let options = [("prod".to_owned(), "PROD".to_owned()), ("2".to_owned(), String::new())];
        let pick = async |input: &'static str, options: &[(String, String)]| {
            let keyboard = Keyboard::new(Box::new(input.as_bytes()));
            let mut out = Vec::new();
            Picker::with(keyboard, &mut out).pick("Which?", options, "Number or name:", "Any.").await
        };
        let name = |name: &str| Picked::Name(name.to_owned());
        assert_eq!(pick("\n3\nother\n1\n", &options).await, name("prod"));
        assert_eq!(pick("prod\n", &options).await, name("prod"));
        assert_eq!(pick("2\n", &options).await, name("2"));
        assert_eq!(pick("\n\n", &options).await, Picked::Left, "an empty line chooses nothing");
        assert_eq!(pick("back\n", &options).await, Picked::Left);
        assert_eq!(pick("\nplant\n", &[]).await, name("plant"));
    }
}
