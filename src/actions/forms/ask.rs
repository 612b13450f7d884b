//! `ask`: a form. What the application says is filled in, a human confirms every item, each field is saved at once.

use std::{collections::BTreeMap, path::Path};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::{
    dotenv,
    form_state::{FormState, load, save},
    found::keep,
    small_file::small_file,
};
use crate::{
    actions::{
        context::{Action, Described, Done, Halt, PlanCx, Probed, StepCx, right},
        spec::AskSpec,
    },
    ports::{Provenance, SecretBytes},
    run::{Field, FieldInput, FieldKind, FieldValue, Item, Live, Question, Record, Repeat, Reply, Verdict},
};

/// Shortest reason for "none".
const SHORTEST_REASON: usize = 10;

#[async_trait]
impl Action for AskSpec {
    fn repeat(&self) -> Repeat {
        Repeat::Safe
    }

    fn describe(&self, cx: &PlanCx<'_>) -> Described {
        let fields: Vec<&str> = self.form.fields.iter().map(|field| field.label.as_str()).collect();
        let mut described = Described {
            commands: vec![format!("asks for {}: {}", self.form.noun, fields.join(", "))],
            ..Described::default()
        };
        if self.found.is_some() || self.agrees_with_core {
            let ns = Some(cx.namespace);
            described.rights = vec![
                right("list", "", "pods", "", ns),
                right("get", "", "configmaps", "", ns),
                right("get", "", "secrets", "", ns),
                right("create", "", "pods", "portforward", ns),
                right("get", "", "pods", "portforward", ns),
            ];
        }
        if let Some(found) = &self.found {
            described.commands.push(format!("reads GET {} of the application", found.path));
        }
        described
    }

    async fn probe(&self, cx: &StepCx) -> Result<Probed, Halt> {
        let state = load(cx)?;
        let confirmed = state.items.iter().filter(|item| item.confirmed).count();
        Ok(Probed::new(Verdict::NotDone, format!("{confirmed} of {} items confirmed", state.items.len())))
    }

    async fn run(&self, cx: &StepCx) -> Result<Done, Halt> {
        let mut state = load(cx)?;
        let mut fault = String::new();
        if state == FormState::default() {
            if let Some(found) = &self.found {
                state.asked = Some(cx.world.clock.now());
                state.items = self.find(cx, found).await?;
            }
            if !self.form.repeated && state.items.is_empty() {
                state.items.push(Item { id: "1".to_owned(), ..Item::default() });
            }
            save(cx, &state).await?;
        } else {
            let before = state.clone();
            self.hide_secrets(cx, &mut state).await?;
            if let Some(found) = &self.found {
                fault = self.look_again(cx, found, &mut state).await?;
            }
            if state != before {
                save(cx, &state).await?;
            }
        }
        loop {
            let question = Question::Form {
                step: cx.step.clone(),
                title: cx.driver.state().planned(&cx.step).map_or_else(String::new, |step| step.title.clone()),
                form: self.form.clone(),
                items: state.items.clone(),
                none_reason: state.none_reason.clone(),
                fault: std::mem::take(&mut fault),
            };
            match cx.driver.ask(question).await? {
                Reply::Back => return Err(Halt::Back),
                Reply::Seal => match self.seal(&state) {
                    Ok(()) => break,
                    Err(reason) => fault = reason,
                },
                reply => match self.change(cx, &mut state, reply).await? {
                    Ok(()) => save(cx, &state).await?,
                    Err(reason) => fault = reason,
                },
            }
        }
        let by = cx.world.host.operator();
        for item in &state.items {
            let (step, item) = (cx.step.clone(), item.id.clone());
            cx.driver.record(Record::Confirmed { step, item, by: by.clone(), reason: String::new() }).await?;
        }
        if state.items.is_empty() {
            let (step, reason) = (cx.step.clone(), state.none_reason.clone());
            cx.driver.record(Record::Confirmed { step, item: "none".into(), by, reason }).await?;
        }
        let items: Vec<&str> = state.items.iter().map(|item| item.id.as_str()).collect();
        let summary = match items.len() {
            0 => format!("none, because {}", state.none_reason),
            n => format!("{n} of {n} {}s confirmed", self.form.noun),
        };
        Ok(Done::with(summary, json!({"items": items, "none": state.none_reason, "found": self.found})))
    }
}

impl AskSpec {
    /// Why the form is not complete yet, if so.
    fn seal(&self, state: &FormState) -> Result<(), String> {
        if state.items.is_empty() {
            return if state.none_reason.chars().count() >= SHORTEST_REASON {
                Ok(())
            } else {
                Err(format!("add a {}, or say why there is none (at least {SHORTEST_REASON} letters)", self.form.noun))
            };
        }
        match state.items.iter().find(|item| !item.confirmed || !self.form.is_complete(item)) {
            Some(item) => Err(format!("{} {} is not confirmed yet", self.form.noun, item.id)),
            None => Ok(()),
        }
    }

