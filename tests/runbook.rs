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

/// Unknown fields, wrong types, undefined values, ids that are there twice, a cycle, a change without a way back, each with
/// its place; also two in one step and two in the deployment. What only follows from one of them is not told.
#[test]
fn every_fault_of_a_file_is_told_at_its_place() {
    let text = include_str!("data/faulty.yaml");
    let faults = load("faulty.yaml", text).unwrap_err();
    let told: Vec<String> = faults.iter().flat_map(drydock::text::Diagnostic::lines).collect();
    let told = told.join("\n");
    let mut expected = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let marks = line.split_once("# fault ").map(|(_, marks)| marks.split(" | "));
        expected.extend(marks.into_iter().flatten().map(|mark| {
            let (column, what) = mark.split_once(' ').unwrap();
            (index + 1, column.parse::<usize>().unwrap(), what)
        }));
    }
    let number = |number: u64| usize::try_from(number).unwrap();
    let place = |fault: &drydock::text::Diagnostic| {
        fault.place.as_ref().map_or((0, 0), |place| (number(place.line), number(place.column)))
    };
    let places: Vec<(usize, usize)> = faults.iter().map(place).collect();
    let marked: Vec<(usize, usize)> = expected.iter().map(|(line, column, _)| (*line, *column)).collect();
    assert_eq!(places, marked, "{told}");
    for (fault, (line, column, what)) in faults.iter().zip(expected) {
        let place = fault.place.as_ref().unwrap();
        assert!(fault.what.contains(what), "{line}: {}", fault.what);
        assert_eq!(place.file, "faulty.yaml");
        let (shown, mark) = place.snippet.split_once('\n').unwrap();
        assert_eq!((shown, mark.find('^')), (text.lines().nth(line - 1).unwrap(), Some(column - 1)));
        assert!(fault.help.iter().all(|help| !help.is_empty()) && !fault.help.is_empty(), "{line}: {}", fault.what);
    }
    for help in ["did you mean `title`", "did you mean `estimate`", "did you mean `path`", "not built in this version"]
    {
        assert!(told.contains(help), "{help}: {told}");
    }
}

/// A file that is no YAML has one fault: nothing behind it means what it says.
#[test]
fn a_file_that_is_no_yaml_is_told_as_such() {
    let bad = include_str!("data/three-steps.yaml").replacen("inputs:", "inputs: [", 1);
    let faults = load("x.yaml", &bad).unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].place.is_some() && faults[0].help[0].contains("mend it"), "{faults:?}");
}

