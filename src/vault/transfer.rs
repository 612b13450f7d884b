//! Taking everything out in plain, for a recovery drill, and taking it in again.

use std::io::{Read, Write};

use zeroize::Zeroizing;

use super::document::{Document, DocumentError, FORMAT};
use super::error::VaultError;
use super::open::OpenVault;

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Imported {
    /// Entries that are new here, as `RUN/NAME`.
    pub added: Vec<String>,
    /// Entries that were here with the same value.
    pub same: Vec<String>,
    /// Entries that are here with another value; they were left as they are.
    pub kept: Vec<String>,
}

impl OpenVault {
    /// Writes everything, values included, as plain JSON. The caller chose the place and answers for it.
    pub fn export(&self, to: &mut dyn Write) -> Result<(), VaultError> {
        let json = self.document()?.to_json()?;
        to.write_all(&json)
            .and_then(|()| to.flush())
            .map_err(|source| VaultError::Io { what: "write the export", source })
    }

    /// Takes in what `export` wrote. Nothing that is here is replaced. An empty vault takes the key of keyed hashes too,
    /// so that evidence made with the exported vault can still be checked.
    pub fn import(&self, from: &mut dyn Read) -> Result<Imported, VaultError> {
        let mut json = Zeroizing::new(Vec::new());
        from.read_to_end(&mut json).map_err(|source| VaultError::Io { what: "read what to import", source })?;
        let other = Document::from_json(&json).map_err(|error| match error {
            DocumentError::Newer(found) => VaultError::Newer { found, known: FORMAT },
            DocumentError::NotOurs { line, column } => VaultError::NotAnExport { line, column },
        })?;
        self.edit(|document| {
            if document.entries.is_empty() {
                document.adopt_key(&other);
            }
            let mut done = Imported::default();
            for entry in &other.entries {
                let path = format!("{}/{}", entry.meta.run, entry.meta.name.0);
                let here = document.find(&entry.meta.run, &entry.meta.name);
                match here.map(|here| here.value.0.expose_secret() == entry.value.0.expose_secret()) {
                    Some(true) => done.same.push(path),
                    Some(false) => done.kept.push(path),
                    None => {
                        document.put(entry.meta.clone(), entry.value.0.clone())?;
                        done.added.push(path);
                    }
                }
            }
            Ok(done)
        })
    }
}
