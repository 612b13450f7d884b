//! One line of text that is being typed: open, or a secret that is only counted on the screen.

use secrecy::SecretString;
use tui_input::{Input, InputRequest};
use zeroize::Zeroizing;

use super::Key;

/// Longest text of a field, in characters: a paste by mistake ends here.
const LONGEST: usize = 4096;

/// A field.
pub enum TextField {
    /// Shown as it is.
    Open(Input),
    /// Shown as dots; wiped when dropped.
    Secret(Zeroizing<String>),
}

impl std::fmt::Debug for TextField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Open(input) => f.debug_tuple("Open").field(&input.value()).finish(),
            Self::Secret(_) => f.write_str("Secret(…)"),
        }
    }
}

impl TextField {
    /// An open field with this text.
    pub fn open(text: &str) -> Self {
        Self::Open(Input::new(text.to_owned()))
    }

    /// An empty secret field. Room is taken at once, so that growing leaves no copy behind.
    pub fn secret() -> Self {
        Self::Secret(Zeroizing::new(String::with_capacity(LONGEST)))
    }

    /// The text of an open field; nothing of a secret one.
    pub fn text(&self) -> &str {
        match self {
            Self::Open(input) => input.value(),
            Self::Secret(_) => "",
        }
    }

    /// The text of a secret, for the frame that carries it, for comparing and for showing it on demand.
    pub fn reveal(&self) -> &str {
        match self {
            Self::Open(input) => input.value(),
            Self::Secret(text) => text,
        }
    }

    /// The secret, handed over; the field is empty afterwards.
    pub fn take_secret(&mut self) -> SecretString {
        let secret = SecretString::from(self.reveal().to_owned());
        self.clear();
        secret
    }

    /// Length in characters.
    pub fn chars(&self) -> usize {
        self.reveal().chars().count()
    }

    /// Whether nothing is typed.
    pub fn is_empty(&self) -> bool {
        self.reveal().is_empty()
    }

    /// Empties it.
    pub fn clear(&mut self) {
        match self {
            Self::Open(input) => input.reset(),
            Self::Secret(text) => *text = Zeroizing::new(String::with_capacity(LONGEST)),
        }
    }

    /// Cursor as a number of characters from the left.
    pub fn cursor(&self) -> usize {
        match self {
            Self::Open(input) => input.cursor(),
            Self::Secret(_) => self.chars(),
        }
    }

    /// Takes a key; whether it was one of editing.
    pub fn key(&mut self, key: Key) -> bool {
        let full = self.chars() >= LONGEST;
        match self {
            Self::Open(input) => {
                let request = match key {
                    Key::Char(_) if full => return true,
                    Key::Char(c) => InputRequest::InsertChar(c),
                    Key::Backspace => InputRequest::DeletePrevChar,
                    Key::Delete => InputRequest::DeleteNextChar,
                    Key::Left => InputRequest::GoToPrevChar,
                    Key::Right => InputRequest::GoToNextChar,
                    Key::Home | Key::Ctrl('a') => InputRequest::GoToStart,
                    Key::End | Key::Ctrl('e') => InputRequest::GoToEnd,
                    Key::Ctrl('u') => InputRequest::DeleteLine,
                    Key::Ctrl('w') => InputRequest::DeletePrevWord,
                    _ => return false,
                };
                input.handle(request);
                true
            }
            Self::Secret(text) => match key {
                Key::Char(c) => {
                    if !full {
                        text.push(c);
                    }
                    true
                }
                Key::Backspace => {
                    text.pop();
                    true
                }
                Key::Ctrl('u') => {
                    self.clear();
                    true
                }
                _ => false,
            },
        }
    }

    /// Takes pasted text: its first line, without control characters. Whether something was left out.
    pub fn paste(&mut self, pasted: &str) -> bool {
        let line = pasted.lines().next().unwrap_or_default();
        for c in line.chars().filter(|c| !c.is_control()) {
            self.key(Key::Char(c));
        }
        pasted.trim_end_matches(['\n', '\r']).lines().count() > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editing_and_pasting() {
        let mut field = TextField::open("tenant apac");
        for key in Key::script("<Home><Delete><End>!<Backspace>") {
            assert!(field.key(key));
        }
        assert_eq!(field.text(), "enant apac");
        assert!(!field.key(Key::Enter));
        let mut secret = TextField::secret();
        assert!(secret.paste("tok\u{1b}en\nsecond line\n"));
        assert_eq!(secret.reveal(), "token");
        assert_eq!(secret.text(), "");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }
}
