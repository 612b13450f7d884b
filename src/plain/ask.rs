//! Questions to a person, as numbered lines. An empty Enter never changes the cluster.

use std::io::{BufRead, Write};

use secrecy::{ExposeSecret, SecretString};

use super::{answers::Say, gate};
use crate::{
    run::{CheckResult, Field, FieldInput, FieldKind, FieldValue, Form, Item, Question, ReapplyState, Reply, RunState},
    text::printable,
};

/// Lines in and out.
pub(super) struct Talk<'a> {
    pub input: &'a mut dyn BufRead,
    pub out: &'a mut dyn Write,
}

impl Talk<'_> {
    /// Writes a line.
    pub fn say(&mut self, line: &str) {
        let _ = writeln!(self.out, "{}", printable(line));
    }

    /// Asks for a line; none at the end of the input.
    pub fn line(&mut self, prompt: &str) -> Option<String> {
        let _ = write!(self.out, "{} ", printable(prompt));
        let _ = self.out.flush();
        let mut line = String::new();
        match self.input.read_line(&mut line) {
            Ok(n) if n > 0 => Some(line.trim_end_matches(['\n', '\r']).to_owned()),
            _ => None,
        }
    }

    /// Asks for a secret; what is typed stays hidden where the input is a terminal.
    pub fn secret(&mut self, prompt: &str) -> Option<SecretString> {
        let echo = Echo::off();
        let line = self.line(&format!("{prompt} (typing stays hidden):"));
        drop(echo);
        self.say("");
        line.map(SecretString::from)
    }

    /// Asks for one of `count` numbers; an empty line is `default`.
    pub fn number(&mut self, prompt: &str, count: usize, default: usize) -> Option<usize> {
        loop {
            let line = self.line(prompt)?;
            match line.trim() {
                "" => return Some(default),
                text => match text.parse::<usize>() {
                    Ok(n) if (1..=count).contains(&n) => return Some(n),
                    _ => self.say(&format!("not yet. A number from 1 to {count}.")),
                },
            }
        }
    }
}

/// The terminal's echo, off while this lives.
struct Echo(Option<rustix::termios::Termios>);

impl Echo {
    fn off() -> Self {
        let stdin = std::io::stdin();
        let Ok(before) = rustix::termios::tcgetattr(&stdin) else { return Self(None) };
        let mut hidden = before.clone();
        hidden.local_modes.remove(rustix::termios::LocalModes::ECHO);
        let _ = rustix::termios::tcsetattr(&stdin, rustix::termios::OptionalActions::Flush, &hidden);
        Self(Some(before))
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = rustix::termios::tcsetattr(std::io::stdin(), rustix::termios::OptionalActions::Now, before);
        }
    }
}

/// Puts a question; none when the input ended.
pub fn ask(question: &Question, state: &RunState, input: &mut dyn BufRead, out: &mut dyn Write) -> Option<Say> {
    let mut talk = Talk { input, out };
    match question {
        Question::Approve => approve(&mut talk, state),
        Question::Vault { exists, fault } => vault(&mut talk, *exists, fault),
        Question::Form { title, form, items, none_reason, fault, .. } => {
            form_question(&mut talk, title, form, items, none_reason, fault)
        }
        Question::Checks { checks, .. } => {
            let words = |result| match result {
                CheckResult::Pass => "pass",
                CheckResult::Warn => "WARN",
                CheckResult::Fail => "FAIL",
                CheckResult::NotAsked => "not asked",
            };
            for check in checks {
                talk.say(&format!("  {} {}: {}", words(check.result), check.name, check.sentence));
                for help in &check.help {
                    talk.say(&format!("    help: {help}"));
                }
            }
            let warn = checks.iter().find(|check| check.result == CheckResult::Warn && !check.seen);
            if let Some(warn) = warn {
                let line = talk.line(&format!("Type \"seen\" for the warning {} (Enter = check again):", warn.name))?;
                return Some(Say::Reply(if line == "seen" {
                    Reply::Seen { check: warn.name.clone() }
                } else {
                    Reply::Again
                }));
            }
            talk.say("  1. Check again (default)");
            talk.say("  2. Go back");
            let chosen = talk.number("Choose 1 or 2:", 2, 1)?;
            Some(Say::Reply(if chosen == 1 { Reply::Again } else { Reply::Back }))
        }
        Question::Gate { gate, .. } => gate::ask(&mut talk, gate),
        Question::Confirm { text, button, .. } => {
            for line in text {
                talk.say(&format!("  {line}"));
            }
            talk.say("  1. Go back (default)");
            talk.say(&format!("  2. {button}"));
            let chosen = talk.number("Choose 1 or 2:", 2, 1)?;
            Some(Say::Reply(if chosen == 2 { Reply::Continue } else { Reply::Back }))
        }
        Question::Choose { choices, .. } => {
            for (index, choice) in choices.iter().enumerate() {
                talk.say(&format!("  {}. {} ({})", index + 1, choice.label, choice.cost));
            }
            // an empty Enter takes the last: it changes nothing
            let chosen = talk.number(
                &format!("Choose 1 to {} (Enter = {}):", choices.len(), choices.len()),
                choices.len(),
                choices.len(),
            )?;
            Some(Say::Reply(Reply::Choose { choice: choices.get(chosen - 1)?.id.clone() }))
        }
        Question::Reapply { items, .. } => reapply(&mut talk, items),
        Question::Resume { rows, uncertain, choices, .. } => {
            talk.say("Welcome back. Checked just now:");
            for (_, name, says, so) in rows {
                talk.say(&format!("  {so}: {name}. {says}"));
            }
            for line in uncertain {
                talk.say(&format!("uncertain. {line}"));
            }
            for (index, choice) in choices.iter().enumerate() {
                talk.say(&format!("  {}. {} {}", index + 1, choice.label, choice.cost));
            }
            let chosen = talk.number(
                &format!("Choose 1 to {} (Enter = {}):", choices.len(), choices.len()),
                choices.len(),
                choices.len(),
            )?;
            Some(Say::Reply(Reply::Choose { choice: choices.get(chosen - 1)?.id.clone() }))
        }
    }
}

