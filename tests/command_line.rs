//! The real program from its arguments to its exit code: the vault by file descriptors, and a run that needs no cluster.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use age::secrecy::SecretString;
use drydock::{
    run::Record,
    runner::take_back,
    store::{FileLock, Journal, Paths, RunFolder, Wait, read_journal},
    vault::{CHILD_COMMAND, Unlock, Vault, VaultError},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_drydock");
const PASSPHRASE: &str = "harbour velvet tractor onion";
const CANARY: &str = "canary-5d1e";
const ENTRY: &str = "2026-11-20-pixelcore-7f3a/lns/token";

/// A state folder and files with passphrases.
struct House {
    place: tempfile::TempDir,
}

struct Said {
    code: Option<i32>,
    out: String,
    notes: String,
}

impl House {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("pass"), format!("{PASSPHRASE}\n")).unwrap();
        std::fs::write(place.path().join("wrong"), "wrong\n").unwrap();
        Self { place }
    }

    fn state(&self) -> PathBuf {
        self.place.path().join("state")
    }

    fn vault(&self) -> Vault {
        Vault::new(Paths::resolve(Some(self.state())).unwrap().data)
    }

    /// The program with descriptor 3 open on `passphrase`, and nobody at a terminal.
    fn command(&self, passphrase: &str, args: &[&str]) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", "exec \"$0\" \"$@\" 3<\"$PASS\"", PROGRAM])
            .args(args)
            .env("PASS", self.place.path().join(passphrase))
            .env("DRYDOCK_STATE_DIR", self.state())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn say(&self, passphrase: &str, args: &[&str], input: &str) -> Said {
        let mut child = self.command(passphrase, args).spawn().unwrap();
        // a program that refuses its arguments may be gone before it reads
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said { code: output.status.code(), out: text(output.stdout), notes: text(output.stderr) }
    }

    fn vault_says(&self, passphrase: &str, args: &[&str], input: &str) -> Said {
        self.say(passphrase, &[&["vault", "--passphrase-fd", "3"], args].concat(), input)
    }
}

#[test]
fn the_vault_is_managed_without_a_secret_in_arguments() {
    let house = House::new();
    assert_eq!(house.vault_says("pass", &["list"], "").code, Some(4), "there is none");
    let made = house.vault_says("pass", &["create"], "");
    assert_eq!(made.code, Some(0), "{}", made.notes);
    assert_eq!(house.vault_says("pass", &["create"], "").code, Some(3), "there is one");
    let set = house.vault_says("pass", &["set", ENTRY], &format!("{CANARY}\n"));
    assert_eq!(set.code, Some(0), "{}", set.notes);
    assert!(set.notes.contains("11 characters"), "{}", set.notes);
    let listed = house.vault_says("pass", &["list", "--json"], "");
    assert_eq!(listed.out.lines().count(), 1);
    assert!(listed.out.starts_with("{\"type\":") && !listed.out.contains(CANARY), "{}", listed.out);
    let shown = house.vault_says("pass", &["show", "7f3a/lns/token", "--reveal"], "");
    assert!(shown.out.contains(CANARY), "{}", shown.notes);
    assert_eq!(house.vault_says("pass", &["show", "other"], "").code, Some(2));
    let wrong = house.vault_says("wrong", &["list"], "");
    assert_eq!((wrong.code, wrong.out.as_str()), (Some(4), ""));
    assert!(wrong.notes.contains("untouched"), "{}", wrong.notes);
    assert_eq!(house.say("pass", &["vault", "list"], "").code, Some(4), "nobody can be asked");
    assert_eq!(house.say("pass", &["vault", "--passphrase-fd", "1", "list"], "").code, Some(2));
}

