//! Texts as parts of an address.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but what RFC 3986 reserves for nothing.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What a segment of a path cannot hold. All else stays as it is: not every server decodes what it would not have to.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A text as a value of a query.
pub fn in_query(text: &str) -> String {
    utf8_percent_encode(text, QUERY).to_string()
}

/// A name as one segment of a path.
pub fn in_path(name: &str) -> String {
    utf8_percent_encode(name, PATH).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_one_part_of_its_address() {
        assert_eq!(in_query("a-b_c.d~e f&g=h/i+j\u{fc}"), "a-b_c.d~e%20f%26g%3Dh%2Fi%2Bj%C3%BC");
        assert_eq!(in_path("lns-eu:1@x"), "lns-eu:1@x");
        assert_eq!(in_path("../a b?c#d%20\u{fc}"), "..%2Fa%20b%3Fc%23d%2520%C3%BC");
    }
}
