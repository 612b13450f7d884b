//! `rehearse`: a scratch namespace, the same deployment in its new version, the restore, the comparison, the clean-up.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    artifacts::{DumpFacts, NEEDED},
    database::source,
    egress::{self, Network},
    foreign::{FRESH, Holds},
    restore,
};
use crate::{
    actions::{
        context::{Action, Described, Done, Halt, PlanCx, Probed, StepCx, right},
        deploy::{chart, rendered::Rendered, scratch::Scratch},
        forms::{api::Api, dotenv},
        objects::{
            pods::text,
            rooms::{self, Room},
            wait,
        },
        spec::RehearseSpec,
    },
    ports::{Identity, Right},
    run::{OutputLine, Repeat, Tag, Verdict},
    text::{Diagnostic, units},
};

/// What its namespace is for.
const SCRATCH: Room = Room::Scratch;

impl RehearseSpec {
    /// Makes the scratch namespace anew. Another's namespace of that name is refused, never emptied.
    async fn make_room(&self, cx: &StepCx, name: &str) -> Result<Identity, Halt> {
        if name == cx.namespace() {
            return Err(Halt::Refused(Box::new(Diagnostic::new(
                "the rehearsal may not happen in the target's own namespace",
            ))));
        }
        if let Some(found) = cx.world.objects.get(&rooms::reference(name)).await? {
            if !SCRATCH.is_ours(cx, &found) {
                return Err(Halt::Refused(Box::new(
                    Diagnostic::new(format!("namespace {name} exists and is not of this run"))
                        .safe("everything in it: drydock never empties what it has not made")
                        .help("choose another name for the rehearsal, or remove that namespace yourself"),
                )));
            }
            SCRATCH.remove(cx, name, text(&found, "/metadata/uid")).await?;
        }
        SCRATCH.make(cx, name, serde_json::Map::new()).await
    }

    /// Creates objects of the copy, each in the place that was just read again.
    async fn put(&self, cx: &StepCx, place: &Identity, objects: &[Value]) -> Result<(), Halt> {
        cx.still(place).await?;
        for one in objects {
            let name = format!("{} {}", text(one, "/kind"), text(one, "/metadata/name"));
            let effect = format!("create {name} in {}", place.namespace);
            cx.effect(&effect).await?;
            let made = cx.world.objects.create(one).await?;
            cx.effected(&effect, text(&made, "/metadata/uid")).await?;
        }
        Ok(())
    }

    /// The deployment in the scratch namespace, held in there from the first moment on, and whether its network holds it.
    async fn install(
        &self,
        cx: &StepCx,
        place: &Identity,
        rendered: &Rendered,
        copy: &Scratch,
    ) -> Result<Network, Halt> {
        egress::deny(cx, place).await?;
        for text in &copy.told {
            let (at, source) = (cx.world.clock.now(), "test copy".to_owned());
            cx.driver.line(OutputLine { at, source, tag: Tag::Plain, text: text.clone() }).await;
        }
        self.put(cx, place, &copy.still).await?;
        let network = egress::tried(cx, place, rendered).await?;
        let agreed = egress::agreed(cx, &network, rendered, copy, &place.namespace).await;
        if let Err(halt) = agreed {
            // nothing of the copy has run: there is nothing to look at. What cannot be written down does not happen
            if !matches!(halt, Halt::Fault(_)) {
                SCRATCH.remove(cx, &place.namespace, &place.namespace_uid).await?;
            }
            return Err(halt);
        }
        self.put(cx, place, &copy.running).await?;
        Ok(network)
    }
}

/// What a rehearsal needs: the namespace, and in it all that makes, fills and asks a deployment.
fn rights(name: &str) -> Vec<Right> {
    let inside = [
        ("", "secrets", "", &["get"][..]),
        ("", "configmaps", "", &["get"]),
        ("networking.k8s.io", "networkpolicies", "", &["create"]),
        ("", "events", "", &["list"]),
        ("", "pods", "", &["get", "list", "watch", "create", "delete"]),
        ("", "pods", "log", &["get"]),
        ("", "pods", "exec", &["get", "create"]),
        ("", "pods", "portforward", &["get", "create"]),
        ("apps", "deployments", "", &["get", "create"]),
        ("apps", "statefulsets", "", &["get", "create"]),
    ];
    let inside = inside.into_iter().flat_map(|(group, resource, part, verbs)| {
        verbs.iter().map(move |verb| right(verb, group, resource, part, Some(name)))
    });
    let outside = ["get", "create", "delete"].map(|verb| right(verb, "", "namespaces", "", None));
    outside.into_iter().chain(inside).collect()
}

