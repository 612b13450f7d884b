//! Keys by name, as the bytes that a terminal sends for them.

/// Names that are more than a letter with Ctrl.
const NAMED: [(&str, &[u8]); 14] = [
    ("Enter", b"\r"),
    ("Tab", b"\t"),
    ("Shift-Tab", b"\x1b[Z"),
    ("Esc", b"\x1b"),
    ("Backspace", b"\x7f"),
    ("Up", b"\x1b[A"),
    ("Down", b"\x1b[B"),
    ("Right", b"\x1b[C"),
    ("Left", b"\x1b[D"),
    ("Home", b"\x1b[H"),
    ("End", b"\x1b[F"),
    ("PageUp", b"\x1b[5~"),
    ("PageDown", b"\x1b[6~"),
    ("F1", b"\x1bOP"),
];

fn named(name: &str) -> Vec<u8> {
    if let Some((_, bytes)) = NAMED.iter().find(|(known, _)| *known == name) {
        return bytes.to_vec();
    }
    match name.strip_prefix("Ctrl-").map(str::as_bytes) {
        Some([letter]) => vec![letter & 0x1f],
        _ => panic!("no key has the name {name}"),
    }
}

/// The keys of a script, each with its bytes.
pub fn of(script: &str) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    let mut rest = script;
    while let Some(c) = rest.chars().next() {
        let name = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        if let Some((name, behind)) = name {
            keys.push(named(name));
            rest = behind;
        } else {
            let (letter, behind) = rest.split_at(c.len_utf8());
            keys.push(letter.as_bytes().to_vec());
            rest = behind;
        }
    }
    keys
}
