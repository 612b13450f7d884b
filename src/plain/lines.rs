//! What is written: harmless for terminals, and no wider than eighty columns.

use unicode_width::UnicodeWidthStr;

use crate::text::printable;

/// The last column stays empty: a terminal of eighty would wrap by itself.
const WIDTH: usize = 79;

/// A line as it is written: wrapped at spaces, its continuation set in by two more. A word without spaces, as a path or a
/// URL, stays whole: half of it could not be copied.
pub fn wrapped(line: &str) -> Vec<String> {
    let line = printable(line);
    if line.width() <= WIDTH {
        return vec![line];
    }
    let indent = (line.len() - line.trim_start_matches(' ').len()).min(WIDTH / 2);
    let mut out = Vec::new();
    let mut row = " ".repeat(indent);
    let mut empty = true;
    for word in line.split(' ').filter(|word| !word.is_empty()) {
        if !empty && row.width() + 1 + word.width() > WIDTH {
            out.push(std::mem::replace(&mut row, " ".repeat(indent + 2)));
            empty = true;
        }
        if !empty {
            row.push(' ');
        }
        row.push_str(word);
        empty = false;
    }
    out.push(row);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_wrapped_at_spaces_and_lose_nothing() {
        assert_eq!(wrapped("short"), ["short"]);
        assert_eq!(wrapped(""), [""]);
        let words: Vec<String> = (0..40).map(|n| format!("w{n}")).collect();
        let rows = wrapped(&format!("  {}", words.join(" ")));
        assert!(rows.len() > 1 && rows.iter().all(|row| row.width() < 80), "{rows:?}");
        assert!(rows[0].starts_with("  w0") && rows[1].starts_with("    w"), "{rows:?}");
        let back: Vec<&str> = rows.iter().flat_map(|row| row.split_whitespace()).collect();
        assert_eq!(back, words);
        let url = format!("https://{}", "x".repeat(100));
        assert!(wrapped(&format!("see {url} there")).iter().any(|row| row.trim() == url));
        assert_eq!(wrapped("a\u{1b}[2J"), ["a␛[2J"]);
    }
}
