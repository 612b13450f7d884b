//! A psql script cut into statements and backslash commands, with line numbers; and a statement cut into tokens.

/// One item of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// An SQL statement without its semicolon, and the line it begins at.
    Statement(String, u64),
    /// A backslash command to the end of its line, and its line.
    Meta(String, u64),
}

/// A script being read.
pub struct Script<'a> {
    text: &'a str,
    at: usize,
    /// Lines read so far.
    pub line: u64,
}

impl<'a> Script<'a> {
    /// At the beginning of `text`.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0, line: 1 }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip(&mut self, bytes: usize) -> &'a str {
        let taken = &self.text[self.at..self.at + bytes];
        self.line += taken.bytes().filter(|byte| *byte == b'\n').count() as u64;
        self.at += bytes;
        taken
    }

    fn line_end(&mut self) -> &'a str {
        let end = self.rest().find('\n').map_or(self.rest().len(), |end| end + 1);
        self.skip(end).trim_end_matches(['\n', '\r'])
    }

    /// The lines of a COPY up to `\.` or the end. None where the end of the script came first, as psql takes it for the end.
    pub fn data(&mut self) -> Vec<&'a str> {
        self.line_end();
        let mut lines = Vec::new();
        while !self.rest().is_empty() {
            let line = self.line_end();
            if line == "\\." {
                break;
            }
            lines.push(line);
        }
        lines
    }
}

impl Iterator for Script<'_> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        loop {
            let rest = self.rest();
            let first = rest.chars().next()?;
            if first.is_whitespace() || first == ';' {
                self.skip(first.len_utf8());
            } else if rest.starts_with("--") {
                self.line_end();
            } else if first == '\\' {
                let line = self.line;
                return Some(Item::Meta(self.line_end().to_owned(), line));
            } else {
                break;
            }
        }
        let (line, rest) = (self.line, self.rest());
        let (mut quote, mut end, mut comment) = (None, rest.len(), false);
        for (at, c) in rest.char_indices() {
            match (quote, c) {
                _ if comment => comment = c != '\n',
                (Some(open), c) if c == open => quote = None,
                (None, '\'' | '"') => quote = Some(c),
                (None, '-') if rest[at..].starts_with("--") => comment = true,
                (None, ';') => {
                    end = at;
                    break;
                }
                _ => {}
            }
        }
        let text = self.skip(end).trim().to_owned();
        if self.rest().starts_with(';') {
            self.skip(1);
        }
        Some(Item::Statement(text, line))
    }
}

/// A token of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// A bare word in lower case, or a quoted name as it stands.
    Name(String),
    /// A string literal.
    Text(String),
    /// A whole number.
    Number(i64),
    /// Anything else, one character.
    Sign(char),
}

/// The tokens of a statement.
pub fn tokens(statement: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut chars = statement.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => {}
            '\'' | '"' => {
                let mut text = String::new();
                while let Some(inner) = chars.next() {
                    if inner != c {
                        text.push(inner);
                    } else if chars.peek() == Some(&c) {
                        text.push(c);
                        chars.next();
                    } else {
                        break;
                    }
                }
                found.push(if c == '"' { Token::Name(text) } else { Token::Text(text) });
            }
            c if c.is_alphabetic() || c == '_' => {
                let mut word = c.to_lowercase().to_string();
                while let Some(next) = chars.next_if(|next| next.is_alphanumeric() || *next == '_') {
                    word.extend(next.to_lowercase());
                }
                found.push(Token::Name(word));
            }
            c if c.is_ascii_digit() => {
                let mut digits = c.to_string();
                while let Some(next) = chars.next_if(char::is_ascii_digit) {
                    digits.push(next);
                }
                found.push(digits.parse().map_or(Token::Text(digits), Token::Number));
            }
            c => found.push(Token::Sign(c)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_is_cut_at_its_statements_and_rows() {
        let text = "-- x; y\n\\restrict k\nSET a = ';';\nCOPY t (id) FROM stdin;\n1\n2;--\n\\.\n\nSELECT 1;\n";
        let mut script = Script::new(text);
        assert_eq!(script.next(), Some(Item::Meta("\\restrict k".into(), 2)));
        assert_eq!(script.next(), Some(Item::Statement("SET a = ';'".into(), 3)));
        assert_eq!(script.next(), Some(Item::Statement("COPY t (id) FROM stdin".into(), 4)));
        assert_eq!(script.data(), ["1", "2;--"]);
        assert_eq!(script.next(), Some(Item::Statement("SELECT 1".into(), 9)));
        assert_eq!(script.next(), None);
        assert_eq!(
            tokens("a.\"B\" 'x''y' 12"),
            [
                Token::Name("a".into()),
                Token::Sign('.'),
                Token::Name("B".into()),
                Token::Text("x'y".into()),
                Token::Number(12)
            ]
        );
    }
}
