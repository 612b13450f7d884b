//! The little of the shell's language that is simulated: words with quotes and variables, pipes, `;`, `&&`, `||`, redirections.

use std::collections::BTreeMap;

/// A piece of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// As it stands.
    Plain(String),
    /// A variable by name, and whether it stands in double quotes.
    Variable(String, bool),
}

/// A word before expansion.
pub type Word = Vec<Piece>;

/// How a pipeline follows the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// Always.
    Then,
    /// After success.
    And,
    /// After a failure.
    Or,
}

/// What a redirection does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirect {
    /// `<`
    In,
    /// `>`
    Out,
    /// `>>`
    Append,
    /// `2>`
    Err,
    /// `2>&1`
    ErrToOut,
    /// `>&2`
    OutToErr,
}

/// One command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Command {
    /// `NAME=WORD` before it.
    pub assignments: Vec<(String, Word)>,
    /// Program and arguments.
    pub words: Vec<Word>,
    /// Its redirections in order.
    pub redirects: Vec<(Redirect, Word)>,
}

/// What variables mean.
pub struct Scope<'a> {
    /// The environment.
    pub env: &'a BTreeMap<String, String>,
    /// `$0` and the positional arguments.
    pub args: &'a [String],
    /// `$?`
    pub status: u8,
}

impl Scope<'_> {
    fn value(&self, name: &str) -> String {
        match name.parse::<usize>() {
            Ok(at) => self.args.get(at).cloned().unwrap_or_default(),
            Err(_) if name == "?" => self.status.to_string(),
            Err(_) => self.env.get(name).cloned().unwrap_or_default(),
        }
    }

    /// A word as one text.
    pub fn joined(&self, word: &Word) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Plain(text) => text.clone(),
            Piece::Variable(name, _) => self.value(name),
        };
        word.iter().map(piece).collect()
    }

    /// A word as the fields that it becomes: variables outside quotes are split at blanks.
    pub fn fields(&self, word: &Word) -> Vec<String> {
        if let [Piece::Variable(name, true)] = word.as_slice()
            && name == "@"
        {
            return self.args.iter().skip(1).cloned().collect();
        }
        if !word.iter().any(|piece| matches!(piece, Piece::Variable(_, false))) {
            return vec![self.joined(word)];
        }
        self.joined(word).split_whitespace().map(str::to_owned).collect()
    }
}

struct Reader<'a> {
    chars: std::iter::Peekable<std::str::Chars<'a>>,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        while self.chars.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
    }

    fn variable(&mut self, quoted: bool) -> Result<Piece, String> {
        let mut name = String::new();
        if self.chars.next_if_eq(&'{').is_some() {
            while let Some(c) = self.chars.next_if(|c| *c != '}') {
                name.push(c);
            }
            self.chars.next();
        } else if let Some(c) = self.chars.next_if(|c| matches!(c, '?' | '@') || c.is_ascii_digit()) {
            name.push(c);
        } else {
            while let Some(c) = self.chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                name.push(c);
            }
        }
        let simple = matches!(name.as_str(), "?" | "@") || name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        match (name.is_empty(), simple, self.chars.peek()) {
            (true, _, Some('(')) => Err("Syntax error: \"$(\" unexpected".to_owned()),
            (true, ..) => Ok(Piece::Plain("$".to_owned())),
            (_, false, _) => Err(format!("Bad substitution: {name}")),
            _ => Ok(Piece::Variable(name, quoted)),
        }
    }

    fn word(&mut self) -> Result<Word, String> {
        let (mut word, mut plain) = (Word::new(), String::new());
        while let Some(c) = self.chars.next_if(|c| !matches!(c, ' ' | '\t' | '\n' | ';' | '|' | '&' | '<' | '>')) {
            match c {
                '\'' => loop {
                    match self.chars.next() {
                        Some('\'') => break,
                        Some(c) => plain.push(c),
                        None => return Err("Syntax error: Unterminated quoted string".to_owned()),
                    }
                },
                '"' => loop {
                    match self.chars.next() {
                        Some('"') => break,
                        Some('\\') => {
                            let next = self.chars.next().unwrap_or('\\');
                            if !matches!(next, '\\' | '"' | '$' | '`') {
                                plain.push('\\');
                            }
                            plain.push(next);
                        }
                        Some('$') => {
                            word.push(Piece::Plain(std::mem::take(&mut plain)));
                            word.push(self.variable(true)?);
                        }
                        Some('`') => return Err("Syntax error: \"`\" unexpected".to_owned()),
                        Some(c) => plain.push(c),
                        None => return Err("Syntax error: Unterminated quoted string".to_owned()),
                    }
                },
                '\\' => plain.extend(self.chars.next()),
                '$' => {
                    word.push(Piece::Plain(std::mem::take(&mut plain)));
                    word.push(self.variable(false)?);
                }
                '(' | ')' | '`' => return Err(format!("Syntax error: \"{c}\" unexpected")),
                c => plain.push(c),
            }
        }
        word.push(Piece::Plain(plain));
        // "$@" alone, and words without empty edges, keep their meaning
        if word.len() > 1 {
            word.retain(|piece| *piece != Piece::Plain(String::new()));
        }
        Ok(word)
    }
}

