//! Tables for people, with the columns of a real server.

use serde_json::{Map, Value, json};

use super::{
    cells::{self, age},
    kinds::Served,
    read::{Form, metadata_of},
    write::text,
};

/// A column: its name, whether only `-o wide` shows it, and how its cell is made.
struct Column(&'static str, Width, fn(&Value) -> Value);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Width {
    Always,
    Wide,
}

use Width::{Always, Wide};

const AGE: Column = Column("Age", Always, |object| age(object, "/metadata/creationTimestamp"));

fn at(object: &Value, pointer: &str, otherwise: &str) -> Value {
    object.pointer(pointer).filter(|value| !value.is_null()).cloned().unwrap_or_else(|| json!(otherwise))
}

fn count(object: &Value, pointer: &str) -> Value {
    at_number(object, pointer).into()
}

fn at_number(object: &Value, pointer: &str) -> u64 {
    object.pointer(pointer).and_then(Value::as_u64).unwrap_or(0)
}

fn entries(object: &Value, pointer: &str) -> Value {
    json!(object.pointer(pointer).and_then(Value::as_object).map_or(0, Map::len))
}

fn ready_of(object: &Value) -> Value {
    let wanted = object.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1);
    json!(format!("{}/{wanted}", at_number(object, "/status/readyReplicas")))
}

const TEMPLATE: [Column; 2] = [
    Column("Containers", Wide, |object| cells::containers(object, "name")),
    Column("Images", Wide, |object| cells::containers(object, "image")),
];

#[expect(clippy::too_many_lines, reason = "one table of all kinds")]
fn columns(kind: &Served) -> Vec<Column> {
    let [containers, images] = TEMPLATE;
    match kind.plural {
        "pods" => vec![
            Column("Ready", Always, cells::pod_ready),
            Column("Status", Always, cells::pod_status),
            Column("Restarts", Always, cells::pod_restarts),
            AGE,
            Column("IP", Wide, |pod| at(pod, "/status/podIP", "<none>")),
            Column("Node", Wide, |pod| at(pod, "/spec/nodeName", "<none>")),
            Column("Nominated Node", Wide, |pod| at(pod, "/status/nominatedNodeName", "<none>")),
            Column("Readiness Gates", Wide, |_| json!("<none>")),
        ],
        "deployments" => vec![
            Column("Ready", Always, ready_of),
            Column("Up-to-date", Always, |object| count(object, "/status/updatedReplicas")),
            Column("Available", Always, |object| count(object, "/status/availableReplicas")),
            AGE,
            containers,
            images,
            Column("Selector", Wide, cells::selector),
        ],
        "replicasets" => vec![
            Column("Desired", Always, |object| count(object, "/spec/replicas")),
            Column("Current", Always, |object| count(object, "/status/replicas")),
            Column("Ready", Always, |object| count(object, "/status/readyReplicas")),
            AGE,
            containers,
            images,
            Column("Selector", Wide, cells::selector),
        ],
        "statefulsets" => vec![Column("Ready", Always, ready_of), AGE, containers, images],
        "jobs" => vec![
            Column("Status", Always, cells::job_status),
            Column("Completions", Always, |job| {
                let wanted = job.pointer("/spec/completions").and_then(Value::as_u64).unwrap_or(1);
                json!(format!("{}/{wanted}", at_number(job, "/status/succeeded")))
            }),
            Column("Duration", Always, cells::job_duration),
            AGE,
            containers,
            images,
            Column("Selector", Wide, cells::selector),
        ],
        "services" => vec![
            Column("Type", Always, |object| at(object, "/spec/type", "ClusterIP")),
            Column("Cluster-IP", Always, |object| at(object, "/spec/clusterIP", "<none>")),
            Column("External-IP", Always, |_| json!("<none>")),
            Column("Port(s)", Always, cells::service_ports),
            AGE,
            Column("Selector", Wide, |object| cells::pairs(object.pointer("/spec/selector"))),
        ],
        "endpoints" => vec![Column("Endpoints", Always, cells::endpoints), AGE],
        "endpointslices" => vec![
            Column("AddressType", Always, |slice| at(slice, "/addressType", "")),
            Column("Ports", Always, |slice| cells::each(slice, "/ports", "/port")),
            Column("Endpoints", Always, |slice| cells::each(slice, "/endpoints", "/addresses/0")),
            AGE,
        ],
        "configmaps" => vec![
            Column("Data", Always, |object| {
                let binary = entries(object, "/binaryData").as_u64().unwrap_or(0);
                json!(entries(object, "/data").as_u64().unwrap_or(0) + binary)
            }),
            AGE,
        ],
        "secrets" => vec![
            Column("Type", Always, |object| at(object, "/type", "Opaque")),
            Column("Data", Always, |object| entries(object, "/data")),
            AGE,
        ],
        "namespaces" => vec![Column("Status", Always, |object| at(object, "/status/phase", "Active")), AGE],
        "nodes" => vec![
            Column("Status", Always, cells::node_status),
            Column("Roles", Always, cells::node_roles),
            AGE,
            Column("Version", Always, |node| at(node, "/status/nodeInfo/kubeletVersion", "")),
            Column("Internal-IP", Wide, cells::node_address),
            Column("External-IP", Wide, |_| json!("<none>")),
            Column("OS-Image", Wide, |node| at(node, "/status/nodeInfo/osImage", "<unknown>")),
            Column("Kernel-Version", Wide, |node| at(node, "/status/nodeInfo/kernelVersion", "<unknown>")),
            Column("Container-Runtime", Wide, |node| at(node, "/status/nodeInfo/containerRuntimeVersion", "<unknown>")),
        ],
        "persistentvolumeclaims" => vec![
            Column("Status", Always, cells::claim_status),
            Column("Volume", Always, |claim| at(claim, "/spec/volumeName", "")),
            Column("Capacity", Always, |claim| at(claim, "/status/capacity/storage", "")),
            Column("Access Modes", Always, |claim| cells::modes(claim, "/status/accessModes")),
            Column("StorageClass", Always, |claim| at(claim, "/spec/storageClassName", "")),
            Column("VolumeAttributesClass", Always, |_| json!("<unset>")),
            AGE,
            Column("VolumeMode", Wide, |claim| at(claim, "/spec/volumeMode", "Filesystem")),
        ],
        "persistentvolumes" => vec![
            Column("Capacity", Always, |volume| at(volume, "/spec/capacity/storage", "")),
            Column("Access Modes", Always, |volume| cells::modes(volume, "/spec/accessModes")),
            Column("Reclaim Policy", Always, |volume| at(volume, "/spec/persistentVolumeReclaimPolicy", "")),
            Column("Status", Always, |volume| at(volume, "/status/phase", "")),
            Column("Claim", Always, cells::volume_claim),
            Column("StorageClass", Always, |volume| at(volume, "/spec/storageClassName", "")),
            Column("VolumeAttributesClass", Always, |_| json!("<unset>")),
            Column("Reason", Always, |volume| at(volume, "/status/reason", "")),
            AGE,
            Column("VolumeMode", Wide, |volume| at(volume, "/spec/volumeMode", "Filesystem")),
        ],
        "storageclasses" => vec![
            Column("Provisioner", Always, |class| at(class, "/provisioner", "")),
            Column("ReclaimPolicy", Always, |class| at(class, "/reclaimPolicy", "Delete")),
            Column("VolumeBindingMode", Always, |class| at(class, "/volumeBindingMode", "Immediate")),
            Column("AllowVolumeExpansion", Always, |class| {
                json!(class.get("allowVolumeExpansion").and_then(Value::as_bool).unwrap_or(false))
            }),
            AGE,
        ],
        "leases" => vec![Column("Holder", Always, |lease| at(lease, "/spec/holderIdentity", "")), AGE],
        _ => vec![AGE],
    }
}

