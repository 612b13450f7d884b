//! PixelCore 4.2.0 to 5.0.0 in a new namespace, with the old one stopped, and removed by a later run; killed in the new place.

use crate::pixelcore::{CANARY, Plant};

/// What a namespace holds, but for what controllers make and name by themselves.
fn objects(plant: &Plant, namespace: &str) -> Vec<String> {
    let found = plant.kubectl(&["-n", namespace, "get", "all,cm,secret,pvc,networkpolicy,lease", "-o", "name"]);
    let mut found: Vec<String> = found.lines().map(str::to_owned).collect();
    found.retain(|name| !name.starts_with("pod/") && !name.starts_with("replicaset"));
    found.sort();
    found
}

fn replicas(plant: &Plant, namespace: &str) -> String {
    let path = "jsonpath={range .items[*]}{.metadata.name}={.spec.replicas} {end}";
    plant.kubectl(&["-n", namespace, "get", "deployments,statefulsets", "-o", path])
}

#[test]
fn a_new_version_stands_beside_the_old_one_which_goes_later() {
    let Some(plant) = Plant::install("dd-beside", 2_000) else { return };
    let (rows, had) = (plant.fingerprint(None), objects(&plant, &plant.namespace));
    let next = format!("{}-next", plant.namespace);
    for step in ["devices", "names", "consumers", "keep"] {
        plant.answer(&format!("{step}: {{go_on: true}}"));
    }
    let begin = [plant.start("pod"), ["--intent", "beside"].map(str::to_owned).to_vec()].concat();
    plant.kill_at(&begin.iter().map(String::as_str).collect::<Vec<_>>(), "load the dump", "restore");
    let said = plant.finish(&["resume", "--answers", "answers.yaml", "--plain"]);
    assert!(said.contains("finished. 28 of 28 steps are done") && said.contains("The way back stays open"), "{said}");
    assert_eq!(plant.done("restore"), 1);
    plant.assert_no_secret();
    assert_eq!(plant.fingerprint_of(&next, Some(&rows)), rows, "the rows are not those of before");
    assert_eq!(
        (replicas(&plant, &plant.namespace), replicas(&plant, &next)),
        ("pix-core=0 pix-worker=0 pix-db=0 ".to_owned(), "pix-core=1 pix-worker=1 pix-db=1 ".to_owned(),)
    );
    assert_eq!(objects(&plant, &plant.namespace), had, "the old one is whole, and nothing of ours is beside it");
    assert_eq!(objects(&plant, &next), had, "the new one is the same, and nothing of ours is beside it");
    assert!(plant.api_of(&next, "GET", "lns-main", "").contains(CANARY));

    // while the new version does not answer nothing goes
    let remove = plant.go_on("remove-old");
    let remove: Vec<&str> = remove.iter().map(String::as_str).collect();
    plant.kubectl(&["-n", &next, "scale", "deployment/pix-core", "--replicas=0"]);
    let refused = plant.drydock(&remove).output().unwrap();
    assert_eq!(refused.status.code(), Some(3), "{}", String::from_utf8_lossy(&refused.stderr));
    assert_eq!(objects(&plant, &plant.namespace), had);
    plant.kubectl(&["-n", &next, "scale", "deployment/pix-core", "--replicas=1"]);
    plant.kubectl(&["-n", &next, "rollout", "status", "deployment/pix-core"]);
    plant.give_up();

    let said = plant.finish(&remove);
    assert!(said.contains("finished. 5 of 5 steps are done"), "{said}");
    assert_eq!(objects(&plant, &plant.namespace), ["configmap/kube-root-ca.crt"]);
    assert_eq!(plant.volumes(), ["data-pix-db-0 Released Retain"]);
    assert_eq!((objects(&plant, &next), replicas(&plant, &next).contains('0')), (had, false));
}

#[test]
fn given_up_in_the_new_place_nothing_of_it_is_left() {
    let Some(plant) = Plant::install("dd-beside-back", 1_000) else { return };
    let (rows, had) = (plant.fingerprint(None), objects(&plant, &plant.namespace));
    let begin = [plant.start("scripts"), ["--intent", "beside"].map(str::to_owned).to_vec()].concat();
    plant.kill_at(&begin.iter().map(String::as_str).collect::<Vec<_>>(), "load the dump", "restore");
    plant.answer("restore: {go_on: true}");
    let run = plant.run();
    let said =
        plant.finish(&["abandon", &run, "--reason", "the window is over", "--answers", "answers.yaml", "--plain"]);
    assert!(said.contains("is gone, with what this run had put into it"), "{said}");
    let left = plant.kubectl(&["get", "namespaces", "-o", "name"]);
    assert!(!left.contains(&format!("{}-", plant.namespace)), "{left}");
    assert_eq!((objects(&plant, &plant.namespace), plant.fingerprint(Some(&rows))), (had, rows));
    assert_eq!(replicas(&plant, &plant.namespace), "pix-core=1 pix-worker=1 pix-db=1 ");
    assert_eq!(plant.volumes(), ["data-pix-db-0 Bound Delete"]);
}
