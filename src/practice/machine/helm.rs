//! The program `helm`, version 3: the commands that an upgrade needs, for PixelCore's chart.

use serde_json::{Value, json};

use super::{Said, releases, values};
use crate::{
    ports::{PortError, Program},
    practice::{
        faults::Fault,
        objects::{Key, Refusal},
        pixelcore::render,
        server,
        state::Shared,
    },
};

/// Arguments, sorted out.
#[derive(Default)]
struct Call<'a> {
    words: Vec<&'a str>,
    namespace: String,
    output: &'a str,
    install: bool,
    description: &'a str,
    revision: Option<u64>,
    values: Vec<(&'a str, &'a str)>,
}

impl<'a> Call<'a> {
    fn read(args: &'a [String]) -> Result<Self, String> {
        let mut call = Self { namespace: "default".to_owned(), ..Self::default() };
        let mut args = args.iter().map(String::as_str);
        while let Some(arg) = args.next() {
            let (flag, attached) = match arg.split_once('=') {
                Some((flag, value)) if flag.starts_with("--") => (flag, Some(value)),
                _ => (arg, None),
            };
            let mut value =
                || attached.or_else(|| args.next()).ok_or_else(|| format!("flag needs an argument: {flag}"));
            match flag {
                "-n" | "--namespace" => value()?.clone_into(&mut call.namespace),
                "--description" => call.description = value()?,
                "-o" | "--output" => call.output = value()?,
                "-f" | "--values" => call.values.push(("-f", value()?)),
                "--set" | "--set-string" | "--set-file" => call.values.push((flag, value()?)),
                "--install" | "-i" => call.install = true,
                "--all" | "-a" | "--short" => {}
                "--revision" => call.revision = value()?.parse().ok(),
                "--timeout" | "--kubeconfig" => {
                    value()?;
                }
                flag if flag.starts_with('-') => {
                    return Err(format!("unknown flag: {flag} (drydock practice simulates few of them)"));
                }
                word => call.words.push(word),
            }
        }
        Ok(call)
    }

    /// The values given by the user.
    fn given(&self, program: &Program) -> Result<Value, String> {
        let mut given = json!({});
        // files first, as Helm has it, then single values in their order
        for (_, path) in self.values.iter().filter(|(flag, _)| *flag == "-f") {
            values::merge(&mut given, &values::read(&content(program, path)?)?);
        }
        for (flag, text) in self.values.iter().filter(|(flag, _)| *flag != "-f") {
            match (*flag, text.split_once('=')) {
                ("--set-file", Some((key, path))) => values::set_file(&mut given, key, content(program, path)?),
                ("--set-string", _) => values::set_string(&mut given, text)?,
                _ => values::set(&mut given, text)?,
            }
        }
        Ok(given)
    }
}

/// A file that the call names: one of its secret files, or a file of its folder.
fn content(program: &Program, path: &str) -> Result<String, String> {
    let held = program.files.iter().find(|file| path == format!("{{file:{}}}", file.name));
    if let Some(file) = held {
        return Ok(String::from_utf8_lossy(file.content.expose_secret()).into_owned());
    }
    std::fs::read_to_string(program.folder.join(path)).map_err(|_| format!("open {path}: no such file or directory"))
}

fn chart_at(program: &Program, path: &str) -> Result<(), String> {
    let folder = program.folder.join(path);
    if !folder.exists() {
        return Err(format!("path \"{path}\" not found"));
    }
    let text = std::fs::read_to_string(folder.join("Chart.yaml")).unwrap_or_default();
    let chart: Value = serde_saphyr::from_str(&text).unwrap_or_default();
    (chart["name"] == "pixelcore")
        .then_some(())
        .ok_or_else(|| "Chart.yaml file is missing or not PixelCore's (practice knows that chart only)".to_owned())
}

/// Runs helm.
pub async fn run(shared: &Shared, program: &Program, said: &mut Said<'_>) -> Result<u8, PortError> {
    let answer = Call::read(&program.args).and_then(|call| command(shared, program, &call));
    match answer {
        Ok(text) => {
            said.out(text).await?;
            Ok(0)
        }
        Err(problem) => {
            said.err(format!("Error: {problem}\n")).await?;
            Ok(1)
        }
    }
}

