//! Finding containers, reading their environment, and asking their database.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::reasons;
use crate::{
    actions::{
        context::{Halt, StepCx},
        deployment::{Connection, ContainerAt},
    },
    ports::{Collect, Kind, ObjectRef, PodRef, SecretBytes, kinds, remote},
    postgres::messages::is_unreached,
    run::{Row, Sign},
    text::{Diagnostic, units},
};

/// Longest answer of a short query, in bytes.
const ANSWER: usize = 4 << 20;

/// How often a database that was not reached is asked again, and the time between.
const PAUSES: usize = 4;
const PAUSE: Duration = Duration::from_secs(2);

/// An object by kind, namespace and name.
pub fn object(kind: Kind, namespace: &str, name: &str) -> ObjectRef {
    ObjectRef { kind, namespace: Some(namespace.to_owned()), name: name.to_owned() }
}

/// A string at a JSON pointer, or an empty one.
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a pod is ready and not ending.
pub fn is_ready(pod: &Value) -> bool {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
    let ready =
        conditions.is_some_and(|all| all.iter().any(|c| text(c, "/type") == "Ready" && text(c, "/status") == "True"));
    ready && pod.pointer("/metadata/deletionTimestamp").is_none()
}

/// The newest ready pod that a selector finds, with its JSON.
///
/// # Errors
/// A failure that says how many pods there are and how they stand.
pub async fn ready_pod(cx: &StepCx, namespace: &str, at: &ContainerAt) -> Result<(PodRef, Value), Halt> {
    let mut pods = cx.world.objects.list(&kinds::pod(), Some(namespace), &at.selector).await?;
    pods.sort_by(|a, b| text(b, "/metadata/creationTimestamp").cmp(text(a, "/metadata/creationTimestamp")));
    let Some(at_ready) = pods.iter().position(is_ready) else {
        let problem = Diagnostic::new(format!(
            "no ready pod answers to {} in namespace {namespace}; {} found",
            at.selector,
            pods.len()
        ));
        let now = cx.world.clock.now();
        let why = pods.iter().map(|pod| {
            let (_, word, detail) = reasons::pod(pod, &[], now);
            format!("{}: {word}, {detail}", text(pod, "/metadata/name"))
        });
        return Err(why
            .fold(problem, Diagnostic::cause)
            .help("wait until it is ready, or look at the pods of this namespace, then try again")
            .into());
    };
    let pod = pods.swap_remove(at_ready);
    let reference = PodRef {
        namespace: namespace.to_owned(),
        pod: text(&pod, "/metadata/name").to_owned(),
        container: at.container.clone(),
        uid: text(&pod, "/metadata/uid").to_owned(),
    };
    Ok((reference, pod))
}

/// The container of a pod's spec by name.
pub fn container<'a>(pod: &'a Value, name: &str) -> Option<&'a Value> {
    pod.pointer("/spec/containers")?.as_array()?.iter().find(|c| text(c, "/name") == name)
}

/// CPU and memory for a pod of ours in place of a container, which has to be let in where that one is: a quota may ask for both.
/// Its limits are that one's; it asks for next to nothing, since a node that is nearly full must take it beside that one. Nothing
/// of its devices, and no bound on its disk: a dump may need more room than the application.
pub fn resources(container: &Value) -> Option<Value> {
    let mut found = Map::new();
    for (name, least) in [("cpu", "10m"), ("memory", "16Mi")] {
        let amount = |bound: &str| container.pointer(&format!("/resources/{bound}/{name}"));
        if let Some(limit) = amount("limits") {
            found.entry("limits").or_insert_with(|| json!({}))[name] = limit.clone();
        }
        if amount("limits").or(amount("requests")).is_some() {
            found.entry("requests").or_insert_with(|| json!({}))[name] = json!(least);
        }
    }
    (!found.is_empty()).then_some(Value::Object(found))
}

/// Variables that a container takes whole from ConfigMaps and Secrets, one map each.
pub async fn sources(
    cx: &StepCx,
    namespace: &str,
    container: &Value,
) -> Result<Vec<BTreeMap<String, SecretBytes>>, Halt> {
    let mut all = Vec::new();
    for source in container.pointer("/envFrom").and_then(Value::as_array).into_iter().flatten() {
        let prefix = text(source, "/prefix");
        for (pointer, kind) in [("/configMapRef/name", kinds::config_map()), ("/secretRef/name", kinds::secret())] {
            let from = text(source, pointer);
            if !from.is_empty() {
                let found = data(cx, namespace, kind, from).await?;
                all.push(found.into_iter().map(|(key, value)| (format!("{prefix}{key}"), value)).collect());
            }
        }
    }
    Ok(all)
}