    /// Applies one reply; the inner error is a sentence for the operator.
    async fn change(&self, cx: &StepCx, state: &mut FormState, reply: Reply) -> Result<Result<(), String>, Halt> {
        match reply {
            Reply::Add { item } if self.form.repeated => {
                let name = Field { kind: FieldKind::Name, ..blank("name") };
                if let Err(rule) = name.check(&item) {
                    return Ok(Err(format!("the name {rule}")));
                }
                if state.items.iter().any(|known| known.id == item) {
                    return Ok(Err(format!("{item} is in the list already")));
                }
                state.none_reason.clear();
                let mut values = BTreeMap::new();
                let provenance = Provenance::Typed { by: cx.world.host.operator() };
                if self.form.fields.iter().any(|field| field.id == "name") {
                    values.insert("name".to_owned(), FieldValue::Text { value: item.clone(), provenance });
                }
                state.items.push(Item { id: item, values, ..Item::default() });
            }
            Reply::Remove { item } if self.form.repeated => state.items.retain(|known| known.id != item),
            Reply::None { reason } if self.form.repeated => {
                if reason.chars().count() < SHORTEST_REASON {
                    return Ok(Err(format!("the reason needs at least {SHORTEST_REASON} letters")));
                }
                if !state.items.is_empty() {
                    return Ok(Err(format!("there are {} in the list: take them out first", state.items.len())));
                }
                state.none_reason = reason;
            }
            Reply::ConfirmItem { item } => {
                let Some(found) = state.items.iter_mut().find(|known| known.id == item) else {
                    return Ok(Err(format!("there is no {} {item}", self.form.noun)));
                };
                if !self.form.is_complete(found) {
                    let further =
                        found.further_faults(&self.form).map(|fault| format!("; {fault}")).collect::<String>();
                    return Ok(Err(format!("{} {item} is not complete yet{further}", self.form.noun)));
                }
                found.confirmed = true;
            }
            Reply::TakeLive { item } => {
                let Some(found) = state.items.iter_mut().find(|known| known.id == item) else {
                    return Ok(Err(format!("there is no {} {item}", self.form.noun)));
                };
                return self.take_live(cx, found).await;
            }
            Reply::Set { item, field, input } => return self.set(cx, state, &item, &field, input).await,
            _ => return Ok(Err("that is not asked here".to_owned())),
        }
        Ok(Ok(()))
    }

    async fn set(
        &self,
        cx: &StepCx,
        state: &mut FormState,
        item: &str,
        field: &str,
        input: FieldInput,
    ) -> Result<Result<(), String>, Halt> {
        let (Some(spec), Some(target)) = (
            self.form.fields.iter().find(|known| known.id == field),
            state.items.iter_mut().find(|known| known.id == item),
        ) else {
            return Ok(Err(format!("there is no field {field} of {item}")));
        };
        target.confirmed = false;
        target.faults.remove(field);
        let by = cx.world.host.operator();
        let value = match (spec.kind, input) {
            (FieldKind::SecretFile, FieldInput::Text(path)) => match self.read_file(cx, spec, &path).await? {
                Ok(content) => keep(cx, item, spec, content, Provenance::File { path }).await?,
                Err(fault) => {
                    // the path is no secret, and most of it may be right
                    target.faults.insert(field.to_owned(), fault);
                    FieldValue::Text { value: path, provenance: Provenance::Typed { by } }
                }
            },
            (FieldKind::SecretFile, FieldInput::Secret(_))
            | (FieldKind::Secret | FieldKind::SecretJson, FieldInput::Text(_)) => {
                return Ok(Err(format!("{} is kept in the vault only", spec.label)));
            }
            (_, FieldInput::Secret(_)) if !target.is_unseen(spec) => {
                return Ok(Err(format!("{} is not a secret", spec.label)));
            }
            (_, input) => {
                let is_unseen = matches!(input, FieldInput::Secret(_));
                let typed = match input {
                    FieldInput::Text(text) => Some(SecretString::from(text)),
                    FieldInput::Secret(handle) => cx.driver.take_secret(handle).await,
                };
                let Some(typed) = typed else {
                    return Ok(Err("the secret did not arrive; type it again".to_owned()));
                };
                let (text, provenance) = (typed.expose_secret(), Provenance::Typed { by });
                let fault = checked(spec, text, target).err();
                let is_faulty = fault.is_some();
                target.faults.extend(fault.map(|fault| (field.to_owned(), fault)));
                match is_unseen || spec.hides(text) {
                    // who typed it still has it
                    true if is_faulty => return Ok(Ok(())),
                    true => keep(cx, item, spec, SecretBytes::new(text.as_bytes().to_vec()), provenance).await?,
                    false => FieldValue::Text { value: text.to_owned(), provenance },
                }
            }
        };
        target.values.insert(field.to_owned(), value);
        if let Live::Differs(now) = &mut target.live {
            // what was typed is meant: it is not compared any more
            now.remove(field);
            if now.is_empty() {
                target.live = Live::Same;
            }
        }
        Ok(Ok(()))
    }

    async fn read_file(&self, cx: &StepCx, spec: &Field, path: &str) -> Result<Result<SecretBytes, String>, Halt> {
        let content = match small_file(Path::new(path)).await {
            Ok(content) => content,
            Err(fault) => return Ok(Err(fault)),
        };
        if !spec.dotenv.is_empty() {
            if let Err(fault) = dotenv::check(content.expose_secret(), &spec.dotenv) {
                return Ok(Err(fault));
            }
            if self.agrees_with_core
                && let Err(fault) = dotenv::agrees_with_core(cx, content.expose_secret()).await?
            {
                return Ok(Err(fault));
            }
        }
        Ok(Ok(content))
    }
}

/// Whether a text would do, in the JSON type that the application has there. Fixes that type; never quotes the text.
fn checked(field: &Field, text: &str, item: &mut Item) -> Result<(), String> {
    field.check(text)?;
    let kind = field.kind.json_type(item.types.get(&field.id).copied());
    item.types.insert(field.id.clone(), kind);
    if text.is_empty() || kind.value(text).is_some() {
        return Ok(());
    }
    Err(format!("the application has {} here.", kind.words()))
}

fn blank(id: &str) -> Field {
    Field {
        id: id.to_owned(),
        label: id.to_owned(),
        kind: FieldKind::Text,
        optional: false,
        no_spaces: false,
        example: String::new(),
        dotenv: Vec::new(),
    }
}
