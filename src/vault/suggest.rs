//! A passphrase for those who do not want to think one up.

use age::secrecy::SecretString;
use zeroize::Zeroizing;

use super::error::VaultError;
use crate::store::StoreError;

/// Without i, l, o and u: no two look alike on paper, and no word appears.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const GROUPS: usize = 5;
const GROUP: usize = 4;

/// Five groups of four letters and digits, 100 bits: `k7qf-2mxa-9tzb-h4wn-c8rd`.
pub fn suggest_passphrase() -> Result<SecretString, VaultError> {
    let mut random = Zeroizing::new([0; GROUPS * GROUP]);
    getrandom::fill(&mut *random).map_err(StoreError::Random)?;
    let mut text = Zeroizing::new(String::with_capacity(GROUPS * (GROUP + 1)));
    for (place, byte) in random.iter().enumerate() {
        if place > 0 && place % GROUP == 0 {
            text.push('-');
        }
        // 256 is a multiple of 32, so every letter is as likely as any other.
        text.push(char::from(LETTERS[usize::from(byte % 32)]));
    }
    Ok(SecretString::from(text.as_str()))
}

#[cfg(test)]
mod tests {
    use super::super::strength::{Level, estimate};
    use super::*;
    use age::secrecy::ExposeSecret;

    #[test]
    fn suggestions_are_typable_all_different_and_strong() {
        let mut seen = std::collections::HashSet::new();
        for _ in 0..200 {
            let text = suggest_passphrase().unwrap().expose_secret().to_owned();
            assert_eq!(text.len(), 24);
            assert!(text.split('-').all(|group| group.len() == 4 && group.bytes().all(|c| LETTERS.contains(&c))));
            assert_eq!(estimate(&text).level, Level::Strong, "{text}");
            assert!(seen.insert(text));
        }
    }
}
