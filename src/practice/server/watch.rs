//! Watches: what there is or was, then every change, bookmarks between them, and 410 for who is too late.

use std::{collections::HashSet, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::sync::{broadcast::error::RecvError, mpsc};

use super::{
    Shared,
    kinds::Served,
    query::{Query, Selector},
    read::Form,
    route::Place,
    status::{Answer, Refused},
};
use crate::practice::{Change, ChangeKind, Key};

/// Lines that may wait for a slow client.
const QUEUE: usize = 64;
/// How often a client that asked for it is told the revision.
const BOOKMARK: Duration = Duration::from_secs(20);

/// One open watch.
struct Watch {
    kind: &'static Served,
    namespace: Option<String>,
    selector: Selector,
    form: Form,
    bookmarks: bool,
    /// What the client knows of the objects that fit.
    known: HashSet<Key>,
    to: mpsc::Sender<Bytes>,
}

struct Gone;

impl Watch {
    async fn line(&self, kind: &str, object: &Value) -> Result<(), Gone> {
        let mut line = json!({"type": kind, "object": object}).to_string();
        line.push('\n');
        self.to.send(Bytes::from(line)).await.map_err(|_| Gone)
    }

    async fn tell(&self, kind: &str, object: &Value) -> Result<(), Gone> {
        self.line(kind, &self.form.show(self.kind, object)).await
    }

    async fn bookmark(&self, revision: u64, annotations: Option<Value>) -> Result<(), Gone> {
        let mut meta = json!({"resourceVersion": revision.to_string(), "creationTimestamp": null});
        if let Some(annotations) = annotations {
            meta["annotations"] = annotations;
        }
        let object = match self.form {
            Form::Table | Form::TableOfWhole => {
                let mut table = super::tables::table(self.kind, std::iter::empty(), &meta, self.form);
                // a row without cells carries the revision to clients that look for it there
                table["rows"] = json!([{"cells": [], "object": {"kind": "PartialObjectMetadata",
                    "apiVersion": "meta.k8s.io/v1", "metadata": meta}}]);
                table
            }
            Form::Metadata => {
                json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta})
            }
            Form::Whole => json!({"kind": self.kind.kind, "apiVersion": self.kind.api_version(), "metadata": meta}),
        };
        self.line("BOOKMARK", &object).await
    }

    /// Passes a change on, seen through the selector: what no longer fits is gone, what begins to fit is new.
    async fn pass(&mut self, change: &Change) -> Result<(), Gone> {
        let here = change.key.group == self.kind.group
            && change.key.plural == self.kind.plural
            && (self.namespace.is_none() || change.key.namespace == self.namespace);
        if !here {
            return Ok(());
        }
        let fits = change.kind != ChangeKind::Deleted && self.selector.fits(&change.object);
        let knew = if fits { !self.known.insert(change.key.clone()) } else { self.known.remove(&change.key) };
        match (knew, fits) {
            (false, false) => Ok(()),
            (false, true) => self.tell("ADDED", &change.object).await,
            (true, true) => self.tell("MODIFIED", &change.object).await,
            (true, false) => self.tell("DELETED", &change.object).await,
        }
    }

    async fn begin(&mut self, objects: &[Arc<Value>]) -> Result<(), Gone> {
        for object in objects {
            self.known.insert(key_of(self.kind, object));
            self.tell("ADDED", object).await?;
        }
        Ok(())
    }
}

fn key_of(kind: &Served, object: &Value) -> Key {
    let meta = |field: &str| object["metadata"][field].as_str();
    Key::new(kind.group, kind.plural, meta("namespace"), meta("name").unwrap_or_default())
}

/// A stream of JSON lines.
fn stream(lines: mpsc::Receiver<Bytes>) -> Response {
    let body = futures::stream::unfold(lines, |mut lines| async move {
        lines.recv().await.map(|line| (Ok::<_, std::convert::Infallible>(line), lines))
    });
    ([("content-type", "application/json")], Body::from_stream(body)).into_response()
}

/// GET of a collection with `watch`.
pub fn watch(shared: &Arc<Shared>, place: &Place, query: &Query, form: Form) -> Answer {
    let kind = place.kind;
    let selector = Selector::of(query, kind)?;
    let (now, mut all) = shared.objects.list(kind.group, kind.plural, place.namespace.as_deref());
    all.retain(|object| selector.fits(object));
    let from = query.number("resourceVersion")?.filter(|from| *from > 0);
    let initial = query.flag("sendInitialEvents") || from.is_none();
    let (to, lines) = mpsc::channel(QUEUE);
    let mut watch = Watch {
        kind,
        namespace: place.namespace.clone(),
        selector,
        form,
        bookmarks: query.flag("allowWatchBookmarks"),
        known: HashSet::new(),
        to,
    };
    let since = if initial { now } else { from.unwrap_or(now) };
    let Some((past, mut changes)) = shared.objects.changes(since) else {
        let refused = Refused::expired(since, now).status();
        let mut line = json!({"type": "ERROR", "object": refused}).to_string();
        line.push('\n');
        return Ok(([("content-type", "application/json")], line).into_response());
    };
    if !initial {
        // what fits now and did not change since was known then; so was what changed without being new
        let added: HashSet<&Key> =
            past.iter().filter(|change| change.kind == ChangeKind::Added).map(|change| &change.key).collect();
        let old = past.iter().filter(|change| watch.selector.fits(&change.object)).map(|change| change.key.clone());
        let here = all.iter().map(|object| key_of(kind, object));
        watch.known = here.chain(old).filter(|key| !added.contains(key)).collect();
    }
    let end_mark = query.flag("sendInitialEvents").then(|| json!({"k8s.io/initial-events-end": "true"}));
    let longest = query.number("timeoutSeconds")?.map_or(Duration::MAX, Duration::from_secs);
    let stopped = shared.stop.clone();
    let world = Arc::clone(shared);
    let work = async move {
        if initial {
            watch.begin(&all).await?;
        }
        if let Some(mark) = end_mark {
            watch.bookmark(now, Some(mark)).await?;
        }
        for change in past {
            watch.pass(&change).await?;
        }
        let mut beat = tokio::time::interval(BOOKMARK);
        beat.reset();
        loop {
            let to = watch.to.clone();
            let change = tokio::select! {
                change = changes.recv() => change,
                _ = beat.tick() => {
                    if watch.bookmarks {
                        // the store may already be ahead of what was passed on: only a drained queue proves the revision
                        let revision = world.objects.revision();
                        if changes.is_empty() {
                            watch.bookmark(revision, None).await?;
                        }
                    }
                    continue;
                }
                () = to.closed() => return Err(Gone),
            };
            match change {
                Ok(change) => watch.pass(&change).await?,
                Err(RecvError::Lagged(_)) => {
                    let status = Refused::expired(since, world.objects.revision()).status();
                    return watch.line("ERROR", &status).await;
                }
                Err(RecvError::Closed) => return Ok(()),
            }
        }
    };
    tokio::spawn(async move {
        tokio::select! {
            // a client that went needs no answer
            _ = work => {}
            () = tokio::time::sleep(longest) => {}
            () = stopped.cancelled() => {}
        }
    });
    Ok(stream(lines))
}
