//! A form as answers.json keeps it: saved while it is filled in, and loaded by the steps that put it back or compare with it.
//! Fails where it was lost. Called by `ask`, `http`, `settings` and `gate`, and by the engine before it shows a secret.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    actions::context::{Halt, StepCx},
    run::{FieldValue, Item, StepId},
    text::{Diagnostic, units},
};

/// A form as it is kept in answers.json; secrets are in the vault and only their length and check are here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormState {
    /// The items.
    pub items: Vec<Item>,
    /// Why there is none, or empty.
    pub none_reason: String,
    /// When the application was asked for the items first, if it was.
    #[serde(default)]
    pub asked: Option<jiff::Timestamp>,
}

/// Whether a form, as it is kept, holds a secret there that can be shown.
pub fn holds_secret(draft: Option<Value>, item: &str, field: &str) -> bool {
    let form = draft.and_then(|draft| serde_json::from_value::<FormState>(draft).ok()).unwrap_or_default();
    let of = form.items.iter().find(|known| known.id == item);
    of.and_then(|item| item.values.get(field)).is_some_and(FieldValue::can_be_shown)
}

/// The form's draft; empty where nothing was saved yet.
pub fn load(cx: &StepCx) -> Result<FormState, Halt> {
    Ok(draft_of(cx, &cx.step.0)?.unwrap_or_default())
}

/// The form of another step, as it was confirmed: its items are the ones which that step wrote down when it ended.
///
/// # Errors
/// A failure where the step is not done, or where its form was lost or changed since: an empty form is not "nothing to do".
pub fn load_of(cx: &StepCx, step: &str) -> Result<FormState, Halt> {
    let facts = cx.facts_of(step)?;
    let confirmed: Vec<&str> = facts["items"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let lost = |what: String| {
        Diagnostic::new(format!("{what}: answers.json of the run was lost or changed"))
            .proves("what is loaded is not what was confirmed, so nothing that is compared with it counts")
            .safe("the secrets, in the vault; the dump; nothing was written to the application from this form")
            .help(
                "put answers.json back from a copy of the run's folder and resume; before the removal, begin a new run",
            )
    };
    let Some(form) = draft_of(cx, step)? else {
        return Err(lost(format!("the form of step {step} is gone")).into());
    };
    if !form.items.iter().map(|item| item.id.as_str()).eq(confirmed.iter().copied()) {
        let has = units::plural(form.items.len(), "item", "items");
        let (had, names) = (confirmed.len(), confirmed.join(", "));
        return Err(lost(format!("the form of step {step} holds {has}, and {had} were confirmed ({names})")).into());
    }
    if let Some(open) = form.items.iter().find(|item| !item.confirmed) {
        return Err(lost(format!("{} of step {step} is not confirmed any more", open.id)).into());
    }
    Ok(form)
}

fn draft_of(cx: &StepCx, step: &str) -> Result<Option<FormState>, Halt> {
    let Some(value) = cx.driver.draft(&StepId(step.to_owned())) else { return Ok(None) };
    // the cause is left out: it may quote what stands in the file
    serde_json::from_value(value).map(Some).map_err(|_| {
        Diagnostic::new(format!("the form of step {step} cannot be understood"))
            .proves("answers.json in the run's folder was changed, or another version wrote it")
            .safe("the secrets, in the vault; the dump; nothing was written to the application from this form")
            .help("put answers.json back from a copy of the run's folder and resume")
            .into()
    })
}

/// Saves the draft of this step; durable when it returns.
pub async fn save(cx: &StepCx, state: &FormState) -> Result<(), Halt> {
    let value = serde_json::to_value(state)
        .map_err(|error| Diagnostic::new("cannot write the form down").cause(error.to_string()))?;
    cx.driver.save_draft(&cx.step, value).await
}