/// Words that begin what is not simulated.
const KEYWORDS: [&str; 10] = ["if", "for", "while", "until", "case", "do", "then", "trap", "set", "{"];

/// Reads a script: pipelines with how each follows the one before.
pub fn parse(text: &str) -> Result<Vec<(Join, Vec<Command>)>, String> {
    let mut reader = Reader { chars: text.chars().peekable() };
    let (mut list, mut pipeline, mut command, mut join) = (Vec::new(), Vec::new(), Command::default(), Join::Then);
    let close = |pipeline: &mut Vec<Command>, command: &mut Command| {
        let command = std::mem::take(command);
        if command != Command::default() {
            pipeline.push(command);
        }
    };
    loop {
        reader.blanks();
        let Some(&c) = reader.chars.peek() else { break };
        match c {
            ';' | '\n' | '&' | '|' => {
                reader.chars.next();
                let doubled = c != ';' && c != '\n' && reader.chars.next_if_eq(&c).is_some();
                close(&mut pipeline, &mut command);
                if c == '|' && !doubled {
                    continue;
                }
                if c == '&' && !doubled {
                    return Err("Syntax error: \"&\" unexpected".to_owned());
                }
                if !pipeline.is_empty() {
                    list.push((join, std::mem::take(&mut pipeline)));
                }
                join = match (c, doubled) {
                    ('&', true) => Join::And,
                    ('|', true) => Join::Or,
                    _ => Join::Then,
                };
            }
            '<' => {
                reader.chars.next();
                reader.blanks();
                command.redirects.push((Redirect::In, reader.word()?));
            }
            '>' => {
                reader.chars.next();
                redirect(&mut reader, &mut command, Redirect::Out)?;
            }
            '#' => while reader.chars.next_if(|c| *c != '\n').is_some() {},
            _ => {
                let word = reader.word()?;
                let bare = matches!(word.as_slice(), [Piece::Plain(text)] if text == "2");
                if bare && reader.chars.next_if_eq(&'>').is_some() {
                    redirect(&mut reader, &mut command, Redirect::Err)?;
                    continue;
                }
                take(&mut command, word)?;
            }
        }
    }
    close(&mut pipeline, &mut command);
    if !pipeline.is_empty() {
        list.push((join, pipeline));
    }
    Ok(list)
}

fn redirect(reader: &mut Reader<'_>, command: &mut Command, plain: Redirect) -> Result<(), String> {
    if reader.chars.next_if_eq(&'&').is_some() {
        let to = reader.chars.next();
        let redirect = match (plain, to) {
            (Redirect::Err, Some('1')) => Redirect::ErrToOut,
            (Redirect::Out, Some('2')) => Redirect::OutToErr,
            _ => return Err("Syntax error: Bad fd number".to_owned()),
        };
        command.redirects.push((redirect, Word::new()));
        return Ok(());
    }
    let redirect = if reader.chars.next_if_eq(&'>').is_some() { Redirect::Append } else { plain };
    reader.blanks();
    command.redirects.push((redirect, reader.word()?));
    Ok(())
}

fn take(command: &mut Command, word: Word) -> Result<(), String> {
    if command.words.is_empty()
        && let Some(Piece::Plain(first)) = word.first()
    {
        if word.len() == 1 && KEYWORDS.contains(&first.as_str()) {
            return Err(format!("Syntax error: \"{first}\" unexpected"));
        }
        if let Some((name, value)) = first.split_once('=')
            && !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        {
            let mut rest = vec![Piece::Plain(value.to_owned())];
            rest.extend(word[1..].iter().cloned());
            command.assignments.push((name.to_owned(), rest));
            return Ok(());
        }
    }
    command.words.push(word);
    Ok(())
}