#[test]
fn the_program_serves_as_the_child_that_unlocks_and_dumps_no_core() {
    let house = House::new();
    let vault = house.vault();
    vault.create(&SecretString::from(PASSPHRASE)).unwrap();
    let child = Unlock::InChild { program: PROGRAM.into() };
    assert!(vault.unlock(&SecretString::from(PASSPHRASE), &child).unwrap().entries().unwrap().is_empty());
    let wrong = vault.unlock(&SecretString::from("wrong"), &child).unwrap_err();
    assert!(matches!(wrong, VaultError::WrongPassphrase), "{wrong}");
    let garbage = house.say("pass", &[CHILD_COMMAND], "ga");
    assert_eq!((garbage.code, garbage.out.as_str()), (Some(70), ""));

    // it waits for a value that does not come
    let mut waiting = house.command("pass", &["vault", "--passphrase-fd", "3", "set", ENTRY]).spawn().unwrap();
    let limits = Path::new("/proc").join(waiting.id().to_string()).join("limits");
    let end = Instant::now() + Duration::from_secs(10);
    let none = |line: &str| line.starts_with("Max core file size") && line.split_whitespace().nth(5) == Some("0");
    while !std::fs::read_to_string(&limits).unwrap().lines().any(none) {
        assert!(Instant::now() < end, "the hard limit of core files is not 0");
        std::thread::sleep(Duration::from_millis(10));
    }
    waiting.kill().unwrap();
    waiting.wait().unwrap();
}

#[test]
fn a_run_stops_is_found_by_its_ending_and_is_given_up() {
    let house = House::new();
    let none = house.say("pass", &["resume"], "");
    assert_eq!(none.code, Some(2), "{}", none.notes);
    assert!(none.notes.contains("there is no run yet"), "{}", none.notes);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/three-steps.yaml");
    let started = house.say("pass", &["start", "--file", file, "--plain"], "");
    assert_eq!(started.code, Some(5), "nobody answers: {} {}", started.out, started.notes);

    let runs = Paths::resolve(Some(house.state())).unwrap().runs();
    let run = runs.newest().unwrap().unwrap();
    assert_eq!(run.id.runbook(), "three-steps");
    assert_eq!(house.say("pass", &["resume", run.id.ending(), "--plain"], "").code, Some(5));
    let shown = house.say("pass", &["show", run.id.ending(), "--json"], "");
    let lines = shown.out.lines().count();
    assert!(lines >= 2 && shown.out.lines().all(|line| line.starts_with("{\"type\":\"recorded\",\"seq\":")));

    // while somebody holds it, nobody else writes
    let held = drydock::store::FileLock::acquire(&run.lock(), drydock::store::Wait::No).unwrap();
    let refused = house.say("pass", &["abandon", run.id.ending(), "--reason", "the window is over"], "");
    assert_eq!(refused.code, Some(4));
    assert!(refused.notes.contains(&format!("process {}", std::process::id())), "{}", refused.notes);
    drop(held);
    let given_up = house.say("pass", &["abandon", run.id.ending(), "--reason", "the window is over"], "");
    assert_eq!(given_up.code, Some(0), "{}", given_up.notes);
    assert_eq!(house.say("pass", &["resume", run.id.ending()], "").code, Some(2), "it is at its end");
    assert!(house.say("pass", &["runs"], "").out.contains("abandoned"));

    // a changed line is told with its number, and nothing goes on
    let journal = std::fs::read_to_string(run.journal()).unwrap();
    std::fs::write(run.journal(), journal.replacen("three-steps", "three-stops", 1)).unwrap();
    let broken = house.say("pass", &["show", run.id.ending()], "");
    assert_eq!(broken.code, Some(4));
    assert!(broken.notes.contains("line 2 does not follow"), "{}", broken.notes);
    assert_eq!(house.say("pass", &["show", "zzzz"], "").code, Some(2));
    assert_eq!(house.say("pass", &["--help"], "").code, Some(0));
    assert_eq!(house.say("pass", &["no-such-command"], "").code, Some(2));
}

/// A run as it lies on the disk, on a target of this namespace uid, with a journal of the test's own.
fn lay_run(house: &House, from: &RunFolder, id: &str, namespace: &str, more: &[Record]) -> RunFolder {
    let path = from.path.parent().unwrap().join(id);
    for folder in ["artifacts", "output", "evidence"] {
        std::fs::create_dir_all(path.join(folder)).unwrap();
    }
    std::fs::copy(from.path.join("runbook.yaml"), path.join("runbook.yaml")).unwrap();
    let entries = read_journal::<Record>(&from.journal()).unwrap().entries;
    let mut journal = Journal::create(&path.join("journal.jsonl")).unwrap();
    for mut record in entries.into_iter().map(|entry| entry.record).take(2).chain(more.iter().cloned()) {
        if let Record::Started { run, target, .. } = &mut record {
            id.clone_into(run);
            target.namespace_uid = namespace.to_owned();
            target.namespace = "plant".to_owned();
        }
        journal.append(jiff::Timestamp::now(), &record).unwrap();
    }
    let runs = Paths::resolve(Some(house.state())).unwrap().runs();
    runs.find(id).unwrap()
}

