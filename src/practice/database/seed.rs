//! The rows of a practice plant: what every new deployment has, and what a plant gathered over two years. Every call makes
//! the same rows but for their times; they hold what makes dumps hard (line feeds, tabs, quotes, NULL beside '', NaN).

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::{Database, rows::escape, timestamp};
use crate::text::hex;

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

fn uuid(text: &str) -> String {
    let hex = digest(text);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32])
}

fn bytes(text: &str, times: usize) -> String {
    format!("\\\\x{}", digest(text)[..32].repeat(times))
}

fn moment(from: &str, seconds: u64) -> String {
    let start: Timestamp = from.parse().unwrap_or_default();
    let seconds = i64::try_from(seconds).unwrap_or_default();
    let at = start.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(start);
    at.strftime("%Y-%m-%d %H:%M:%S+00").to_string()
}

/// A number or NULL.
fn number(value: u64, given: bool) -> String {
    if given { value.to_string() } else { "\\N".to_owned() }
}

fn text(value: &str) -> String {
    escape(Some(value))
}

fn put(db: &mut Database, table: &str, rows: impl Iterator<Item = String>) {
    let now: Vec<String> = rows.collect();
    db.writes += i64::try_from(now.len()).unwrap_or_default();
    if let Some(table) = db.tables.get_mut(table) {
        Arc::make_mut(&mut table.rows).extend(now);
    }
}

fn called(db: &mut Database, sequence: &str, last: i64) {
    if let Some(sequence) = db.sequences.get_mut(sequence) {
        sequence.last = last;
        sequence.called = true;
    }
}

/// The rows of a new deployment.
pub fn defaults(db: &mut Database, version: &str) {
    let now = timestamp();
    let roles = ["1\tadmin\t{*}", "2\toperator\t{objects,alarms}", "3\tviewer\t{}"];
    put(db, "roles", roles.into_iter().map(str::to_owned));
    put(db, "users", std::iter::once(format!("1\t\\N\tadmin@localhost\t\\N\t\\\\x{}\t\\N", digest("admin"))));
    put(db, "user_roles", std::iter::once("1\t1".to_owned()));
    let settings = [("retention.months", "24"), ("ui", "{\"theme\": \"dark\"}")];
    put(db, "settings", settings.into_iter().map(|(key, value)| format!("{key}\t{value}\t{now}")));
    put(db, "schema_version", std::iter::once(format!("{version}\t{now}")));
    called(db, "users_id_seq", 1);
}

/// Fills a fresh database; `history` rows in the large table.
pub fn fill(db: &mut Database, history: u64) {
    let now = timestamp();
    people(db);
    things(db, &now);
    events(db);
    small(db);
    settings(db, &now);
    put(db, "object_properties_history", (1..=history).map(|i| reading(i, history)));
    called(db, "object_properties_history_id_seq", i64::try_from(history.max(1)).unwrap_or(i64::MAX));
}

fn people(db: &mut Database) {
    let since = "2024-03-31T01:30:00Z";
    put(
        db,
        "tenants",
        (1..=12)
            .map(|i| format!("{i}\ttenant {i}\t{}.{:02}\t{}", i * 1000 + i / 2, i % 2 * 50, moment(since, i * 86_400))),
    );
    let users = (1..=300).map(|i| {
        let name = match i % 3 {
            0 => "\\N".to_owned(),
            1 => String::new(),
            _ => format!("Zoë Ünïcode {i}"),
        };
        let seen = if i % 4 > 0 { moment("2026-10-25T00:30:00Z", i * 420) } else { "\\N".to_owned() };
        format!("{}\t{}\tUser.{i}@example.net\t{name}\t\\\\x{}\t{seen}", i + 1, 1 + i % 12, digest(&i.to_string()))
    });
    put(db, "users", users);
    put(db, "user_roles", (2..=301).map(|id| format!("{id}\t{}", 1 + id % 3)));
    let tokens = (1..=60).map(|i| {
        let scopes = match i % 5 {
            0 => "\\N".to_owned(),
            1 => "{}".to_owned(),
            _ => text("{read,\"a \\\"quoted\\\", one\",\"NULL\",NULL,\"\"}"),
        };
        let end = if i % 2 == 0 { "\"2027-01-01 00:00:00+00\"" } else { "" };
        let valid = format!("[\"2026-01-01 00:00:00+00\",{end})");
        format!("{}\t{}\t\\\\x{}\t{scopes}\t{valid}", uuid(&format!("t{i}")), 1 + i, digest(&format!("t{i}")))
    });
    put(db, "api_tokens", tokens);
    called(db, "tenants_id_seq", 12);
    called(db, "users_id_seq", 301);
}

