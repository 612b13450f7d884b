//! The worker: says which workers are active, and where it ingests, writes to the database all the time.

use std::time::Duration;

use serde_json::Value;

use super::Running;
use crate::practice::{database::timestamp, objects::Key};

/// Runs until it is stopped.
pub async fn run(me: &Running) -> u8 {
    if me.fresh {
        me.say("INFO", "main", &format!("PixelCore worker {} starting", me.var("PIX_VERSION")));
    }
    me.serves(true);
    let mut known: Option<String> = None;
    loop {
        match pass(me, &mut known) {
            Ok(()) => {}
            Err(problem) => me.say("WARN", "worker", &format!("pass skipped: {problem}")),
        }
        let rest = if ingests(me) { 0.5 } else { 2.0 };
        me.place.shared.pause(rest).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn ingests(me: &Running) -> bool {
    let namespace = me.place.shared.objects.get(&Key::new("", "namespaces", None, &me.place.namespace));
    let uid =
        namespace.and_then(|namespace| namespace.pointer("/metadata/uid").and_then(Value::as_str).map(str::to_owned));
    me.var("PIX_INGEST") == "true" || (uid.is_some() && me.place.shared.look(|state| state.writes_in == uid))
}

fn pass(me: &Running, known: &mut Option<String>) -> Result<(), String> {
    let refused = || "<urlopen error [Errno 111] Connection refused>".to_owned();
    let endpoints = me.place.shared.objects.get(&Key::new("", "endpoints", Some(&me.place.namespace), "pix-core"));
    let core = endpoints
        .as_ref()
        .and_then(|endpoints| endpoints.pointer("/subsets/0/addresses/0/targetRef/uid"))
        .and_then(Value::as_str)
        .ok_or_else(refused)?;
    let active = me.place.shared.look(|state| {
        let all = state.pods.get(core)?.applications.as_ref()?;
        let mut names: Vec<&str> =
            all.iter().filter(|(_, app)| app["active"] == true).map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        Some(if names.is_empty() { "none".to_owned() } else { names.join(", ") })
    });
    let active = active.ok_or_else(refused)?;
    if known.as_deref() != Some(&active) {
        me.say("INFO", "worker", &format!("active: {active}"));
        *known = Some(active);
    }
    if ingests(me) {
        let reached = me.database()?;
        me.place.shared.change(|state| {
            let Some(database) = state.volumes.get_mut(&reached.volume) else { return };
            for object in 1..=5 {
                let id = database.next("object_properties_history_id_seq");
                let more = database
                    .tables
                    .get("object_properties_history")
                    .map_or(0, |table| table.columns.len().saturating_sub(6));
                let row = format!("{id}\t{object}\ttemperature\t{}\t21.5\t\\N{}", timestamp(), "\t\\N".repeat(more));
                database.push("object_properties_history", row);
            }
        });
        me.say("INFO", "worker", "stored 5 readings");
    }
    Ok(())
}
