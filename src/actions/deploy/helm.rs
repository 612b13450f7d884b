//! `capture` and `helm`: what is installed, and installing it again with the same values and environment.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    chart,
    release::{
        PENDING, RECORD, VALUES, is_marked, mark, not_deployed, record, record_of, refuse_another, release, values,
    },
};
use crate::{
    actions::{
        context::{Action, Described, Done, Halt, PlanCx, Probed, StepCx, right, secret_name},
        forms::api::Api,
        objects::pods::text,
        programs::host::{Call, follow},
        spec::{CaptureSpec, HelmSpec},
    },
    ports::{ExitStatus, Identity, Provenance, kinds},
    run::{Repeat, Verdict},
    text::{Diagnostic, units},
};

/// A call of helm for the release and the run's copy of the chart in `namespace`, with the captured values and files.
pub async fn with_captured(cx: &StepCx, command: &[&str], namespace: &str) -> Result<Call, Halt> {
    let helm = &cx.deployment()?.helm;
    let (name, chart) = (cx.render(&helm.release)?, chart::held(cx).await?.path.display().to_string());
    let mut call = Call::new(cx, "helm", &[command, &[&name, &chart, "-n", namespace]].concat());
    call.args.extend(["-f".to_owned(), "{file:values.yaml}".to_owned()]);
    let values = cx.secret(&secret_name(&helm.captured, "1", VALUES)).await?;
    call.files.push(("values.yaml".to_owned(), values));
    for (value, item) in &helm.set_file {
        let file = item.replace('/', ".");
        call.args.extend(["--set-file".to_owned(), format!("{value}={{file:{file}}}")]);
        call.files.push((file, cx.secret(item).await?));
    }
    // what is installed as it was captured has the version that it had
    let set = if chart::is_captured(cx)? { None } else { Some(&helm.set) };
    for (key, value) in set.into_iter().flatten() {
        call.args.extend(["--set-string".to_owned(), format!("{key}={}", literal(&cx.render(value)?))]);
    }
    Ok(call)
}

/// A text as a value of `--set-string`, which reads lists and further keys out of it where nothing says otherwise.
fn literal(text: &str) -> String {
    let mut literal = String::new();
    for letter in text.chars() {
        if matches!(letter, '\\' | ',' | '{' | '}') {
            literal.push('\\');
        }
        literal.push(letter);
    }
    literal
}

/// How the journal names that a release is installed in `place`.
pub fn installation(place: &Identity, name: &str) -> String {
    format!("helm upgrade --install {name} in {}", place.namespace)
}

/// Installs the deployment into `place` with the captured values and files.
pub async fn install(cx: &StepCx, place: &Identity) -> Result<(), Halt> {
    let name = cx.render(&cx.deployment()?.helm.release)?;
    let mut call = with_captured(cx, &["upgrade", "--install"], &place.namespace).await?;
    let mut content: Vec<u8> = call.files.iter().flat_map(|(_, file)| file.expose_secret().iter().copied()).collect();
    // where the copy lies may be another folder after a move: what is in it counts
    let held = chart::held(cx).await?.path.display().to_string();
    let args: Vec<&str> = call.args.iter().map(|arg| if *arg == held { "CHART" } else { arg.as_str() }).collect();
    content.extend_from_slice(format!("{}\n{}", chart::sha256(cx), args.join("\n")).as_bytes());
    let digest = cx.world.secrets.keyed_digest(&content).await?;
    let mark = format!("{}, {}", mark(cx), digest.get(..12).unwrap_or(&digest));
    call.args.extend(["--description".to_owned(), mark.clone()]);
    let effect = installation(place, &name);
    // no helm of this run works any more: what a killed drydock had left running is ended before a run is taken up again
    let before = release(cx, place, &name).await?;
    if before.is_some() {
        refuse_another(cx, place, &name, &effect).await?;
    }
    match before.as_ref().map(|release| text(release, "/status")) {
        // taken up again after a kill: helm came to its end, and nobody was told
        Some("deployed") if is_marked(cx, place, &name, &mark).await? => {
            return cx.effected(&effect, "was deployed already by this try").await;
        }
        Some(status) if status.starts_with(PENDING) => clear_pending(cx, place, &name).await?,
        _ => {}
    }
    let (exit, errors) = change(cx, place, call, &effect).await?;
    if exit.code != 0 {
        let now = release(cx, place, &name).await.ok().flatten();
        let status = now.as_ref().map_or("not written down", |release| text(release, "/status")).to_owned();
        let how = if exit.code == 137 { ": it was killed" } else { "" };
        let problem = Diagnostic::new(format!("helm upgrade --install {name} ended with status {}{how}", exit.code))
            .proves(format!("the installation is not whole; helm's own record of it is {status}"))
            .help("mend the cause, then try again: a record of an attempt that was cut is removed, what it made is taken over");
        return Err(errors.into_iter().fold(problem, Diagnostic::cause).into());
    }
    // status 0 is not enough: helm must also have written the release down as deployed
    let found = release(cx, place, &name).await?;
    let status = found.as_ref().map_or("absent", |release| text(release, "/status"));
    if status != "deployed" {
        return Err(Diagnostic::new(format!("helm ended with status 0, and release {name} is {status}")).into());
    }
    cx.effected(&effect, "deployed").await
}

