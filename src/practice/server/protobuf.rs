//! The few documents that kubectl sends as protobuf, read into the JSON they stand for.
//!
//! Typed clients of client-go send protobuf and do not fall back to JSON. Only what `kubectl create`, `auth can-i` and
//! `drain` send is known; a field that is not known is refused, never dropped.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

/// What a field holds.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Switch,
    Message(&'static [Field]),
    /// Map of texts to texts.
    Texts,
    /// Map of texts to bytes.
    Blobs,
    /// A number or a text, as a port's target.
    Either,
    /// A time, as seconds.
    Time,
    /// Present in every document, and empty when kubectl sends it.
    Ignored,
}

/// How often it can come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Times {
    One,
    Many,
}

/// Number, name, kind, how often.
type Field = (u64, &'static str, Kind, Times);

use Kind::{Blobs, Either, Ignored, Message, Number, Switch, Text, Texts, Time};
use Times::{Many, One};

const META: &[Field] = &[
    (1, "name", Text, One),
    (2, "generateName", Text, One),
    (3, "namespace", Text, One),
    (4, "selfLink", Ignored, One),
    (5, "uid", Text, One),
    (6, "resourceVersion", Text, One),
    (7, "generation", Ignored, One),
    (8, "creationTimestamp", Ignored, One),
    (9, "deletionTimestamp", Time, One),
    (11, "labels", Texts, One),
    (12, "annotations", Texts, One),
    (14, "finalizers", Text, Many),
];
const NAMESPACE: &[Field] = &[
    (1, "metadata", Message(META), One),
    (2, "spec", Message(&[(1, "finalizers", Text, Many)]), One),
    (3, "status", Ignored, One),
];
const CONFIG_MAP: &[Field] = &[
    (1, "metadata", Message(META), One),
    (2, "data", Texts, One),
    (3, "binaryData", Blobs, One),
    (4, "immutable", Switch, One),
];
const SECRET: &[Field] = &[
    (1, "metadata", Message(META), One),
    (2, "data", Blobs, One),
    (3, "type", Text, One),
    (4, "stringData", Texts, One),
    (5, "immutable", Switch, One),
];
const ACCOUNT: &[Field] = &[(1, "metadata", Message(META), One)];
const PORT: &[Field] = &[
    (1, "name", Text, One),
    (2, "hostPort", Ignored, One),
    (3, "containerPort", Number, One),
    (4, "protocol", Text, One),
    (5, "hostIP", Ignored, One),
];
const CONTAINER: &[Field] = &[
    (1, "name", Text, One),
    (2, "image", Text, One),
    (3, "command", Text, Many),
    (4, "args", Text, Many),
    (5, "workingDir", Text, One),
    (6, "ports", Message(PORT), Many),
    (8, "resources", Ignored, One),
    (13, "terminationMessagePath", Text, One),
    (14, "imagePullPolicy", Text, One),
    (16, "stdin", Ignored, One),
    (17, "stdinOnce", Ignored, One),
    (18, "tty", Ignored, One),
    (20, "terminationMessagePolicy", Text, One),
];
const POD_SPEC: &[Field] = &[
    (2, "containers", Message(CONTAINER), Many),
    (3, "restartPolicy", Text, One),
    (6, "dnsPolicy", Text, One),
    (8, "serviceAccountName", Text, One),
    (9, "serviceAccount", Text, One),
    (10, "nodeName", Text, One),
    (11, "hostNetwork", Ignored, One),
    (12, "hostPID", Ignored, One),
    (13, "hostIPC", Ignored, One),
    (16, "hostname", Ignored, One),
    (17, "subdomain", Ignored, One),
    (19, "schedulerName", Ignored, One),
    (24, "priorityClassName", Ignored, One),
];
const TEMPLATE: &[Field] = &[(1, "metadata", Message(META), One), (2, "spec", Message(POD_SPEC), One)];
const SELECTOR: &[Field] = &[(1, "matchLabels", Texts, One)];
const DEPLOYMENT: &[Field] = &[
    (1, "metadata", Message(META), One),
    (
        2,
        "spec",
        Message(&[
            (1, "replicas", Number, One),
            (2, "selector", Message(SELECTOR), One),
            (3, "template", Message(TEMPLATE), One),
            (4, "strategy", Ignored, One),
            (5, "minReadySeconds", Ignored, One),
            (7, "paused", Ignored, One),
        ]),
        One,
    ),
    (3, "status", Ignored, One),
];
const JOB: &[Field] = &[
    (1, "metadata", Message(META), One),
    (2, "spec", Message(&[(6, "template", Message(TEMPLATE), One)]), One),
    (3, "status", Ignored, One),
];
const SERVICE_PORT: &[Field] = &[
    (1, "name", Text, One),
    (2, "protocol", Text, One),
    (3, "port", Number, One),
    (4, "targetPort", Either, One),
    (5, "nodePort", Ignored, One),
];
const SERVICE: &[Field] = &[
    (1, "metadata", Message(META), One),
    (
        2,
        "spec",
        Message(&[
            (1, "ports", Message(SERVICE_PORT), Many),
            (2, "selector", Texts, One),
            (3, "clusterIP", Text, One),
            (4, "type", Text, One),
            (7, "sessionAffinity", Text, One),
            (8, "loadBalancerIP", Ignored, One),
            (10, "externalName", Text, One),
            (11, "externalTrafficPolicy", Ignored, One),
            (12, "healthCheckNodePort", Ignored, One),
            (13, "publishNotReadyAddresses", Switch, One),
        ]),
        One,
    ),
    (3, "status", Ignored, One),
];
const ATTRIBUTES: &[Field] = &[
    (1, "namespace", Text, One),
    (2, "verb", Text, One),
    (3, "group", Text, One),
    (4, "version", Text, One),
    (5, "resource", Text, One),
    (6, "subresource", Text, One),
    (7, "name", Text, One),
];
const ACCESS: &[Field] = &[
    (1, "metadata", Ignored, One),
    (
        2,
        "spec",
        Message(&[
            (1, "resourceAttributes", Message(ATTRIBUTES), One),
            (2, "nonResourceAttributes", Message(&[(1, "path", Text, One), (2, "verb", Text, One)]), One),
        ]),
        One,
    ),
    (3, "status", Ignored, One),
];
const WHO: &[Field] = &[(1, "metadata", Ignored, One), (2, "status", Ignored, One)];
const RULES: &[Field] = &[
    (1, "metadata", Ignored, One),
    (2, "spec", Message(&[(1, "namespace", Text, One)]), One),
    (3, "status", Ignored, One),
];
const DELETE: &[Field] = &[
    (1, "gracePeriodSeconds", Number, One),
    (2, "preconditions", Message(&[(1, "uid", Text, One), (2, "resourceVersion", Text, One)]), One),
    (4, "propagationPolicy", Text, One),
    (5, "dryRun", Text, Many),
];
const EVICTION: &[Field] = &[(1, "metadata", Message(META), One), (2, "deleteOptions", Message(DELETE), One)];

fn schema(kind: &str) -> Option<&'static [Field]> {
    Some(match kind {
        "Namespace" => NAMESPACE,
        "ConfigMap" => CONFIG_MAP,
        "Secret" => SECRET,
        "ServiceAccount" => ACCOUNT,
        "Deployment" => DEPLOYMENT,
        "Job" => JOB,
        "Service" => SERVICE,
        "SelfSubjectAccessReview" => ACCESS,
        "SelfSubjectRulesReview" => RULES,
        "SelfSubjectReview" => WHO,
        "DeleteOptions" => DELETE,
        "Eviction" => EVICTION,
        _ => return None,
    })
}

