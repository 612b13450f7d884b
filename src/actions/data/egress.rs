//! The network of a scratch copy: a policy that denies what leaves its namespace, there before anything else, and a probe that
//! says whether the network keeps it. Many networks do not, and no answer of the API tells. Where it is not proven, what the
//! copy would contact is shown, and a human says whether it may run.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use super::client;
use crate::{
    actions::{
        agree::{Who, agrees},
        context::{Halt, StepCx},
        deploy::{
            contacts::{Contacts, hosts_in},
            rendered::Rendered,
            scratch::Scratch,
        },
        forms::form_state,
        objects::pods::{ask_container, text},
    },
    ports::{Identity, PodRef, PortErrorKind, kinds, remote::Script},
    run::Record,
    text::{Diagnostic, units},
};

/// Name of the policy.
const POLICY: &str = "drydock-stay-inside";
/// Subject of the evidence.
const SUBJECT: &str = "network of the test copy";
/// It was seen from inside one pod.
const RUNG: u8 = 1;
/// A network may take a moment to put a policy in force: so often it is tried, and the time between.
const TRIES: u64 = 10;
const PAUSE: Duration = Duration::from_secs(1);
/// Hosts that are shown at most; the others are counted.
const SHOWN: usize = 12;
/// Where a database answers when its container names no port.
const POSTGRES: u64 = 5432;
/// What the copy may reach: the way by which it is known that the probe can reach anything.
const DNS: &str = "dns";
/// The cluster's own API.
const API: &str = "api";

/// What the probe found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Network {
    /// Nothing outside was reached, after so many seconds, and what may be reached was.
    Holds { after_s: u64 },
    /// These were reached: the network ignores the policy.
    Ignores { reached: Vec<String> },
    /// Why it cannot be told.
    Untold { why: String },
}

impl Network {
    /// From what the script printed about `outside`.
    ///
    /// # Errors
    /// What was reached: a moment later it may be closed.
    fn read(said: &str, outside: &[(String, String)], after_s: u64) -> Result<Self, Vec<String>> {
        let is = |target: &str, word: &str| said.lines().any(|line| line == format!("{target} {word}"));
        let reached: Vec<String> =
            outside.iter().filter(|(target, _)| is(target, "reached")).map(|(_, name)| name.clone()).collect();
        if !reached.is_empty() {
            return Err(reached);
        }
        if let Some((_, name)) = outside.iter().find(|(target, _)| !is(target, "closed")) {
            return Ok(Self::Untold { why: format!("nothing in the image could try to reach {name}") });
        }
        if is(DNS, "reached") {
            return Ok(Self::Holds { after_s });
        }
        let why = "the probe reached nothing at all, not even the name service, which it may reach".to_owned();
        Ok(Self::Untold { why })
    }

    /// In one line, for the report and the question.
    fn told(&self, namespace: &str) -> String {
        match self {
            Self::Holds { after_s } => {
                let late = match after_s {
                    0 => String::new(),
                    n => format!(", from {} after its pod began", units::seconds(*n)),
                };
                format!(
                    "the network holds the test copy in its namespace: neither the cluster's API nor the database of {namespace} \
                     was reached from there{late}"
                )
            }
            Self::Ignores { reached } => format!(
                "the network of this cluster ignores policies: {} reached from the test copy, though its policy denies that",
                were(reached)
            ),
            Self::Untold { why } => format!("it is not proven that the network holds the test copy: {why}"),
        }
    }

    /// Its name among the facts.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Holds { .. } => "holds",
            Self::Ignores { .. } => "ignores",
            Self::Untold { .. } => "untold",
        }
    }
}

fn were(names: &[String]) -> String {
    let verb = if names.len() == 1 { "was" } else { "were" };
    format!("{} {verb}", names.join(" and "))
}

/// Every pod may reach the pods of its own namespace and a name service, whose port is another one on some clusters.
pub fn policy(cx: &StepCx, namespace: &str) -> Value {
    let ports: Vec<Value> = ["UDP", "TCP"]
        .into_iter()
        .flat_map(|protocol| [53, 5353].map(|port| json!({"protocol": protocol, "port": port})))
        .collect();
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": POLICY, "namespace": namespace,
            "labels": {"app.kubernetes.io/managed-by": "drydock", "drydock.run": cx.short()}},
        "spec": {"podSelector": {}, "policyTypes": ["Egress"],
            "egress": [{"to": [{"podSelector": {}}]}, {"ports": ports}]},
    })
}

