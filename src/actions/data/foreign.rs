//! Whose rows a database holds before a restore empties it: those of a new deployment, those of an earlier try of this step,
//! or somebody else's, which are not emptied before a human was refused once and then said so.
//!
//! Called by `restore` before anything is emptied. Reads only.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{artifacts::DumpFacts, database::source};
use crate::{
    actions::{
        agree::{Who, agrees},
        context::{Halt, StepCx},
    },
    ports::Identity,
    postgres::{QualifiedName, counts::Counts},
    run::{Record, RunState, StepState},
    text::{Diagnostic, units},
};

/// Member of the facts of a rehearsal and of the step that held the writers: rows of the new version before anything was
/// loaded.
pub const FRESH: &str = "fresh";
/// Most tables that are named.
const NAMED: usize = 5;

/// Where a restore goes, and what may be there.
pub enum Holds<'a> {
    /// A place that was made for this, a moment ago.
    Scratch,
    /// A deployment that others reach, too. The step that held its writers has counted what it held by then, the step that
    /// rehearsed it what a new one holds.
    Deployment { held_by: Option<&'a str>, proven_by: &'a str },
}

/// What an attempt of this step writes down before it loads into `place`, up to its number.
pub fn load_into(place: &Identity) -> String {
    format!("load the dump into {} uid {}, try ", place.namespace, place.namespace_uid)
}

/// Rows beyond what may be there, by table.
fn beyond(now: &Counts, fresh: Option<&Counts>, dump: &Counts, own: bool) -> BTreeMap<String, u64> {
    let rows = |counts: &Counts, table: &String| counts.tables.get(table).copied().unwrap_or(0);
    // a rehearsal of before has not told what a new deployment holds: then only more than the dump has is known to be of others
    let expected = |table: &String| {
        let loaded = if own || fresh.is_none() { rows(dump, table) } else { 0 };
        fresh.map_or(0, |fresh| rows(fresh, table)).max(loaded)
    };
    let more = |(table, rows): (&String, &u64)| Some((table.clone(), rows.checked_sub(expected(table))?));
    now.tables.iter().filter_map(more).filter(|(_, rows)| *rows > 0).collect()
}

fn fresh_of(cx: &StepCx, step: &str) -> Option<Counts> {
    serde_json::from_value(cx.facts_of(step).ok()?.get(FRESH)?.clone()).ok()
}

/// Whether this run went from the installation to the end of `step` in one go. Then what `step` counted is of the new
/// deployment alone, what its writers made before they were held among it; in a break somebody else may have loaded.
fn is_watched(state: &RunState, step: &str) -> bool {
    let Some(end) = state.plan.iter().position(|planned| planned.id.0 == step) else { return false };
    let Some(begin) = state.plan[..end].iter().rposition(|planned| planned.kind == "helm") else { return false };
    let steps = &state.plan[begin..=end];
    let once = steps.iter().all(|planned| {
        matches!(state.step(&planned.id), StepState::Done { .. }) && state.attempts.get(&planned.id) == Some(&1)
    });
    once && !steps.iter().any(|planned| state.broken_off.contains(&planned.id))
}

/// Refuses to go on where the database holds rows that this run did not load. Tried again with the same rows there, it asks.
///
/// # Errors
/// The refusal.
pub async fn spare(cx: &StepCx, place: &Identity, facts: &DumpFacts, holds: &Holds<'_>) -> Result<(), Halt> {
    let Holds::Deployment { held_by, proven_by } = *holds else { return Ok(()) };
    let layout = &cx.deployment()?.dump;
    let (mut now, _) = source(cx, &place.namespace).await?;
    now.tables.retain(|table, _| QualifiedName::parse_in("public", table).is_none_or(|name| layout.is_compared(&name)));
    let load = load_into(place);
    let state = cx.driver.state();
    let held = held_by.filter(|step| is_watched(&state, step)).and_then(|step| fresh_of(cx, step));
    let fresh = held.or_else(|| fresh_of(cx, proven_by));
    let own = state.effects.iter().any(|effect| effect.step == cx.step && effect.effect.starts_with(&load));
    let found = beyond(&now, fresh.as_ref(), &facts.counts, own);
    if found.is_empty() {
        return Ok(());
    }
    let rows: u64 = found.values().sum();
    let mut named: Vec<String> =
        found.iter().take(NAMED).map(|(table, rows)| format!("{table} {}", units::count(*rows))).collect();
    if found.len() > NAMED {
        named.push(format!("{} more tables", found.len() - NAMED));
    }
    let what = format!(
        "the database of {} holds {} that this run did not load: {}",
        place.namespace,
        units::plural(rows, "row", "rows"),
        named.join(", ")
    );
    // bound to these rows: one more, and it is another question
    let item = format!("empty {}", serde_json::to_string(&found).unwrap_or_default());
    if state.confirmed.contains_key(&(cx.step.clone(), item.clone())) {
        return Ok(());
    }
    let draft = cx.driver.draft(&cx.step);
    if draft.as_ref().and_then(|draft| draft.get("refused")) == Some(&Value::String(item.clone()))
        && agreed(cx, &what, place).await?
    {
        let (by, step) = (cx.world.host.operator(), cx.step.clone());
        return cx.driver.record(Record::Confirmed { step, item, by, reason: what }).await;
    }
    cx.driver.save_draft(&cx.step, json!({"refused": item})).await?;
    let problem = Diagnostic::new(what)
        .proves("somebody restored or wrote there since it was deployed; a restore empties these tables, and no dump has these rows")
        .safe("everything: nothing was emptied")
        .help("look at them, and ask who else works on this deployment")
        .help("to keep them, leave it paused: a human brings them and the dump together")
        .help("to lose them, try again: with the same rows there it asks once more");
    Err(Halt::Refused(Box::new(problem)))
}

/// Whether a human wants these rows to be emptied.
async fn agreed(cx: &StepCx, what: &str, place: &Identity) -> Result<bool, Halt> {
    let text = vec![
        what.to_owned(),
        "They are emptied, and there is no copy of them in this run.".to_owned(),
        "Going back leaves everything as it is.".to_owned(),
    ];
    let button = format!("Empty {} and restore", place.namespace);
    // of these rows there is no copy: like the gate, on PROD no file says that they go
    agrees(cx, text, &button, Who::of(cx)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(tables: &[(&str, u64)]) -> Counts {
        let tables = tables.iter().map(|(name, rows)| (format!("public.{name}"), *rows)).collect();
        Counts { tables, ..Counts::default() }
    }

    #[test]
    fn only_rows_of_a_new_deployment_and_of_an_own_try_are_expected() {
        let (dump, fresh) = (counts(&[("objects", 30), ("history", 100)]), counts(&[("objects", 1), ("edges", 2)]));
        let beyond =
            |now: &[(&str, u64)], fresh, own| beyond(&counts(now), fresh, &dump, own).into_values().collect::<Vec<_>>();
        let none = Vec::<u64>::new();
        assert_eq!(beyond(&[("objects", 1), ("edges", 2), ("history", 0)], Some(&fresh), false), none);
        assert_eq!(beyond(&[("objects", 3), ("history", 1)], Some(&fresh), false), [1, 2]);
        assert_eq!(beyond(&[("objects", 30), ("history", 60)], Some(&fresh), true), none, "a try that was cut");
        assert_eq!(beyond(&[("objects", 31), ("edges", 3)], Some(&fresh), true), [1, 1]);
        assert_eq!(beyond(&[("objects", 30), ("history", 101)], None, false), [1], "a rehearsal of before");
    }
}