/// Whatever is not readable is told once, and nothing else because of it.
#[test]
fn one_unreadable_part_is_one_fault() {
    let good = EMBEDDED[0].1;
    for (from, to, what) in [
        ("- id: to_version", "- id: [to_version]", "a list stands here, and a text"),
        ("inputs:\n", "inputs: none\nleft: \n", "and a list is expected"),
        ("do: {capture: {}}", "do: {captur: {}}", "unknown kind `captur`"),
        ("- id: dump\n", "- id: {}\n", "a map stands here, and a text"),
        ("          - id: version", "          - 5\n          - id: version", "a number stands here, and a map"),
        ("undo: scale it back\n            service", "undoo: x\n            service", "unknown field `undoo`"),
        ("requires: {captured: [version", "requires: {capture: [version", "unknown field `capture`"),
        ("  helm:\n", "  helm: {}\n  halm:\n", "missing field `release`"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        let faults = load("x.yaml", &bad).unwrap_err();
        let told: Vec<&str> = faults.iter().map(|fault| fault.what.as_str()).collect();
        assert!(told.iter().any(|told| told.contains(what)), "{from}: {told:?}");
        let read = ["stands here", "unknown", "missing field"];
        assert!(told.iter().all(|told| read.iter().any(|word| told.contains(word))), "{from}: {told:?}");
    }
}

/// Each of these, put into a good runbook, is a fault at its place.
fn told(good: &str, cases: &[(&str, &str, &str)]) {
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
        ("steps: [say]", "steps: [5]", "`steps` names step 5, which is not in this intent"),
        ("risk: none", "risk: reversible", "does not say how it is undone"),
        (
            "why: The first",
            "risk: reversible\n            undo: x\n            why: The first",
            "nothing up to it asks",
        ),
        ("risk: none", "risk: irreversible\n            undo: x", "requires no proof"),
        ("format: 1", "format: 2", "format 2 is not known"),
        ("default: hello", "default: \"{{ inputs.word }}\"", "inputs.word is not defined"),
        ("default: hello", "default: \"{{ run.id }}\"", "run.id is not defined"),
        ("default: hello", "default: \"{{ target.name }}\"", "target.name is not defined"),
        ("  - id: walk", "  - {id: walk, title: Again, phases: []}\n  - id: walk", "intent walk is there twice"),
    ];
    told(good, &cases);
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
        ("held_by: hold", "held_by: ready", "`held_by` names step ready, which is of kind `wait`, not `scale`"),
        ("held_by: hold", "held_by: release", "`held_by` names step release, which comes later"),
        ("restored_by: restore", "restored_by: rehearse", "step rehearse, which is of kind `rehearse`, not `restore`"),
        ("restored_by: restore", "restored_by: nowhere", "`restored_by` names step nowhere, which is not in"),
        ("captured: [version, environment, lns, workers, other], proven", "proven", "and requires no capture"),
        (
            "captured: [version, environment, lns, workers, other], proven",
            "captured: [], proven",
            "requires no capture",
        ),
        (
            "captured: [version, environment, lns, workers, other], proven",
            "captured: [version, environment, workers, other], proven",
            "does not require that lns is captured, which put_lns puts back",
        ),
        (
            "captured: [version, environment, lns, workers, other], proven",
            "captured: [version, lns, workers, other], proven",
            "does not require that environment is captured, which deploy installs with",
        ),
        (
            "captured: [version, environment, lns, workers, other], proven",
            "captured: [version, environment, lns, workers, other, freeze], proven",
            "`captured` names step freeze, which is of kind `scale`, not `ask` or `capture`",
        ),
        ("proven: [rehearse], steps", "proven: [files], steps", "is proven by rehearse, and does not require it"),
        ("intent: upgrade\n", "intent: undo-remove\n", "goes on from intent undo-remove, which is not another one"),
        ("intent: upgrade\n", "intent: nothing\n", "goes on from intent nothing, which is not another one"),
        ("rehearse, keep]", "rehearse, keep, keeper]", "it takes over step keeper, which is not in intent upgrade"),
        ("rehearse, keep]", "rehearse]", "`kept` names step keep, which is not in this intent"),
        ("rehearse, keep]", "rehearse, keep, ready]", "step ready is there twice"),
        ("brings_back: keep, ", "", "says not, or twice, what becomes of it"),
        ("brings_back: keep, ", "brings_back: keep, checked_by: preflight, ", "says not, or twice, what becomes of it"),
        ("brings_back: keep, ", "brings_back: freeze, ", "names step freeze, which is of kind `scale`, not `patch`"),
        (
            "captured: [version, lns, workers, other], proven",
            "captured: [lns, workers, other], proven",
            "which rollback puts back",
        ),
        ("rollback: {to: version}", "rollback: {to: dump}", "step dump, which is of kind `dump`, not `capture`"),
        ("or_dump: rehearse", "or_dump: dump", "step dump, which is of kind `dump`, not `rehearse`"),
        ("bind_volumes, kept: keep", "bind_volumes", "`kept` belongs to `bind_volumes`"),
        ("{objects: keep_volumes}", "{objects: keep_volumes, kept: keep}", "`kept` belongs to `bind_volumes`"),
        (
            "            in: place\n",
            "            in: nowhere\n",
            "`in` names step nowhere, which is not in this intent",
        ),
        (
            "            in: place\n",
            "            in: dump\n",
            "`in` names step dump, which is of kind `dump`, not `namespace`",
        ),
        ("release: {volumes: keep,", "release: {volumes: dump,", "step dump, which is of kind `dump`, not `patch`"),
        ("requires: {proven: [rehearse, compare]}", "requires: {}", "is irreversible and requires no proof"),
        ("kept-volumes], kept: keep", "kept-volumes]", "does not say whose volumes it looks at"),
        ("release: \"{{ inputs.release", "release: \"{{ inputs.relase", "inputs.relase is not defined here"),
        ("chart: \"{{ inputs.chart", "chart: \"{{ run.id", "run.id is not defined here"),
        ("set: {version: \"{{ inputs.to_version", "set: {version: \"{{ inputs.to", "inputs.to is not defined here"),
        ("                captured: [version, environment, lns, workers, other]\n", "", "does not say which captures"),
        (
            "                dump: dump\n            estimate: 10 s",
            "            estimate: 10 s",
            "does not say since which dump",
        ),
    ];
    told(good, &cases);
}

/// What works in a namespace that the run made, and what goes because of it.
#[test]
fn a_step_says_in_which_namespace_it_works() {
    let cases = [
        ("            in: place\n", "            in: stop_old\n", "`in` names step stop_old, which comes later"),
        (
            "do: {wait: {until: gone, delete: remove}}",
            "in: place\n            do: {wait: {until: gone, delete: remove}}",
            "target's own namespace only",
        ),
        ("stopped_by: stop_old, serves: place,", "stopped_by: stop_old,", "says not which namespace serves instead"),
        ("stopped_by: stop_old, serves: place,", "serves: place,", "says not, or twice, what becomes of it"),
        ("stopped_by: stop_old, serves: place,", "stopped_by: keep, serves: place,", "of kind `patch`, not `scale`"),
        (
            "proven: [rehearse, compare], steps",
            "proven: [rehearse], steps",
            "does not require that the rows in the namespace of place were compared",
        ),
        (
            "                of: lns\n",
            "                of: dump\n",
            "`of` names step dump, which is of kind `dump`, not `ask`",
        ),
    ];
    told(EMBEDDED[0].1, &cases);
}

/// Inputs are in the journal, the plan and the record of the change.
#[test]
fn an_input_with_a_login_in_its_address_is_refused() {
    let (id, text) = EMBEDDED[0];
    let loaded = load(id, text).unwrap_or_else(|_| unreachable!());
    let target = serde_json::json!({"namespace": "plant", "context": "c", "uid": "u"});
    let chosen = [("chart".to_owned(), "https://u:canary@charts.example.net/pix".to_owned())].into();
    let fault = loaded.runbook.inputs(&loaded.runbook.intents[0], &chosen, &target).unwrap_err();
    assert!(fault.starts_with("input chart holds a secret in its address") && !fault.contains("canary"), "{fault}");
}