#[async_trait]
impl Action for RehearseSpec {
    fn repeat(&self) -> Repeat {
        Repeat::Guarded
    }

    fn describe(&self, cx: &PlanCx<'_>) -> Described {
        let name = cx.show(&self.namespace);
        let (release, chart) =
            cx.deployment.map_or_else(Default::default, |d| (cx.show(&d.helm.release), cx.show(&d.helm.chart)));
        Described {
            commands: vec![
                format!("$ kubectl create namespace {name}   (and in it first a policy that lets nothing leave it)"),
                format!("$ helm template {release} {chart} -n {name} -f VAULT …   (rendered, then created by drydock)"),
                "without what acts on the world, and without a pod of its writers".to_owned(),
                "tries from a pod there whether the network keeps that policy, and asks where it does not".to_owned(),
                "restores the dump there and counts every table".to_owned(),
                format!("$ kubectl delete namespace {name}"),
            ],
            unknown: vec!["how long a restore takes".to_owned()],
            rights: rights(&name),
            programs: vec!["helm".to_owned()],
        }
    }

    async fn probe(&self, cx: &StepCx) -> Result<Probed, Halt> {
        let name = cx.render(&self.namespace)?;
        Ok(match cx.world.objects.get(&rooms::reference(&name)).await? {
            Some(_) => Probed::new(
                Verdict::Partly,
                format!("namespace {name} is there; it is removed and the rehearsal begins anew"),
            ),
            None => Probed::new(Verdict::NotDone, format!("namespace {name} is not there")),
        })
    }

    async fn run(&self, cx: &StepCx) -> Result<Done, Halt> {
        let safe = "production: the rehearsal never touches it; the dump, here and unchanged";
        match self.rehearse(cx).await {
            Ok(done) => Ok(done),
            Err(halt) => {
                let halt = halt.told(|problem| problem.or("", safe, "mend the cause, then try again"));
                Err(self.told_what_is_left(cx, halt).await)
            }
        }
    }

    async fn undoable(&self, cx: &StepCx) -> Result<Vec<String>, Halt> {
        Ok(self.left(cx).await?.map(|(name, _)| format!("namespace {name} removed")).into_iter().collect())
    }

    async fn undo(&self, cx: &StepCx) -> Result<String, Halt> {
        let Some((name, found)) = self.left(cx).await? else {
            return Ok("the scratch namespace is gone".to_owned());
        };
        SCRATCH.remove(cx, &name, text(&found, "/metadata/uid")).await?;
        Ok(format!("scratch namespace {name} is gone"))
    }
}

impl RehearseSpec {
    /// The scratch namespace with its name, where one of this run is left.
    async fn left(&self, cx: &StepCx) -> Result<Option<(String, Value)>, Halt> {
        let name = cx.render(&self.namespace)?;
        if name == cx.namespace() {
            return Ok(None);
        }
        let found = cx.world.objects.get(&rooms::reference(&name)).await?.filter(|found| SCRATCH.is_ours(cx, found));
        Ok(found.map(|found| (name, found)))
    }

    /// A rehearsal that did not come to its end, with the scratch namespace that it leaves for looking.
    async fn told_what_is_left(&self, cx: &StepCx, halt: Halt) -> Halt {
        // it need not be there, and the cluster need not answer any more: what went wrong is told in any case
        let Ok(Some((name, found))) = self.left(cx).await else { return halt };
        if found.pointer("/metadata/deletionTimestamp").is_some() {
            return halt;
        }
        let command = format!("kubectl delete namespace {name}");
        match halt {
            Halt::Stopped(reason) => Halt::Stopped(format!(
                "{reason}; the scratch namespace {name} stays for looking, `{command}` removes it"
            )),
            other => other.told(|problem| {
                problem
                    .safe(format!("the scratch namespace {name}, left as it is for looking"))
                    .help(format!("the next try removes {name} and makes it anew; `{command}` removes it without one"))
            }),
        }
    }

