//! What may reach a terminal or report: no control bytes, no escapes, no direction overrides.

/// Whether a character could move, hide or reorder what a terminal shows.
fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// One line of foreign text made harmless: control and direction characters become visible stand-ins, a tab one space.
///
/// ```
/// assert_eq!(drydock::text::printable("a\u{1b}[2Jb\tc"), "a␛[2Jb c");
/// ```
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' => ' ',
            c @ '\0'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or('␦'),
            '\u{7f}' => '␡',
            c if is_dangerous(c) => '␦',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn nothing_dangerous_passes() {
        let all: String = (0u32..0x3000).filter_map(char::from_u32).collect();
        assert!(printable(&all).chars().all(|c| !super::is_dangerous(c)));
        assert_eq!(printable("Zoë 🌡️"), "Zoë 🌡️");
    }
}
