//! `confirm` and `manual`: a human says so.

use async_trait::async_trait;

use super::{
    context::{Action, Described, Done, Halt, PlanCx, Probed, StepCx},
    spec::{ConfirmSpec, ManualSpec},
};
use crate::{
    run::{Question, Record, Repeat, Reply, Verdict},
    text::Template,
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
        ask_for_word(cx, &self.text, &self.button).await?;
        Ok(Done::plain(format!("confirmed by {}", cx.world.host.operator())))
    }
}

#[async_trait]
impl Action for ManualSpec {
    fn repeat(&self) -> Repeat {
        Repeat::Safe
    }

    fn describe(&self, cx: &PlanCx<'_>) -> Described {
        Described { commands: self.text.iter().map(|line| cx.show(line)).collect(), ..Described::default() }
    }

    async fn probe(&self, _: &StepCx) -> Result<Probed, Halt> {
        Ok(Probed::new(Verdict::Unknown, "only the person who did it knows"))
    }

    async fn run(&self, cx: &StepCx) -> Result<Done, Halt> {
        ask_for_word(cx, &self.text, "I have done it").await?;
        Ok(Done::plain(format!("done by hand, said {}", cx.world.host.operator())))
    }
}

async fn ask_for_word(cx: &StepCx, text: &[Template], button: &str) -> Result<(), Halt> {
    let text = text.iter().map(|line| cx.render(line)).collect::<Result<Vec<_>, _>>()?;
    let question = Question::Confirm { step: cx.step.clone(), text, button: button.to_owned(), person: false };
    loop {
        match cx.driver.ask(question.clone()).await? {
            Reply::Continue => break,
            Reply::Back => return Err(Halt::Back),
            _ => {}
        }
    }
    let by = cx.world.host.operator();
    cx.driver.record(Record::Confirmed { step: cx.step.clone(), item: "1".into(), by, reason: String::new() }).await
}
