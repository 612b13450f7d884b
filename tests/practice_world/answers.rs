//! The answers file that comes along: the real program takes the practice plant through the whole upgrade with it, unattended.

use std::process::{Command, Stdio};

#[test]
fn the_answers_file_that_comes_along_leads_to_the_end() {
    let place = tempfile::tempdir().unwrap();
    let drydock = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drydock"));
        command
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(args)
            .args(["--state-dir", place.path().to_str().unwrap()]);
        // whatever the machine of the test has, practice looks at none of it
        command.env("HOME", place.path()).env("KUBECONFIG", "/dev/null").stdin(Stdio::null());
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let answers = "assets/practice/pixelcore.answers.yaml";
    let (code, out, notes) = drydock(&["practice", "pixelcore", "--plain", "--answers", answers]);
    assert_eq!(code, Some(0), "{out}{notes}");
    let said = out.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in ["PRACTICE", "3.3 Delete the old deployment", "5.2 Compare with the dump", "6.4 Ask the new version"] {
        assert!(said.contains(words), "{words}: {out}");
    }
}
