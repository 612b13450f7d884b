//! The real program's smaller tools: change record, doctor, manual pages, the plugin's name, closed pipes, a damaged vault.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use drydock::store::Paths;
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_drydock");

struct Said {
    code: Option<i32>,
    out: String,
    notes: String,
}

fn command(program: &Path, state: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).env("DRYDOCK_STATE_DIR", state).env("KUBECONFIG", "/dev/null").stdin(Stdio::null());
    command
}

fn say(state: &Path, args: &[&str]) -> Said {
    let output = command(Path::new(PROGRAM), state, args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code(), out: text(output.stdout), notes: text(output.stderr) }
}

fn data(name: &str) -> String {
    format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A private file.
fn private(path: &Path, text: &str) -> String {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path.display().to_string()
}

fn three_steps(place: &Path) -> Said {
    let answers = "format: 1\napprove: true\nsteps:\n  look: {go_on: true}\n  end: {go_on: true}\n";
    let answers = private(&place.join("answers.yaml"), answers);
    say(place, &["start", "--file", &data("three-steps.yaml"), "--plain", "--answers", &answers])
}

#[test]
fn a_kubeconfig_that_is_no_yaml_is_told_by_its_place_and_not_by_its_tokens() {
    let place = tempfile::tempdir().unwrap();
    let text = "apiVersion: v1\nclusters: [{name: a\nusers:\n- {name: admin, user: {token: canary-kube-77aa}}\n";
    let file = private(&place.path().join("broken.kubeconfig"), text);
    for args in [&["doctor"][..], &["check", "-n", "plant", "--context", "a", "--set", "chart=."]] {
        let output = command(Path::new(PROGRAM), place.path(), args).env("KUBECONFIG", &file).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("it is no YAML of a kubeconfig, at line 4 column 1"), "{args:?}: {said}");
        assert!(!said.contains("canary-kube-77aa"), "{args:?}: {said}");
    }
}

#[test]
fn a_change_record_tells_who_did_what_in_both_formats() {
    let place = tempfile::tempdir().unwrap();
    let done = three_steps(place.path());
    assert_eq!(done.code, Some(0), "{} {}", done.out, done.notes);
    let text = say(place.path(), &["report"]).out;
    for part in ["# Change record ", "The run is finished.", "| 1.1 Say a word | done |", "plan approved by "] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(say(place.path(), &["report", "--format", "md"]).out, text);
    let json: Value = serde_json::from_str(&say(place.path(), &["report", "--format", "json"]).out).unwrap();
    assert_eq!(json["type"], "report");
    assert_eq!(json["steps"].as_array().unwrap().len(), 3);
    assert_eq!(json["steps"][0]["state"], "done");
    assert_eq!(json["steps"][0]["attempts"], 1);
    assert_eq!(json["runbook"]["id"], "three-steps");
    assert!(json["events"].as_array().unwrap().iter().any(|event| event["what"] == "finished: 3 of 3 steps are done"));
    let file = place.path().join("change.md");
    let saved = say(place.path(), &["report", "-o", &file.display().to_string()]);
    assert_eq!((saved.code, saved.out.as_str()), (Some(0), ""));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    assert_eq!(say(place.path(), &["report", "zzzz"]).code, Some(2));
}

#[test]
fn runs_show_and_logs_say_how_a_run_stands_and_how_it_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let none = say(place.path(), &["runs"]);
    assert!(none.out.is_empty() && none.notes.contains("there is no run yet"), "{}", none.notes);
    let answers =
        private(&place.path().join("answers.yaml"), "format: 1\napprove: true\nsteps:\n  look: {go_on: true}\n");
    let left = say(place.path(), &["start", "--file", &data("three-steps.yaml"), "--plain", "--answers", &answers]);
    assert_eq!(left.code, Some(5), "{} {}", left.out, left.notes);
    let runs = say(place.path(), &["runs"]).out;
    assert!(runs.contains("paused at 1.3"), "{runs}");
    let shown = say(place.path(), &["show"]).out;
    let id = runs.split_whitespace().next().unwrap();
    let ending = id.rsplit('-').next().unwrap();
    for part in
        ["1.1 Say a word: done (", "1.3 ", "stopped. ", &format!("go on with: drydock resume {ending} --state-dir ")]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let report = say(place.path(), &["report"]).out;
    assert!(report.contains("All steps with all their tries took "), "{report}");
    let logs = say(place.path(), &["logs"]);
    assert!(logs.out.starts_with("── 1.1 Say a word [say]"), "{} {}", logs.out, logs.notes);
    let by_number = say(place.path(), &["logs", ending, "1.1"]).out;
    assert!(!by_number.is_empty() && logs.out.ends_with(&by_number), "{by_number}");
    let wrong = say(place.path(), &["logs", ending, "nope"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.notes.contains("the run has no step nope; it has "), "{}", wrong.notes);
}

