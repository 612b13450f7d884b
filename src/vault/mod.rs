//! The encrypted store: an age identity behind a passphrase, and a vault encrypted to it. Two files that stock
//! `age -d -i identity.age vault.age` opens. `Keeper` implements the `Secrets` port for runs; `cli` manages it.
//!
//! Nothing decrypted stays in memory: an open vault holds its identity only, and every call reads the file again, so that
//! saves of other processes are seen and what was read is wiped at once.

mod child;
mod document;
mod error;
mod harden;
mod identity;
mod keeper;
mod open;
mod rotate;
mod seal;
mod set;
mod strength;
mod suggest;
#[cfg(test)]
mod tests;
mod transfer;
mod vault_files;

pub use child::{CHILD_COMMAND, ChildEnd, Unlock, run_unlock_child};
pub use error::{Tested, VaultError};
pub use harden::harden_process;
pub use keeper::Keeper;
pub use open::{Found, OpenVault};
pub use seal::Seal;
pub use set::{Manifest, RecoverySet, Whole};
pub use strength::{Level, Strength, estimate};
pub use suggest::suggest_passphrase;
pub use transfer::Imported;
pub use vault_files::{Generation, Vault};

/// A vault whose passphrase costs nothing to try, for tests of other rooms.
#[cfg(test)]
pub(crate) fn cheap_vault(folder: std::path::PathBuf) -> Vault {
    Vault::with_cost(folder, identity::WorkFactor::TEST)
}
