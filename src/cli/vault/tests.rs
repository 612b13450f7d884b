//! The commands, from arguments to exit codes.

use std::collections::VecDeque;

use clap::Parser;

use super::*;

const ENTRY: &str = "2026-11-20-pixelcore-7f3a/lns/token";

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: VaultArgs,
}

/// Answers in order, and counts what was asked.
struct Script(VecDeque<&'static str>);

impl Ask for Script {
    fn known(&mut self, what: &str) -> Result<SecretString, AskError> {
        self.0.pop_front().map(SecretString::from).ok_or_else(|| AskError::Stopped { what: what.to_owned() })
    }

    fn new_one(&mut self, what: &str) -> Result<SecretString, AskError> {
        self.known(what)
    }
}

struct House {
    place: tempfile::TempDir,
}

struct Said {
    exit: Exit,
    out: String,
    notes: String,
}

impl House {
    fn new() -> Self {
        Self { place: tempfile::tempdir().unwrap() }
    }

    fn vault(&self) -> Vault {
        crate::vault::cheap_vault(self.place.path().join("data"))
    }

    fn say(&self, line: &str, answers: &[&'static str], mut input: Option<&[u8]>) -> Said {
        let args = Line::parse_from(std::iter::once("vault").chain(line.split(' '))).args;
        let (mut out, mut notes) = (Vec::new(), Vec::new());
        let cli = VaultCli {
            vault: self.vault(),
            unlock: Unlock::Here,
            ask: Box::new(Script(answers.iter().copied().collect())),
            input: input.as_mut().map(|input| input as &mut dyn Read),
            out: &mut out,
            notes: &mut notes,
            operator: "anna".into(),
            format: if line.contains("list") { Format::Json } else { Format::Text },
            shown: Shown::Elsewhere,
        };
        let exit = run(args, cli);
        Said { exit, out: String::from_utf8(out).unwrap(), notes: String::from_utf8(notes).unwrap() }
    }

    fn made() -> Self {
        let house = Self::new();
        assert_eq!(house.say("create", &["pass"], None).exit, Exit::Done);
        let set = house.say(&format!("set {ENTRY}"), &["pass"], Some(b"canary\n"));
        assert_eq!(set.exit, Exit::Done, "{}", set.notes);
        assert!(set.notes.contains("6 characters, check ") && !set.notes.contains("canary"), "{}", set.notes);
        house
    }
}

#[test]
fn the_arguments_are_well_formed() {
    <Line as clap::CommandFactory>::command().debug_assert();
}

#[test]
fn values_are_shown_only_when_asked_for() {
    let house = House::made();
    let listed = house.say("list", &["pass"], None);
    let object: serde_json::Value = serde_json::from_str(&listed.out).unwrap();
    assert_eq!((&object["type"], &object["name"]), (&"entry".into(), &"lns/token".into()));
    assert_eq!(object["provenance"]["typed"]["by"], "anna");
    let shown = house.say("show lns/token", &["pass"], None);
    assert!(shown.out.contains(ENTRY) && shown.out.contains("typed by anna"), "{}", shown.out);
    assert!(!(listed.out + &shown.out).contains("canary"));
    assert_eq!(house.say("show 7f3a/lns/token --reveal", &["pass"], None).out, "canary");
}

#[test]
fn a_terminal_is_asked_for_the_value_and_gets_no_escape_bytes() {
    let house = House::made();
    assert_eq!(house.say("set lns/token", &["pass", "a\u{1b}[2Jb"], None).exit, Exit::Done);
    let mut out = Vec::new();
    let open = house.vault().unlock(&SecretString::from("pass"), &Unlock::Here).unwrap();
    let meta = entry(&open, "lns/token").unwrap();
    let value = open.value(&meta.run, &meta.name).unwrap();
    show::entry(&mut out, &meta, value.as_ref(), Format::Text, Shown::Terminal).unwrap();
    assert_eq!(out, "a\u{fffd}[2Jb\n".as_bytes());
}

#[test]
fn every_refusal_has_its_exit_code_and_says_why() {
    let house = House::new();
    let missing = house.say("list", &[], None);
    assert_eq!(missing.exit, Exit::Environment);
    assert!(missing.notes.contains("none was made yet"), "{}", missing.notes);
    assert_eq!(house.say("create", &[""], None).exit, Exit::Usage);
    assert_eq!(house.say("create", &[], None).exit, Exit::Stopped);

    let house = House::made();
    for (line, answers, exit) in [
        ("create", &["pass"][..], Exit::Refused),
        ("list", &["wrong"], Exit::Environment),
        ("list", &[], Exit::Stopped),
        ("show nothing", &["pass"], Exit::Usage),
        ("remove nothing", &["pass"], Exit::Usage),
        ("set nothing", &["pass", "x"], Exit::Usage),
        ("set 2026-11-20-pixelcore-7f3a/a:b", &["pass", "x"], Exit::Usage),
    ] {
        let said = house.say(line, answers, None);
        assert_eq!(said.exit, exit, "{line}: {}", said.notes);
        assert!(said.notes.contains("drydock: "), "{line}: {}", said.notes);
        assert!(said.out.is_empty());
    }
}

#[test]
fn a_name_of_two_runs_lists_both() {
    let house = House::made();
    house.say("set 2026-11-21-pixelcore-00aa/lns/token", &["pass"], Some(b"x"));
    let said = house.say("show lns/token", &["pass"], None);
    assert_eq!(said.exit, Exit::Usage);
    assert!(said.notes.contains(ENTRY) && said.notes.contains("00aa/lns/token"), "{}", said.notes);
}

#[test]
fn passphrase_and_identity_change_and_entries_go() {
    let house = House::made();
    assert_eq!(house.say("passphrase", &["pass", "new"], None).exit, Exit::Done);
    assert_eq!(house.say("rotate", &["new"], None).exit, Exit::Done);
    assert_eq!(house.say("list", &["pass"], None).exit, Exit::Environment);
    assert_eq!(house.say(&format!("remove {ENTRY}"), &["new"], None).exit, Exit::Done);
    assert_eq!(house.say("list", &["new"], None).out, "");
}

#[test]
fn a_drill_exports_and_imports() {
    let house = House::made();
    let piped = house.say("export -o -", &["pass"], None);
    assert!(piped.out.contains("Y2FuYXJ5"), "the value as base64");
    let file = house.place.path().join("drill.json");
    let line = format!("export -o {}", file.display());
    assert_eq!(house.say(&line, &["pass"], None).exit, Exit::Done);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), piped.out);
    assert_eq!(house.say(&line, &["pass"], None).exit, Exit::Environment, "an existing file is not replaced");

    let other = House::new();
    other.say("create", &["second"], None);
    let said = other.say("import -", &["second"], Some(piped.out.as_bytes()));
    assert!(said.notes.contains("1 added"), "{}", said.notes);
    assert_eq!(other.say("show lns/token --reveal", &["second"], None).out, "canary");
}

#[test]
fn a_damaged_vault_points_to_the_generation_before() {
    let house = House::made();
    house.say("set lns/token", &["pass"], Some(b"later"));
    let path = house.vault().path(Generation::Current);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 9]).unwrap();
    let said = house.say("list", &["pass"], None);
    assert_eq!(said.exit, Exit::Environment);
    for part in ["of the", "the passphrase was not tested", "is whole, with 1 secret.", "--previous"] {
        assert!(said.notes.contains(part), "{part}: {}", said.notes);
    }
    assert_eq!(house.say("show lns/token --reveal --previous", &["pass"], None).out, "canary");
    assert_eq!(house.say("rotate --previous", &["pass"], None).exit, Exit::Done);
    assert_eq!(house.say("show lns/token --reveal", &["pass"], None).out, "canary");
    assert_eq!(std::fs::read(house.vault().folder().join("vault.age.damaged")).unwrap(), whole[..whole.len() - 9]);
}