fn approve(talk: &mut Talk<'_>, state: &RunState) -> Option<Say> {
    super::gate::plan(talk, state);
    talk.say("  1. Go back (default)");
    talk.say("  2. Approve the plan and start phase 1");
    let chosen = talk.number("Choose 1 or 2:", 2, 1)?;
    Some(Say::Reply(if chosen == 2 { Reply::Approve } else { Reply::Back }))
}

fn vault(talk: &mut Talk<'_>, exists: bool, fault: &str) -> Option<Say> {
    if !fault.is_empty() {
        talk.say(&format!("not yet. {fault}"));
    }
    if exists {
        return talk.secret("Vault passphrase").map(Say::Passphrase);
    }
    talk.say("Tokens and passwords go into one encrypted file here. Without the passphrase nobody can open it.");
    loop {
        let first = talk.secret("New vault passphrase")?;
        let second = talk.secret("Once more")?;
        if first.expose_secret().chars().count() < 8 {
            talk.say("not yet. At least 8 characters; four words are better.");
        } else if first.expose_secret() == second.expose_secret() {
            return Some(Say::Passphrase(first));
        } else {
            talk.say("not yet. The two are not the same.");
        }
    }
}

fn shown(field: &Field, item: &Item) -> String {
    match item.values.get(&field.id) {
        None | Some(FieldValue::Empty) => "(empty)".to_owned(),
        Some(FieldValue::Text { value, .. }) => value.clone(),
        Some(FieldValue::Secret { length, check, .. }) => format!("in the vault, {length} characters, check {check}"),
    }
}

fn form_question(
    talk: &mut Talk<'_>,
    title: &str,
    form: &Form,
    items: &[Item],
    none: &str,
    fault: &str,
) -> Option<Say> {
    if !fault.is_empty() {
        talk.say(&format!("not yet. {fault}"));
    }
    let open = items.iter().find(|item| !item.confirmed);
    let Some(item) = open else {
        let words = if items.is_empty() && none.is_empty() {
            format!("none, because ({} letters at least)", 10)
        } else {
            "this is complete".to_owned()
        };
        talk.say(&format!("{title}: {} {}s confirmed.", items.len(), form.noun));
        if form.repeated {
            let prompt = format!("Name of another {} (Enter = {words}):", form.noun);
            let name = talk.line(&prompt)?;
            if !name.is_empty() {
                return Some(Say::Reply(Reply::Add { item: name }));
            }
            if items.is_empty() && none.is_empty() {
                let reason = talk.line("None, because:")?;
                return Some(Say::Reply(Reply::None { reason }));
            }
        }
        return Some(Say::Reply(Reply::Seal));
    };
    talk.say(&format!("{} {}", form.noun, item.id));
    for field in &form.fields {
        let fault = item.faults.get(&field.id).map_or_else(String::new, |fault| format!("   not yet: {fault}"));
        talk.say(&format!("  {}: {}{fault}", field.label, shown(field, item)));
    }
    if form.is_complete(item) {
        talk.say("  1. Confirm it");
    } else {
        talk.say("  1. (not yet complete)");
    }
    for (index, field) in form.fields.iter().enumerate() {
        talk.say(&format!("  {}. Change {}", index + 2, field.label));
    }
    let mut last = form.fields.len() + 1;
    if form.repeated {
        last += 1;
        talk.say(&format!("  {last}. Take it out of the list"));
    }
    loop {
        let chosen = talk.number(&format!("Choose 1 to {last}:"), last, 0)?;
        match chosen {
            0 => {}
            1 => return Some(Say::Reply(Reply::ConfirmItem { item: item.id.clone() })),
            n if n == form.fields.len() + 2 => return Some(Say::Reply(Reply::Remove { item: item.id.clone() })),
            n => {
                let field = form.fields.get(n - 2)?;
                return if field.kind == FieldKind::Secret {
                    let secret = talk.secret(&field.label)?;
                    Some(Say::Secret { item: item.id.clone(), field: field.id.clone(), secret })
                } else {
                    let value = talk.line(&format!("{}:", field.label))?;
                    let (item, field) = (item.id.clone(), field.id.clone());
                    Some(Say::Reply(Reply::Set { item, field, input: FieldInput::Text(value) }))
                };
            }
        }
    }
}

fn reapply(talk: &mut Talk<'_>, items: &[crate::run::ReapplyItem]) -> Option<Say> {
    let settled = |state| matches!(state, ReapplyState::Same | ReapplyState::ByEye | ReapplyState::Waived);
    let item = items.iter().find(|item| !settled(item.state))?;
    talk.say(&format!("{}: {}", item.title, item.sentence));
    for (label, value) in &item.fields {
        talk.say(&format!("  {label}: {value}"));
    }
    for line in [
        "1. Read it back (default)",
        "2. Write it and read it back",
        "3. Confirmed by eye",
        "4. Leave it out, because …",
    ] {
        talk.say(&format!("  {line}"));
    }
    let name = item.id.clone();
    Some(Say::Reply(match talk.number("Choose 1 to 4:", 4, 1)? {
        2 => Reply::Write { item: name },
        3 => Reply::ByEye { item: name },
        4 => Reply::Waive { item: name, reason: talk.line("Because:")? },
        _ => Reply::ReadBack { item: name },
    }))
}
