//! How hard a passphrase is to guess, in words. A rough estimate on the careful side, and it says so by rounding.
//!
//! It sees what people do: words, years, runs like `1234`, repeats, letters replaced by look-alikes. It cannot see that a
//! passphrase is a quotation or somebody's birthday.

use std::collections::HashSet;

/// How good it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Falls within a year.
    Weak,
    /// Holds for a year, not for a century.
    Fair,
    /// Holds for a century.
    Strong,
}

/// An estimate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strength {
    /// How good.
    pub level: Level,
    /// One sentence without the passphrase: "strong: about 900 years of guessing at this vault's cost".
    pub sentence: String,
}

/// Guesses a second of a wealthy attacker: a hundred graphics cards, each bound by moving 512 MiB a guess.
const GUESSES_PER_SECOND: f64 = 1e5;
const YEAR: f64 = 365.25 * 86_400.0;
/// A word out of the 2,000 that come to people's minds; dice and a list would give 13.
const WORD_BITS: f64 = 11.0;
const LETTER_BITS: f64 = 4.7;
const LETTER_OR_DIGIT_BITS: f64 = 5.0;
const DIGIT_BITS: f64 = 3.3;
const EVERYBODY: [&str; 24] = [
    "password",
    "passwort",
    "passphrase",
    "secret",
    "geheim",
    "admin",
    "root",
    "qwerty",
    "qwertz",
    "asdf",
    "letmein",
    "welcome",
    "drydock",
    "vault",
    "postgres",
    "kubernetes",
    "changeme",
    "hallo",
    "hello",
    "iloveyou",
    "dragon",
    "master",
    "summer",
    "winter",
];

/// Estimates a passphrase.
pub fn estimate(passphrase: &str) -> Strength {
    let years = (bits(passphrase) - 1.0).exp2() / GUESSES_PER_SECOND / YEAR;
    let level = if years < 1.0 {
        Level::Weak
    } else if years < 100.0 {
        Level::Fair
    } else {
        Level::Strong
    };
    let word = match level {
        Level::Weak => "weak",
        Level::Fair => "fair",
        Level::Strong => "strong",
    };
    let sentence = format!("{word}: {} of guessing at this vault's cost", time(years));
    Strength { level, sentence }
}

fn time(years: f64) -> String {
    let one_digit = |value: f64| {
        let scale = 10f64.powf(value.log10().floor());
        (value / scale).round() * scale
    };
    let say = |value: f64, unit: &str| match one_digit(value.max(1.0)) {
        one if one < 1.5 => format!("about 1 {unit}"),
        many => format!("about {many:.0} {unit}s"),
    };
    match years {
        _ if years * YEAR < 60.0 => "less than a minute".to_owned(),
        _ if years * YEAR < 3600.0 => say(years * YEAR / 60.0, "minute"),
        _ if years * YEAR < 86_400.0 => say(years * YEAR / 3600.0, "hour"),
        _ if years < 1.0 => say(years * 365.25, "day"),
        _ if years < 1e6 => say(years, "year"),
        _ => "more than a million years".to_owned(),
    }
}

fn bits(passphrase: &str) -> f64 {
    let mut seen = HashSet::new();
    let mut signs = HashSet::new();
    let mut bits = 0.0;
    for token in passphrase.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let word = token.trim_end_matches(|c: char| !c.is_alphanumeric());
        if let Some(sign) = token[word.len()..].chars().next() {
            // A separator used again tells nothing new.
            bits += if signs.insert(sign) { 3.0 } else { 0.0 };
        }
        if !word.is_empty() {
            bits += if seen.insert(word.to_lowercase()) { word_bits(word) } else { 1.0 };
        }
    }
    bits
}

fn word_bits(word: &str) -> f64 {
    let lower = word.to_lowercase();
    let capitals = if lower == word { 0.0 } else { 1.0 };
    let plain: String = lower.chars().map(without_disguise).collect();
    let letters = plain.trim_end_matches(|c: char| c.is_ascii_digit());
    if EVERYBODY.iter().any(|known| plain.contains(known)) {
        let rest = plain.chars().count().saturating_sub(8);
        return 6.0 + capitals + steps(rest) * 1.0;
    }
    let fresh = steps(unpredictable(&lower));
    if lower.chars().all(|c| c.is_ascii_digit()) {
        let year = lower.len() == 4 && (lower.starts_with("19") || lower.starts_with("20"));
        return if year { 7.0 } else { fresh * DIGIT_BITS };
    }
    if lower.chars().all(char::is_alphabetic) {
        return (fresh * LETTER_BITS).min(WORD_BITS) + capitals;
    }
    // A word with a number behind it, as everybody does when asked for a digit.
    let number = plain.chars().count() - letters.chars().count();
    if letters.chars().count() >= 4 && lower.starts_with(letters) && letters.chars().all(char::is_alphabetic) {
        return (steps(letters.chars().count()) * LETTER_BITS).min(WORD_BITS)
            + steps(number.min(4)) * DIGIT_BITS
            + capitals;
    }
    fresh * LETTER_OR_DIGIT_BITS + capitals
}

/// How many characters do not simply repeat or continue the one before.
fn unpredictable(word: &str) -> usize {
    let codes: Vec<u32> = word.chars().map(u32::from).collect();
    1 + codes.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) > 1).count()
}

fn steps(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn without_disguise(c: char) -> char {
    match c {
        '4' => 'a',
        '3' => 'e',
        '1' => 'i',
        '0' => 'o',
        '5' => 's',
        '7' => 't',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_what_people_choose() {
        for (passphrase, level) in [
            ("", Level::Weak),
            ("a", Level::Weak),
            ("password", Level::Weak),
            ("P4ssw0rd2026", Level::Weak),
            ("Winter2026!", Level::Weak),
            ("12345678901234567890", Level::Weak),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaa", Level::Weak),
            ("horse horse horse horse horse horse", Level::Weak),
            ("abcdefghijklmnopqrstuvwxyz", Level::Weak),
            ("correct horse", Level::Weak),
            ("correct horse battery staple", Level::Fair),
            ("harbour velvet tractor onion seventeen", Level::Strong),
            ("k7qf-2mxa-9tzb-h4wn-c8rd", Level::Strong),
        ] {
            let found = estimate(passphrase);
            assert_eq!(found.level, level, "{passphrase}: {}", found.sentence);
            assert!(passphrase.is_empty() || passphrase.len() == 1 || !found.sentence.contains(passphrase));
        }
    }

    #[test]
    fn says_times_as_people_do() {
        for (years, text) in [
            (0.0, "less than a minute"),
            (1.0 / 365.25 / 24.0 / 12.0, "about 5 minutes"),
            (0.5, "about 200 days"),
            (1.2, "about 1 year"),
            (912.0, "about 900 years"),
            (1e9, "more than a million years"),
        ] {
            assert_eq!(time(years), text);
        }
    }
}