/// Puts the policy into an empty scratch namespace.
pub async fn deny(cx: &StepCx, place: &Identity) -> Result<(), Halt> {
    cx.still(place).await?;
    let effect = format!("create policy {POLICY} in {}: nothing leaves it", place.namespace);
    cx.effect(&effect).await?;
    let made = cx.world.objects.create(&policy(cx, &place.namespace)).await?;
    cx.effected(&effect, text(&made, "/metadata/uid")).await
}

/// The pod that tries what is reached from a namespace, as the new version's core but with nothing of its environment.
pub fn probe(cx: &StepCx, namespace: &str, rendered: &Rendered) -> Result<Value, Halt> {
    let wanted = &cx.deployment()?.core.container;
    let Some(needed) = rendered.needed_by(wanted) else {
        return Err(Diagnostic::new(format!("the rendered chart has no container {wanted}")).into());
    };
    let name = format!("drydock-probe-{}", cx.short());
    Ok(needed.pod((namespace, &name), &cx.short(), &client::IDLE))
}

/// Tries from a pod there, of the new version's image and with nothing of its environment, whether the policy is kept.
pub async fn tried(cx: &StepCx, place: &Identity, rendered: &Rendered) -> Result<Network, Halt> {
    let namespace = place.namespace.as_str();
    let pod = probe(cx, namespace, rendered)?;
    let name = text(&pod, "/metadata/name").to_owned();
    let effect = format!("create pod {name} in {namespace}");
    cx.effect(&effect).await?;
    let made = created(cx, &pod).await?;
    cx.effected(&effect, text(&made, "/metadata/uid")).await?;
    let outside = outside(cx).await?;
    let sentence = "A pod of ours tries what it reaches from the test copy's namespace.";
    let pod = client::until_ready(cx, (namespace, &name, "image"), sentence).await?;
    let network = asked(cx, &pod, &outside).await?;
    client::remove_pod(cx, namespace, &made).await?;
    Ok(network)
}

/// A namespace that was just made may have no account for its pods yet.
async fn created(cx: &StepCx, pod: &Value) -> Result<Value, Halt> {
    let mut tries = 0;
    loop {
        match cx.world.objects.create(pod).await {
            Ok(made) => return Ok(made),
            Err(error) if error.kind == PortErrorKind::Forbidden && tries < TRIES => cx.pause(PAUSE).await?,
            Err(error) => return Err(error.into()),
        }
        tries += 1;
    }
}

/// What is known to listen outside of the copy, as the script takes it and in words.
async fn outside(cx: &StepCx) -> Result<Vec<(String, String)>, Halt> {
    let mut all = vec![(API.to_owned(), "the cluster's API".to_owned())];
    let at = &cx.deployment()?.database;
    let pods = cx.world.objects.list(&kinds::pod(), Some(cx.namespace()), &at.selector).await?;
    for pod in &pods {
        let address = text(pod, "/status/podIP");
        let containers = pod.pointer("/spec/containers").and_then(Value::as_array).into_iter().flatten();
        let mut own = containers.filter(|container| text(container, "/name") == at.container);
        let port = own.find_map(|container| container.pointer("/ports/0/containerPort")?.as_u64());
        if !address.is_empty() {
            let target = format!("{address}/{}", port.unwrap_or(POSTGRES));
            all.push((target, format!("the database of {}", cx.namespace())));
        }
    }
    Ok(all)
}

async fn asked(cx: &StepCx, pod: &PodRef, outside: &[(String, String)]) -> Result<Network, Halt> {
    let targets: Vec<&str> = std::iter::once(DNS).chain(outside.iter().map(|(target, _)| target.as_str())).collect();
    let command = Script::Reach.command(&targets);
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    let mut after_s = 0;
    loop {
        let (_, said) = ask_container(cx, pod, &command).await?;
        match Network::read(&said, outside, after_s) {
            Ok(network) => return Ok(network),
            Err(reached) if after_s == TRIES => return Ok(Network::Ignores { reached }),
            Err(_) => cx.pause(PAUSE).await?,
        }
        after_s += 1;
    }
}

