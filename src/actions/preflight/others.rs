//! Who else acts on the deployment, named before anything is touched: what will be paused and whether that is allowed, what is no
//! matter, and what only a human can stop.

use crate::{
    actions::{
        context::{Halt, StepCx, right},
        objects::{
            others::{self, Other},
            rest::{command, named},
        },
        preflight::rights,
        spec::CheckKind,
    },
    run::{Check, CheckResult},
    text::units,
};

/// Names everybody else.
pub async fn check(cx: &StepCx) -> Result<Check, Halt> {
    let kind = CheckKind::Others;
    let found = others::find(cx).await?;
    let (mut sentences, mut help, mut result) = (Vec::new(), Vec::new(), CheckResult::Pass);
    for stuck in &found.stuck {
        sentences.push(stuck.acts.clone());
        help.push(stuck.help.clone());
        result = if stuck.certain || result == CheckResult::Fail { CheckResult::Fail } else { CheckResult::Warn };
    }
    let nobody_pauses = cx.needs.pausing.is_empty();
    for other in &found.active {
        if nobody_pauses {
            sentences.push(format!("{}, and this procedure pauses nobody", other.acts));
            help.push(format!("have it paused until all is over: {}", command(&other.object, other.rest)));
            result = CheckResult::Fail;
            continue;
        }
        if let Err(refused) = may_pause(cx, other).await? {
            sentences.push(format!("{}, and may not be paused from here", other.acts));
            help.push(refused);
            help.push(format!("or have it paused: {}", command(&other.object, other.rest)));
            result = CheckResult::Fail;
        }
    }
    if !found.active.is_empty() && !nobody_pauses {
        let names: Vec<&str> = found.active.iter().map(|other| other.acts.as_str()).collect();
        let count = units::plural(names.len(), "other is", "others are");
        sentences.push(format!("{count} paused before anything stops, and put back as before: {}", names.join("; ")));
    }
    sentences.extend(found.harmless);
    if sentences.is_empty() {
        sentences.push("nobody else acts on these objects, as far as can be read".to_owned());
    }
    let help: Vec<&str> = help.iter().map(String::as_str).collect();
    Ok(kind.found(result, &sentences.join("; "), &help))
}

async fn may_pause(cx: &StepCx, other: &Other) -> Result<Result<(), String>, Halt> {
    let (kind, place) = (&other.object.kind, other.object.namespace.as_deref());
    let wanted = ["get", "patch"].map(|verb| right(verb, &kind.group, &kind.plural, "", place));
    let allowed = rights::may(cx, wanted.to_vec()).await?;
    Ok(allowed.map_err(|refused| format!("{}: {refused}", named(&other.object))))
}