/// Columns of events, which begin with another one than the name.
fn event_columns() -> Vec<Column> {
    vec![
        Column("Last Seen", Always, |event| age(event, "/lastTimestamp")),
        Column("Type", Always, |event| at(event, "/type", "")),
        Column("Reason", Always, |event| at(event, "/reason", "")),
        Column("Object", Always, |event| {
            let object = |field: &str| text(event, &format!("/involvedObject/{field}")).to_owned();
            json!(format!("{}/{}", object("kind").to_lowercase(), object("name")))
        }),
        Column("Subobject", Wide, |event| at(event, "/involvedObject/fieldPath", "")),
        Column("Source", Wide, |event| at(event, "/source/component", "")),
        Column("Message", Always, |event| json!(text(event, "/message").trim())),
        Column("First Seen", Wide, |event| age(event, "/firstTimestamp")),
        Column("Count", Wide, |event| at(event, "/count", "1")),
        Column("Name", Wide, |event| at(event, "/metadata/name", "")),
    ]
}

fn named(kind: &Served) -> Vec<Column> {
    if kind.plural == "events" {
        return event_columns();
    }
    let mut columns = columns(kind);
    let name: fn(&Value) -> Value = match kind.plural {
        "storageclasses" => cells::class_name,
        _ => |object| at(object, "/metadata/name", ""),
    };
    columns.insert(0, Column("Name", Always, name));
    columns
}

/// The table of some objects of a kind.
pub fn table<'a>(kind: &Served, objects: impl Iterator<Item = &'a Value>, meta: &Value, form: Form) -> Value {
    let columns = named(kind);
    let definitions: Vec<Value> = columns
        .iter()
        .map(|Column(name, width, _)| {
            json!({"name": name, "type": "string", "format": if *name == "Name" { "name" } else { "" },
                "description": "", "priority": u8::from(*width == Wide)})
        })
        .collect();
    let rows: Vec<Value> = objects
        .map(|object| {
            let cells: Vec<Value> = columns.iter().map(|Column(_, _, cell)| cell(object)).collect();
            let object = if form == Form::TableOfWhole { Form::Whole.show(kind, object) } else { metadata_of(object) };
            json!({"cells": cells, "object": object})
        })
        .collect();
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta, "columnDefinitions": definitions, "rows": rows})
}
