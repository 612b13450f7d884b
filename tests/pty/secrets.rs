//! Secrets that must be found nowhere: not on a screen, not in a file, not where other users of the machine can look.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};

/// Whether bytes hold a text.
pub fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|part| part == text)
}

/// Asserts that none of the secrets is in these bytes, plain or as Kubernetes writes it.
#[track_caller]
pub fn assert_none(secrets: &[&str], bytes: &[u8], place: &str) {
    for secret in secrets {
        assert!(!holds(bytes, secret.as_bytes()), "{secret} in {place}");
        assert!(!holds(bytes, STANDARD.encode(secret).as_bytes()), "{secret} in base64 in {place}");
    }
}

/// Asserts that none is in a file under `folder`, but for those that are `left_out` by the end of their path.
pub fn assert_none_under(secrets: &[&str], folder: &Path, left_out: &[&str]) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_none_under(secrets, &path, left_out);
        } else if !left_out.iter().any(|end| path.ends_with(end)) {
            assert_none(secrets, &std::fs::read(&path).unwrap(), &path.display().to_string());
        }
    }
}

/// Asserts that a program of this terminal, and all it started, showed none.
pub fn assert_shown_none(secrets: &[&str], shown: &super::Shown) {
    assert_none(secrets, &shown.raw, "what the terminal got");
    for picture in &shown.pictures {
        assert_none(secrets, picture.as_bytes(), &format!("a screen:\n{picture}"));
    }
    for words in &shown.processes {
        assert_none(secrets, words, "arguments or environment of a process");
    }
}
