//! From the terminal's events to keys and pastes.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::app::Key;

/// Letters that arrive at once and count as a paste: nobody types so fast.
const PASTE: usize = 4;

/// What the terminal sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A key.
    Key(Key),
    /// Pasted text.
    Paste(String),
    /// Another size.
    Resized,
}

/// One event; nothing for what means nothing here.
pub fn translate(event: Event) -> Option<Input> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => translate_key(key).map(Input::Key),
        Event::Paste(text) => Some(Input::Paste(text)),
        Event::Resize(..) => Some(Input::Resized),
        _ => None,
    }
}

fn translate_key(key: KeyEvent) -> Option<Key> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    Some(match key.code {
        // terminals send these for Ctrl-\ too
        KeyCode::Char('4') if control => Key::Ctrl('\\'),
        KeyCode::Char(c) if control => Key::Ctrl(c.to_ascii_lowercase()),
        KeyCode::Char(_) if key.modifiers.contains(KeyModifiers::ALT) => return None,
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::F(n) => Key::F(n),
        _ => return None,
    })
}

/// Keys that arrived in one read: a whole word is a paste where `typing`, also from terminals without bracketed paste.
pub fn batch(inputs: Vec<Input>, typing: bool) -> Vec<Input> {
    if !typing {
        return inputs;
    }
    let mut out = Vec::new();
    let mut word = Vec::new();
    let flush = |word: &mut Vec<char>, out: &mut Vec<Input>| {
        if word.len() >= PASTE {
            out.push(Input::Paste(word.drain(..).collect()));
        } else {
            out.extend(word.drain(..).map(|c| Input::Key(Key::Char(c))));
        }
    };
    for input in inputs {
        if let Input::Key(Key::Char(c)) = input {
            word.push(c);
        } else {
            flush(&mut word, &mut out);
            out.push(input);
        }
    }
    flush(&mut word, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_in_one_read_is_a_paste() {
        let keys = |text: &str| text.chars().map(|c| Input::Key(Key::Char(c))).collect::<Vec<_>>();
        assert_eq!(batch(keys("heron"), true), [Input::Paste("heron".into())]);
        assert_eq!(batch(keys("heron"), false), keys("heron"));
        assert_eq!(batch(keys("he"), true), keys("he"));
        let mut mixed = keys("ab");
        mixed.push(Input::Key(Key::Enter));
        assert_eq!(batch(mixed.clone(), true), mixed);
    }
}
