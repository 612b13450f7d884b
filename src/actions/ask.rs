//! `ask`: a form. What the application says is filled in, a human confirms every item, each field is saved at once.

use std::{collections::BTreeMap, path::Path};

use async_trait::async_trait;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{
    api::Api,
    context::{Action, Described, Done, Halt, PlanCx, Probed, StepCx, right},
    dotenv,
    form_state::{FormState, load, save},
    small_file::small_file,
    spec::{AskSpec, FoundInApi},
};
use crate::{
    ports::{Provenance, SecretBytes},
    run::{
        Field, FieldInput, FieldKind, FieldValue, Item, Question, Record, Repeat, Reply, Verdict, is_mask, masks_within,
    },
    text::Diagnostic,
};

/// Shortest reason for "none".
const SHORTEST_REASON: usize = 10;

/// Vault field of the settings that no field of the form shows; no field of a form can have this name.
pub const EXTRA: &str = "more.json";

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
        if state == FormState::default() {
            if let Some(found) = &self.found {
                state.items = self.find(cx, found).await?;
            }
            if !self.form.repeated && state.items.is_empty() {
                state.items.push(Item { id: "1".to_owned(), ..Item::default() });
            }
            save(cx, &state).await?;
        }
        let mut fault = String::new();
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
                Ok(content) => keep(cx, item, field, content, Provenance::File { path }).await?,
                Err(fault) => {
                    target.faults.insert(field.to_owned(), fault);
                    return Ok(Ok(()));
                }
            },
            (FieldKind::Secret, FieldInput::Secret(handle)) => {
                let Some(secret) = cx.driver.take_secret(handle).await else {
                    return Ok(Err("the secret did not arrive; type it again".to_owned()));
                };
                if let Err(fault) = spec.check(secret.expose_secret()) {
                    target.faults.insert(field.to_owned(), fault);
                    return Ok(Ok(()));
                }
                let bytes = SecretBytes::new(secret.expose_secret().as_bytes().to_vec());
                keep(cx, item, field, bytes, Provenance::Typed { by }).await?
            }
            (FieldKind::Secret | FieldKind::SecretFile, _) => {
                return Ok(Err(format!("{} is kept in the vault only", spec.label)));
            }
            (_, FieldInput::Secret(_)) => return Ok(Err(format!("{} is not a secret", spec.label))),
            (_, FieldInput::Text(value)) => {
                if let Err(fault) = spec.check(&value) {
                    target.faults.insert(field.to_owned(), fault);
                }
                FieldValue::Text { value, provenance: Provenance::Typed { by } }
            }
        };
        target.values.insert(field.to_owned(), value);
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

    /// Items as the application's API tells them, unconfirmed.
    async fn find(&self, cx: &StepCx, found: &FoundInApi) -> Result<Vec<Item>, Halt> {
        let answer = Api::open(cx, cx.namespace()).await?.get(&found.path).await?;
        let Value::Object(all) = answer else {
            return Err(Diagnostic::new(format!("GET {} answers no JSON object", found.path)).into());
        };
        let mut items = Vec::new();
        for (name, settings) in &all {
            let belongs =
                found.filter.iter().all(|(key, want)| settings.get(key).and_then(Value::as_str) == Some(want));
            if belongs {
                items.push(self.item(cx, found, name, settings).await?);
            }
        }
        Ok(items)
    }

    async fn item(&self, cx: &StepCx, found: &FoundInApi, name: &str, settings: &Value) -> Result<Item, Halt> {
        let mut item = Item { id: name.to_owned(), ..Item::default() };
        for field in &self.form.fields {
            let Some(member) = found.fields.get(&field.id) else { continue };
            let text = if member == "@name" {
                name.to_owned()
            } else {
                match settings.get(member) {
                    None | Some(Value::Null) => continue,
                    Some(Value::String(text)) => text.clone(),
                    Some(other) => other.to_string(),
                }
            };
            let masks = match settings.get(member) {
                _ if field.is_secret() && is_mask(&text) => vec![member.clone()],
                Some(value) => masks_within(member, value),
                None => Vec::new(),
            };
            if !masks.is_empty() {
                // neither kept nor put back: what a human sees and types is
                let fault = format!("the application shows only a mask for {}: type the value", masks.join(", "));
                item.faults.insert(field.id.clone(), fault);
                continue;
            }
            if let Err(fault) = field.check(&text) {
                item.faults.insert(field.id.clone(), fault);
            }
            let place = format!("GET {}, {name}.{member}", found.path);
            let provenance = Provenance::Found { place };
            let value = if field.is_secret() {
                if text.is_empty() {
                    FieldValue::Empty
                } else {
                    keep(cx, name, &field.id, SecretBytes::new(text.into_bytes()), provenance).await?
                }
            } else {
                FieldValue::Text { value: text, provenance }
            };
            item.values.insert(field.id.clone(), value);
        }
        let known: Vec<&String> = found.fields.values().chain(found.filter.keys()).collect();
        let extra: serde_json::Map<String, Value> = settings
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(key, _)| !known.contains(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let masks: Vec<String> = extra.iter().flat_map(|(key, value)| masks_within(key, value)).collect();
        if !masks.is_empty() {
            let masks = masks.join(", ");
            let fault = format!(
                "the application shows only a mask for {masks}, and no field here is for it: take the {} out, add it by \
                 hand, and set {masks} in the application after the upgrade",
                self.form.noun
            );
            item.faults.insert(EXTRA.to_owned(), fault);
        } else if !extra.is_empty() {
            // nobody said of these that they are no secrets: only their names are shown and written down
            let names: Vec<&str> = extra.keys().map(String::as_str).collect();
            item.extra = crate::text::printable(&names.join(", "));
            let place = format!("GET {}, {name}", found.path);
            let bytes = SecretBytes::new(Value::Object(extra).to_string().into_bytes());
            keep(cx, name, EXTRA, bytes, Provenance::Found { place }).await?;
        }
        Ok(item)
    }
}

async fn keep(cx: &StepCx, item: &str, field: &str, value: SecretBytes, from: Provenance) -> Result<FieldValue, Halt> {
    let meta = cx.keep_secret(item, field, value, from).await?;
    Ok(FieldValue::Secret { length: meta.length, check: meta.check, provenance: meta.provenance })
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
