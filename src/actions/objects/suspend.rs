//! `suspend`: who else acts on the deployment rests while a run works on it. `scale` lets it act again when the
//! writers come back; so does whatever gives the run up.

use async_trait::async_trait;
use serde_json::json;

use super::rest::{self, Paused};
use crate::{
    actions::{
        agree::{Who, agrees},
        context::{Action, Described, Done, Halt, PlanCx, Probed, StepCx, right},
        spec::SuspendSpec,
    },
    ports::Right,
    run::{Repeat, Verdict},
    text::units,
};

/// Equivalent commands of pausing; which of them are needed the preflight says.
pub fn commands(namespace: &str) -> Vec<String> {
    vec![format!(
        "$ kubectl -n {namespace} patch cronjob NAME -p '{{\"spec\":{{\"suspend\":true}}}}'   (and whoever else acts on it)"
    )]
}

/// What finding them needs beyond what a deployment needs anyway; what may not be read is told, and stops nothing.
fn rights(namespace: &str) -> Vec<Right> {
    ["deployments", "statefulsets"].map(|plural| right("list", "apps", plural, "", Some(namespace))).to_vec()
}

/// One line of what was paused.
pub fn told(paused: &[Paused]) -> String {
    match paused {
        [] => "nobody else acts on it".to_owned(),
        all => {
            let names: Vec<String> = all.iter().map(Paused::name).collect();
            format!("{} paused: {}", units::plural(all.len(), "other", "others"), names.join(", "))
        }
    }
}

/// Lets everybody act again whom this run has paused. Whoever deploys by itself, and so may have the version of before in mind,
/// only once a human has said that it has not; asked only where this run has put something else in its place.
///
/// # Errors
/// A stop, where the operator wants none of it; that nobody is there to answer; a failure, where a change was refused.
pub async fn let_act(cx: &StepCx) -> Result<Vec<String>, Halt> {
    let paused = rest::of_run(cx);
    let standing = rest::standing(cx, &paused).await?;
    let deploying: Vec<String> = standing.iter().filter(|one| one.deploys()).map(Paused::name).collect();
    if !deploying.is_empty() && cx.driver.state().removal_begun() {
        agree(cx, &deploying).await?;
    }
    rest::resume(cx, &paused).await
}

async fn agree(cx: &StepCx, deploying: &[String]) -> Result<(), Halt> {
    let text = vec![
        format!("This run has paused who deploys by itself: {}.", deploying.join(", ")),
        "It puts what it holds in the place of what runs now. With the version of before in mind it would put that over the new \
         database."
            .to_owned(),
        "See first that what it holds is the version that runs now.".to_owned(),
    ];
    if agrees(cx, text, "Let it act again", Who::of(cx)).await? {
        return Ok(());
    }
    Err(Halt::Stopped("the operator went back".to_owned()))
}

#[async_trait]
impl Action for SuspendSpec {
    fn repeat(&self) -> Repeat {
        Repeat::Guarded
    }

    fn describe(&self, cx: &PlanCx<'_>) -> Described {
        Described {
            commands: commands(cx.namespace),
            unknown: vec!["who that is: the preflight says it".to_owned()],
            rights: rights(cx.namespace),
            ..Described::default()
        }
    }

    async fn probe(&self, cx: &StepCx) -> Result<Probed, Halt> {
        let paused = rest::noted(cx);
        let standing = rest::standing(cx, &paused).await?.len();
        let verdict = if standing == 0 { Verdict::NotDone } else { Verdict::Partly };
        Ok(Probed::new(verdict, format!("{} paused by now", units::plural(standing, "other is", "others are"))))
    }

    async fn run(&self, cx: &StepCx) -> Result<Done, Halt> {
        let paused = rest::pause(cx).await?;
        Ok(Done::with(told(&paused), json!({ "others": paused })))
    }

    async fn undoable(&self, cx: &StepCx) -> Result<Vec<String>, Halt> {
        Ok(rest::standing(cx, &rest::noted(cx)).await?.iter().map(Paused::undone).collect())
    }

    async fn undo(&self, cx: &StepCx) -> Result<String, Halt> {
        let lines = rest::resume(cx, &rest::noted(cx)).await?;
        Ok(if lines.is_empty() { "nobody was paused".to_owned() } else { lines.join("; ") })
    }
}
