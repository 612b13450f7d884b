//! Runbooks as data: the embedded ones are without fault, and a faulty one tells all its faults at their places.
#![allow(clippy::unwrap_used)]

use drydock::runbook::{EMBEDDED, load, schema};

#[test]
fn embedded_runbooks_have_no_fault() {
    for (id, text) in EMBEDDED {
        let loaded = load(id, text).unwrap_or_else(|faults| {
            panic!("{}", faults.iter().flat_map(drydock::text::Diagnostic::lines).collect::<Vec<_>>().join("\n"))
        });
        assert_eq!(loaded.runbook.id, id);
    }
}

#[test]
fn the_schema_is_the_generated_one() {
    let kept = include_str!("../assets/schema/runbook.schema.json");
    assert_eq!(kept, schema().unwrap(), "write it anew: drydock runbook schema > assets/schema/runbook.schema.json");
}

#[test]
fn every_fault_of_a_file_is_told_at_its_place() {
    let text = include_str!("data/faulty.yaml");
    let faults = load("faulty.yaml", text).unwrap_err();
    let places: Vec<(u64, u64)> =
        faults.iter().map(|fault| fault.place.as_ref().map_or((0, 0), |p| (p.line, p.column))).collect();
    let expected: Vec<(u64, u64)> = text
        .lines()
        .enumerate()
        .filter_map(|(index, line)| {
            let (_, column) = line.split_once("# fault ")?;
            Some((index as u64 + 1, column.trim().parse().unwrap()))
        })
        .collect();
    let told: Vec<String> = faults.iter().flat_map(drydock::text::Diagnostic::lines).collect();
    assert_eq!(places, expected, "{}", told.join("\n"));
    assert!(told.iter().any(|line| line.contains("did you mean `estimate`")), "{}", told.join("\n"));
    assert!(told.iter().any(|line| line.contains("not built in this version")), "{}", told.join("\n"));
}

#[test]
fn what_a_reader_cannot_see_is_linted() {
    let good = include_str!("data/three-steps.yaml");
    load("three-steps.yaml", good).unwrap();
    let cases = [
        ("- id: look", "- id: say", "is there twice"),
        ("estimate: 5 s", "estimate: soon", "is no duration"),
        ("{{ inputs.word }}", "{{ inputs.ward }}", "inputs.ward is not defined"),
        ("{{ inputs.word }}", "{{ secret('x') }}", "secret() is not allowed"),
        ("{{ inputs.word }}", "{{ inputs.word", "cannot be understood"),
        ("steps: [say]", "steps: [never]", "not in this intent"),
        ("steps: [say]", "steps: [end]", "comes later"),
        ("risk: none", "risk: reversible", "does not say how it is undone"),
        (
            "why: The first",
            "risk: reversible\n            undo: x\n            why: The first",
            "nothing up to it asks",
        ),
        ("risk: none", "risk: irreversible\n            undo: x", "requires no proof"),
        ("format: 1", "format: 2", "format 2 is not known"),
    ];
    for (from, to, expected) in cases {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        let faults = load("x.yaml", &bad).unwrap_err();
        assert!(
            faults.iter().any(|fault| fault.what.contains(expected) && fault.place.is_some()),
            "{expected}: {faults:?}"
        );
    }
}

#[test]
fn a_step_names_the_steps_it_rests_on() {
    let good = EMBEDDED[0].1;
    load("pixelcore.yaml", good).unwrap();
    let cases = [
        ("captured: version\n", "captured: settings\n", "`helm.captured` names step settings, which comes later"),
        ("captured: version\n", "captured: other\n", "names step other, which is of kind `ask`, not `capture`"),
        ("keep_volumes: keep", "keep_volumes: freeze", "names step freeze, which is of kind `scale`, not `patch`"),
        (
            "captured: version\n",
            "captured: nowhere\n",
            "`helm.captured` names step nowhere, which is not in this intent",
        ),
        ("{dotenv: environment/dotenv}", "{dotenv: dotenv/dotenv}", "`set_file` names step dotenv, which is not in"),
        ("checked_by: settings", "checked_by: gone", "`checked_by` names step gone, which comes later"),
        ("                captured: [version, environment, lns, workers, other]\n", "", "does not say which captures"),
        (
            "                dump: dump\n            estimate: 10 s",
            "            estimate: 10 s",
            "does not say since which dump",
        ),
    ];
    for (from, to, expected) in cases {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        let faults = load("x.yaml", &bad).unwrap_err();
        assert!(
            faults.iter().any(|fault| fault.what.contains(expected) && fault.place.is_some()),
            "{expected}: {faults:?}"
        );
    }
}

/// Inputs are in the journal, the plan and the record of the change.
#[test]
fn an_input_with_a_login_in_its_address_is_refused() {
    let (id, text) = EMBEDDED[0];
    let loaded = load(id, text).unwrap_or_else(|_| unreachable!());
    let target = serde_json::json!({"namespace": "plant", "context": "c", "uid": "u"});
    let chosen = [("chart".to_owned(), "https://u:canary@charts.example.net/pix".to_owned())].into();
    let fault = loaded.runbook.inputs(&chosen, &target).unwrap_err();
    assert!(fault.starts_with("input chart holds a secret in its address") && !fault.contains("canary"), "{fault}");
}
