//! How a command of this program is typed where it runs: hints name the state folder, where one was given.

use std::path::{Path, PathBuf};

/// What belongs behind a command of this program, so that it finds what this process works on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Typed {
    state_dir: Option<PathBuf>,
    ending: String,
}

impl Typed {
    /// With the state folder that was given, if one was.
    pub fn with(state_dir: Option<&Path>) -> Self {
        let ending = state_dir.map_or_else(String::new, |dir| format!(" --state-dir {}", word(dir)));
        Self { state_dir: state_dir.map(Path::to_owned), ending }
    }

    /// The same for what lies in a folder of its own in that one, as practice does.
    #[must_use]
    pub fn within(&self, folder: &str) -> Self {
        Self::with(self.state_dir.as_ref().map(|dir| dir.join(folder)).as_deref())
    }

    /// The command of these words, as it can be typed into any shell here.
    pub fn command(&self, words: &str) -> String {
        let space = if words.is_empty() { "" } else { " " };
        format!("drydock{space}{words}{}", self.ending)
    }

    /// What is added to a command; nothing where it is found without.
    pub fn ending(&self) -> &str {
        self.ending.trim_start()
    }
}

/// A path as one word of a shell.
fn word(path: &Path) -> String {
    let text = path.display().to_string();
    if !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "/._-+@%,:".contains(c)) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_the_state_folder_that_was_given() {
        assert_eq!(Typed::default().command("resume 7f3a"), "drydock resume 7f3a");
        assert_eq!(Typed::with(None).command(""), "drydock");
        let given = Typed::with(Some(Path::new("/srv/dd")));
        assert_eq!(given.command("resume 7f3a"), "drydock resume 7f3a --state-dir /srv/dd");
        assert_eq!(given.ending(), "--state-dir /srv/dd");
        assert_eq!(given.within("practice").command("vault list"), "drydock vault list --state-dir /srv/dd/practice");
        assert_eq!(Typed::default().within("practice").command("vault list"), "drydock vault list");
        assert_eq!(
            Typed::with(Some(Path::new("/srv/anna's dd"))).command(""),
            r"drydock --state-dir '/srv/anna'\''s dd'"
        );
    }
}