/// What stands on the wire.
enum Raw<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn next<'a>(bytes: &mut &'a [u8]) -> Option<(u64, Raw<'a>)> {
    let tag = number(bytes)?;
    let raw = match tag & 7 {
        0 => Raw::Number(number(bytes)?),
        2 => {
            let length = usize::try_from(number(bytes)?).ok()?;
            let (value, rest) = bytes.split_at_checked(length)?;
            *bytes = rest;
            Raw::Bytes(value)
        }
        _ => return None,
    };
    Some((tag >> 3, raw))
}

fn text(bytes: &[u8]) -> Result<Value, String> {
    std::str::from_utf8(bytes).map(|text| json!(text)).map_err(|error| error.to_string())
}

/// One entry of a map.
fn entry(mut bytes: &[u8]) -> Result<(String, &[u8]), String> {
    let (mut key, mut value): (&[u8], &[u8]) = (&[], &[]);
    while !bytes.is_empty() {
        match next(&mut bytes) {
            Some((1, Raw::Bytes(found))) => key = found,
            Some((2, Raw::Bytes(found))) => value = found,
            _ => return Err("a map cannot be read".to_owned()),
        }
    }
    Ok((String::from_utf8_lossy(key).into_owned(), value))
}

fn either(mut bytes: &[u8]) -> Result<Value, String> {
    let (mut is_text, mut found, mut words) = (0, json!(0), json!(""));
    while !bytes.is_empty() {
        match next(&mut bytes) {
            Some((1, Raw::Number(kind))) => is_text = kind,
            Some((2, Raw::Number(value))) => found = json!(value),
            Some((3, Raw::Bytes(value))) => words = text(value)?,
            _ => return Err("a number or text cannot be read".to_owned()),
        }
    }
    Ok(if is_text == 1 { words } else { found })
}