#[test]
fn the_doctor_changes_nothing_and_finds_what_is_wrong() {
    let place = tempfile::tempdir().unwrap();
    let state = place.path().join("state");
    let well = say(&state, &["doctor"]);
    assert_eq!(well.code, Some(0), "{}", well.out);
    assert!(!state.exists(), "nothing is made");
    for part in ["vault: there is none yet", "WARN  kubeconfig", "bash: GNU bash"] {
        assert!(well.out.contains(part), "{part}: {}", well.out);
    }
    for line in say(&state, &["doctor", "--json"]).out.lines() {
        assert_eq!(serde_json::from_str::<Value>(line).unwrap()["type"], "check", "{line}");
    }

    three_steps(place.path());
    let paths = Paths::resolve(Some(place.path().to_owned())).unwrap();
    std::fs::set_permissions(&paths.data, std::fs::Permissions::from_mode(0o755)).unwrap();
    let journal = paths.runs().newest().unwrap().unwrap().journal();
    let text = std::fs::read_to_string(&journal).unwrap();
    std::fs::write(&journal, text.replacen("three-steps", "three-stops", 1)).unwrap();
    let ill = say(place.path(), &["doctor"]);
    assert_eq!(ill.code, Some(4), "{}", ill.out);
    assert!(ill.out.contains("FAIL  data:") && ill.out.contains("chmod 700"), "{}", ill.out);
    assert!(ill.out.contains("FAIL  runs:") && ill.out.contains("line 2 does not follow"), "{}", ill.out);
}

#[test]
fn a_damaged_vault_says_what_is_whole_and_a_run_goes_on_with_it() {
    let place = tempfile::tempdir().unwrap();
    let pass = private(&place.path().join("pass"), "harbour velvet tractor onion\n");
    let token = private(&place.path().join("token"), "canary-5d1e");
    let answers = format!(
        "format: 1\napprove: true\nresume: go-on\npassphrase: {{file: {pass}}}\nsteps:\n  token:\n    \
         items: {{\"1\": {{owner: tenant-eu}}}}\n    secrets: {{\"1\": {{token: {{file: {token}}}}}}}\n"
    );
    let open = private(&place.path().join("open.yaml"), &format!("{answers}    confirm: {{these: []}}\n"));
    let all = private(&place.path().join("all.yaml"), &format!("{answers}    confirm: all\n"));
    let first = say(place.path(), &["start", "--file", &data("one-secret.yaml"), "--plain", "--answers", &open]);
    assert_eq!(first.code, Some(5), "it is not confirmed: {} {}", first.out, first.notes);
    let vault = Paths::resolve(Some(place.path().to_owned())).unwrap().data.join("vault.age");
    let whole = std::fs::read(&vault).unwrap();
    std::fs::write(&vault, &whole[..whole.len() / 2]).unwrap();

    let doctor = say(place.path(), &["doctor"]);
    assert_eq!(doctor.code, Some(4));
    assert!(doctor.out.contains("FAIL  vault:") && doctor.out.contains("beside it is whole"), "{}", doctor.out);
    let stopped = say(place.path(), &["resume", "--plain", "--answers", &all]);
    assert_eq!(stopped.code, Some(5), "{} {}", stopped.out, stopped.notes);
    let told = stopped.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("go on with it: drydock resume --previous-vault"), "{told}");
    let done = say(place.path(), &["resume", "--plain", "--previous-vault", "--answers", &all]);
    assert_eq!(done.code, Some(0), "{} {}", done.out, done.notes);
    assert_eq!(say(place.path(), &["doctor"]).code, Some(0), "the vault is whole again");
    assert!(vault.with_extension("age.damaged").exists());
}

#[test]
fn a_plan_names_secrets_and_hosts_and_is_kept_in_a_file_of_its_own() {
    let place = tempfile::tempdir().unwrap();
    let steps = data("three-steps.yaml");
    let shown = say(place.path(), &["plan", "--file", &steps]).out;
    for line in [
        "programs run here: echo",
        "secrets read: none",
        "hosts contacted: whatever the command of 1.1 contacts by itself",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}: {shown}");
    }
    let secret = say(place.path(), &["plan", "--file", &data("one-secret.yaml")]).out;
    assert!(secret.contains("\nsecrets read: token/token\nhosts contacted: none\n"), "{secret}");
    let file = place.path().join("plan.txt");
    let kept = ["plan", "--file", &steps, "-o", &file.display().to_string()];
    let said = say(place.path(), &kept);
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{}", said.notes);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), shown);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::write(&file, "mine").unwrap();
    let refused = say(place.path(), &kept);
    assert_eq!(refused.code, Some(2));
    assert!(refused.notes.contains("is there already, and was left as it is"), "{}", refused.notes);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
}

#[test]
fn a_reader_that_goes_early_is_no_fault() {
    let place = tempfile::tempdir().unwrap();
    three_steps(place.path());
    let runs: [&[&str]; 9] = [
        &["runs"],
        &["show"],
        &["report"],
        &["doctor"],
        &["man"],
        &["completions", "bash"],
        &["runbook", "list"],
        &["runbook", "schema"],
        &["plan", "--file", &data("three-steps.yaml")],
    ];
    for args in runs {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command(Path::new(PROGRAM), place.path(), args).stdout(writer).output().unwrap();
        let notes = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), notes.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn manual_completions_and_the_plugin_say_how_it_is_called() {
    let place = tempfile::tempdir().unwrap();
    let plugin = place.path().join("kubectl-drydock");
    std::os::unix::fs::symlink(PROGRAM, &plugin).unwrap();
    let usage = |program: &Path| {
        let output = command(program, place.path(), &["runs", "--nope"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(usage(&plugin).contains("Usage: kubectl drydock runs"), "{}", usage(&plugin));
    assert!(usage(Path::new(PROGRAM)).contains("Usage: drydock runs"));
    assert!(say(place.path(), &["man"]).out.contains(".TH drydock 1"));
    let pages = place.path().join("pages");
    assert_eq!(say(place.path(), &["man", "-o", &pages.display().to_string()]).code, Some(0));
    assert!(pages.join("drydock.1").exists() && pages.join("drydock-report.1").exists());
    for shell in ["bash", "zsh", "fish"] {
        assert!(say(place.path(), &["completions", shell]).out.contains("doctor"), "{shell}");
    }
}