/// Runs a helm that changes something: written down before, and after it unless it came to its end with status 0. Returns its
/// status and last error lines.
pub async fn change(
    cx: &StepCx,
    place: &Identity,
    call: Call,
    effect: &str,
) -> Result<(ExitStatus, Vec<String>), Halt> {
    cx.effect(effect).await?;
    match follow(cx, place, call).await {
        Ok((exit, _, errors)) => {
            if exit.code != 0 {
                cx.effected(effect, &format!("ended with status {}", exit.code)).await?;
            }
            Ok((exit, errors))
        }
        Err(fault @ Halt::Fault(_)) => Err(fault),
        Err(halt) => {
            cx.effected(effect, "ended by drydock").await?;
            Err(halt)
        }
    }
}

/// A helm killed in the middle leaves `pending-…`, and every later helm refuses. Its record of that attempt is removed;
/// what it made is adopted by the next attempt, as it carries the release's labels.
pub async fn clear_pending(cx: &StepCx, place: &Identity, name: &str) -> Result<(), Halt> {
    let Some(found) = release(cx, place, name).await? else { return Ok(()) };
    let status = text(&found, "/status");
    if !status.starts_with(PENDING) {
        return Ok(());
    }
    let revision = text(&found, "/revision");
    let reference = record_of(place, name, revision);
    let secret = &reference.name;
    if let Some(record) = cx.world.objects.get(&reference).await? {
        let effect = format!("remove helm's record {secret} of an attempt that was cut ({status})");
        cx.effect(&effect).await?;
        cx.world.objects.delete(&reference, text(&record, "/metadata/uid")).await?;
        cx.effected(&effect, "accepted").await?;
    }
    Ok(())
}

#[async_trait]
impl Action for CaptureSpec {
    fn repeat(&self) -> Repeat {
        Repeat::Safe
    }

    fn describe(&self, cx: &PlanCx<'_>) -> Described {
        let ns = Some(cx.namespace);
        let release = cx.deployment.map_or_else(String::new, |d| cx.show(&d.helm.release));
        Described {
            commands: vec![
                format!("$ helm list --all -n {} -o json", cx.namespace),
                format!("$ helm get values {release} -n {} -o yaml   (into the vault)", cx.namespace),
                format!(
                    "$ kubectl -n {} get secret sh.helm.release.v1.{release}.vREVISION   (helm's own record, into the vault)",
                    cx.namespace
                ),
                format!("$ kubectl -n {} get pods   (version and image digests)", cx.namespace),
            ],
            rights: vec![
                right("list", "", "pods", "", ns),
                right("list", "", "secrets", "", ns),
                right("get", "", "secrets", "", ns),
            ],
            programs: vec!["helm".to_owned()],
            ..Described::default()
        }
    }

    async fn probe(&self, _: &StepCx) -> Result<Probed, Halt> {
        Ok(Probed::new(Verdict::NotDone, "reading again costs nothing"))
    }