/// The environment that a container was given, resolved from its ConfigMaps and Secrets as the cluster holds them now.
///
/// # Errors
/// A failure naming the ConfigMap or Secret that cannot be read.
pub async fn environment(
    cx: &StepCx,
    namespace: &str,
    pod: &Value,
    name: &str,
) -> Result<BTreeMap<String, SecretBytes>, Halt> {
    let spec = container(pod, name)
        .ok_or_else(|| Diagnostic::new(format!("pod {} has no container {name}", text(pod, "/metadata/name"))))?;
    let mut found: BTreeMap<_, _> = sources(cx, namespace, spec).await?.into_iter().flatten().collect();
    for entry in spec.pointer("/env").and_then(Value::as_array).into_iter().flatten() {
        let key = text(entry, "/name").to_owned();
        if let Some(value) = entry.pointer("/value").and_then(Value::as_str) {
            found.insert(key, SecretBytes::new(value.as_bytes().to_vec()));
            continue;
        }
        for (pointer, kind) in
            [("/valueFrom/configMapKeyRef", kinds::config_map()), ("/valueFrom/secretKeyRef", kinds::secret())]
        {
            if let Some(reference) = entry.pointer(pointer) {
                let mut all = data(cx, namespace, kind, text(reference, "/name")).await?;
                if let Some(value) = all.remove(text(reference, "/key")) {
                    found.insert(key.clone(), value);
                }
            }
        }
    }
    Ok(found)
}

async fn data(cx: &StepCx, namespace: &str, kind: Kind, name: &str) -> Result<BTreeMap<String, SecretBytes>, Halt> {
    let is_secret = kind.kind == "Secret";
    let Some(value) = cx.world.objects.get(&object(kind.clone(), namespace, name)).await? else {
        return Err(Diagnostic::new(format!("{} {name} is not in namespace {namespace}", kind.kind)).into());
    };
    let mut found = BTreeMap::new();
    for (key, value) in value.pointer("/data").and_then(Value::as_object).into_iter().flatten() {
        let raw = value.as_str().unwrap_or_default();
        let bytes = if is_secret {
            STANDARD.decode(raw).map_err(|_| Diagnostic::new(format!("Secret {name} holds {key} in no known form")))?
        } else {
            raw.as_bytes().to_vec()
        };
        found.insert(key.clone(), SecretBytes::new(bytes));
    }
    Ok(found)
}

/// Runs `script` (SQL for psql, on its standard input) in a container and returns what it prints. Where no server was reached
/// it is sent again: a name may be without an answer for a moment.
///
/// # Errors
/// A failure with psql's own words when its status is not 0.
pub async fn psql(cx: &StepCx, pod: &PodRef, connection: &Connection, script: &str) -> Result<String, Halt> {
    let command = psql_command(connection, &["-XqAt", "-v", "ON_ERROR_STOP=1", "-f", "-"]);
    let mut pauses = 0;
    let (exit, said) = loop {
        let mut out = Collect::new(ANSWER);
        let exit = cx.world.exec.run(pod, &command, script.as_bytes(), &mut out, &cx.cancel).await?;
        if exit.code == 0 {
            return Ok(out.text());
        }
        let said = out.errors();
        if pauses == PAUSES || !is_unreached(exit.code, &said) {
            break (exit, said);
        }
        pauses += 1;
        let detail = said.lines().next().unwrap_or_default().trim_start_matches("psql: error: ").to_owned();
        let row = Row { sign: Sign::Running, word: "no answer".into(), name: "database".into(), detail };
        let again = units::seconds(PAUSE.as_secs());
        cx.show(&format!("The database is not reached; it is asked again in {again}."), vec![row], None, None);
        cx.pause(PAUSE).await?;
    };
    Err(Diagnostic::new(format!("psql ended with status {} in pod {}", exit.code, pod.pod))
        .cause(said.lines().next().unwrap_or("it said nothing").to_owned())
        .into())
}

/// psql with `args`, connected as the container's environment says; no value of it is among the arguments.
pub fn psql_command(connection: &Connection, args: &[&str]) -> Vec<String> {
    let command: Vec<String> = std::iter::once("psql").chain(args.iter().copied()).map(str::to_owned).collect();
    remote::environment_command(&connection.pairs(), &command)
}

/// Runs a short command in a container and returns its output, whatever its status.
pub async fn ask_container(cx: &StepCx, pod: &PodRef, command: &[&str]) -> Result<(u8, String), Halt> {
    let command: Vec<String> = command.iter().map(|&part| part.to_owned()).collect();
    let mut out = Collect::new(ANSWER);
    let exit = cx.world.exec.run(pod, &command, &[], &mut out, &cx.cancel).await?;
    Ok((exit.code, out.text()))
}