fn things(db: &mut Database, now: &str) {
    let types = (1..=25u64).map(|i| {
        let unit = ["°C", "%", "m³/h", "ppm"][usize::try_from(i % 4).unwrap_or(0)];
        let definition = format!("{{\"max\": {i}0000000000, \"min\": -{i}, \"note\": \"tab\\there \\\"and\\\" \\\\ back\", \"unit\": \"{unit}\"}}");
        format!("{i}\ttype-{i}\t{}\t{}", text(&definition), bytes(&i.to_string(), 16))
    });
    put(db, "object_types", types);
    put(db, "DeviceModel", (1..=40).map(|i| format!("{i}\tVendor {}\t{}.{i}\t{}", i % 7, i % 5, number(i, i % 6 > 0))));
    let gateways = (1..=80u64).map(|i| {
        let hex = digest(&format!("g{i}"));
        let eui: Vec<&str> = (0..8).map(|at| &hex[at * 2..at * 2 + 2]).collect();
        let address = if i % 2 == 0 { format!("10.0.0.{i}") } else { format!("2001:db8::{i:x}") };
        format!("{i}\t{}\t{address}\t{}", eui.join(":"), if i % 3 == 0 { "t" } else { "f" })
    });
    put(db, "gateways", gateways);
    put(db, "objects", (1..=2000).map(|i| object(i, now)));
    let touched = (7..=2000u64).step_by(100).enumerate().map(|(at, i)| {
        format!(
            "{}\t{now}\tobject {i}\t{{\"id\": {i}, \"name\": \"Object {i}\", \"tags\": [\"t7\", \"\", null]}}",
            at + 1
        )
    });
    put(db, "audit_log", touched);
    called(db, "object_types_id_seq", 25);
    called(db, "DeviceModel_id_seq", 40);
    called(db, "gateways_id_seq", 80);
    called(db, "objects_id_seq", 2000);
    called(db, "audit_log_id_seq", 20);
}

fn object(i: u64, now: &str) -> String {
    let description = match i % 8 {
        0 => "\\N".to_owned(),
        1 => String::new(),
        2 => text("two\nlines"),
        3 => text("tab\tand \\ backslash and \\N"),
        4 => "🌡️ sensor 🚰".to_owned(),
        5 => text("carriage\r\nreturn"),
        6 => text("\\."),
        _ => "a \"quoted\", 'one'; -- no comment".to_owned(),
    };
    let tags = match i % 4 {
        0 => "\\N".to_owned(),
        1 => "{}".to_owned(),
        _ => text(&format!("{{t{},\"\",NULL,\"{{brace,\\\"comma\\\"}}\"}}", i % 9)),
    };
    let serial = digest(&i.to_string())[..32].to_owned();
    let properties = format!(
        "{{\"geo\": [45.{i:05}, 7.5], \"name\": \"ключ {i}\", \"empty\": null, \"serial\": \"{serial}\", \"battery\": {}}}",
        i % 101
    );
    format!(
        "{i}\t{}\t{}\t{}\t{}\t{}\tObject {i}\t{description}\t{properties}\t{tags}\t{}.{:02}\t{}\t{now}",
        1 + i % 12,
        1 + i % 25,
        number(i % 41, !i.is_multiple_of(41)),
        number(i % 81, !i.is_multiple_of(81)),
        number(1 + i / 10, i > 10),
        i / 100,
        i % 100,
        moment("2023-01-01T00:00:00Z", i * 660),
    )
}

/// A number as PostgreSQL prints a double precision: as short as it can be.
fn real(text: &str) -> String {
    text.parse::<f64>().map_or_else(|_| text.to_owned(), |number| number.to_string())
}

fn severity(i: u64) -> &'static str {
    ["info", "minor", "major", "critical"][usize::try_from(i % 4).unwrap_or(0)]
}

fn events(db: &mut Database) {
    let rules = (1..=90u64).map(|i| {
        format!(
            "{i}\t{}\t{}\t{}\t{i}",
            number(i % 26, i % 26 > 0),
            text(&format!("value > {i} AND tag = 'x\\y'")),
            severity(i)
        )
    });
    put(db, "alarm_rules", rules);
    let start = "2026-01-01T00:00:00Z";
    let alarms = (1..=6000u64).map(|i| {
        let message = if i % 10 == 0 { "\\N".to_owned() } else { text(&format!("limit\tpassed: {i}")) };
        let cleared = if i % 3 > 0 { moment(start, i * 1020) } else { "\\N".to_owned() };
        format!(
            "{i}\t{}\t{}\t{}\t{message}\t{}\t{cleared}",
            1 + i % 2000,
            1 + i % 90,
            severity(i),
            moment(start, i * 780)
        )
    });
    put(db, "alarms", alarms);
    called(db, "alarm_rules_id_seq", 90);
    called(db, "alarms_id_seq", 6000);
}

