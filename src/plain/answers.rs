//! The answers file: inputs, forms, decisions of an unattended run. A missing answer stops the run and says which.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io::Read,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use secrecy::SecretString;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::{
    run::{CheckResult, Field, FieldValue, Form, Item, Question, ReapplyState},
    text::{Diagnostic, Place},
};

/// A secret's source.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SecretFrom {
    /// In the file itself; only in practice and tests against practice.
    Plain(String),
    /// The one line of another file, which no other user may read.
    File(PathBuf),
}

/// All, or these.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Which {
    /// Every one.
    All,
    /// Only these.
    These(Vec<String>),
}

/// Answers for one step.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StepAnswers {
    /// Field values by item and field; an item that is not there is added.
    pub items: BTreeMap<String, BTreeMap<String, String>>,
    /// Secret field values by item and field.
    pub secrets: BTreeMap<String, BTreeMap<String, SecretFrom>>,
    /// Items that are confirmed as they were found or set.
    pub confirm: Option<Which>,
    /// Why there is none.
    pub none: Option<String>,
    /// Warnings that are known.
    pub seen: Vec<String>,
    /// Goes on at a confirmation.
    pub go_on: bool,
    /// The phrase of a gate; `practice` stands for the right one, in practice only.
    pub phrase: Option<String>,
    /// Decisions when it failed, each used once.
    pub choose: VecDeque<String>,
    /// Items confirmed by eye.
    pub by_eye: Vec<String>,
    /// Items left out, with the reason.
    pub waive: BTreeMap<String, String>,
}

/// The file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// 1.
    pub format: u32,
    /// Inputs of the runbook.
    #[serde(default)]
    pub inputs: BTreeMap<String, String>,
    /// The vault's passphrase.
    #[serde(default)]
    pub passphrase: Option<SecretFrom>,
    /// Whether the plan is approved.
    #[serde(default)]
    pub approve: bool,
    /// What to do with a run that was cut: `go-on` or `look`.
    #[serde(default)]
    pub resume: Option<String>,
    /// Answers by step.
    #[serde(default)]
    pub steps: BTreeMap<String, StepAnswers>,
}

impl Answers {
    /// Reads a file. `practice` is the folder that `{practice}` stands for, in practice only.
    ///
    /// # Errors
    /// A file that others may read, one that cannot be understood (with its place), or plain secrets for a real target.
    pub fn load(path: &Path, practice: Option<&Path>) -> Result<Self, Diagnostic> {
        let shown = path.display().to_string();
        let wrong = |error: std::io::Error| {
            Diagnostic::new(format!("cannot read the answers file {shown}")).cause(error.to_string())
        };
        let mut text = std::fs::read_to_string(path).map_err(wrong)?;
        if let Some(folder) = practice {
            text = text.replace("{practice}", &folder.to_string_lossy());
        } else if std::fs::metadata(path).map_err(wrong)?.permissions().mode() & 0o077 != 0 {
            return Err(Diagnostic::new(format!("the answers file {shown} is open to others"))
                .help(format!("chmod 600 {shown}")));
        }
        let answers: Self = serde_saphyr::from_str(&text).map_err(|error| {
            let fault = Diagnostic::new(error.without_snippet().to_string());
            match error.location() {
                Some(at) => fault.at(Place {
                    file: shown.clone(),
                    line: at.line(),
                    column: at.column(),
                    snippet: String::new(),
                }),
                None => fault,
            }
        })?;
        if answers.format != 1 {
            return Err(Diagnostic::new(format!(
                "the answers file {shown} has format {}, this version reads 1",
                answers.format
            )));
        }
        let secrets = answers.steps.values().flat_map(|step| step.secrets.values()).flat_map(BTreeMap::values);
        let plain = secrets.chain(answers.passphrase.iter()).any(|secret| matches!(secret, SecretFrom::Plain(_)));
        if plain && practice.is_none() {
            return Err(Diagnostic::new(format!(
                "the answers file {shown} holds a secret in plain; that is for practice only"
            ))
            .help("write {file: PATH} instead, with a file of mode 600"));
        }
        Ok(answers)
    }
}

/// One thing to say to the run.
pub enum Say {
    /// A reply that is plain data.
    Reply(crate::run::Reply),
    /// The passphrase.
    Passphrase(SecretString),
    /// A secret for a field.
    Secret { item: String, field: String, secret: SecretString },
}