fn message(mut bytes: &[u8], fields: &[Field]) -> Result<Value, String> {
    let mut map = Map::new();
    while !bytes.is_empty() {
        let (at, raw) = next(&mut bytes).ok_or("the bytes end too early")?;
        let known = fields.iter().find(|(number, ..)| *number == at);
        let (_, name, kind, times) = known.ok_or_else(|| format!("its field {at} is not known in practice"))?;
        let value = match (kind, raw) {
            (Text, Raw::Bytes(value)) => text(value)?,
            (Number, Raw::Number(value)) => json!(value.cast_signed()),
            (Switch, Raw::Number(value)) => json!(value != 0),
            (Message(fields), Raw::Bytes(value)) => message(value, fields)?,
            (Either, Raw::Bytes(value)) => either(value)?,
            (Ignored, _) | (Time, Raw::Bytes([])) => continue,
            (Texts | Blobs, Raw::Bytes(value)) => {
                let (key, value) = entry(value)?;
                let value = if matches!(kind, Texts) { text(value)? } else { json!(STANDARD.encode(value)) };
                if let Some(map) = map.entry(*name).or_insert_with(|| json!({})).as_object_mut() {
                    map.insert(key, value);
                }
                continue;
            }
            _ => return Err(format!("its field {name} is of another kind")),
        };
        if *times == Many {
            if let Some(list) = map.entry(*name).or_insert_with(|| json!([])).as_array_mut() {
                list.push(value);
            }
        } else if value != json!("") {
            // an empty text is what protobuf sends for none
            map.insert((*name).to_owned(), value);
        }
    }
    Ok(Value::Object(map))
}

/// Reads the envelope and the document in it.
///
/// # Errors
/// What is not understood, in words.
pub fn read(bytes: &[u8]) -> Result<Value, String> {
    let mut rest = bytes.strip_prefix(b"k8s\0").ok_or("it does not begin as one")?;
    let (mut named, mut document): (Value, &[u8]) = (Value::Null, &[]);
    while !rest.is_empty() {
        match next(&mut rest) {
            Some((1, Raw::Bytes(value))) => {
                named = message(value, &[(1, "apiVersion", Text, One), (2, "kind", Text, One)])?;
            }
            Some((2, Raw::Bytes(value))) => document = value,
            Some((3 | 4, Raw::Bytes(_))) => {}
            _ => return Err("its envelope cannot be read".to_owned()),
        }
    }
    let kind = named["kind"].as_str().unwrap_or_default().to_owned();
    let fields = schema(&kind).ok_or_else(|| format!("the kind {kind} is only read as JSON in practice"))?;
    let mut read = message(document, fields).map_err(|fault| format!("{kind}: {fault}"))?;
    if let (Some(to), Value::Object(from)) = (read.as_object_mut(), named) {
        to.extend(from);
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | 2, u8::try_from(bytes.len()).unwrap()];
        out.extend_from_slice(bytes);
        out
    }

    fn envelope(kind: &str, document: &[u8]) -> Vec<u8> {
        let named = [field(1, b"v1"), field(2, kind.as_bytes())].concat();
        [b"k8s\0".to_vec(), field(1, &named), field(2, document)].concat()
    }

    #[test]
    fn a_config_map_is_read_and_strange_fields_are_refused() {
        let meta = field(1, &[field(1, b"a"), field(3, b""), field(8, b"")].concat());
        let data = field(2, &[field(1, b"x"), field(2, b"1")].concat());
        let read = super::read(&envelope("ConfigMap", &[meta.clone(), data].concat())).unwrap();
        assert_eq!(
            read,
            json!({"metadata": {"name": "a"}, "data": {"x": "1"}, "apiVersion": "v1", "kind": "ConfigMap"})
        );
        assert!(super::read(&envelope("ConfigMap", &field(15, b"x"))).unwrap_err().contains("field 15"));
        assert!(super::read(&envelope("Pod", &meta)).unwrap_err().contains("Pod"));
        let whole = envelope("ConfigMap", &meta);
        for cut in 4..whole.len() {
            // whatever is cut off, nothing panics and nothing half is taken for whole
            assert_ne!(super::read(&whole[..cut]).ok(), super::read(&whole).ok(), "{cut}");
        }
    }
}
