//! The fold over records: any order of any records leaves a state that can be asked everything, and a journal read back is
//! the run that was.

use std::sync::LazyLock;

use drydock::{
    engine::values,
    run::{Record, RunState, StepState},
};
use jiff::Timestamp;
use proptest::prelude::*;

use crate::{
    crash::{answers, paused, whole},
    drive::Desk,
};

/// Records of a whole upgrade, and of the kinds that it does not write.
static POOL: LazyLock<Vec<Record>> = LazyLock::new(|| {
    let (_home, answers) = answers();
    let (desk, _): (Desk, _) = paused().block_on(whole(&answers));
    let mut all: Vec<Record> = desk.entries().into_iter().map(|entry| entry.record).collect();
    let more = [
        r#"{"type":"resumed","operator":"ann","host":"desk","tool":"0"}"#,
        r#"{"type":"paused","reason":"x"}"#,
        r#"{"type":"abandoned","by":"ann","reason":"x"}"#,
        r#"{"type":"reopened","steps":["lns","freeze"],"by":"ann","reason":"x"}"#,
        r#"{"type":"roll_back","by":"ann","reason":"x"}"#,
        r#"{"type":"ended","step":"freeze","attempt":2,"outcome":{"undone":{"sentence":"x"}}}"#,
        r#"{"type":"rolled_back","summary":"x"}"#,
        r#"{"type":"probed","step":"freeze","verdict":"partly","sentence":"x"}"#,
        r#"{"type":"decided","step":"announce","question":"doubt","choice":"again","by":"ann","reason":""}"#,
        r#"{"type":"ended","step":"freeze","attempt":1,"outcome":{"stopped":{"reason":"x"}}}"#,
        r#"{"type":"ended","step":"dump","attempt":1,"outcome":{"skipped":{"reason":"x"}}}"#,
        r#"{"type":"effected","step":"nowhere","effect":"x","result":"y"}"#,
        r#"{"type":"intent","step":"nowhere","attempt":4294967295,"repeat":"never"}"#,
    ];
    all.extend(more.iter().map(|line| serde_json::from_str::<Record>(line).unwrap()));
    all
});

fn fold(records: &[&Record]) -> RunState {
    let mut state = RunState::default();
    for (index, record) in records.iter().enumerate() {
        state.apply(Timestamp::from_second(i64::try_from(index).unwrap()).unwrap(), record);
    }
    state
}

proptest! {
    #[test]
    fn any_order_of_records_can_be_folded_and_asked(order in prop::collection::vec(any::<prop::sample::Index>(), 0..200)) {
        let records: Vec<&Record> = order.iter().map(|index| index.get(&POOL)).collect();
        let state = fold(&records);
        prop_assert_eq!(state.records, records.len() as u64);
        let _ = (values(&state), state.removal_begun(), state.proof("database", 3));
        // the next step is the first that is not over, and it is in the plan
        if let Some(next) = state.next() {
            prop_assert!(!state.step(&next.id).is_over());
            prop_assert!(state.plan.iter().take_while(|step| step.id != next.id).all(|step| state.step(&step.id).is_over()));
        } else {
            prop_assert!(state.plan.iter().all(|step| state.step(&step.id).is_over()));
        }
        // what is begun has an attempt, and what is done has facts
        for (step, stands) in &state.steps {
            match stands {
                StepState::Begun { .. } => prop_assert!(state.attempts.contains_key(step)),
                StepState::Done { .. } => prop_assert!(state.facts.contains_key(step)),
                _ => {}
            }
        }
    }

    #[test]
    fn a_fold_can_be_taken_up_at_any_record(cut in any::<prop::sample::Index>()) {
        let records: Vec<&Record> = POOL.iter().collect();
        let whole = fold(&records);
        let cut = cut.index(records.len());
        // what a journal holds is read back as it was written
        let text: Vec<String> = records.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
        let read: Vec<Record> = text.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let mut state = fold(&read.iter().take(cut).collect::<Vec<_>>());
        for (index, record) in read.iter().enumerate().skip(cut) {
            state.apply(Timestamp::from_second(i64::try_from(index).unwrap()).unwrap(), record);
        }
        prop_assert_eq!(format!("{state:?}"), format!("{whole:?}"));
    }
}