/// An answer that the file does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing(pub String);

/// Answers a run's questions from the file.
pub struct Scripted {
    answers: Answers,
    done: BTreeSet<(String, String, String)>,
    practice: bool,
}

/// A secret from its source; `field` is what it is for, where it is for one.
fn secret(from: &SecretFrom, field: Option<&Field>) -> Result<SecretString, Missing> {
    match from {
        SecretFrom::Plain(text) => Ok(SecretString::from(text.clone())),
        SecretFrom::File(path) => {
            let shown = path.display();
            let unread = |error: std::io::Error| Missing(format!("{shown}: {error}"));
            let mut file = std::fs::File::open(path).map_err(unread)?;
            if file.metadata().map_err(unread)?.permissions().mode() & 0o077 != 0 {
                return Err(Missing(format!("{shown}: it is open to others, and holds a secret: chmod 600 {shown}")));
            }
            let mut text = Zeroizing::new(String::new());
            file.read_to_string(&mut text).map_err(unread)?;
            if field.is_some_and(Field::is_json) {
                // between the members of JSON a line break is a space
                return Ok(SecretString::from(text.trim().replace(['\n', '\r'], " ")));
            }
            let mut lines = text.lines();
            let line = lines.next().unwrap_or_default();
            if lines.next().is_some() {
                return Err(Missing(format!("{shown}: it holds more than one line; a secret is one line, alone")));
            }
            Ok(SecretString::from(line.to_owned()))
        }
    }
}

impl Scripted {
    /// A driver. `practice` says whether anything is real.
    pub fn new(answers: Answers, practice: bool) -> Self {
        Self { answers, done: BTreeSet::new(), practice }
    }

    /// What to say to a question.
    ///
    /// # Errors
    /// What is missing in the file.
    pub fn answer(&mut self, question: &Question) -> Result<Say, Missing> {
        use crate::run::Reply;
        let step = question.step().map_or_else(String::new, |step| step.0.clone());
        let own = self.answers.steps.get(&step).cloned().unwrap_or_default();
        let missing = |what: &str| Missing(format!("{step}: {what}"));
        match question {
            Question::Approve if self.answers.approve => Ok(Say::Reply(Reply::Approve)),
            Question::Approve => Err(Missing("approve".to_owned())),
            Question::Vault { fault, .. } if !fault.is_empty() => {
                Err(Missing(format!("a passphrase that opens the vault: {fault}")))
            }
            Question::Vault { .. } => match &self.answers.passphrase {
                Some(from) => secret(from, None).map(Say::Passphrase),
                None => Err(Missing("passphrase".to_owned())),
            },
            Question::Form { form, items, none_reason, fault, .. } => {
                self.form(&step, &own, form, items, none_reason, fault)
            }
            Question::Checks { checks, .. } => {
                if let Some(failed) = checks.iter().find(|check| check.result == CheckResult::Fail) {
                    return if self.done.insert((step.clone(), failed.name.clone(), "failed".to_owned())) {
                        Ok(Say::Reply(Reply::Continue))
                    } else {
                        Err(missing("a check fails"))
                    };
                }
                match checks.iter().find(|check| check.result == CheckResult::Warn && !check.seen) {
                    Some(check) if own.seen.contains(&check.name) => {
                        Ok(Say::Reply(Reply::Seen { check: check.name.clone() }))
                    }
                    Some(check) => Err(missing(&format!("seen: {}", check.name))),
                    None => Ok(Say::Reply(Reply::Continue)),
                }
            }
            Question::Gate { gate, .. } => {
                let shut: Vec<String> = gate
                    .locks
                    .iter()
                    .filter(|lock| !lock.open)
                    .map(|lock| format!("{}: {}", lock.name, lock.sentence))
                    .collect();
                if !shut.is_empty() {
                    return Err(missing(&format!("the gate is shut, nothing is deleted. {}", shut.join("; "))));
                }
                if gate.prod {
                    return Err(missing("the gate of a target marked PROD is opened by a person only"));
                }
                if !gate.refusal.is_empty() {
                    return Err(missing(&gate.refusal));
                }
                match own.phrase.as_deref() {
                    Some("practice") if self.practice => Ok(Say::Reply(Reply::Phrase { phrase: gate.phrase() })),
                    Some(phrase) => Ok(Say::Reply(Reply::Phrase { phrase: phrase.to_owned() })),
                    None => Err(missing("phrase")),
                }
            }
            Question::Confirm { person: true, .. } => Err(missing("what a person only may say")),
            Question::Confirm { .. } if own.go_on => Ok(Say::Reply(Reply::Continue)),
            Question::Confirm { .. } => Err(missing("go_on")),
            Question::Choose { .. } => {
                let choice = self.answers.steps.get_mut(&step).and_then(|step| step.choose.pop_front());
                choice.map(|choice| Say::Reply(Reply::Choose { choice })).ok_or_else(|| missing("choose"))
            }
            Question::Resume { .. } => {
                let choice = self.answers.resume.clone().ok_or_else(|| Missing("resume".to_owned()))?;
                Ok(Say::Reply(Reply::Choose { choice }))
            }
            Question::Reapply { items, .. } => {
                let settled = |state| matches!(state, ReapplyState::Same | ReapplyState::ByEye | ReapplyState::Waived);
                let Some(open) = items.iter().find(|item| !settled(item.state)) else {
                    return Ok(Say::Reply(Reply::Continue));
                };
                let item = open.id.clone();
                if let Some(reason) = own.waive.get(&item) {
                    Ok(Say::Reply(Reply::Waive { item, reason: reason.clone() }))
                } else if open.state == ReapplyState::ByHand && own.by_eye.contains(&item) {
                    Ok(Say::Reply(Reply::ByEye { item }))
                } else {
                    Err(missing(&format!("by_eye or waive: {item} ({})", open.sentence)))
                }
            }
        }
    }

