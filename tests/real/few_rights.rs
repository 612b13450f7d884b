//! Rights that are less than all, by three accounts of a real cluster: in one namespace only; in that one and an empty one; and
//! without what nothing goes without. First what is refused, with the rule to ask for; then a whole upgrade by keys.

use crate::{
    live::said,
    pixelcore::Plant,
    pty::walk,
    user::{OF_NAMESPACE, User},
    wizard::{BY_HAND, gather, let_the_copy_run, wizard_as},
};

/// Rules in which these words are left out or put in place of others.
fn rules(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(OF_NAMESPACE.to_owned(), |rules, (from, to)| {
        assert!(rules.contains(from), "{from}");
        rules.replacen(from, to, 1)
    })
}

fn check(plant: &Plant, user: &User, more: &[&str], what: &str, words: &[&str]) {
    let chart = format!("chart={}", plant.chart());
    let args = [&["check", "pixelcore", "-n", &plant.namespace, "--set", &chart], more].concat();
    said(plant.drydock(&args).env("KUBECONFIG", &user.kubeconfig)).expect(what, 3, words);
}

fn start(plant: &Plant, user: &User, more: &[&str]) -> &'static mut std::process::Command {
    let start = plant.start("pod");
    let args: Vec<&str> = start.iter().map(String::as_str).chain(["--plain"]).chain(more.iter().copied()).collect();
    plant.drydock(&args).env("KUBECONFIG", &user.kubeconfig)
}

#[test]
fn what_few_rights_do_not_allow_is_named_with_its_rule_before_anything_is_changed() {
    let Some(plant) = Plant::install("dd-few", 300) else { return };
    let (ns, before) = (&plant.namespace, plant.versions());
    let in_ns = format!("in namespace {ns}");
    let rule = |group: &str, resource: &str, verb: &str| {
        format!("{{apiGroups: [\"{group}\"], resources: [\"{resource}\"], verbs: [\"{verb}\"]}} {in_ns}")
    };

    // nothing but this namespace, and not even that itself
    let user = User::within(&plant, "alone", OF_NAMESPACE, &[ns]);
    let all = [
        "pass  identity: two ids",
        "kube-root-ca.crt stands in for it",
        "WARN  rights: volumes cannot be kept: get, patch persistentvolumes in the cluster is refused",
        "resources: [\"persistentvolumes\"], verbs: [\"get\", \"patch\"]",
        "pass  storage",
        "FAIL  rehearsal-room: no namespace may be made here",
        "--set rehearsal=NAME",
    ];
    check(&plant, &user, &[], "an account of one namespace", &all);
    let seen = ["2 of 3 ids", "rehearsal-room: no namespace may be made here", "Still safe: everything"];
    said(start(&plant, &user, &[])).expect("a run of an account of one namespace", 3, &seen);
    plant.give_up();
    // a namespace that somebody uses, if only for a note
    let other = crate::own_namespace("dd-few-used");
    plant.kubectl(&["create", "namespace", &other]);
    plant.kubectl(&["-n", &other, "create", "configmap", "notes"]);
    let of_both = User::within(&plant, "both", OF_NAMESPACE, &[ns, &other]);
    let rehearsal = format!("rehearsal={other}");
    let refused = said(start(&plant, &of_both, &["--set", &rehearsal]));
    let words = [format!("namespace {other} is there and not empty: ConfigMap notes")];
    refused.expect("a namespace in use", 3, &words.iter().map(String::as_str).collect::<Vec<_>>());
    plant.kubectl(&["-n", &other, "get", "configmap", "notes"]);
    plant.kubectl(&["delete", "namespace", &other, "--wait=false"]);

    for (name, changes, group, resource, verb) in [
        ("no-exec", vec![(" pods/exec,", "")], "", "pods/exec", "create\", \"get"),
        ("no-secrets", vec![(" secrets,", "")], "", "secrets", "delete"),
        (
            "no-claims",
            vec![
                (" persistentvolumeclaims,\n", "\n"),
                (
                    "[\n",
                    "[{apiGroups: [\"\"], resources: [persistentvolumeclaims], verbs: [get, list, watch, create]},\n",
                ),
            ],
            "",
            "persistentvolumeclaims",
            "delete",
        ),
    ] {
        let user = User::within(&plant, name, &rules(&changes), &[ns]);
        // of a kind that may not be listed the verbs stand together
        let wanted = if resource == "secrets" {
            "{apiGroups: [\"\"], resources: [\"secrets\"], verbs: [".to_owned()
        } else {
            rule(group, resource, verb)
        };
        check(&plant, &user, &[], name, &["FAIL  rights: ", &wanted]);
        let (exit, sentence) = if resource == "secrets" { (1, "cannot read Secret") } else { (3, "cause: rights: ") };
        let said_too = if resource == "secrets" { rule("", "secrets", "get") } else { wanted };
        said(start(&plant, &user, &[])).expect(name, exit, &[sentence, &said_too, "Still safe: everything"]);
        plant.give_up();
    }
    assert_eq!(plant.versions(), before, "something was changed");
}

