//! Reads of the cluster that outlast a moment in which nobody answers. Every wait asks through here: what it waits for goes on
//! meanwhile, and ending it would make the operator begin anew. What changes something is never sent twice from here.

use std::{future::Future, time::Duration};

use serde_json::Value;
use tokio::time::Instant;

use super::context::{Halt, StepCx};
use crate::{
    ports::{Identity, Kind, ObjectRef, PortError},
    run::{Row, Sign},
    text::{Diagnostic, units},
};

/// For so long nobody may answer.
const PATIENCE: Duration = Duration::from_secs(180);
/// The time between two questions.
const PAUSE: Duration = Duration::from_secs(2);

impl StepCx {
    /// One object, asked for until somebody answers.
    ///
    /// # Errors
    /// A failure when nobody does for three minutes, or the answer is a refusal; a stop.
    pub async fn get(&self, object: &ObjectRef) -> Result<Option<Value>, Halt> {
        self.outlast(|| self.world.objects.get(object)).await
    }

    /// All objects of a kind that a selector finds, asked for until somebody answers.
    ///
    /// # Errors
    /// The same.
    pub async fn list(&self, kind: &Kind, namespace: &str, selector: &str) -> Result<Vec<Value>, Halt> {
        self.outlast(|| self.world.objects.list(kind, Some(namespace), selector)).await
    }

    /// Who the cluster and a namespace are, asked until somebody answers.
    ///
    /// # Errors
    /// The same.
    pub async fn identity(&self, namespace: &str) -> Result<Identity, Halt> {
        self.outlast(|| self.world.objects.identity(namespace)).await
    }

    /// What `read` answers, asked again while nobody does.
    ///
    /// # Errors
    /// The same.
    pub(super) async fn outlast<T, F>(&self, read: impl Fn() -> F + Send + Sync) -> Result<T, Halt>
    where
        F: Future<Output = Result<T, PortError>> + Send,
    {
        let started = Instant::now();
        loop {
            let error = match read().await {
                Err(error) if error.is_transient() => error,
                other => return Ok(other?),
            };
            let waited = units::seconds(started.elapsed().as_secs());
            if started.elapsed() >= PATIENCE {
                return Err(Diagnostic::from(error).cause(format!("it was asked again for {waited}")).into());
            }
            let row = Row { sign: Sign::Running, word: "no answer".into(), name: "cluster".into(), detail: waited };
            self.show(&format!("{}; it is asked again.", error.what), vec![row], None, None);
            self.pause(PAUSE).await?;
        }
    }
}
