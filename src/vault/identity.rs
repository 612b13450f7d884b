//! The X25519 identity and its file: encrypted by a passphrase, as `age` itself makes it.

use std::io::{Read, Write};
use std::path::Path;

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::secrecy::{ExposeSecret, SecretString};
use age::{DecryptError, Decryptor, Encryptor, scrypt, x25519};
use zeroize::Zeroizing;

use super::error::{Tested, VaultError};

/// Cost of one guess at a passphrase: scrypt with N = 2 to this power, 1 KiB of memory for each of N.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WorkFactor(u8);

impl WorkFactor {
    /// What we write: 256 MiB and about a second. Never measured, because a loaded machine would choose too little.
    pub(super) const STANDARD: Self = Self(18);
    /// The most we read: 4 GiB.
    pub(super) const LIMIT: Self = Self(22);
    /// Instant, and worth nothing.
    #[cfg(test)]
    pub(super) const TEST: Self = Self(2);
    #[cfg(test)]
    pub(super) const BEYOND: Self = Self(23);
}

/// Encrypts an identity by a passphrase, armoured, so that it can be printed.
pub(super) fn wrap(
    identity: &x25519::Identity,
    passphrase: &SecretString,
    cost: WorkFactor,
) -> Result<Vec<u8>, VaultError> {
    if passphrase.expose_secret().is_empty() {
        return Err(VaultError::EmptyPassphrase);
    }
    let mut recipient = scrypt::Recipient::new(passphrase.clone());
    recipient.set_work_factor(cost.0);
    let encryptor = Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
        .map_err(|_| VaultError::Encrypt("the identity was not taken"))?;
    let write = || -> std::io::Result<Vec<u8>> {
        let armored = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
        let mut writer = encryptor.wrap_output(armored)?;
        writer.write_all(format!("# public key: {}\n", identity.to_public()).as_bytes())?;
        writer.write_all(identity.to_string().expose_secret().as_bytes())?;
        writer.write_all(b"\n")?;
        writer.finish()?.finish()
    };
    write().map_err(|source| VaultError::Io { what: "encrypt the identity", source })
}

/// Opens an identity file. Takes the memory and time that its work factor asks for, up to the limit.
pub(super) fn unwrap(path: &Path, file: &[u8], passphrase: &SecretString) -> Result<x25519::Identity, VaultError> {
    let damaged =
        |why, tested| VaultError::IdentityDamaged { path: path.to_owned(), bytes: file.len() as u64, why, tested };
    // The armour is read to its end first: a cut file must not look like a wrong passphrase.
    let mut binary = Vec::new();
    ArmoredReader::new(file).read_to_end(&mut binary).map_err(|_| damaged("its armour is not whole", Tested::No))?;
    let decryptor =
        Decryptor::new_buffered(binary.as_slice()).map_err(|_| damaged("its header is not whole", Tested::No))?;
    if !decryptor.is_scrypt() {
        return Err(damaged("it is not encrypted by a passphrase", Tested::No));
    }
    let mut key = scrypt::Identity::new(passphrase.clone());
    key.set_max_work_factor(WorkFactor::LIMIT.0);
    let mut reader = match decryptor.decrypt(std::iter::once(&key as &dyn age::Identity)) {
        Ok(reader) => reader,
        Err(DecryptError::ExcessiveWork { required, .. }) => {
            return Err(VaultError::WorkFactor { needed: required, limit: WorkFactor::LIMIT.0 });
        }
        Err(DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed) => {
            return Err(VaultError::WrongPassphrase);
        }
        Err(DecryptError::InvalidMac) => return Err(damaged("its header was altered", Tested::Right)),
        Err(_) => return Err(damaged("its header is not readable", Tested::No)),
    };
    let mut text = Zeroizing::new(String::with_capacity(binary.len()));
    reader.read_to_string(&mut text).map_err(|_| damaged("its content was cut or altered", Tested::Right))?;
    parse(&text).ok_or_else(|| damaged("it holds no X25519 identity", Tested::Right))
}

/// The one identity of a plain identity file.
pub(super) fn parse(text: &str) -> Option<x25519::Identity> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    match (lines.next(), lines.next()) {
        (Some(only), None) => only.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passphrase(text: &str) -> SecretString {
        SecretString::from(text.to_owned())
    }

    fn open(file: &[u8], text: &str) -> Result<x25519::Identity, VaultError> {
        unwrap(Path::new("identity.age"), file, &passphrase(text))
    }

    #[test]
    fn a_wrapped_identity_comes_back_with_its_passphrase_only() {
        let identity = x25519::Identity::generate();
        let file = wrap(&identity, &passphrase("correct"), WorkFactor::TEST).unwrap();
        let back = open(&file, "correct").unwrap();
        assert_eq!(back.to_public().to_string(), identity.to_public().to_string());
        assert!(matches!(open(&file, "wrong"), Err(VaultError::WrongPassphrase)));
        assert!(matches!(open(&file, ""), Err(VaultError::WrongPassphrase)));
        assert!(matches!(wrap(&identity, &passphrase(""), WorkFactor::TEST), Err(VaultError::EmptyPassphrase)));
    }

    #[test]
    fn cut_anywhere_it_is_damaged_and_no_passphrase_is_blamed() {
        let file = wrap(&x25519::Identity::generate(), &passphrase("correct"), WorkFactor::TEST).unwrap();
        let trimmed = file.trim_ascii_end().len();
        for length in 0..trimmed {
            let error = open(&file[..length], "wrong").err().unwrap();
            assert!(matches!(error, VaultError::IdentityDamaged { tested: Tested::No, .. }), "{length}: {error}");
        }
    }

    #[test]
    fn the_header_asks_for_what_it_must_and_too_much_is_refused() {
        let identity = x25519::Identity::generate();
        let file = wrap(&identity, &passphrase("p"), WorkFactor::TEST).unwrap();
        let mut binary = Vec::new();
        ArmoredReader::new(file.as_slice()).read_to_end(&mut binary).unwrap();
        let at = binary.windows(3).position(|three| three == b" 2\n").unwrap() + 1;
        let mut greedy = binary.clone();
        greedy.splice(at..=at, WorkFactor::BEYOND.0.to_string().bytes());
        assert!(matches!(open(&greedy, "p"), Err(VaultError::WorkFactor { needed: 23, limit: 22 })));
    }

    #[test]
    fn a_key_file_that_is_not_encrypted_is_refused() {
        let identity = x25519::Identity::generate();
        let plain = identity.to_string().expose_secret().to_owned();
        assert!(matches!(open(plain.as_bytes(), "p"), Err(VaultError::IdentityDamaged { .. })));
        assert!(parse(&format!("{plain}\n{plain}\n")).is_none());
    }
}
