//! Changing what opens the vault: another passphrase, or another identity.

use age::secrecy::SecretString;
use age::x25519;
use jiff::Timestamp;

use super::error::VaultError;
use super::identity;
use super::open::OpenVault;
use super::seal;
use super::vault_files::Generation;
use crate::store::{Keep, sha256_hex, sweep_temporary, write_atomic};

impl OpenVault {
    /// Encrypts the same identity by another passphrase. A copy of the old files still opens with the old passphrase:
    /// only `rotate` helps against somebody who has one. Takes about a second.
    pub fn change_passphrase(&self, passphrase: &SecretString) -> Result<(), VaultError> {
        let files = self.files();
        let held = self.identity()?;
        let wrapped = identity::wrap(&held, passphrase, files.cost())?;
        {
            let _lock = files.lock()?;
            // If another process rotated in the meantime, our identity must not replace the new one.
            self.document()?;
            write_atomic(&files.identity_path(), &wrapped, Keep::Nothing)?;
        }
        // The save notes which identity file belongs to the vault.
        self.edit(|_| Ok(()))
    }

    /// Makes a new identity behind this passphrase and encrypts the vault to it. Takes about a second.
    ///
    /// Killed at any moment, the vault opens: between the two files' changes it is encrypted to both identities.
    pub fn rotate(&self, passphrase: &SecretString) -> Result<(), VaultError> {
        let files = self.files();
        let new = x25519::Identity::generate();
        let wrapped = identity::wrap(&new, passphrase, files.cost())?;
        let identity_sha256 = sha256_hex(&wrapped);
        // If the generation before is open, this puts it back first and keeps the damaged file aside.
        self.edit(|_| Ok(()))?;
        let _lock = files.lock()?;
        let mut document = self.document()?;
        document.generation += 1;
        let (old_public, new_public) = (self.identity()?.to_public(), new.to_public());
        let path = files.path(Generation::Current);
        sweep_temporary(&path)?;

        let both = seal::seal(&document, &[&old_public, &new_public], &identity_sha256, Timestamp::now())?;
        write_atomic(&path, &both, Keep::Nothing)?;
        write_atomic(&files.identity_path(), &wrapped, Keep::Nothing)?;
        let only_new = seal::seal(&document, &[&new_public], &identity_sha256, Timestamp::now())?;
        write_atomic(&path, &only_new, Keep::Nothing)?;
        // The generation before opens with the old identity only, which is gone now: a copy of this one takes its place.
        write_atomic(&files.path(Generation::Previous), &only_new, Keep::Nothing)?;
        self.take_identity(new);
        Ok(())
    }
}
