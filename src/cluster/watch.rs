//! Whole lists at every change: a watch that reconnects by itself, folded, told at most ten times a second.

use std::{collections::BTreeMap, time::Duration};

use futures::{Stream, StreamExt, stream::BoxStream};
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject},
    runtime::{WatchStreamExt, watcher},
};
use serde_json::Value;

use super::error::chain;
use crate::ports::{Kind, PortError, PortErrorKind};

/// Least time between two lists.
const PAUSE: Duration = Duration::from_millis(100);

/// The objects of a kind, again and again.
pub fn lists(
    client: Client,
    kind: &Kind,
    namespace: Option<&str>,
    selector: &str,
) -> BoxStream<'static, Result<Vec<Value>, PortError>> {
    let api_version =
        if kind.group.is_empty() { kind.version.clone() } else { format!("{}/{}", kind.group, kind.version) };
    let resource = ApiResource {
        group: kind.group.clone(),
        version: kind.version.clone(),
        api_version,
        kind: kind.kind.clone(),
        plural: kind.plural.clone(),
    };
    let api: Api<DynamicObject> = match namespace {
        Some(namespace) => Api::namespaced_with(client, namespace, &resource),
        None => Api::all_with(client, &resource),
    };
    let events = watcher(api, watcher::Config::default().labels(selector)).default_backoff();
    fold(events, format!("cannot watch {}", kind.plural)).boxed()
}

fn fold(
    events: impl Stream<Item = Result<watcher::Event<DynamicObject>, watcher::Error>> + Send + 'static,
    what: String,
) -> impl Stream<Item = Result<Vec<Value>, PortError>> + Send + 'static {
    let state = (Box::pin(events), BTreeMap::<String, Value>::new(), BTreeMap::<String, Value>::new(), what);
    futures::stream::unfold(state, |(mut events, mut known, mut next, what)| async move {
        let mut changed = false;
        let mut quiet = Box::pin(tokio::time::sleep(Duration::MAX));
        loop {
            let event = tokio::select! {
                event = events.next() => event?,
                () = &mut quiet, if changed => {
                    let list = known.values().cloned().collect();
                    return Some((Ok(list), (events, known, next, what)));
                }
            };
            let key = |object: &DynamicObject| object.metadata.uid.clone().unwrap_or_default();
            let value = |object: &DynamicObject| serde_json::to_value(object).unwrap_or(Value::Null);
            match event {
                Ok(watcher::Event::Init) => next.clear(),
                Ok(watcher::Event::InitApply(object)) => {
                    next.insert(key(&object), value(&object));
                    continue;
                }
                Ok(watcher::Event::InitDone) => known = std::mem::take(&mut next),
                Ok(watcher::Event::Apply(object)) => {
                    known.insert(key(&object), value(&object));
                }
                Ok(watcher::Event::Delete(object)) => {
                    known.remove(&key(&object));
                }
                Err(error) => {
                    let error = PortError::new(family(&error), what.clone(), chain(&error));
                    return Some((Err(error), (events, known, next, what)));
                }
            }
            if !changed {
                changed = true;
                quiet = Box::pin(tokio::time::sleep(PAUSE));
            }
        }
    })
}

/// A refusal stays one however often it is tried again; everything else may pass.
fn family(error: &watcher::Error) -> PortErrorKind {
    let status = match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status) => status.code,
        _ => 0,
    };
    if status == 403 { PortErrorKind::Forbidden } else { PortErrorKind::Unreachable }
}
