//! `confirm` and `manual`: a human says so.

use async_trait::async_trait;

use super::{
    agree::{Who, agrees},
    context::{Action, Described, Done, Halt, PlanCx, Probed, StepCx},
    forms::form_state::load_of,
    spec::{ConfirmSpec, ManualSpec},
};
use crate::{
    run::{Record, Repeat, Verdict},
    text::{Template, printable},
};

#[async_trait]
impl Action for ConfirmSpec {
    fn repeat(&self) -> Repeat {
        Repeat::Safe
    }

    fn describe(&self, cx: &PlanCx<'_>) -> Described {
        Described { commands: self.text.iter().map(|line| cx.show(line)).collect(), ..Described::default() }
    }

    async fn probe(&self, _: &StepCx) -> Result<Probed, Halt> {
        Ok(Probed::new(Verdict::NotDone, "it was not confirmed yet"))
    }

    async fn run(&self, cx: &StepCx) -> Result<Done, Halt> {
        ask_for_word(cx, rendered(cx, &self.text)?, &self.button, Who::Anybody).await?;
        Ok(Done::plain(format!("confirmed by {}", cx.world.host.operator())))
    }
}

#[async_trait]
impl Action for ManualSpec {
    fn repeat(&self) -> Repeat {
        Repeat::Safe
    }

    fn describe(&self, cx: &PlanCx<'_>) -> Described {
        let of = self.of.iter().map(|step| format!("names each item of step {step}"));
        Described { commands: self.text.iter().map(|line| cx.show(line)).chain(of).collect(), ..Described::default() }
    }

    async fn probe(&self, _: &StepCx) -> Result<Probed, Halt> {
        Ok(Probed::new(Verdict::Unknown, "only the person who did it knows"))
    }

    async fn run(&self, cx: &StepCx) -> Result<Done, Halt> {
        let mut lines = rendered(cx, &self.text)?;
        if let Some(step) = &self.of {
            lines.extend(load_of(cx, step)?.items.iter().map(|item| format!("· {}", printable(&item.id))));
        }
        ask_for_word(cx, lines, "I have done it", Who::of(cx)).await?;
        Ok(Done::plain(format!("done by hand, said {}", cx.world.host.operator())))
    }

    async fn undoable(&self, cx: &StepCx) -> Result<Vec<String>, Halt> {
        let taken_back = cx.driver.state().confirmed.contains_key(&(cx.step.clone(), TAKEN_BACK.to_owned()));
        let number = &cx.number;
        Ok(if self.back.is_empty() || taken_back { Vec::new() } else { vec![format!("{number} by your hand")] })
    }

    async fn undo(&self, cx: &StepCx) -> Result<String, Halt> {
        if !agrees(cx, rendered(cx, &self.back)?, "It is as before", Who::of(cx)).await? {
            return Err(Halt::Stopped("the operator went back".to_owned()));
        }
        let (by, item) = (cx.world.host.operator(), TAKEN_BACK.to_owned());
        let sentence = format!("taken back by hand, said {by}");
        cx.driver.record(Record::Confirmed { step: cx.step.clone(), item, by, reason: String::new() }).await?;
        Ok(sentence)
    }
}

/// What is confirmed of a step by hand that was taken back.
const TAKEN_BACK: &str = "taken back";

fn rendered(cx: &StepCx, text: &[Template]) -> Result<Vec<String>, Halt> {
    text.iter().map(|line| cx.render(line)).collect()
}

async fn ask_for_word(cx: &StepCx, text: Vec<String>, button: &str, who: Who) -> Result<(), Halt> {
    if !agrees(cx, text, button, who).await? {
        return Err(Halt::Back);
    }
    let by = cx.world.host.operator();
    cx.driver.record(Record::Confirmed { step: cx.step.clone(), item: "1".into(), by, reason: String::new() }).await
}