    async fn rehearse(&self, cx: &StepCx) -> Result<Done, Halt> {
        let facts = DumpFacts::of(cx, &self.dump)?;
        let name = cx.render(&self.namespace)?;
        let (way, scripts) = (cx.render(&self.way)?, cx.render(&self.scripts)?);
        let rendered = Rendered::read_in(cx, &name).await?;
        refuse_outside(cx, &name, &rendered).await?;
        let deployment = cx.deployment()?;
        let copy = rendered
            .scratch(&name, &deployment.writers, &deployment.parts)
            .map_err(|problem| Halt::Refused(Box::new(problem)))?;
        let place = self.make_room(cx, &name).await?;
        let network = self.install(cx, &place, &rendered, &copy).await?;
        wait::ready(cx, &name).await?;
        // what a new deployment holds of itself: all else in the target would be somebody's
        let (fresh, _) = source(cx, &name).await?;
        let started = std::time::Instant::now();
        restore::into(cx, &place, &facts, (&way, &scripts), Holds::Scratch).await?;
        let seconds = started.elapsed().as_secs();
        let comparison = restore::compare(cx, &name, &facts, restore::Wanted::Equal)
            .await
            .map_err(|halt| halt.told(|p| p.again(&self.dump)))?;
        let answer = Api::open(cx, &name).await?.get(&deployment.api.version).await?;
        let version = text(&answer, "/version").to_owned();
        SCRATCH.remove(cx, &name, &place.namespace_uid).await?;
        let held = if matches!(network, Network::Holds { .. }) { "" } else { ", its network not held" };
        let sentence = format!(
            "restored in {}, {} of {1} tables have as many rows as production, version {version} answers{held}",
            units::seconds(seconds),
            comparison.equal.len()
        );
        let mut proof = json!({"seconds": seconds, "tables": comparison.equal.len(), "added": comparison.added,
            "version": version, "chart": chart::sha256(cx), "network": network.word(),
            "left_out": copy.told});
        cx.evidence(&facts.subject(), NEEDED, &sentence, proof.clone()).await?;
        proof[FRESH] = serde_json::to_value(fresh)
            .map_err(|error| Diagnostic::new("cannot write the row counts down").cause(error.to_string()))?;
        Ok(Done::with(sentence, proof))
    }
}

/// Refuses a copy whose database host is no service that the chart makes in the scratch namespace.
async fn refuse_outside(cx: &StepCx, name: &str, rendered: &Rendered) -> Result<(), Halt> {
    let deployment = cx.deployment()?;
    let variable = &deployment.connection.host;
    let mut hosts = rendered.values_of(variable);
    if hosts.is_empty() {
        // the chart takes it from the environment file in a way that its documents do not show
        for item in deployment.helm.set_file.values() {
            let file = cx.secret(item).await?;
            hosts.extend(dotenv::parse(file.expose_secret()).ok().and_then(|mut all| all.remove(variable)));
        }
    }
    if hosts.is_empty() {
        let problem =
            Diagnostic::new(format!("nothing says which database the test copy would use: no {variable} is known"))
                .proves("the copy's core writes as it starts: it must have no way to production's database")
                .safe("everything: nothing was installed")
                .help(format!("put {variable} into the environment file, as the deployment has it"));
        return Err(Halt::Refused(Box::new(problem)));
    }
    let Some(host) = hosts.iter().find(|host| !rendered.is_own_host(host, name)) else { return Ok(()) };
    let plain = host.chars().all(|c| c.is_ascii_alphanumeric() || ".:-,_".contains(c));
    let problem = Diagnostic::new(format!(
        "the database of the test copy would be {}, which is no service of its own namespace",
        if plain { host } else { "another" }
    ))
    .proves(format!("{variable} leads out of the scratch namespace: the copy would write into a database of others"))
    .safe("everything: nothing was installed")
    .help("a rehearsal needs a chart that brings its own database; look at the host in .env and in the values");
    Err(Halt::Refused(Box::new(problem)))
}
