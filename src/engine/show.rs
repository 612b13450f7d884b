//! A secret that is kept, shown to the person in front: read from the open vault, sent beside the events, written nowhere.
//!
//! Owns what may be shown: a typed or found secret of a form of this run. Called by the pump of commands.

use secrecy::SecretString;
use tokio::sync::mpsc::error::TrySendError;

use super::core::Core;
use crate::{
    actions::{Driver, holds_secret},
    ports::{EntryName, VaultState},
    run::{Event, SecretHandle, SecretName, secret_name},
};

impl Core {
    /// Shows a secret, or tells why not.
    pub(super) async fn show(&self, handle: SecretHandle, name: &SecretName) {
        // nothing is decrypted for who would not take it
        let sent = match self.shown.try_reserve() {
            Ok(room) => self.kept(name).await.map(|value| room.send((handle, value))),
            Err(TrySendError::Full(())) => Err("the ones before are not taken yet".to_owned()),
            Err(TrySendError::Closed(())) => Err("secrets are shown on the full screen only".to_owned()),
        };
        if let Err(reason) = sent {
            self.mention(Event::NotShown { handle, reason });
        }
    }

    async fn kept(&self, name: &SecretName) -> Result<SecretString, String> {
        if self.world.secrets.state() != VaultState::Open {
            return Err("the vault is locked".to_owned());
        }
        let (step, form) = self.plan.form(&name.step).ok_or("this step has no form")?;
        let asked = form.fields.iter().any(|field| field.id == name.field);
        if !asked || !holds_secret(self.draft(step), &name.item, &name.field) {
            return Err("no form of this run keeps such a secret".to_owned());
        }
        let entry = EntryName(secret_name(&step.0, &name.item, &name.field));
        let state = self.state();
        let found =
            self.world.secrets.get(state.keeper_of(&step.0), &entry).await.map_err(|error| error.to_string())?;
        let bytes = found.ok_or("the vault has no such entry of this run")?;
        let text = std::str::from_utf8(bytes.expose_secret()).map_err(|_| "it is no text")?;
        Ok(SecretString::from(text))
    }
}
