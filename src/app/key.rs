//! Keys as the wizard knows them, and their names.

/// One key press.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A character, as typed.
    Char(char),
    /// Control and a character.
    Ctrl(char),
    Enter,
    Esc,
    Tab,
    BackTab,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    Backspace,
    Delete,
    /// A function key.
    F(u8),
}

impl Key {
    /// Keys from a script of tests and documents: characters, and names in angle brackets (`<Enter>`, `<Ctrl-L>`).
    pub fn script(text: &str) -> Vec<Self> {
        let mut keys = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let named = rest.strip_prefix('<').and_then(|inner| {
                let end = inner.find('>')?;
                Some((Self::named(&inner[..end])?, end + 2))
            });
            let (key, length) = named.unwrap_or((Self::Char(first), first.len_utf8()));
            keys.push(key);
            rest = &rest[length..];
        }
        keys
    }

    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "Enter" => Self::Enter,
            "Esc" => Self::Esc,
            "Tab" => Self::Tab,
            "Shift-Tab" => Self::BackTab,
            "Up" => Self::Up,
            "Down" => Self::Down,
            "Left" => Self::Left,
            "Right" => Self::Right,
            "PgUp" => Self::PageUp,
            "PgDn" => Self::PageDown,
            "Home" => Self::Home,
            "End" => Self::End,
            "Backspace" => Self::Backspace,
            "Delete" => Self::Delete,
            "Space" => Self::Char(' '),
            "F1" => Self::F(1),
            _ => Self::Ctrl(name.strip_prefix("Ctrl-")?.chars().next()?.to_ascii_lowercase()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_name_keys() {
        use Key::{Char, Ctrl, Enter};
        assert_eq!(Key::script("a<Enter><Ctrl-L>< 1"), [Char('a'), Enter, Ctrl('l'), Char('<'), Char(' '), Char('1')]);
    }
}
