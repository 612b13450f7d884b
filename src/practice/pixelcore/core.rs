//! The core: creates its version's schema on an empty database, refuses any other version's, then serves.

use std::time::Duration;

use super::{Running, settings};
use crate::practice::faults::Fault;

/// Seconds a start takes when nothing is wrong.
const START: f64 = 0.9;
/// Seconds the fault slow-start takes.
const SLOW: f64 = 45.0;

/// Runs until it is stopped; ends by itself only with status 3, or 1 when no database ever answers.
pub async fn run(me: &Running) -> u8 {
    let version = me.var("PIX_VERSION").to_owned();
    if me.fresh {
        me.say("INFO", "main", &format!("PixelCore {version} starting, instance \"{}\"", me.var("PIX_INSTANCE_NAME")));
        if let Err(status) = migrate(me, &version).await {
            return status;
        }
        let defaults = settings::defaults(&version);
        me.say("INFO", "applications", &format!("{} applications with their default configuration", defaults.len()));
        me.place.shared.change(|state| state.pod(&me.place.uid).applications = Some(defaults));
        let slow = me.place.shared.faults.holds(Fault::SlowStart) && version.starts_with("5.");
        for part in ["object cache", "rule engine", "geo index"] {
            me.say("INFO", "main", &format!("loading {part}"));
            me.place.shared.pause(if slow { SLOW } else { START } / 3.0).await;
        }
        me.serves(true);
    }
    me.say("INFO", "main", "ready, listening on :8080");
    chatter(me).await
}

async fn migrate(me: &Running, version: &str) -> Result<(), u8> {
    let mut attempt = 1;
    let reached = loop {
        match me.database() {
            Ok(reached) => break reached,
            Err(problem) if attempt <= 60 => {
                me.say("WARN", "db", &format!("database not reachable (attempt {attempt}): {problem}"));
                me.place.shared.pause(0.4).await;
                // without this a pace of 0 would spin
                tokio::time::sleep(Duration::from_millis(5)).await;
                attempt += 1;
            }
            Err(_) => {
                me.log.write("database not reachable, giving up");
                return Err(1);
            }
        }
    };
    let told = me.place.shared.change(|state| {
        let Some(database) = state.volumes.get_mut(&reached.volume) else { return Err(1) };
        match (database.version(), database.tables.len()) {
            (Some(have), _) if have == version => Ok("present"),
            (None, 0) => {
                if database.create_schema(version) {
                    Ok("created")
                } else {
                    Err(1)
                }
            }
            (Some(have), _) => {
                me.say("ERROR", "migration", &format!("the database has schema {have}, this is PixelCore {version}"));
                me.say(
                    "ERROR",
                    "migration",
                    "in-place migration is not supported: deploy on an empty database and restore a dump",
                );
                Err(3)
            }
            (None, tables) => {
                me.say(
                    "ERROR",
                    "migration",
                    &format!("the database has {tables} tables but no schema_version; it is not a PixelCore database"),
                );
                Err(3)
            }
        }
    })?;
    if told == "present" {
        me.say("INFO", "migration", &format!("schema {version} is present, nothing to do"));
    } else {
        me.say("INFO", "migration", &format!("empty database: creating schema {version}"));
        me.say("INFO", "migration", &format!("schema {version} created"));
    }
    Ok(())
}

/// Sensor lines, as many a second as the chart's value says.
async fn chatter(me: &Running) -> u8 {
    let rate: f64 = me.var("PIX_LINES_PER_SECOND").parse().unwrap_or(5.0);
    let things = ["temperature", "humidity", "battery", "co2", "door", "flow"];
    if rate.is_nan() || rate <= 0.0 {
        std::future::pending::<()>().await;
    }
    for count in 1u64.. {
        let random = crate::practice::objects::uid().replace('-', "");
        let byte = |at: usize| u64::from_str_radix(&random[at..at + 2], 16).unwrap_or(7);
        let jitter = (f64::from(u8::try_from(byte(0)).unwrap_or(128)) + 20.0) / 148.0;
        tokio::time::sleep(Duration::from_secs_f64((jitter / rate).clamp(0.01, 60.0))).await;
        let device = &random[2..18];
        if count % 97 == 0 {
            me.say("WARN", "ingest", &format!("device {device}: frame counter went back, uplink dropped"));
        } else {
            let thing = things[usize::try_from(byte(18) % 6).unwrap_or(0)];
            let text = format!(
                "device {device} {thing}={}.{:02} rssi=-{} fcnt={count}",
                byte(20) * 100 / 256,
                byte(22) * 100 / 256,
                60 + byte(24) % 61
            );
            me.say("INFO", "ingest", &text);
        }
    }
    0
}
