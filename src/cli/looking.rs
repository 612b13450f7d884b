//! The driver of commands that only read: it knows a run's state and refuses to write anything down, so that nothing is done.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::Value;

use crate::{
    actions::{Driver, Halt},
    engine::values,
    run::{OutputLine, Progress, Question, Record, Reply, RunState, SecretHandle, StepId},
    text::{Diagnostic, Template, render},
};

/// A driver that cannot write anything down, and so lets nothing be done.
pub struct Looking(Arc<RunState>);

impl Looking {
    /// Looks at a run as it stands.
    pub fn at(state: RunState) -> Self {
        Self(Arc::new(state))
    }
}

fn refused() -> Halt {
    Halt::Refused(Box::new(Diagnostic::new("this command only reads")))
}

#[async_trait]
impl Driver for Looking {
    async fn record(&self, _: Record) -> Result<(), Halt> {
        Err(refused())
    }
    fn state(&self) -> Arc<RunState> {
        Arc::clone(&self.0)
    }
    async fn ask(&self, _: Question) -> Result<Reply, Halt> {
        Err(refused())
    }
    fn progress(&self, _: Progress) {}
    async fn line(&self, _: OutputLine) {}
    async fn already_written(&self, _: &[(String, String)]) -> usize {
        0
    }
    fn hide_secrets(&self, text: &str) -> String {
        text.to_owned()
    }
    async fn take_secret(&self, _: SecretHandle) -> Option<SecretString> {
        None
    }
    fn draft(&self, _: &StepId) -> Option<Value> {
        None
    }
    async fn save_draft(&self, _: &StepId, _: Value) -> Result<(), Halt> {
        Err(refused())
    }
    fn render(&self, template: &Template) -> Result<String, Halt> {
        render(template, &values(&self.0)).map_err(|fault| Diagnostic::new(fault).into())
    }
}
