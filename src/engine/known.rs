//! What this run knows to be secret, and a text without it: programs, pods and servers quote passwords in what they say.
//!
//! Owns the texts and the search for them; they print nowhere. [`Watched`](super::watched::Watched) teaches it every value
//! that goes into the vault or comes out of it; `core` and `masked` ask it before anything is written or told.

use std::sync::{Arc, Mutex};

use aho_corasick::{AhoCorasick, BuildError};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{core::lock, plan::Plan};
use crate::{
    actions::{ActionSpec, parse_dotenv},
    ports::{EntryName, SecretBytes},
    run::{HIDDEN, RunState, is_mask, is_telling, secrets_within},
    text::{in_query, printable},
};

/// A shorter text is found within too many innocent words: it is hidden only where it stands alone.
const WITHIN: usize = 8;
/// A still shorter one stands alone in too many innocent places.
const LEAST: usize = 4;
/// A longer one is in no line: it is cut into its own lines.
const LONGEST: usize = 4096;
/// Words of a variable that says where something is: whoever mends a refusal has to read which host it was.
const PLACES: [&str; 7] = ["HOST", "HOSTNAME", "PORT", "NAME", "DATABASE", "USER", "USERNAME"];

/// The secrets of a run, as texts to be looked for. No `Debug`: a finder prints what it looks for.
pub struct Known {
    /// What the runbook, the inputs and the target say openly: a name that an environment file has, too, is no secret.
    open: String,
    /// Steps that keep what is installed: most of that is no secret.
    installed: Vec<String>,
    texts: Mutex<Texts>,
}

#[derive(Default)]
struct Texts {
    all: Vec<SecretString>,
    /// Made at the first search after a change: a form may keep hundreds of secrets one after the other.
    finder: Option<Arc<AhoCorasick>>,
}

impl Known {
    /// Nothing is known yet.
    pub fn new(plan: &Plan, state: &RunState) -> Self {
        let is_capture = |step: &&super::plan::PlanStep| matches!(step.spec, ActionSpec::Capture(_));
        Self {
            open: format!("{plan:?} {:?} {} {}", state.target, state.context, state.inputs),
            installed: plan
                .steps
                .iter()
                .chain(&plan.taken)
                .filter(is_capture)
                .map(|step| step.planned.id.0.clone())
                .collect(),
            texts: Mutex::default(),
        }
    }

    /// Takes a value of the vault in, cut into what a program would quote of it.
    pub fn learn(&self, name: &EntryName, value: &SecretBytes) {
        let Ok(text) = std::str::from_utf8(value.expose_secret()) else { return };
        let mut found = Vec::new();
        let step = name.0.split('/').next().unwrap_or_default();
        if self.installed.iter().any(|known| known == step) {
            let value = serde_json::from_str(text).ok().or_else(|| serde_saphyr::from_str::<Value>(text).ok());
            telling("", &value.unwrap_or_default(), &mut found);
        } else {
            cut(text, &mut found);
        }
        found.retain(|text| !self.is_open(text.expose_secret()));
        let mut texts = lock(&self.texts);
        for new in found {
            if !texts.all.iter().any(|known| known.expose_secret() == new.expose_secret()) {
                texts.all.push(new);
                texts.finder = None;
            }
        }
    }

    /// Whether it stands openly in the run's plan, as a word of its own.
    fn is_open(&self, text: &str) -> bool {
        self.open.match_indices(text).any(|(at, _)| stands_alone(&self.open, at, at + text.len()))
    }

    /// Hides every secret in a text.
    pub fn hide(&self, text: &mut String) {
        let finder = match lock(&self.texts).finder() {
            Ok(Some(finder)) => finder,
            Ok(None) => return,
            Err(error) => {
                // rather nothing is told than a secret
                tracing::error!(%error, "cannot look for secrets in what is told");
                HIDDEN.clone_into(text);
                return;
            }
        };
        // secrets that overlap are hidden together: what is left of one of them would tell the rest
        let mut spans: Vec<(usize, usize)> = Vec::new();
        for found in finder.find_overlapping_iter(text.as_str()) {
            let (mut start, mut end) = (found.start(), found.end());
            if text[start..end].chars().count() < WITHIN && !stands_alone(text, start, end) {
                continue;
            }
            while let Some(last) = spans.pop_if(|last| last.1 >= start) {
                (start, end) = (start.min(last.0), end.max(last.1));
            }
            spans.push((start, end));
        }
        for (start, end) in spans.into_iter().rev() {
            text.replace_range(start..end, HIDDEN);
        }
    }

