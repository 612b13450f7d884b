//! The real program seals a backup of the practice plant, and a real installation says why it does not take the set in.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

const ANSWERS: &str = "assets/practice/pixelcore.answers.yaml";

/// How the program ended, and what it said on either stream.
fn drydock(state: &Path, args: &[&str], passphrase: &str) -> (Option<i32>, String) {
    let line = state.with_extension("pass");
    fs::write(&line, format!("{passphrase}\n")).unwrap();
    let mut command = Command::new("sh");
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["-c", "exec 3<\"$1\"; shift; exec \"$@\"", "sh"]);
    command.arg(&line).arg(env!("CARGO_BIN_EXE_drydock")).args(args);
    command.args(["--state-dir", state.to_str().unwrap()]);
    command.env("HOME", state).env("KUBECONFIG", "/dev/null").stdin(Stdio::null());
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn a_set_of_practice_is_sealed_and_never_taken_in_as_real() {
    let place = tempfile::tempdir().unwrap();
    let (home, other) = (place.path().join("home"), place.path().join("other"));
    let sets = place.path().join("sets");
    fs::create_dir(&sets).unwrap();
    let chosen = format!("sets={}", sets.display());
    let practice = ["practice", "pixelcore", "--intent", "backup", "--plain", "--answers", ANSWERS, "--set", &chosen];
    let (code, said) = drydock(&home, &practice, "");
    assert_eq!(code, Some(0), "{said}");
    let set = fs::read_dir(&sets).unwrap().next().unwrap().unwrap().path();
    let run = set.file_name().unwrap().to_str().unwrap().to_owned();
    let import = ["backup", "import", set.to_str().unwrap(), "--passphrase-fd", "3"];

    let (code, said) = drydock(&other, &import, "another");
    assert_eq!(code, Some(4), "{said}");
    let part = set.join("artifacts.db-data.sql-plant.0001.age");
    let whole = fs::read(&part).unwrap();
    fs::write(&part, &whole[..whole.len() - 1]).unwrap();
    let (code, said) = drydock(&other, &import, "practice makes perfect");
    assert!(code == Some(3) && said.contains("0001.age") && said.contains("it was cut"), "{code:?} {said}");
    fs::write(&part, &whole).unwrap();
    // neither try left anything: no vault, no run
    let (_, runs) = drydock(&other, &["runs"], "");
    assert!(!runs.contains(&run) && !other.join("data/vault.age").exists(), "{runs}");

    // whole, and by the right passphrase: what is simulated is still no backup of anything
    let (code, said) = drydock(&other, &import, "practice makes perfect");
    assert!(code == Some(3) && said.contains("sealed in the practice world"), "{code:?} {said}");
    let (_, runs) = drydock(&other, &["runs"], "");
    assert!(!runs.contains(&run) && !other.join("data/vault.age").exists(), "{runs}");

    // the other secrets of the set's vault are not in its folder in the clear, nor is the dump
    let env = fs::read_to_string(home.join("practice/state/files/plant.env")).unwrap();
    let secret = env.lines().find_map(|line| line.strip_prefix("PIX_DB_PASSWORD=")).unwrap();
    for file in fs::read_dir(&set).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        for hidden in [secret, "COPY public."] {
            assert!(!bytes.windows(hidden.len()).any(|window| window == hidden.as_bytes()));
        }
    }
}