#[test]
fn a_run_left_at_its_plan_is_not_taken_up_beside_an_approved_one() {
    let house = House::new();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/three-steps.yaml");
    assert_eq!(house.say("pass", &["start", "--file", file, "--plain"], "").code, Some(5));
    let base = Paths::resolve(Some(house.state())).unwrap().runs().newest().unwrap().unwrap();
    let approved = [Record::Approved { by: "ann".into() }];
    let ended = [approved[0].clone(), Record::Finished { summary: "done".into(), way_back: Vec::new() }];
    lay_run(&house, &base, "2026-11-20-three-steps-aaaa", "uid-1", &[]);
    lay_run(&house, &base, "2026-11-20-three-steps-bbbb", "uid-1", &ended);
    lay_run(&house, &base, "2026-11-20-three-steps-cccc", "uid-2", &approved);
    let resume = |ending: &str| house.say("pass", &["resume", ending, "--plain"], "");
    assert_eq!(resume("aaaa").code, Some(5), "one is at its end, one on another target");

    lay_run(&house, &base, "2026-11-20-three-steps-dddd", "uid-1", &approved);
    let refused = resume("aaaa");
    assert_eq!(refused.code, Some(3), "{} {}", refused.out, refused.notes);
    assert!(refused.notes.contains("three-steps-dddd on plant is not at its end"), "{}", refused.notes);
    // each hint can be typed as it stands, with the state folder that was given
    let place = house.state().display().to_string();
    for hint in ["resume dddd", "abandon dddd --reason WHY"] {
        let hint = format!("drydock {hint} --state-dir {place}");
        assert!(refused.notes.contains(&hint), "{hint}: {}", refused.notes);
    }
    assert_eq!(resume("dddd").code, Some(5), "what was approved goes on");
    // one whose journal cannot be read may be at work; on another target that is no reason
    let torn = lay_run(&house, &base, "2026-11-20-three-steps-eeee", "uid-4", &approved);
    let text = std::fs::read_to_string(torn.journal()).unwrap();
    std::fs::write(torn.journal(), text.replacen("\"planned\"", "\"plannned\"", 1)).unwrap();
    lay_run(&house, &base, "2026-11-20-three-steps-ffff", "uid-4", &[]);
    let refused = resume("ffff");
    assert_eq!(refused.code, Some(3), "{} {}", refused.out, refused.notes);
    assert!(refused.notes.contains("three-steps-eeee may be at work on plant"), "{}", refused.notes);

    let given_up = house.say("pass", &["abandon", "dddd", "--reason", "the window is over"], "");
    assert_eq!(given_up.code, Some(0), "{} {}", given_up.out, given_up.notes);
    assert_eq!(resume("aaaa").code, Some(5), "nothing else is open any more");
}

#[test]
fn a_run_whose_plan_was_not_approved_leaves_nothing_unless_it_holds_more() {
    let house = House::new();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/three-steps.yaml");
    assert_eq!(house.say("pass", &["start", "--file", file, "--plain"], "").code, Some(5));
    let base = Paths::resolve(Some(house.state())).unwrap().runs().newest().unwrap().unwrap();
    let gone = lay_run(&house, &base, "2026-11-20-three-steps-aaaa", "uid-1", &[]);
    take_back(&gone, "ann".into()).unwrap();
    assert!(!gone.path.exists());
    // a plan that was saved is the operator's
    let kept = lay_run(&house, &base, "2026-11-20-three-steps-bbbb", "uid-1", &[]);
    std::fs::write(kept.path.join("plan.txt"), "the plan").unwrap();
    take_back(&kept, "ann".into()).unwrap();
    assert!(kept.path.join("plan.txt").exists());
    let last = read_journal::<Record>(&kept.journal()).unwrap().entries.pop().unwrap().record;
    assert!(matches!(last, Record::Abandoned { .. }), "{last:?}");
    // in other hands it stays as it is
    let held = lay_run(&house, &base, "2026-11-20-three-steps-cccc", "uid-1", &[]);
    let lock = FileLock::acquire(&held.lock(), Wait::No).unwrap();
    assert!(take_back(&held, "ann".into()).is_err());
    drop(lock);
    assert_eq!(read_journal::<Record>(&held.journal()).unwrap().entries.len(), 2);
}