    /// Hides them in every text of a value; names of members stay.
    pub fn hide_within(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.hide(text),
            Value::Array(all) => all.iter_mut().for_each(|inner| self.hide_within(inner)),
            Value::Object(members) => members.values_mut().for_each(|inner| self.hide_within(inner)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

impl Texts {
    fn finder(&mut self) -> Result<Option<Arc<AhoCorasick>>, BuildError> {
        if self.finder.is_none() && !self.all.is_empty() {
            let forms: Vec<SecretString> = self.all.iter().flat_map(|text| forms(text.expose_secret())).collect();
            self.finder = Some(Arc::new(AhoCorasick::new(forms.iter().map(ExposeSecret::expose_secret))?));
        }
        Ok(self.finder.clone())
    }
}

/// Whether these bytes of a text are a word of their own.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].chars().next_back();
    let after = text[end..].chars().next();
    !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
}

/// A text as it stands in a line, an address, a JSON text, or a Secret of Kubernetes.
fn forms(text: &str) -> [SecretString; 5] {
    let quoted = Value::from(text).to_string();
    let json = quoted[1..quoted.len() - 1].to_owned();
    [text.to_owned(), printable(text), in_query(text), json, STANDARD.encode(text)].map(SecretString::from)
}

/// A value of the vault: JSON by its texts, an environment file by its values, anything else as it is.
fn cut(text: &str, found: &mut Vec<SecretString>) {
    if let Ok(value @ (Value::Object(_) | Value::Array(_) | Value::String(_))) = serde_json::from_str(text) {
        return members("", &value, found);
    }
    let variables = parse_dotenv(text.as_bytes()).unwrap_or_default();
    for (name, value) in &variables {
        if is_place(name) {
            add_logins(value, found);
        } else {
            take(value, least(name), found);
        }
    }
    // a token that ends in `=` looks like a variable without a value
    if variables.is_empty() || text.trim_end().lines().count() == 1 {
        take(text, LEAST, found);
    }
}

/// The shortest value that is looked for: short ones are mostly settings, unless their name says that they are secret.
fn least(name: &str) -> usize {
    if is_telling(name) { LEAST } else { WITHIN }
}

fn members(name: &str, value: &Value, found: &mut Vec<SecretString>) {
    match value {
        Value::String(text) => take(text, least(name), found),
        Value::Array(all) => all.iter().for_each(|inner| members(name, inner, found)),
        Value::Object(all) => all.iter().for_each(|(name, inner)| members(name, inner, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_place(variable: &str) -> bool {
    !is_telling(variable) && variable.to_ascii_uppercase().split('_').any(|word| PLACES.contains(&word))
}

/// Members whose name tells that they are secret, and environment files.
fn telling(name: &str, value: &Value, found: &mut Vec<SecretString>) {
    match value {
        Value::String(text) => {
            let is_file = || text.contains('\n') && parse_dotenv(text.as_bytes()).is_ok();
            if is_telling(name) || is_file() {
                cut(text, found);
            } else {
                add_logins(text, found);
            }
        }
        Value::Array(all) => all.iter().for_each(|inner| telling(name, inner, found)),
        Value::Object(all) => all.iter().for_each(|(name, inner)| telling(name, inner, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// One text, its lines (of a key in PEM each is told alone), and the secrets in its addresses.
fn take(text: &str, least: usize, found: &mut Vec<SecretString>) {
    add(text, least, found);
    if text.trim().contains('\n') {
        text.lines().for_each(|line| add(line, WITHIN, found));
    }
    add_logins(text, found);
}

fn add_logins(text: &str, found: &mut Vec<SecretString>) {
    for secret in secrets_within(text) {
        add(secret, LEAST, found);
    }
}

fn add(text: &str, least: usize, found: &mut Vec<SecretString>) {
    let text = text.trim();
    if text.chars().count() >= least && text.len() <= LONGEST && !text.starts_with("-----") && !is_mask(text) {
        found.push(SecretString::from(text));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn known(open: &str) -> Known {
        Known { open: open.to_owned(), installed: vec!["version".to_owned()], texts: Mutex::default() }
    }

    fn learn(known: &Known, name: &str, value: &str) {
        known.learn(&EntryName(name.to_owned()), &SecretBytes::new(value.as_bytes().to_vec()));
    }

    fn hidden(known: &Known, text: &str) -> String {
        let mut text = text.to_owned();
        known.hide(&mut text);
        text
    }

    #[test]
    fn a_value_is_hidden_by_what_a_program_quotes_of_it() {
        let known = known("the database \"pixelcore\" of plant");
        assert_eq!(hidden(&known, "hunter-of-rows"), "hunter-of-rows");
        let dotenv = "DB_NAME=pixelcore\nDB_PASSWORD='hunter of rows'\nDB_URL=postgres://pix:open+sesame@pix-db/x\nD=on\n\
                      DB_HOST=db.example.net\nUSER_PASSWORD=of-a-user\nMQ_HOST=amqp://pix:queue-of-rows@mq\n";
        learn(&known, "environment/1/dotenv", dotenv);
        learn(&known, "workers/geo/more.json", &json!({"smtp": [{"pass": "mail-\"of\"-geo"}], "s": 30}).to_string());
        learn(&known, "lns/eu/token", "QUJDREVGR0g=");
        learn(
            &known,
            "tls/1/key",
            "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADAN\nBgkqhkiG9w0B\n-----END PRIVATE KEY-----\n",
        );
        for (said, told) in [
            ("auth hunter of rows, on pixelcore", "auth ••••••••, on pixelcore"),
            ("postgres://pix:hunter%20of%20rows@pix-db", "postgres://pix:••••••••@pix-db"),
            ("db.example.net: of-a-user", "db.example.net: ••••••••"),
            ("amqp://pix:queue-of-rows@mq", "amqp://pix:••••••••@mq"),
            ("user pix, open+sesame", "user pix, ••••••••"),
            ("postgres://pix:open+sesame@pix-db/x?a", "••••••••?a"),
            ("{\"pass\":\"mail-\\\"of\\\"-geo\"}", "{\"pass\":\"••••••••\"}"),
            ("data: aHVudGVyIG9mIHJvd3M=", "data: ••••••••"),
            ("Bearer QUJDREVGR0g=.", "Bearer ••••••••."),
            ("BgkqhkiG9w0B", "••••••••"),
            ("-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----"),
        ] {
            assert_eq!(hidden(&known, said), told);
        }
    }

    #[test]
    fn secrets_that_overlap_leave_nothing_of_each_other() {
        let known = known("");
        learn(&known, "a/1/a", "abcdefgh");
        learn(&known, "a/1/b", "efghijkl");
        learn(&known, "a/1/c", "zzabcdefghijklyy");
        assert_eq!(hidden(&known, "ü abcdefghijkl ü efghijkl"), "ü •••••••• ü ••••••••");
        assert_eq!(hidden(&known, "zzabcdefghijklyy, abcdefg"), "••••••••, abcdefg");
    }

    #[test]
    fn of_what_is_installed_only_what_tells_that_it_is_secret() {
        let known = known("");
        let values = "image: registry.example.net/pix\nadmin: {Password: door-opener-77}\ndb: amqp://pix:queue-of-rows@mq/\nenv: |\n  A=hunter-of-rows\n  B=2\n";
        learn(&known, "version/1/values", values);
        learn(&known, "version/1/release", "{\"kind\": \"Secret\", \"data\": {\"status\": \"deployed\"}}");
        let said = "registry.example.net/pix is deployed with door-opener-77, hunter-of-rows, queue-of-rows";
        assert_eq!(hidden(&known, said), "registry.example.net/pix is deployed with ••••••••, ••••••••, ••••••••");
    }

    #[test]
    fn a_short_secret_is_hidden_where_it_stands_alone_and_a_short_setting_is_not() {
        let known = known("");
        learn(&known, "environment/1/dotenv", "PIX_DB_PASSWORD=s3cr\nLOG=info\nPIX_API_PASSWORD=abc\n");
        learn(&known, "lns/eu/token", "tok-77");
        learn(&known, "workers/geo/settings", "{\"unit\": \"days\", \"pin\": \"days\", \"password\": \"door7\"}");
        for (said, told) in [
            ("password=s3cr rejected", "password=•••••••• rejected"),
            ("as3cret, info, abc, days", "as3cret, info, abc, days"),
            ("(tok-77) {\"password\":\"door7\"}", "(••••••••) {\"password\":\"••••••••\"}"),
            ("tok-778", "tok-778"),
        ] {
            assert_eq!(hidden(&known, said), told);
        }
    }

    #[test]
    fn what_the_plan_says_openly_is_none_and_a_part_of_its_words_is() {
        let known = known("waits for pix-core-service, then");
        learn(&known, "a/1/a", "pix-core-service");
        learn(&known, "a/1/b", "ore-serv");
        assert_eq!(hidden(&known, "pix-core-service"), "pix-c••••••••ice");
    }
}
