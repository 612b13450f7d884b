//! What a volume's policy decides: kept data come back under a new claim, others are gone.

use std::{sync::Arc, time::Duration};

use drydock::practice::{Key, NAMESPACE, Objects};
use serde_json::{Value, json};

use crate::desk::Desk;

fn set() -> Key {
    Key::new("apps", "statefulsets", Some(NAMESPACE), "pix-db")
}

fn claim() -> Key {
    Key::new("", "persistentvolumeclaims", Some(NAMESPACE), "data-pix-db-0")
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..400 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not within 8 s: {what}");
}

fn volume(objects: &Objects) -> Key {
    let claim = objects.get(&claim()).unwrap();
    Key::new("", "persistentvolumes", None, claim["spec"]["volumeName"].as_str().unwrap())
}

fn phase(objects: &Objects, key: &Key) -> String {
    let found = objects.get(key);
    found.and_then(|found| found["status"]["phase"].as_str().map(str::to_owned)).unwrap_or_default()
}

fn is_ready(objects: &Objects) -> bool {
    objects.get(&set()).is_some_and(|set| set["status"]["readyReplicas"] == 1)
}

fn update(objects: &Objects, key: &Key, change: impl FnOnce(&mut Value)) {
    let change = |object: &mut Value| {
        change(object);
        Ok(())
    };
    objects.update(key, change).unwrap();
}

/// Takes the database and its claim away; the StatefulSet as it can be created again.
async fn take_away(objects: &Objects) -> Value {
    let before = objects.get(&set()).unwrap();
    let again = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "spec": before["spec"],
        "metadata": {"labels": before["metadata"]["labels"], "annotations": before["metadata"]["annotations"]}});
    objects.delete(&set(), None).unwrap();
    objects.delete(&claim(), None).unwrap();
    until("the claim is gone", || objects.get(&claim()).is_none()).await;
    again
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kept_data_come_back_and_others_do_not() {
    let desk = Desk::new(&[], 300).await;
    let before = desk.plant().await;
    let objects = Arc::clone(&desk.world.objects);
    let kept = volume(&objects);
    update(&objects, &kept, |volume| volume["spec"]["persistentVolumeReclaimPolicy"] = json!("Retain"));
    let again = take_away(&objects).await;
    until("the volume is released", || phase(&objects, &kept) == "Released").await;

    // a new claim does not get what another claim released
    objects.create(&set(), again.clone()).unwrap();
    until("the new database is ready", || is_ready(&objects)).await;
    let other = volume(&objects);
    assert_ne!(other, kept);
    assert_eq!(desk.exec("pix-db", "postgres", &["psql", "-XqAt", "-U", "pix", "pixelcore", "-c", "\\dt"]).await, "");
    take_away(&objects).await;
    until("the volume to be deleted is gone", || objects.get(&other).is_none()).await;

    // made available, and named by the claim: the way back
    update(&objects, &kept, |volume| {
        volume["spec"]["claimRef"].as_object_mut().unwrap().shift_remove("uid");
    });
    until("the volume is available", || phase(&objects, &kept) == "Available").await;
    let named = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {}, "spec": {"volumeName": kept.name,
        "storageClassName": "standard", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}}});
    objects.create(&claim(), named).unwrap();
    objects.create(&set(), again).unwrap();
    until("the old database is ready", || is_ready(&objects)).await;
    assert_eq!(volume(&objects), kept);
    assert_eq!(desk.plant().await, before);
}