    fn form(
        &mut self,
        step: &str,
        own: &StepAnswers,
        form: &Form,
        items: &[Item],
        none: &str,
        fault: &str,
    ) -> Result<Say, Missing> {
        use crate::run::{FieldInput, Reply};
        let missing = |what: String| Missing(format!("{step}: {what}"));
        if !fault.is_empty() {
            return Err(missing(fault.to_owned()));
        }
        let wanted = own.items.keys().chain(own.secrets.keys()).find(|id| !items.iter().any(|item| item.id == **id));
        if let Some(id) = wanted {
            return Ok(Say::Reply(Reply::Add { item: id.clone() }));
        }
        for item in items {
            for (field, value) in own.items.get(&item.id).into_iter().flatten() {
                if self.done.insert((step.to_owned(), item.id.clone(), field.clone())) {
                    let (item, field, input) = (item.id.clone(), field.clone(), FieldInput::Text(value.clone()));
                    return Ok(Say::Reply(Reply::Set { item, field, input }));
                }
            }
            for (field, from) in own.secrets.get(&item.id).into_iter().flatten() {
                if self.done.insert((step.to_owned(), item.id.clone(), field.clone())) {
                    let secret = secret(from, form.fields.iter().find(|known| known.id == *field))?;
                    return Ok(Say::Secret { item: item.id.clone(), field: field.clone(), secret });
                }
            }
        }
        if let Some(item) = items.iter().find(|item| !item.confirmed) {
            let named = match &own.confirm {
                Some(Which::All) => true,
                Some(Which::These(names)) => names.contains(&item.id),
                None => own.items.contains_key(&item.id) || own.secrets.contains_key(&item.id),
            };
            if !named {
                return Err(missing(format!("confirm: {}", item.id)));
            }
            if !form.is_complete(item) {
                let empty = |field: &&Field| {
                    !field.optional && matches!(item.values.get(&field.id), None | Some(FieldValue::Empty))
                };
                let what = item.faults.iter().next().map(|(field, fault)| format!("{field} {fault}"));
                let what =
                    what.or_else(|| form.fields.iter().find(empty).map(|field| format!("{} has no value", field.id)));
                return Err(missing(format!("{}: {}", item.id, what.unwrap_or_default())));
            }
            return Ok(Say::Reply(Reply::ConfirmItem { item: item.id.clone() }));
        }
        if items.is_empty() && none.is_empty() {
            let reason = own.none.clone().ok_or_else(|| missing("none, or items".to_owned()))?;
            return Ok(Say::Reply(Reply::None { reason }));
        }
        Ok(Say::Reply(Reply::Seal))
    }
}
