//! Claims get volumes; a claim that goes leaves its volume to the volume's policy.

use serde_json::{Value, json};

use super::{super::objects::Key, Shared, events, is_ending, key, text};

/// The one storage class.
pub const CLASS: &str = "standard";
/// Who provisions it.
pub const PROVISIONER: &str = "practice.drydock/disk";

/// One step for all of them.
pub fn step(shared: &Shared) {
    for claim in shared.objects.list("", "persistentvolumeclaims", None).1 {
        if is_ending(&claim) {
            unprotect(shared, &claim);
        } else if text(&claim, "/status/phase") != "Bound" {
            bind(shared, &claim);
        }
    }
    for volume in shared.objects.list("", "persistentvolumes", None).1 {
        settle(shared, &volume);
    }
}

/// An ending claim stays as long as a pod uses it.
fn unprotect(shared: &Shared, claim: &Value) {
    let name = text(claim, "/metadata/name");
    let (_, pods) = shared.objects.list("", "pods", Some(text(claim, "/metadata/namespace")));
    let used = pods.iter().any(|pod| {
        let volumes = pod.pointer("/spec/volumes").and_then(Value::as_array).into_iter().flatten();
        volumes.into_iter().any(|volume| text(volume, "/persistentVolumeClaim/claimName") == name)
    });
    if !used {
        // gone with its last finalizer
        let _ = shared.objects.update(&key("", "persistentvolumeclaims", claim), |claim| {
            if let Some(all) = claim.pointer_mut("/metadata/finalizers").and_then(Value::as_array_mut) {
                all.retain(|finalizer| finalizer != "kubernetes.io/pvc-protection");
            }
            Ok(())
        });
    }
}

fn reference(claim: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": text(claim, "/metadata/namespace"),
        "name": text(claim, "/metadata/name"), "uid": text(claim, "/metadata/uid")})
}

/// Whether a volume is kept for this claim by name, without belonging to another.
fn fits(volume: &Value, claim: &Value) -> bool {
    match volume.pointer("/spec/claimRef") {
        None | Some(Value::Null) => true,
        Some(held) => {
            let same = |pointer: &str, of: &str| text(held, pointer) == text(claim, of);
            same("/namespace", "/metadata/namespace")
                && same("/name", "/metadata/name")
                && (text(held, "/uid").is_empty() || same("/uid", "/metadata/uid"))
        }
    }
}

/// A volume that waits for this very claim, before any other is made.
fn reserved(shared: &Shared, claim: &Value) -> String {
    let all = shared.objects.list("", "persistentvolumes", None).1;
    let waits = |volume: &Value| {
        volume.pointer("/spec/claimRef").is_some_and(|held| !held.is_null())
            && fits(volume, claim)
            && !is_ending(volume)
    };
    all.iter().find(|volume| waits(volume)).map_or_else(String::new, |volume| text(volume, "/metadata/name").to_owned())
}

fn bind(shared: &Shared, claim: &Value) {
    let class = match text(claim, "/spec/storageClassName") {
        "" => CLASS,
        class => class,
    };
    let wanted = match text(claim, "/spec/volumeName") {
        "" => reserved(shared, claim),
        named => named.to_owned(),
    };
    let size = text(claim, "/spec/resources/requests/storage").to_owned();
    let volume = if wanted.is_empty() {
        let known = shared.objects.get(&Key::new("storage.k8s.io", "storageclasses", None, class));
        if known.is_none() {
            let message = format!("storageclass.storage.k8s.io \"{class}\" not found");
            let told = shared.objects.list("", "events", Some(text(claim, "/metadata/namespace"))).1;
            if !told.iter().any(|event| text(event, "/message") == message) {
                events::tell(shared, claim, true, "ProvisioningFailed", &message, "persistentvolume-controller");
            }
            return;
        }
        let name = format!("pvc-{}", text(claim, "/metadata/uid"));
        let volume = json!({
            "apiVersion": "v1", "kind": "PersistentVolume",
            "metadata": {"annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER}, "finalizers": ["kubernetes.io/pv-protection"]},
            "spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": size}, "claimRef": reference(claim), "volumeMode": "Filesystem",
                "hostPath": {"path": format!("/practice/volumes/{name}"), "type": ""}, "persistentVolumeReclaimPolicy": "Delete", "storageClassName": class},
            "status": {"phase": "Bound"},
        });
        // it may be there from the step before
        let _ = shared.objects.create(&Key::new("", "persistentvolumes", None, &name), volume);
        name
    } else {
        wanted
    };
    let at = Key::new("", "persistentvolumes", None, &volume);
    let Some(found) = shared.objects.get(&at) else { return };
    if !fits(&found, claim) {
        return;
    }
    let bound = shared.objects.update(&at, |volume| {
        volume["spec"]["claimRef"] = reference(claim);
        volume["status"] = json!({"phase": "Bound"});
        Ok(())
    });
    if bound.is_ok() {
        // the claim may be going by now
        let _ = shared.objects.update(&key("", "persistentvolumeclaims", claim), |claim| {
            claim["spec"]["volumeName"] = json!(volume);
            claim["spec"]["storageClassName"] = json!(class);
            claim["spec"]["volumeMode"] = json!("Filesystem");
            if claim.pointer("/metadata/annotations").is_none_or(|annotations| !annotations.is_object()) {
                claim["metadata"]["annotations"] = json!({});
            }
            let annotations = &mut claim["metadata"]["annotations"];
            for bound in ["pv.kubernetes.io/bind-completed", "pv.kubernetes.io/bound-by-controller"] {
                annotations[bound] = json!("yes");
            }
            for by in ["volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner"] {
                annotations[by] = json!(PROVISIONER);
            }
            claim["status"] = json!({"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": found.pointer("/spec/capacity").cloned().unwrap_or_default()});
            Ok(())
        });
    }
}

/// A volume without its claim is released, and deleted with its data where its policy says so.
fn settle(shared: &Shared, volume: &Value) {
    let at = key("", "persistentvolumes", volume);
    let held = volume.pointer("/spec/claimRef").filter(|held| !held.is_null());
    let claim = held.and_then(|held| {
        let claim = shared.objects.get(&Key::new(
            "",
            "persistentvolumeclaims",
            Some(text(held, "/namespace")),
            text(held, "/name"),
        ))?;
        (text(&claim, "/metadata/uid") == text(held, "/uid")).then_some(claim)
    });
    let phase = match (held, &claim) {
        (Some(_), Some(_)) => "Bound",
        (Some(held), None) if !text(held, "/uid").is_empty() => "Released",
        _ => "Available",
    };
    let drop = is_ending(volume) && phase != "Bound";
    let reclaim = phase == "Released" && text(volume, "/spec/persistentVolumeReclaimPolicy") == "Delete";
    if drop || reclaim {
        if reclaim {
            // deleting the object of a retained volume leaves its data behind, as on a real disk
            shared.change(|state| state.volumes.remove(&at.name));
        }
        shared.objects.remove(&at);
    } else if text(volume, "/status/phase") != phase {
        super::set_status(shared, &at, &json!({ "phase": phase }));
    }
}