/// What is in a namespace, but for what every one has and the rights in it.
fn contents(plant: &Plant, namespace: &str) -> String {
    let kinds = "all,configmaps,secrets,persistentvolumeclaims,networkpolicies,ingresses,serviceaccounts";
    let all = plant.kubectl(&["-n", namespace, "get", kinds, "-o", "name"]);
    let own = |line: &&str| !["configmap/kube-root-ca.crt", "serviceaccount/default"].contains(line);
    all.lines().filter(own).collect::<Vec<_>>().join(" ")
}

#[test]
fn an_account_of_two_namespaces_upgrades_by_keys_and_the_given_one_is_empty_again() {
    let Some(plant) = Plant::install("dd-few-keys", 2_000) else { return };
    let before = plant.fingerprint(None);
    let lab = format!("{}-rehearsal", plant.namespace);
    plant.kubectl(&["create", "namespace", &lab]);
    let uid = plant.kubectl(&["get", "namespace", &lab, "-o", "jsonpath={.metadata.uid}"]);
    let user = User::within(&plant, "two", OF_NAMESPACE, &[&plant.namespace, &lab]);

    // the namespace is typed, since it may not be listed; its labels may not be read, so it counts as PROD
    let mut pty = wizard_as(&plant, &user.kubeconfig, &[]);
    walk::home_to_target(&mut pty);
    pty.keys("<Enter>");
    pty.wait_for("they may not be listed: type it whole");
    pty.keys(&format!("{}<Enter>", plant.namespace));
    pty.wait_for("its labels may not be read");
    for shown in ["may not be read", "of kube-root-ca.crt in ", "PROD"] {
        assert!(pty.screen().contains(shown), "{shown}: {}", pty.screen());
    }
    walk::target_to_plan(&mut pty, &plant.chart());
    gather(&mut pty);
    pty.wait_for("1 warning to see (Space)");
    assert!(pty.screen().contains("volumes cannot be kept"), "{}", pty.screen());
    pty.keys(" ");
    walk::begin_downtime(&mut pty);
    let_the_copy_run(&mut pty);
    pty.wait_for("Go on without keeping them");
    assert_eq!(contents(&plant, &lab), "", "something is left in the namespace that was given");
    assert!(pty.screen().contains("cannot be kept"), "{}", pty.screen());
    pty.wait_for("? help");
    pty.keys("2<Enter>");
    pty.wait_for("data-pix-db-0 with its data");
    let gate = pty.screen();
    assert!(gate.contains("proven dump") && gate.contains("rehearsed in") && !gate.contains("kept volumes"), "{gate}");
    walk::remove(&mut pty, &plant.namespace);
    walk::leave_out(&mut pty, BY_HAND.name);
    walk::finish(&mut pty);

    crate::upgrade::assert_upgraded(&plant, &before);
    assert_eq!(plant.kubectl(&["get", "namespace", &lab, "-o", "jsonpath={.metadata.uid}"]), uid, "it was made anew");
    assert_eq!(contents(&plant, &lab), "");
    assert_eq!(plant.volumes(), ["data-pix-db-0 Bound Delete"], "no volume was kept");

    // what needs the volumes refuses, and says what leads back
    let mut pty = wizard_as(
        &plant,
        &user.kubeconfig,
        &[
            "start",
            "pixelcore",
            "--context",
            plant.kubectl(&["config", "current-context"]).trim(),
            "-n",
            &plant.namespace,
            "--intent",
            "undo-remove",
        ],
    );
    walk::approve(&mut pty);
    walk::open_vault(&mut pty, crate::wizard::PASSPHRASE);
    pty.wait_for("no volume was kept");
    assert!(pty.screen().contains("drydock report"), "{}", pty.screen());
}