fn command(shared: &Shared, program: &Program, call: &Call<'_>) -> Result<String, String> {
    let namespace = call.namespace.as_str();
    let not_found = || "release: not found".to_owned();
    match call.words.as_slice() {
        ["version"] => {
            Ok("version.BuildInfo{Version:\"v3.22.0\", GitCommit:\"\", GitTreeState:\"\", GoVersion:\"practice\"}\n"
                .to_owned())
        }
        ["list" | "ls"] => Ok(list(shared, namespace, call.output)),
        ["get", "values", release] => {
            let mut all = releases::all(shared, namespace).into_iter().filter(|record| record["name"] == *release);
            let record = match call.revision {
                Some(revision) => all.find(|record| record["version"] == revision),
                None => all.next_back(),
            };
            let record = record.ok_or_else(not_found)?;
            let text = values::print(&record["config"]);
            Ok(if call.output.is_empty() { format!("USER-SUPPLIED VALUES:\n{text}") } else { text })
        }
        ["status", release] => Ok(status(&releases::last(shared, namespace, release).ok_or_else(not_found)?)),
        ["history", release] => history(shared, namespace, release, call.output),
        ["show", "chart", path] => {
            chart_at(program, path)?;
            Ok(values::print(&releases::chart()) + "\n")
        }
        ["template", release, path] => {
            chart_at(program, path)?;
            let objects = render::objects(&whole(&call.given(program)?), release, namespace)?;
            wake_the_worker(shared, namespace);
            Ok(manifest(&objects))
        }
        ["upgrade", release, path] => {
            chart_at(program, path)?;
            upgrade(shared, namespace, release, &call.given(program)?, call)
        }
        ["rollback", release, revision] => rollback(shared, namespace, release, revision),
        ["uninstall" | "delete", release] => {
            let record = releases::last(shared, namespace, release)
                .ok_or_else(|| format!("uninstall: Release not loaded: {release}: release: not found"))?;
            for object in record["objects"].as_array().into_iter().flatten() {
                // somebody else may have taken it away
                let _ = shared.objects.delete(&place(object, namespace), None);
            }
            releases::forget(shared, namespace, release);
            Ok(format!("release \"{release}\" uninstalled\n"))
        }
        ["upgrade", ..] => {
            Err("\"helm upgrade\" requires 2 arguments\n\nUsage:  helm upgrade [RELEASE] [CHART] [flags]".to_owned())
        }
        other => Err(format!("`helm {}` is not simulated in practice", other.first().copied().unwrap_or_default())),
    }
}

/// Objects as Helm writes them one after another.
fn manifest(objects: &[Value]) -> String {
    objects.iter().map(|object| format!("---\n# Source: pixelcore/templates\n{}", values::print(object))).collect()
}

fn whole(given: &Value) -> Value {
    let mut all = render::defaults();
    values::merge(&mut all, given);
    all
}