/// Goes on where the copy is held, or where a human has seen what it would contact and lets it run. What was seen and said is
/// written down.
///
/// # Errors
/// The way back, or that nobody is there to answer.
pub async fn agreed(
    cx: &StepCx,
    network: &Network,
    rendered: &Rendered,
    copy: &Scratch,
    name: &str,
) -> Result<(), Halt> {
    let sentence = network.told(cx.namespace());
    // that nothing was seen is no proof of anything
    if !matches!(network, Network::Untold { .. }) {
        let facts = json!({"network": network.word(), "namespace": name});
        cx.evidence(SUBJECT, RUNG, &sentence, facts).await?;
    }
    if matches!(network, Network::Holds { .. }) {
        return Ok(());
    }
    let contacts = rendered.contacts(copy.still.iter().chain(&copy.running), name);
    let text = question(cx, &sentence, &contacts, &captured(cx)?);
    if !agrees(cx, text, "Run the copy all the same", Who::Anybody).await? {
        return Err(Halt::Back);
    }
    let (step, by) = (cx.step.clone(), cx.world.host.operator());
    let all: BTreeSet<String> = contacts.hosts.into_iter().chain(contacts.keys).collect();
    let what = if all.is_empty() { "no host that its documents name".to_owned() } else { listed(&all) };
    let reason = format!("{sentence}; the copy may run all the same, and contact {what}");
    cx.driver.record(Record::Confirmed { step, item: "the network".to_owned(), by, reason }).await
}

fn question(cx: &StepCx, sentence: &str, contacts: &Contacts, captured: &BTreeSet<String>) -> Vec<String> {
    let mut letters = sentence.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    let mut text = vec![format!("{first}{}.", letters.as_str())];
    let writers = cx.deployment.as_ref().map_or_else(String::new, |deployment| deployment.writers.join(", "));
    text.push(format!(
        "Nothing of the copy runs yet. {writers} will not run there at all, and nothing outside is led to it. What else runs can \
         contact what its environment names:"
    ));
    text.push(match contacts.hosts.len() {
        0 => "- no host outside, as far as the chart's documents tell".to_owned(),
        _ => format!("- {}", listed(&contacts.hosts)),
    });
    if !contacts.keys.is_empty() {
        text.push(format!("- and what these name, whose values are not shown: {}", listed(&contacts.keys)));
    }
    if !captured.is_empty() {
        text.push(format!(
            "Captured settings name {}. The copy does not get them; what it has by itself is its own.",
            listed(captured)
        ));
    }
    text.push("Going back removes the scratch namespace. Production stays as it is either way.".to_owned());
    text
}

fn listed(all: &BTreeSet<String>) -> String {
    let mut shown: Vec<String> = all.iter().take(SHOWN).cloned().collect();
    if all.len() > SHOWN {
        shown.push(format!("{} more", all.len() - SHOWN));
    }
    shown.join(", ")
}

/// Hosts that the captured settings name.
fn captured(cx: &StepCx) -> Result<BTreeSet<String>, Halt> {
    let state = cx.driver.state();
    let mut hosts = BTreeSet::new();
    for (step, _) in state.facts.iter().filter(|(_, facts)| facts["found"].is_object()) {
        for item in form_state::load_of(cx, &step.0)?.items {
            hosts.extend(item.values.iter().flat_map(|(field, value)| hosts_in(field, &value.told())));
        }
    }
    Ok(hosts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_tried_and_closed_counts_as_held() {
        let outside =
            [("api".to_owned(), "the API".to_owned()), ("10.0.0.7/5432".to_owned(), "the database".to_owned())];
        let read = |said: &str| Network::read(said, &outside, 2);
        let reached = |names: &[&str]| Err(names.iter().map(|&name| name.to_owned()).collect());
        assert_eq!(read("dns reached\napi reached\n10.0.0.7/5432 reached\n"), reached(&["the API", "the database"]));
        assert_eq!(read("dns closed\napi closed\n10.0.0.7/5432 reached\n"), reached(&["the database"]));
        for untold in [
            "",
            "dns reached\napi closed\n",
            "dns reached\napi unknown\n10.0.0.7/5432 closed\n",
            "dns closed\napi closed\n10.0.0.7/5432 closed\n",
            "dns unknown\napi closed\n10.0.0.7/5432 closed\n",
        ] {
            assert!(matches!(read(untold), Ok(Network::Untold { .. })), "{untold:?}");
        }
        let held = read("dns reached\napi closed\n10.0.0.7/5432 closed\n");
        assert_eq!(held, Ok(Network::Holds { after_s: 2 }));
    }

    #[test]
    fn many_hosts_are_counted() {
        let all: BTreeSet<String> = (10..40).map(|number| format!("h{number}")).collect();
        assert!(listed(&all).ends_with("h21, 18 more"), "{}", listed(&all));
    }
}