#[test]
fn a_secret_is_read_from_no_file_that_others_may_read_and_from_no_more_than_a_line() {
    let house = House::new();
    let private = |name: &str, text: &str, mode: u32| {
        let path = house.place.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        path.display().to_string()
    };
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/one-secret.yaml");
    let said = |of: &str| {
        let text = format!("format: 1\napprove: true\npassphrase: {{file: {of}}}\n");
        let answers = private("answers.yaml", &text, 0o600);
        let said = house.say("pass", &["start", "--file", file, "--answers", &answers, "--plain"], "");
        let told = format!("{} {}", said.out, said.notes).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.code == Some(5) && !told.contains(PASSPHRASE), "{:?} {told}", said.code);
        told
    };
    let line = format!("{PASSPHRASE}\n");
    for mode in [0o644, 0o640, 0o604, 0o620] {
        let told = said(&private("secret", &line, mode));
        assert!(told.contains("open to others") && told.contains("chmod 600"), "{mode:o}: {told}");
    }
    let told = said(&private("secret", &format!("{line}second\n"), 0o600));
    assert!(told.contains("more than one line"), "{told}");
    assert!(!house.vault().exists(), "no vault was made of any of them");
    let told = said(&private("secret", &line, 0o600));
    assert!(!told.contains("open to others") && !told.contains("more than one line"), "{told}");
}

/// Every file under `folder` that holds `text`.
fn holding(folder: &Path, text: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            holding(&path, text, found);
        } else if std::fs::read(&path).unwrap().windows(text.len()).any(|part| part == text.as_bytes()) {
            found.push(path);
        }
    }
}

#[test]
fn a_run_puts_its_secret_into_the_vault_and_nowhere_else() {
    let house = House::new();
    let token = house.place.path().join("token");
    std::fs::write(&token, CANARY).unwrap();
    let answers = house.place.path().join("answers.yaml");
    let text = format!(
        "format: 1\napprove: true\nsteps:\n  token:\n    items: {{\"1\": {{owner: tenant-eu}}}}\n    \
         secrets: {{\"1\": {{token: {{file: {}}}}}}}\n    confirm: all\n",
        token.display()
    );
    std::fs::write(&answers, text).unwrap();
    for private in [&token, &answers] {
        std::fs::set_permissions(private, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/one-secret.yaml");
    let answers = answers.display().to_string();
    let args = ["start", "--file", file, "--answers", &answers, "--plain"];
    let asked = house.say("pass", &args, "");
    assert_eq!(asked.code, Some(5), "no passphrase: {} {}", asked.out, asked.notes);
    let with_passphrase = [&args[..], &["--passphrase-fd", "3"]].concat();
    let done = house.say("pass", &with_passphrase, "");
    assert_eq!(done.code, Some(0), "the vault is made: {} {}", done.out, done.notes);
    let again = house.say("pass", &with_passphrase, "");
    assert_eq!(again.code, Some(0), "the vault is unlocked: {} {}", again.out, again.notes);
    let before = Paths::resolve(Some(house.state())).unwrap().runs().list().unwrap().len();
    let wrong = house.say("wrong", &with_passphrase, "");
    assert_eq!(wrong.code, Some(4), "{}", wrong.notes);
    assert!(wrong.notes.contains("this passphrase does not open it"), "{}", wrong.notes);
    assert_eq!(Paths::resolve(Some(house.state())).unwrap().runs().list().unwrap().len(), before, "no run is begun");

    let open = house.vault().unlock(&SecretString::from(PASSPHRASE), &Unlock::Here).unwrap();
    let entries = open.entries().unwrap();
    assert_eq!(entries.len(), 2, "{entries:?}");
    for meta in &entries {
        assert_eq!(open.value(&meta.run, &meta.name).unwrap().unwrap().expose_secret(), CANARY.as_bytes());
    }
    for secret in [CANARY, PASSPHRASE] {
        let mut found = Vec::new();
        holding(&house.state(), secret, &mut found);
        assert!(found.is_empty(), "{secret} lies in {found:?}");
        let said = [&asked, &done, &again, &wrong].map(|said| format!("{}{}", said.out, said.notes)).concat();
        assert!(!said.contains(secret), "{said}");
    }
}