/// Months as PostgreSQL prints them in an interval, with a blank after each part.
fn months(all: u64) -> String {
    let part = |number: u64, unit: &str| match number {
        0 => String::new(),
        1 => format!("1 {unit} "),
        more => format!("{more} {unit}s "),
    };
    part(all / 12, "year") + &part(all % 12, "mon")
}

fn small(db: &mut Database) {
    let zones = (1..=150u64).map(|i| {
        let (x, y) = (real(&format!("45.{i:03}")), real(&format!("7.{i:03}")));
        format!("{i}\t{}\tzone {i}\t(({x},7),({x},8),(46,8),(46,7))\t(45.5,{y})\t{}.142857", 1 + i % 12, i * i)
    });
    put(db, "geo_zones", zones);
    put(db, "object_zones", (1..=1500).map(|i| format!("{i}\t{}", 1 + i % 150)));
    let boards = (1..=100u64).map(|i| {
        let layout = format!("{{\"b\": [{i}, 1.50],  \"a\":\"kept as written\", \"a\": 2}}");
        format!("{}\t{}\tBoard {i}\t{layout}\t{}", uuid(&format!("d{i}")), 1 + i, 100 - i)
    });
    put(db, "dashboards", boards);
    let schedules = (1..=30u64).map(|i| {
        format!(
            "{i}\tschedule {i}\t{}{:02}:59:57\t00:{i:02}:00.5\t{}",
            months(i),
            i - 1,
            if i % 2 == 0 { "[2026-01-01,)" } else { "empty" }
        )
    });
    put(db, "schedules", schedules);
    let notes = (1..=400u64).map(|i| {
        let body = format!("Änderung {i}\n\t").repeat(usize::try_from(1 + i % 40).unwrap_or(1));
        format!("{i}\t{}\t{}", 1 + i % 2000, text(&body))
    });
    put(db, "notes", notes);
    let photos = (1..=200u64).map(|i| {
        let content = bytes(&format!("a{i}"), usize::try_from(8 * (1 + i % 16)).unwrap_or(1));
        format!("{i}\t{}\tphoto {i}.bin\t{content}", 1 + i % 400)
    });
    put(db, "attachments", photos);
    put(db, "tickets", (1..=800u64).map(|i| format!("{}\t{}\t{}\tTicket {i}", 9_000_000_000 + i, 1 + i % 2000, i % 5)));
    for (sequence, last) in
        [("geo_zones_id_seq", 150), ("schedules_id_seq", 30), ("notes_id_seq", 400), ("attachments_id_seq", 200)]
    {
        called(db, sequence, last);
    }
    called(db, "ticket_number_seq", 9_100_000_000);
}

fn settings(db: &mut Database, now: &str) {
    if let Some(table) = db.tables.get_mut("settings") {
        let rows = Arc::make_mut(&mut table.rows);
        rows.retain(|row| !row.starts_with("retention.months\t"));
        rows.push(format!("retention.months\t36\t{now}"));
        rows.push(format!("smtp\t{{\"host\": \"mail.example.net\", \"port\": 587}}\t{now}"));
        rows.push(format!("banner\tnull\t{now}"));
    }
    db.writes += 3;
}

/// One row of the large table.
fn reading(i: u64, of: u64) -> String {
    let property = ["temperature", "humidity", "battery", "state"][usize::try_from(i % 4).unwrap_or(0)];
    let value = match i % 1000 {
        0 => "NaN".to_owned(),
        1 => "\\N".to_owned(),
        _ => {
            let thousandths = i * 7919 % 1_000_003;
            format!("{}.{:03}", thousandths / 1000, thousandths % 1000)
        }
    };
    let raw = match (i % 50, i % 4) {
        (0, _) => String::new(),
        (1, _) => text("a,\"b\"\nc"),
        (_, 3) => "on".to_owned(),
        _ => "\\N".to_owned(),
    };
    // the last rows are of devices without a clock
    let at = if of > 100 && i + 5 > of {
        moment("1970-01-01T00:00:00Z", i)
    } else {
        moment("2025-01-01T00:00:00Z", i * (685 * 86_400) / of.max(1))
    };
    format!("{i}\t{}\t{property}\t{at}\t{value}\t{raw}", 1 + i % 2000)
}
