//! What drydock keeps on this machine's disk: private folders, files that appear whole or not at all, the chained journal
//! file, locks, and the folders of runs. Knows nothing of what records or files mean. Called by `runner`, `vault`, `cli`.

mod atomic;
mod digest;
mod error;
mod journal;
mod lock;
mod paths;
mod private;
mod run_id;
mod runs;

pub use atomic::{Keep, previous_of, sweep_temporary, write_atomic, write_new};
pub use digest::sha256_hex;
pub use error::StoreError;
pub use journal::{Entry, Journal, JournalError, Opened, Torn, read_journal};
pub use lock::{FileLock, Holder, Wait};
pub use paths::Paths;
pub use private::{create_private_file, ensure_private_folder, sync_folder};
pub use run_id::{RunId, RunIdError};
pub use runs::{RunFolder, Runs};
