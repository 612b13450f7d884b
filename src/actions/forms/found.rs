//! What the application's API tells of the items of a form: filled in at the first look, compared when the form is opened
//! again, taken over where a human says so. Called by `ask`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    api::Api,
    form_state::FormState,
    settings::{Change, changes, restarted_since},
};
use crate::{
    actions::{
        context::{Halt, StepCx},
        spec::{AskSpec, FoundInApi},
    },
    ports::{Provenance, SecretBytes},
    run::{
        Field, FieldKind, FieldValue, Item, JsonType, Live, is_mask, masks_within, member_names, secrets_within,
        without_logins,
    },
    text::{Diagnostic, printable, units},
};

/// Vault field of the settings that no field of the form shows; no field of a form can have this name.
pub const EXTRA: &str = "more.json";

/// Saves a secret of this step and says what may be shown of it.
pub(in crate::actions) async fn keep(
    cx: &StepCx,
    item: &str,
    field: &Field,
    value: SecretBytes,
    from: Provenance,
) -> Result<FieldValue, Halt> {
    let members = may_be_shown(field, &String::from_utf8_lossy(value.expose_secret()));
    let meta = cx.keep_secret(item, &field.id, value, from).await?;
    Ok(FieldValue::Secret { length: meta.length, check: meta.check, provenance: meta.provenance, members })
}

/// What may be shown of a secret text: the names of the members of JSON, an address without its login.
fn may_be_shown(field: &Field, text: &str) -> String {
    if field.is_json() {
        let members = serde_json::from_str::<Map<String, Value>>(text);
        return members.map_or_else(|_| String::new(), |members| member_names(&members));
    }
    // where an address has a login, all else of it is open
    let has_login = !field.is_secret() && !secrets_within(text).is_empty();
    if has_login { printable(&without_logins(text)) } else { String::new() }
}

/// A member as the text of its field.
fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

impl AskSpec {
    /// Items as the application tells them, unconfirmed.
    pub(in crate::actions) async fn find(&self, cx: &StepCx, found: &FoundInApi) -> Result<Vec<Item>, Halt> {
        let mut items = Vec::new();
        for (name, settings) in ask(cx, found).await? {
            items.push(self.item(cx, found, &name, &settings).await?);
        }
        Ok(items)
    }

    /// The same form opened again: what differs by now is named at its item, which waits for a human again; what is new is
    /// offered. Says why, where the application cannot be asked.
    pub(in crate::actions) async fn look_again(
        &self,
        cx: &StepCx,
        found: &FoundInApi,
        state: &mut FormState,
    ) -> Result<String, Halt> {
        for item in &mut state.items {
            item.live = Live::Same;
        }
        if cx.driver.state().removal_begun() {
            // what answers now is another version with its defaults, or nothing
            return Ok(String::new());
        }
        let all = match ask(cx, found).await {
            Ok(all) => all,
            Err(Halt::Failed(problem)) => {
                return Ok(format!(
                    "this is as it was captured; the application cannot be asked now: {}",
                    problem.what
                ));
            }
            Err(halt) => return Err(halt),
        };
        let mut fault = String::new();
        for item in &mut state.items {
            item.live = match all.get(&item.id) {
                Some(settings) => match changes(cx, &cx.step.0, item, found, settings).await {
                    Ok(changes) => self.live(changes, settings, found),
                    // a secret that the vault lost is typed again here, so the form must open
                    Err(Halt::Failed(problem)) => {
                        fault = problem.what;
                        Live::Same
                    }
                    Err(halt) => return Err(halt),
                },
                None if item.is_by_hand() => Live::Same,
                None => Live::Gone,
            };
            item.confirmed &= item.live == Live::Same;
        }
        for (name, settings) in &all {
            if !state.items.iter().any(|item| item.id == *name) {
                state.items.push(self.item(cx, found, name, settings).await?);
                state.none_reason.clear();
            }
        }
        // whoever takes over what a restart left would lose what was captured
        if let Some(asked) = state.asked.filter(|_| state.items.iter().any(|item| item.live != Live::Same)) {
            fault = restarted_since(cx, asked).await.unwrap_or(fault);
        }
        Ok(fault)
    }

    /// What the application says now of an item, in place of what was captured; only where that is something else, so that
    /// what it masks and what was typed stays.
    pub(in crate::actions) async fn take_live(&self, cx: &StepCx, item: &mut Item) -> Result<Result<(), String>, Halt> {
        let Some(found) = &self.found else { return Ok(Err("the application is not asked here".to_owned())) };
        if item.live == Live::Same {
            return Ok(Err(format!("the application says nothing else of {} than what is here", item.id)));
        }
        let all = match ask(cx, found).await {
            Ok(all) => all,
            Err(Halt::Failed(problem)) => return Ok(Err(problem.what)),
            Err(halt) => return Err(halt),
        };
        let Some(settings) = all.get(&item.id) else {
            return Ok(Err(format!("{} is not in the application any more: take it out of the list", item.id)));
        };
        let differs = self.live(changes(cx, &cx.step.0, item, found, settings).await?, settings, found);
        if let Live::Differs(now) = differs {
            self.fill(cx, found, item, settings, |field| now.contains_key(field)).await?;
        }
        (item.live, item.confirmed) = (Live::Same, false);
        Ok(Ok(()))
    }

