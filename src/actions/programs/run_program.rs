//! `run`: one program, here or in the core container; success is status 0 and the text that was asked for.

use async_trait::async_trait;
use serde_json::json;

use super::{
    host::{Call, follow},
    output::LineSink,
};
use crate::{
    actions::{
        context::{Action, Described, Done, Halt, PlanCx, Probed, StepCx, right},
        objects::pods::ready_pod,
        spec::{Place, RunSpec},
    },
    run::{HIDDEN, Repeat, Verdict},
    text::Diagnostic,
};

#[async_trait]
impl Action for RunSpec {
    fn repeat(&self) -> Repeat {
        if self.repeatable { Repeat::Safe } else { Repeat::Never }
    }

    fn describe(&self, cx: &PlanCx<'_>) -> Described {
        let command = self.command.iter().map(|part| cx.show(part)).collect::<Vec<_>>().join(" ");
        match self.on {
            Place::Here => Described {
                programs: self.command.first().map(|program| cx.show(program)).into_iter().collect(),
                commands: vec![format!("$ {command}")],
                ..Described::default()
            },
            Place::Core => Described {
                commands: vec![format!("$ kubectl -n {} exec POD -- {command}", cx.namespace)],
                rights: vec![
                    right("get", "", "pods", "exec", Some(cx.namespace)),
                    right("create", "", "pods", "exec", Some(cx.namespace)),
                ],
                ..Described::default()
            },
        }
    }

    async fn probe(&self, _: &StepCx) -> Result<Probed, Halt> {
        Ok(Probed::new(Verdict::Unknown, "the program was started; whether it ended nobody wrote down"))
    }

    async fn run(&self, cx: &StepCx) -> Result<Done, Halt> {
        let command = self.command.iter().map(|part| cx.render(part)).collect::<Result<Vec<_>, _>>()?;
        let Some((program, args)) = command.split_first() else {
            return Err(Diagnostic::new("the step's command is empty").into());
        };
        if command.iter().any(|part| part.contains(HIDDEN)) {
            return Err(Diagnostic::new("the step's command names what an earlier program said of a secret")
                .proves("the secret was hidden in what it said; the command would not be the one that is meant")
                .safe("everything: nothing was started")
                .help("let the program read the secret itself; a secret is never an argument")
                .into());
        }
        let (code, text, errors) = match self.on {
            Place::Here => {
                let args: Vec<&str> = args.iter().map(String::as_str).collect();
                let (exit, text, errors) = follow(cx, &cx.target, Call::new(cx, program, &args)).await?;
                (exit.code, text, errors)
            }
            Place::Core => {
                let (pod, _) = ready_pod(cx, cx.namespace(), &cx.deployment()?.core).await?;
                let mut sink = LineSink::new(cx, program);
                let exit = cx.world.exec.run(&pod, &command, &[], &mut sink, &cx.cancel).await?;
                sink.finish().await;
                let errors = std::mem::take(&mut sink.errors);
                (exit.code, sink.text(), errors)
            }
        };
        if code != 0 {
            let problem = Diagnostic::new(format!("{program} ended with status {code}"));
            return Err(errors.into_iter().fold(problem, Diagnostic::cause).into());
        }
        if !text.contains(&self.output_contains) {
            return Err(Diagnostic::new(format!("{program} ended with status 0 and did not say what was expected"))
                .cause(format!("expected: {}", self.output_contains))
                .proves("status 0 alone is no evidence; drydock treats the step as failed")
                .into());
        }
        Ok(Done::with(format!("{program} ended well"), json!({"output": text.trim_end()})))
    }
}
