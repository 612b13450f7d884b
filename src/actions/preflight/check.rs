//! `check`: conditions, all asked at once. A failure is never hidden behind another and never overridden here.

use async_trait::async_trait;

use super::checks;
use crate::{
    actions::{
        context::{Action, Described, Done, Halt, PlanCx, Probed, StepCx, right},
        spec::{CheckKind, CheckSpec},
    },
    run::{Check, CheckResult, Question, Repeat, Reply, Row, Sign, Verdict},
    text::{Diagnostic, units},
};

impl CheckSpec {
    /// Runs the checks that only read (`probing` false) or all of them, in order.
    pub async fn ask(&self, cx: &StepCx, scope: Scope) -> Result<Vec<Check>, Halt> {
        let mut found = Vec::new();
        for kind in &self.checks {
            if scope == Scope::ReadOnly && kind.must_probe() {
                found.push(kind.found(
                    CheckResult::NotAsked,
                    "not asked yet: it must run something in the cluster",
                    &[],
                ));
            } else {
                found.push(checks::ask(cx, self, *kind, scope).await?);
            }
            cx.show("", found.iter().map(row).collect(), None, None);
        }
        Ok(found)
    }

    /// Steps whose doing again can mend the checks that fail.
    fn again(&self, cx: &StepCx, found: &[Check]) -> Vec<String> {
        let failed = |kind: &&CheckKind| {
            found.iter().any(|check| check.name == kind.name() && check.result == CheckResult::Fail)
        };
        self.checks.iter().filter(failed).flat_map(|kind| checks::again(cx, self, *kind)).collect()
    }
}

/// How far checks may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Only get, list, watch and access reviews.
    ReadOnly,
    /// Also exec and a throw-away pod.
    Probing,
}

fn row(check: &Check) -> Row {
    let (sign, word) = match check.result {
        CheckResult::Pass => (Sign::Done, "pass"),
        CheckResult::Warn => (Sign::Careful, "WARN"),
        CheckResult::Fail => (Sign::Failed, "FAIL"),
        CheckResult::NotAsked => (Sign::NotYet, "not asked"),
    };
    Row { sign, word: word.to_owned(), name: check.name.clone(), detail: check.sentence.clone() }
}

#[async_trait]
impl Action for CheckSpec {
    fn repeat(&self) -> Repeat {
        Repeat::Safe
    }

    fn describe(&self, cx: &PlanCx<'_>) -> Described {
        let names: Vec<&str> = self.checks.iter().map(|kind| kind.name()).collect();
        let mut rights = Vec::new();
        if self.checks.contains(&CheckKind::Images) {
            let verbs = ["create", "get", "delete"];
            rights.extend(verbs.map(|verb| right(verb, "", "pods", "", Some(cx.namespace))));
            rights.push(right("list", "", "events", "", Some(cx.namespace)));
        }
        Described { commands: vec![format!("checks {}", names.join(", "))], rights, ..Described::default() }
    }

    async fn probe(&self, _: &StepCx) -> Result<Probed, Halt> {
        Ok(Probed::new(Verdict::NotDone, "checking again costs nothing"))
    }

    async fn run(&self, cx: &StepCx) -> Result<Done, Halt> {
        let mut found = self.ask(cx, Scope::Probing).await?;
        loop {
            let count = |result| found.iter().filter(|check| check.result == result).count();
            let unseen = found.iter().filter(|check| check.result == CheckResult::Warn && !check.seen).count();
            let (fail, warn, pass) = (count(CheckResult::Fail), count(CheckResult::Warn), count(CheckResult::Pass));
            if fail == 0 && unseen == 0 {
                return Ok(Done::plain(match warn {
                    0 => format!("all {} pass", units::plural(pass, "check", "checks")),
                    _ => format!("{pass} pass, {} seen and taken on", units::plural(warn, "warning", "warnings")),
                }));
            }
            let question = Question::Checks { step: cx.step.clone(), checks: found.clone() };
            match cx.driver.ask(question).await? {
                Reply::Again => found = self.ask(cx, Scope::Probing).await?,
                Reply::Seen { check } => {
                    for entry in found.iter_mut().filter(|entry| entry.name == check) {
                        entry.seen = true;
                    }
                }
                // who goes back is led to the steps that can mend it
                Reply::Continue | Reply::Back if fail > 0 => {
                    let failed = found.iter().filter(|check| check.result == CheckResult::Fail);
                    let problem = Diagnostic::new(units::plural(fail, "check fails", "checks fail"))
                        .safe("everything: no check changes anything");
                    let problem = failed.fold(problem, |p, check| {
                        let p = p.cause(format!("{}: {}", check.name, check.sentence));
                        check.help.iter().cloned().fold(p, Diagnostic::help)
                    });
                    return Err(Halt::Refused(Box::new(
                        self.again(cx, &found).into_iter().fold(problem, Diagnostic::again),
                    )));
                }
                Reply::Back => return Err(Halt::Back),
                _ => {}
            }
        }
    }
}