fn time(text: &Value) -> jiff::Timestamp {
    text.as_str().and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn list(shared: &Shared, namespace: &str, output: &str) -> String {
    let all = releases::all(shared, namespace);
    let newest = all.iter().filter(|record| {
        all.iter()
            .all(|other| other["name"] != record["name"] || other["version"].as_u64() <= record["version"].as_u64())
    });
    let rows: Vec<Value> = newest
        .map(|record| {
            let updated = time(&record["info"]["last_deployed"]).strftime("%Y-%m-%d %H:%M:%S.%f +0000 UTC").to_string();
            json!({"name": record["name"], "namespace": namespace, "revision": record["version"].to_string(), "updated": updated,
                "status": record["info"]["status"], "chart": "pixelcore-1.0.0", "app_version": "5.0.0"})
        })
        .collect();
    if output == "json" {
        return format!("{}\n", json!(rows));
    }
    let head = ["NAME", "NAMESPACE", "REVISION", "UPDATED", "STATUS", "CHART", "APP VERSION"].map(str::to_owned);
    let cells = |row: &Value| {
        let values = row.as_object().into_iter().flatten().filter_map(|(_, value)| value.as_str());
        values.map(str::to_owned).collect::<Vec<_>>()
    };
    let table: Vec<Vec<String>> = std::iter::once(head.to_vec()).chain(rows.iter().map(cells)).collect();
    let width = |at: usize| table.iter().filter_map(|row| row.get(at)).map(String::len).max().unwrap_or(0);
    let line = |row: &Vec<String>| {
        let padded = row.iter().enumerate().map(|(at, cell)| format!("{cell:<0$}", width(at)));
        padded.collect::<Vec<_>>().join("\t") + "\n"
    };
    table.iter().map(line).collect()
}

fn history(shared: &Shared, namespace: &str, release: &str, output: &str) -> Result<String, String> {
    let all = releases::all(shared, namespace).into_iter().filter(|record| record["name"] == release);
    let rows: Vec<Value> = all
        .map(|record| {
            json!({"revision": record["version"], "updated": record["info"]["last_deployed"], "status": record["info"]["status"],
                "chart": "pixelcore-1.0.0", "app_version": "5.0.0", "description": record["info"]["description"]})
        })
        .collect();
    match (rows.is_empty(), output) {
        (true, _) => Err("release: not found".to_owned()),
        (false, "json") => Ok(format!("{}\n", json!(rows))),
        _ => Err("`helm history` is simulated in practice with -o json only".to_owned()),
    }
}

fn status(record: &Value) -> String {
    format!(
        "NAME: {}\nLAST DEPLOYED: {}\nNAMESPACE: {}\nSTATUS: {}\nREVISION: {}\nTEST SUITE: None\n",
        record["name"].as_str().unwrap_or_default(),
        time(&record["info"]["last_deployed"]).strftime("%a %b %e %H:%M:%S %Y"),
        record["namespace"].as_str().unwrap_or_default(),
        record["info"]["status"].as_str().unwrap_or_default(),
        record["version"],
    )
}

fn upgrade(shared: &Shared, namespace: &str, release: &str, given: &Value, call: &Call<'_>) -> Result<String, String> {
    let before = releases::last(shared, namespace, release);
    let pending =
        before.as_ref().is_some_and(|b| b["info"]["status"].as_str().is_some_and(|s| s.starts_with("pending-")));
    if pending {
        return Err("UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress".to_owned());
    }
    if before.is_none() && !call.install {
        return Err(format!("UPGRADE FAILED: \"{release}\" has no deployed releases"));
    }
    if before.is_none() {
        let head = format!("Release \"{release}\" does not exist. Installing it now.\n");
        let record = apply(shared, namespace, release, (given, call.description), None)?;
        return Ok(head + &status(&record));
    }
    let record = apply(shared, namespace, release, (given, call.description), before.as_ref())?;
    Ok(format!("Release \"{release}\" has been upgraded. Happy Helming!\n{}", status(&record)))
}

fn rollback(shared: &Shared, namespace: &str, release: &str, revision: &str) -> Result<String, String> {
    let newest = releases::last(shared, namespace, release).ok_or("release: not found")?;
    let wanted: u64 = revision.parse().map_err(|_| format!("could not convert revision to a number: {revision}"))?;
    let of = |record: &Value| record["name"] == release && record["version"] == wanted;
    let wanted = releases::all(shared, namespace).into_iter().find(of).ok_or("release: not found")?;
    let objects = wanted["objects"].as_array().cloned().unwrap_or_default();
    written(shared, namespace, wanted, &objects, &format!("Rollback to {revision}"), Some(&newest))?;
    Ok("Rollback was a success! Happy Helming!\n".to_owned())
}

/// Installs a release; the record that was written.
pub fn install(shared: &Shared, namespace: &str, release: &str, given: &Value) -> Result<Value, String> {
    apply(shared, namespace, release, (given, ""), None)
}

/// The fault writes-after-dump: when a rehearsal begins, which renders the chart for its own namespace, production's worker
/// comes back, as an autoscaler would bring it.
fn wake_the_worker(shared: &Shared, rendered: &str) {
    let workers = shared.objects.list("apps", "deployments", None).1;
    let worker = workers.iter().find(|found| {
        found["metadata"]["name"] == "pix-worker"
            && found["metadata"]["namespace"] != rendered
            && found["spec"]["replicas"] == 0
    });
    let Some(worker) = worker else { return };
    if shared.faults.strikes(Fault::WritesAfterDump) {
        let namespace = worker["metadata"]["namespace"].as_str().unwrap_or_default();
        let place = shared.objects.get(&Key::new("", "namespaces", None, namespace));
        let uid = place.and_then(|place| place.pointer("/metadata/uid").and_then(Value::as_str).map(str::to_owned));
        shared.change(|state| state.writes_in = uid);
        // it may be going by now
        let _ = shared.objects.update(&Key::new("apps", "deployments", Some(namespace), "pix-worker"), |worker| {
            worker["spec"]["replicas"] = json!(1);
            Ok(())
        });
    }
}

fn apply(
    shared: &Shared,
    namespace: &str,
    release: &str,
    (given, description): (&Value, &str),
    before: Option<&Value>,
) -> Result<Value, String> {
    let objects = render::objects(&whole(given), release, namespace)?;
    let usual = if before.is_some() { "Upgrade complete" } else { "Install complete" };
    let record = json!({
        "name": release, "namespace": namespace, "config": given, "manifest": manifest(&objects), "objects": objects,
        "chart": {"metadata": releases::chart(), "values": render::defaults(), "templates": [], "files": null, "lock": null, "schema": null},
    });
    written(shared, namespace, record, &objects, if description.is_empty() { usual } else { description }, before)
}

/// Writes a revision down, makes its objects, and takes away what only the one `before` had.
fn written(
    shared: &Shared,
    namespace: &str,
    mut record: Value,
    objects: &[Value],
    description: &str,
    before: Option<&Value>,
) -> Result<Value, String> {
    let release = record["name"].as_str().unwrap_or_default().to_owned();
    let now = jiff::Timestamp::now().to_string();
    let version = before.and_then(|before| before["version"].as_u64()).map_or(1, |version| version + 1);
    let doing = if before.is_some() { "pending-upgrade" } else { "pending-install" };
    let first = before.map_or_else(|| json!(now), |before| before["info"]["first_deployed"].clone());
    record["version"] = json!(version);
    record["info"] = json!({"first_deployed": first, "last_deployed": now, "deleted": "", "status": doing, "description": "Preparing"});
    releases::write(shared, namespace, &record)?;
    for object in objects {
        put(shared, namespace, &release, object)?;
    }
    for old in before.and_then(|before| before["objects"].as_array()).into_iter().flatten() {
        if !objects.iter().any(|object| place(object, namespace) == place(old, namespace)) {
            // somebody else may have taken it away
            let _ = shared.objects.delete(&place(old, namespace), None);
        }
    }
    if let Some(before) = before {
        let mut superseded = before.clone();
        superseded["info"]["status"] = json!("superseded");
        releases::write(shared, namespace, &superseded)?;
    }
    record["info"]["status"] = json!("deployed");
    record["info"]["description"] = json!(description);
    releases::write(shared, namespace, &record)?;
    Ok(record)
}

fn place(object: &Value, namespace: &str) -> Key {
    let (group, plural) = match object["kind"].as_str().unwrap_or_default() {
        "Deployment" => ("apps", "deployments"),
        "StatefulSet" => ("apps", "statefulsets"),
        "Service" => ("", "services"),
        "Secret" => ("", "secrets"),
        _ => ("", "configmaps"),
    };
    Key::new(group, plural, Some(namespace), object["metadata"]["name"].as_str().unwrap_or_default())
}

fn put(shared: &Shared, namespace: &str, release: &str, object: &Value) -> Result<(), String> {
    let at = place(object, namespace);
    let mut object = object.clone();
    server::fill(&at.group, &at.plural, &at.name, &mut object);
    match shared.objects.create(&at, object.clone()) {
        Ok(_) => return Ok(()),
        Err(Refusal::Exists) => {}
        Err(other) => return Err(other.to_string()),
    }
    let changed = shared.objects.update(&at, |found| {
        let owner = found.pointer("/metadata/annotations").and_then(|all| all.get("meta.helm.sh/release-name"));
        if owner.and_then(Value::as_str) != Some(release) {
            return Err(Refusal::Invalid(format!(
                "Unable to continue with install: {} \"{}\" in namespace \"{namespace}\" exists and cannot be imported into the current release: invalid ownership metadata; annotation validation error: missing key \"meta.helm.sh/release-name\": must be set to \"{release}\"",
                object["kind"].as_str().unwrap_or_default(),
                at.name
            )));
        }
        for key in ["spec", "data"] {
            if let Some(new) = object.get(key) {
                values::merge(&mut found[key], new);
            }
        }
        values::merge(&mut found["metadata"]["labels"], &object["metadata"]["labels"]);
        Ok(())
    });
    changed.map(|_| ()).map_err(|error| error.to_string())
}
