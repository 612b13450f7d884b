//! Events of a namespace: read for the reasons of what does not get ready, and told as lines of the step's output.

use std::{collections::BTreeMap, time::Duration};

use futures::{StreamExt, stream::BoxStream};
use jiff::Timestamp;
use serde_json::Value;

use super::{pods::text, reasons};
use crate::{
    actions::context::{Halt, StepCx},
    ports::{PortError, PortErrorKind, kinds},
};

/// Events so much older than the wait are told, too: what it waits for was begun before it, and clocks differ.
const BEFORE: Duration = Duration::from_secs(30);

/// The events of one namespace during one wait.
pub struct Events<'a> {
    cx: &'a StepCx,
    namespace: &'a str,
    since: Timestamp,
    told: BTreeMap<String, u64>,
}

impl<'a> Events<'a> {
    /// Of a wait that begins now.
    pub fn new(cx: &'a StepCx, namespace: &'a str) -> Self {
        let now = cx.world.clock.now();
        Self { cx, namespace, since: now.checked_sub(BEFORE).unwrap_or(now), told: BTreeMap::new() }
    }

    /// Those there are now. Where they may not be read there are none: they only explain.
    pub async fn read(&self) -> Result<Vec<Value>, Halt> {
        let read = || async {
            match self.cx.world.objects.list(&kinds::event(), Some(self.namespace), "").await {
                Err(error) if error.kind == PortErrorKind::Forbidden => Ok(Vec::new()),
                other => other,
            }
        };
        self.cx.outlast(read).await
    }

    /// Tells what was said since the wait began of `names` and of what these have made, as lines of the step's output: each event
    /// once, and again when it was seen more often.
    pub async fn tell(&mut self, events: &[Value], names: &[&str]) {
        let mut lines = Vec::new();
        for event in events {
            let about = text(event, "/involvedObject/name");
            let count = event.pointer("/count").and_then(Value::as_u64).unwrap_or(1);
            let before = self.told.get(text(event, "/metadata/uid")).copied().unwrap_or(0);
            let line = reasons::event(event, self.cx.world.clock.now());
            if count > before && line.at >= self.since && names.iter().any(|name| reasons::is_made_by(about, name)) {
                self.told.insert(text(event, "/metadata/uid").to_owned(), count);
                lines.push(line);
            }
        }
        lines.sort_by_key(|line| line.at);
        for line in lines {
            self.cx.driver.line(line).await;
        }
    }
}

/// Wakes a wait at every change of the pods and events of a namespace.
pub struct Changes([BoxStream<'static, Result<Vec<Value>, PortError>>; 2]);

impl Changes {
    /// From now on.
    pub async fn of(cx: &StepCx, namespace: &str) -> Result<Self, Halt> {
        let watch = |kind| async move { cx.world.objects.watch(&kind, Some(namespace), "").await };
        Ok(Self([watch(kinds::pod()).await?, watch(kinds::event()).await?]))
    }

    /// Waits for the next change, for `longest` at most, and for a moment in any case: many come at once.
    ///
    /// # Errors
    /// A stop.
    pub async fn next(&mut self, cx: &StepCx, longest: Duration) -> Result<(), Halt> {
        const LEAST: Duration = Duration::from_millis(300);
        cx.pause(LEAST).await?;
        let [pods, events] = &mut self.0;
        tokio::select! {
            () = change(pods) => Ok(()),
            () = change(events) => Ok(()),
            waited = cx.pause(longest.saturating_sub(LEAST)) => waited,
        }
    }
}

/// The next change that a stream tells of; one that has ended or fails tells of none, and the time decides.
async fn change(stream: &mut BoxStream<'static, Result<Vec<Value>, PortError>>) {
    while let Some(item) = stream.next().await {
        if item.is_ok() {
            return;
        }
    }
    std::future::pending::<()>().await;
}
