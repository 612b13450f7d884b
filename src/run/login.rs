//! Secrets that stand within an address, in a text that nobody said to be secret: the login of `https://user:secret@host`,
//! the token of `?token=`. Where they are, whether only a mask is left of them, and the text without them.
//!
//! Called by the forms (such a text goes to the vault), by `mask` (such a mask is no value), and by the engine, which hides
//! what programs quote of them.

use std::ops::Range;

use super::mask::{HIDDEN, is_mask};

/// What the name of a member says that holds a secret, among the many that hold none.
const TELLING: [&str; 7] = ["pass", "pwd", "secret", "token", "key", "cred", "auth"];
/// What ends an address in a line of text or of JSON.
const ENDS: [char; 7] = [' ', '\t', '\n', '"', '<', '>', '\\'];

/// Whether a name tells that what it holds is secret.
pub fn is_telling(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    TELLING.iter().any(|word| name.contains(word))
}

/// The secrets within the addresses of a text.
pub fn secrets_within(text: &str) -> Vec<&str> {
    places(text).into_iter().map(|place| &text[place]).filter(|secret| !is_login_mask(secret)).collect()
}

/// Whether an address of a text shows only a mask in place of its secret.
pub fn has_masked_login(text: &str) -> bool {
    places(text).into_iter().any(|place| is_login_mask(&text[place]))
}

/// The text with nothing of the secrets in its addresses, nor of their masks.
pub fn without_logins(text: &str) -> String {
    let mut text = text.to_owned();
    for place in places(&text).into_iter().rev() {
        text.replace_range(place, HIDDEN);
    }
    text
}

/// The masks of applications, and those of the libraries that write addresses.
fn is_login_mask(secret: &str) -> bool {
    is_mask(secret) || secret == "xxxxx" || is_mask(&secret.replace("%2A", "*").replace("%2a", "*"))
}

/// Where secrets or their masks stand, from left to right.
fn places(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (scheme_end, mark) in text.match_indices("://") {
        let begin = scheme_end + mark.len();
        let scheme = &text[..scheme_end];
        let end = text[begin..].find(ENDS).map_or(text.len(), |length| begin + length);
        let authority_end = text[begin..end].find(['/', '?', '#']).map_or(end, |length| begin + length);
        if let Some(at) = text[begin..authority_end].rfind('@').map(|length| begin + length) {
            match text[begin..at].find(':') {
                Some(colon) => found.push(begin + colon + 1..at),
                // a token in place of the user; `ssh://git@host` has its key elsewhere
                None if scheme.ends_with("http") || scheme.ends_with("https") => found.push(begin..at),
                None => {}
            }
        }
        let query_end = text[authority_end..end].find('#').map_or(end, |length| authority_end + length);
        let Some(query) = text[authority_end..query_end].find('?').map(|length| authority_end + length + 1) else {
            continue;
        };
        let mut at = query;
        for member in text[query..query_end].split('&') {
            if let Some((name, value)) = member.split_once('=').filter(|(name, _)| is_telling(name)) {
                let begin = at + name.len() + 1;
                found.push(begin..begin + value.len());
            }
            at += member.len() + 1;
        }
    }
    found.retain(|place| !place.is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_of_an_address_is_found_and_the_rest_stays() {
        for (text, secrets, rest) in [
            ("https://lns.example.net/api", vec![], "https://lns.example.net/api"),
            ("https://pix:dr0wned@lns.example.net/api", vec!["dr0wned"], "https://pix:••••••••@lns.example.net/api"),
            ("git+https://oauth2:gl-7@git.net/x@v2", vec!["gl-7"], "git+https://oauth2:••••••••@git.net/x@v2"),
            ("https://ghp_77@git.net/x", vec!["ghp_77"], "https://••••••••@git.net/x"),
            ("ssh://git@git.net/x", vec![], "ssh://git@git.net/x"),
            ("amqp://u:a@b@mq:5672", vec!["a@b"], "amqp://u:••••••••@mq:5672"),
            ("http://h/a?name=b&api_key=k1&n=2#key=3", vec!["k1"], "http://h/a?name=b&api_key=••••••••&n=2#key=3"),
            (
                "{\"a\": \"http://u:p1@h\", \"b\": \"http://u:p2@h\"}",
                vec!["p1", "p2"],
                "{\"a\": \"http://u:••••••••@h\", \"b\": \"http://u:••••••••@h\"}",
            ),
            ("mail me@example.net, a:b@c", vec![], "mail me@example.net, a:b@c"),
            ("https://u:@h", vec![], "https://u:@h"),
        ] {
            assert_eq!((secrets_within(text), without_logins(text).as_str()), (secrets, rest), "{text}");
        }
    }

    #[test]
    fn a_mask_in_an_address_is_no_secret() {
        for text in ["https://u:****@h", "https://u:xxxxx@h", "https://u:%2A%2A%2A@h/", "https://h/?token=•••"] {
            assert!(secrets_within(text).is_empty() && has_masked_login(text), "{text}");
        }
        assert!(!has_masked_login("https://u:p@h/****"));
    }
}