    /// Secrets of a draft that an earlier version kept as text go to the vault.
    pub(in crate::actions) async fn hide_secrets(&self, cx: &StepCx, state: &mut FormState) -> Result<(), Halt> {
        // of a file the text is its path
        for field in self.form.fields.iter().filter(|field| field.kind != FieldKind::SecretFile) {
            for item in &mut state.items {
                let Some(FieldValue::Text { value, provenance }) = item.values.get(&field.id) else { continue };
                if !field.hides(value) {
                    continue;
                }
                let (value, provenance) = (value.clone(), provenance.clone());
                let hidden = if value.is_empty() {
                    FieldValue::Empty
                } else {
                    keep(cx, &item.id, field, SecretBytes::new(value.into_bytes()), provenance).await?
                };
                item.values.insert(field.id.clone(), hidden);
                item.types.entry(field.id.clone()).or_insert_with(|| field.kind.json_type(None));
            }
        }
        Ok(())
    }

    fn live(&self, changes: Vec<Change>, settings: &Value, found: &FoundInApi) -> Live {
        let mut now = BTreeMap::new();
        let mut further = Vec::new();
        for change in changes {
            let field = self.form.fields.iter().find(|field| found.fields.get(&field.id) == Some(&change.member));
            match field {
                Some(field) => {
                    now.insert(field.id.clone(), told(field, settings.get(&change.member)));
                }
                None => further.push(change.state(settings)),
            }
        }
        if !further.is_empty() {
            now.insert(EXTRA.to_owned(), further.join(", "));
        }
        if now.is_empty() { Live::Same } else { Live::Differs(now) }
    }

    async fn item(&self, cx: &StepCx, found: &FoundInApi, name: &str, settings: &Value) -> Result<Item, Halt> {
        let mut item = Item { id: name.to_owned(), ..Item::default() };
        self.fill(cx, found, &mut item, settings, |_| true).await?;
        Ok(item)
    }

    /// Fills in the `wanted` fields of an item, by their ids, with what the application says.
    async fn fill(
        &self,
        cx: &StepCx,
        found: &FoundInApi,
        item: &mut Item,
        settings: &Value,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<(), Halt> {
        for field in self.form.fields.iter().filter(|field| wanted(&field.id)) {
            let Some(member) = found.fields.get(&field.id) else { continue };
            item.faults.remove(&field.id);
            item.values.remove(&field.id);
            let named = Value::String(item.id.clone());
            let value = if member == "@name" { Some(&named) } else { settings.get(member) };
            let Some(value) = value.filter(|value| !value.is_null()) else { continue };
            let text = as_text(value);
            let masks =
                if field.is_secret() && is_mask(&text) { vec![member.clone()] } else { masks_within(member, value) };
            if !masks.is_empty() {
                // neither kept nor put back: what a human sees and types is
                let fault = format!("the application shows only a mask for {}: type the value", masks.join(", "));
                item.faults.insert(field.id.clone(), fault);
                continue;
            }
            // a name that the application gave is its own affair
            if member != "@name"
                && let Err(fault) = field.check(&text)
            {
                item.faults.insert(field.id.clone(), fault);
            }
            item.types.insert(field.id.clone(), JsonType::of(value));
            let place = format!("GET {}, {}.{member}", found.path, item.id);
            let provenance = Provenance::Found { place };
            let value = match (field.hides(&text), text.is_empty()) {
                (true, true) => FieldValue::Empty,
                (true, false) => keep(cx, &item.id, field, SecretBytes::new(text.into_bytes()), provenance).await?,
                (false, _) => FieldValue::Text { value: text, provenance },
            };
            item.values.insert(field.id.clone(), value);
        }
        if wanted(EXTRA) { self.fill_further(cx, found, item, settings).await } else { Ok(()) }
    }

    /// What no field shows: kept and put back with the item.
    async fn fill_further(
        &self,
        cx: &StepCx,
        found: &FoundInApi,
        item: &mut Item,
        settings: &Value,
    ) -> Result<(), Halt> {
        item.faults.remove(EXTRA);
        item.extra.clear();
        let known: Vec<&String> = found.fields.values().chain(found.filter.keys()).collect();
        let extra: Map<String, Value> = settings
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
            item.extra = member_names(&extra);
            let place = format!("GET {}, {}", found.path, item.id);
            let bytes = SecretBytes::new(Value::Object(extra).to_string().into_bytes());
            cx.keep_secret(&item.id, EXTRA, bytes, Provenance::Found { place }).await?;
        }
        Ok(())
    }
}

/// A value of the application in the words that a form may show: of a secret only how long it is.
fn told(field: &Field, value: Option<&Value>) -> String {
    let Some(value) = value.filter(|value| !value.is_null()) else { return "nothing".to_owned() };
    let text = as_text(value);
    if !field.hides(&text) {
        return if text.is_empty() { "nothing".to_owned() } else { printable(&text) };
    }
    let shown = match may_be_shown(field, &text) {
        shown if shown.is_empty() => shown,
        shown => format!("{shown} · "),
    };
    format!("another value, {shown}{}", units::plural(text.chars().count(), "character", "characters"))
}

/// The settings that belong to a form, by name.
async fn ask(cx: &StepCx, found: &FoundInApi) -> Result<BTreeMap<String, Value>, Halt> {
    let answer = Api::open(cx, cx.namespace()).await?.get(&found.path).await?;
    let Value::Object(all) = answer else {
        return Err(Diagnostic::new(format!("GET {} answers no JSON object", found.path)).into());
    };
    Ok(all.into_iter().filter(|(_, settings)| found.takes(settings)).collect())
}