    async fn run(&self, cx: &StepCx) -> Result<Done, Halt> {
        let deployment = cx.deployment()?;
        let answer_version = Api::open(cx, cx.namespace()).await?.get(&deployment.api.version).await?;
        let version = text(&answer_version, "/version").to_owned();
        let expected = cx.render(&self.expect_version)?;
        if version.is_empty() || (!expected.is_empty() && version != expected) {
            return Err(
                Diagnostic::new(format!("the application says it is version {version:?}, not {expected:?}")).into()
            );
        }
        let name = cx.render(&deployment.helm.release)?;
        let Some(found) = release(cx, &cx.target, &name).await? else {
            return Err(Diagnostic::new(format!("there is no Helm release {name} in namespace {}", cx.namespace()))
                .help("name the release with --set release=NAME")
                .into());
        };
        if text(&found, "/status") != "deployed" {
            return Err(not_deployed(cx, &name, text(&found, "/status")).await.into());
        }
        let revision = text(&found, "/revision");
        let kept = values(cx, &name, revision).await?;
        let place = format!("helm get values {name}, revision {revision}");
        cx.keep_secret("1", VALUES, kept, Provenance::Found { place }).await?;
        let (kept, uid) = record(cx, &name, revision).await?;
        let place = format!("Secret {} of namespace {}", record_of(&cx.target, &name, revision).name, cx.namespace());
        cx.keep_secret("1", RECORD, kept, Provenance::Found { place }).await?;
        let images = images(cx).await?;
        let summary = format!(
            "{version}, {}, release {name} revision {revision}",
            units::plural(images.len(), "image", "images")
        );
        Ok(Done::with(
            summary,
            json!({"version": version, "images": images, "release": {"name": name, "revision": revision, "uid": uid,
                   "chart": text(&found, "/chart"), "status": text(&found, "/status")}}),
        ))
    }
}

/// Every container's image with the digest that runs, once.
async fn images(cx: &StepCx) -> Result<Vec<Value>, Halt> {
    let mut found: Vec<Value> = Vec::new();
    for pod in cx.world.objects.list(&kinds::pod(), Some(cx.namespace()), "").await? {
        for status in pod.pointer("/status/containerStatuses").and_then(Value::as_array).into_iter().flatten() {
            let image = json!({"container": text(status, "/name"), "image": text(status, "/image"), "id": text(status, "/imageID")});
            if !found.contains(&image) {
                found.push(image);
            }
        }
    }
    Ok(found)
}

#[async_trait]
impl Action for HelmSpec {
    fn repeat(&self) -> Repeat {
        Repeat::Guarded
    }

    fn describe(&self, cx: &PlanCx<'_>) -> Described {
        let Some(helm) = cx.deployment.map(|deployment| &deployment.helm) else { return Described::default() };
        let files = helm.set_file.keys().map(|key| format!(" --set-file {key}=VAULT"));
        let set = helm.set.iter().map(|(key, value)| format!(" --set-string {key}={}", cx.show(value)));
        let more: String = files.chain(set).collect();
        let (name, chart) = (cx.show(&helm.release), cx.show(&helm.chart));
        Described {
            commands: vec![
                format!("$ helm upgrade --install {name} {chart} -n {} -f VAULT{more}", cx.namespace),
                "from the copy of this chart that the run took at its preflight".to_owned(),
            ],
            rights: ["secrets", "configmaps", "services"]
                .iter()
                .map(|kind| right("create", "", kind, "", Some(cx.namespace)))
                .chain(
                    ["deployments", "statefulsets"]
                        .iter()
                        .map(|kind| right("create", "apps", kind, "", Some(cx.namespace))),
                )
                .collect(),
            programs: vec!["helm".to_owned()],
            ..Described::default()
        }
    }

    async fn probe(&self, cx: &StepCx) -> Result<Probed, Halt> {
        let name = cx.render(&cx.deployment()?.helm.release)?;
        Ok(match release(cx, &cx.target, &name).await? {
            None => Probed::new(Verdict::NotDone, "helm knows no such release"),
            Some(found) if text(&found, "/status") == "deployed" => {
                if is_marked(cx, &cx.target, &name, &mark(cx)).await? {
                    Probed::new(Verdict::Done, "helm says deployed, by this try")
                } else {
                    Probed::new(
                        Verdict::NotDone,
                        "helm says deployed, and not by this try: what is not of this run is left alone",
                    )
                }
            }
            Some(found) => Probed::new(Verdict::Partly, format!("helm says {}", text(&found, "/status"))),
        })
    }

    async fn run(&self, cx: &StepCx) -> Result<Done, Halt> {
        install(cx, &cx.target).await?;
        let name = cx.render(&cx.deployment()?.helm.release)?;
        Ok(Done::plain(format!("release {name} is deployed")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_of_an_operator_becomes_a_second_value_or_a_list() {
        assert_eq!(literal("5.0.0"), "5.0.0");
        assert_eq!(literal("a,b=c"), "a\\,b=c");
        assert_eq!(literal("{x}\\"), "\\{x\\}\\\\");
    }
}
