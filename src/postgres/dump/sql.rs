//! Splits the SQL of a dump into statements, comments and backslash commands, byte by byte, as psql would: text in literals
//! and function bodies is never taken for a statement, a trailer or a line end that matters.

/// What was found at a byte. `Statement`, `Comment` and `Command` have their text in [`Sql::text`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing yet.
    Nothing,
    /// A statement ended.
    Statement,
    /// A comment line ended that stood between statements.
    Comment,
    /// A line with a backslash command ended.
    Command,
    /// A statement begins as no statement of a dump does.
    Stray,
    /// A carriage return outside of literals.
    CarriageReturn,
}

/// The most text of a statement that is kept: more than a COPY of 1600 columns with the longest names in quotes needs.
const KEPT: usize = 512 * 1024;

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Plain,
    /// `--` up to the end of the line; `alone`: between statements.
    Comment {
        alone: bool,
    },
    /// `/* … */`, which nests; `last` is the byte before.
    Block {
        depth: u32,
        last: u8,
    },
    Command,
    /// In a string; `escapes`: a backslash takes the next byte with it.
    Text {
        escapes: bool,
    },
    /// After that backslash.
    Escaped,
    /// After a quote that ends the string, or is the first of two.
    TextEnd {
        escapes: bool,
    },
    Quoted,
    /// After a `$` that may open a dollar quote.
    Tag(Vec<u8>),
    /// In a dollar quote; `matched` bytes of its end were seen.
    Dollar {
        end: Vec<u8>,
        matched: usize,
    },
}

/// The splitter.
#[derive(Debug)]
pub(super) struct Sql {
    state: State,
    text: Vec<u8>,
    /// The last two bytes of the statement, also where its text is no longer kept.
    last: [u8; 2],
    /// A first `-` or `/`, of which the next byte tells what it is.
    pending: Option<u8>,
    parentheses: u32,
    /// The statement's first word is over.
    past_first_word: bool,
    old_strings: bool,
}

impl Sql {
    pub(super) fn new() -> Self {
        Self {
            state: State::Plain,
            text: Vec::new(),
            last: [0; 2],
            pending: None,
            parentheses: 0,
            past_first_word: false,
            old_strings: false,
        }
    }

    /// From here on a backslash escapes in every string.
    pub(super) fn old_strings(&mut self) {
        self.old_strings = true;
    }

    /// Text of what was found last.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.text).into_owned()
    }

    /// Forgets that text; to be called after each thing found.
    pub(super) fn next(&mut self) {
        self.text.clear();
        self.last = [0; 2];
        self.state = State::Plain;
        self.parentheses = 0;
        self.past_first_word = false;
    }

    /// Whether nothing is open: the next byte begins something new.
    pub(super) fn at_rest(&self) -> bool {
        self.state == State::Plain && self.text.is_empty() && self.pending.is_none()
    }

    /// Takes one byte.
    pub(super) fn take(&mut self, byte: u8) -> Found {
        match &mut self.state {
            State::Plain => return self.plain(byte),
            State::Comment { alone } => {
                let alone = *alone;
                return self.line(byte, if alone { Found::Comment } else { Found::Nothing });
            }
            State::Command => return self.line(byte, Found::Command),
            State::Block { depth, last } => match (*last, byte) {
                (b'*', b'/') if *depth == 1 => self.state = State::Plain,
                (b'*', b'/') => (*depth, *last) = (*depth - 1, 0),
                (b'/', b'*') => (*depth, *last) = (*depth + 1, 0),
                _ => *last = byte,
            },
            State::Text { escapes } => {
                let escapes = *escapes;
                self.keep(byte);
                match byte {
                    b'\'' => self.state = State::TextEnd { escapes },
                    b'\\' if escapes => self.state = State::Escaped,
                    _ => {}
                }
            }
            State::Escaped => {
                self.keep(byte);
                self.state = State::Text { escapes: true };
            }
            State::TextEnd { escapes } => {
                let escapes = *escapes;
                if byte != b'\'' {
                    self.state = State::Plain;
                    return self.plain(byte);
                }
                self.keep(byte);
                self.state = State::Text { escapes };
            }
            State::Quoted => {
                self.keep(byte);
                // Two quotes inside close and open it again, which comes to the same.
                if byte == b'"' {
                    self.state = State::Plain;
                }
            }
            State::Tag(tag) => match byte {
                b'$' => {
                    let end = [b"$".as_slice(), tag, b"$"].concat();
                    self.keep(byte);
                    self.state = State::Dollar { end, matched: 0 };
                }
                _ if is_word(byte) && !(tag.is_empty() && byte.is_ascii_digit()) => {
                    tag.push(byte);
                    self.keep(byte);
                }
                _ => {
                    self.state = State::Plain;
                    return self.plain(byte);
                }
            },
            State::Dollar { end, matched } => {
                // The end mark has a dollar at both ends and none between, so a mismatch can only start it anew.
                *matched = if end.get(*matched) == Some(&byte) { *matched + 1 } else { usize::from(byte == b'$') };
                if *matched == end.len() {
                    self.state = State::Plain;
                }
            }
        }
        Found::Nothing
    }

    /// Comments and commands end with their line.
    fn line(&mut self, byte: u8, found: Found) -> Found {
        match byte {
            b'\r' => Found::CarriageReturn,
            b'\n' => {
                self.state = State::Plain;
                found
            }
            _ => {
                if found != Found::Nothing {
                    self.keep(byte);
                }
                Found::Nothing
            }
        }
    }

    fn plain(&mut self, byte: u8) -> Found {
        match (self.pending.take(), byte) {
            (Some(b'-'), b'-') => {
                let alone = self.text.is_empty();
                if alone {
                    self.text.extend(b"--");
                }
                self.state = State::Comment { alone };
                return Found::Nothing;
            }
            (Some(b'/'), b'*') => {
                self.state = State::Block { depth: 1, last: 0 };
                return Found::Nothing;
            }
            (Some(first), _) if self.word(first) == Found::Stray => return Found::Stray,
            _ => {}
        }
        match byte {
            b'-' | b'/' => self.pending = Some(byte),
            b'\r' => return Found::CarriageReturn,
            b'\\' if self.text.is_empty() => {
                self.text.push(byte);
                self.state = State::Command;
            }
            b' ' | b'\n' | b'\t' | b';' if self.text.is_empty() => {}
            _ => return self.word(byte),
        }
        Found::Nothing
    }

    /// A byte of a statement, outside of literals and comments.
    fn word(&mut self, byte: u8) -> Found {
        // Every statement of a dump begins with a word in capitals; no message of a program does, save for single words
        // before a colon.
        if !self.past_first_word && !byte.is_ascii_uppercase() {
            if self.text.len() < 2 || !matches!(byte, b' ' | b'\n' | b';') {
                return Found::Stray;
            }
            self.past_first_word = true;
        }
        let [earlier, before] = self.last;
        let escape_mark = matches!(before, b'E' | b'e') && !is_word(earlier);
        self.keep(byte);
        match byte {
            b'\'' => self.state = State::Text { escapes: escape_mark || self.old_strings },
            b'"' => self.state = State::Quoted,
            b'$' if !is_word(before) => self.state = State::Tag(Vec::new()),
            b'(' => self.parentheses += 1,
            b')' => self.parentheses = self.parentheses.saturating_sub(1),
            b';' if self.parentheses == 0 => return Found::Statement,
            _ => {}
        }
        Found::Nothing
    }

    fn keep(&mut self, byte: u8) {
        self.last = [self.last[1], byte];
        if self.text.len() < KEPT {
            self.text.push(byte);
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}
