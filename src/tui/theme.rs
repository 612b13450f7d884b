//! Styles by name, in 16 colours, without colour, and in ASCII.

use ratatui::style::{Color, Modifier, Style};

/// A named style. Colour is never the only carrier of a fact: a word stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ink {
    #[default]
    Plain,
    Dim,
    Rule,
    Accent,
    Ok,
    Warn,
    Bad,
    Focus,
    Key,
    Title,
    Prod,
    Staging,
    Practice,
    Match,
}

/// What the terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// 16 colours on a dark background.
    Colour,
    /// 16 colours on a light background.
    Light,
    /// Bold and reverse only.
    Mono,
}

/// Look and signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// Colours.
    pub look: Look,
    /// Whether only ASCII may be written.
    pub ascii: bool,
}

impl Theme {
    /// The theme that the environment asks for.
    pub fn from_environment(ascii: bool, light: bool, colour: Option<bool>) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let locale =
            ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
        let utf8 = locale.is_none_or(|locale| {
            let locale = locale.to_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        });
        let linux = std::env::var("TERM").is_ok_and(|term| term == "linux");
        let mono = !colour.unwrap_or(!set("NO_COLOR"));
        let look = match (mono, light) {
            (true, _) => Look::Mono,
            (false, true) => Look::Light,
            (false, false) => Look::Colour,
        };
        Self { look, ascii: ascii || !utf8 || linux }
    }

    /// A style for the terminal.
    pub fn style(self, ink: Ink) -> Style {
        let plain = Style::default();
        let bold = plain.add_modifier(Modifier::BOLD);
        let reverse = plain.add_modifier(Modifier::REVERSED);
        let (accent, warn) = match self.look {
            Look::Light => (Color::Blue, Color::Magenta),
            Look::Colour | Look::Mono => (Color::Cyan, Color::Yellow),
        };
        if self.look == Look::Mono {
            return match ink {
                Ink::Plain | Ink::Dim | Ink::Rule | Ink::Ok => plain,
                Ink::Accent | Ink::Warn | Ink::Bad | Ink::Key => bold,
                Ink::Focus | Ink::Title | Ink::Match => reverse,
                Ink::Prod | Ink::Staging | Ink::Practice => reverse.add_modifier(Modifier::BOLD),
            };
        }
        match ink {
            Ink::Plain => plain,
            Ink::Dim | Ink::Rule => plain.fg(Color::DarkGray),
            Ink::Accent => plain.fg(accent),
            Ink::Ok => plain.fg(Color::Green),
            Ink::Warn => plain.fg(warn),
            Ink::Bad => bold.fg(Color::Red),
            Ink::Focus | Ink::Title | Ink::Match => reverse,
            Ink::Key => bold,
            Ink::Prod => plain.fg(Color::White).bg(Color::Red),
            Ink::Staging => plain.fg(Color::Black).bg(Color::Yellow),
            Ink::Practice => plain.fg(Color::Black).bg(Color::Cyan),
        }
    }

    /// A text in the signs that the terminal can show; each sign keeps its number of cells where that is one.
    pub fn signs(self, text: &str) -> String {
        if !self.ascii {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            out.push_str(match c {
                // between two texts it is a hyphen; in front of one it is the sign of `not yet`
                '·' if out.ends_with(' ') && !out.ends_with("  ") => "-",
                '✓' => "+",
                '●' | '•' => "*",
                '·' => ".",
                '✗' => "X",
                '–' | '─' | '—' => "-",
                '›' | '╸' => ">",
                '‹' => "<",
                '▏' => "_",
                '━' => "=",
                '…' => "..",
                '→' => "->",
                '←' => "<-",
                '↑' => "^",
                '↓' => "v",
                c if c.is_ascii() => {
                    out.push(c);
                    continue;
                }
                _ => "?",
            });
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii_has_no_other_byte() {
        let theme = Theme { look: Look::Mono, ascii: true };
        let text = theme.signs("✓ ● · ? ! ✗ ~ – › ‹ ▏ ━╸─ … •→←↑↓ Zoë");
        assert!(text.is_ascii());
        assert!(text.starts_with("+ * - ? ! X ~ -"));
        assert_eq!(theme.signs("· not yet   · nor this · at all"), ". not yet   . nor this - at all");
    }
}
