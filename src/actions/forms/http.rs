//! `http`: captured items put back through the application's API, read back and compared; what no API can show is
//! confirmed by eye or waived with a reason, as are all items of a form that no API knows.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    api::{Api, Put},
    form_state::load_of,
    settings::{body, differences},
};
use crate::{
    actions::{
        context::{Action, Described, Done, Halt, PlanCx, Probed, StepCx, right},
        spec::HttpSpec,
    },
    run::{
        FieldValue, Item, OutputLine, Question, ReapplyItem, ReapplyState, Record, Repeat, Reply, Row, Sign, StepId,
        Tag, Verdict, member_names,
    },
    text::{Diagnostic, in_path, units},
};

/// What is said of an item that no interface knows.
const BY_HAND: &str = "no interface shows it: set it in the application as captured, then look";

/// What is said of an item that somebody looked at.
const BY_EYE: &str = "confirmed by eye";

/// Who speaks in the step's log.
const SOURCE: &str = "application";

/// Shortest reason for leaving an item out.
const SHORTEST_REASON: usize = 10;

impl HttpSpec {
    fn path_of(&self, item: &Item) -> String {
        self.path.replace("{item}", &in_path(&item.id))
    }

    /// Reads an item back and compares it with what was captured.
    async fn read_back(&self, cx: &StepCx, api: &Api<'_>, item: &Item) -> Result<(ReapplyState, String), Halt> {
        let now: Value = match api.get(&self.path_of(item)).await {
            Ok(now) => now,
            Err(Halt::Failed(problem)) => return Ok((ReapplyState::Differs, problem.what)),
            Err(other) => return Err(other),
        };
        let (differ, masked) = differences(&body(cx, &self.from, item, &self.fields).await?, &now);
        Ok(match (differ.is_empty(), masked.is_empty()) {
            (true, true) => (ReapplyState::Same, "read back, the same".to_owned()),
            (true, false) => {
                (ReapplyState::ByHand, format!("the application shows only a mask for {}", masked.join(", ")))
            }
            (false, _) => (ReapplyState::Differs, format!("{} read differently", differ.join(", "))),
        })
    }

    /// Writes an item and reads it back. A refusal is an answer: it is written down as such, and told with its reason.
    async fn write(&self, cx: &StepCx, api: &Api<'_>, item: &Item) -> Result<(ReapplyState, String), Halt> {
        let path = self.path_of(item);
        let effect = format!("put {path}");
        // an operator may have looked at the question for hours
        cx.same_place().await?;
        cx.effect(&effect).await?;
        let change = Value::Object(body(cx, &self.from, item, &self.fields).await?);
        match api.put(&path, &change).await {
            Ok(Put::Accepted) => {
                cx.effected(&effect, "accepted").await?;
                self.read_back(cx, api, item).await
            }
            Ok(Put::Refused(answer)) => {
                cx.effected(&effect, &answer).await?;
                let told = format!("PUT {path} was {answer}");
                let (at, source) = (cx.world.clock.now(), SOURCE.to_owned());
                cx.driver.line(OutputLine { at, source, tag: Tag::Error, text: told.clone() }).await;
                Ok((ReapplyState::Refused, told))
            }
            Err(Halt::Failed(problem)) => Ok((ReapplyState::Differs, problem.what)),
            Err(other) => Err(other),
        }
    }

    /// What a human has said of an item in an attempt before: it stands, and what was left out is not written.
    fn settled(cx: &StepCx, item: &Item) -> Option<(ReapplyState, String)> {
        let state = cx.driver.state();
        let reason = state.confirmed.get(&(cx.step.clone(), item.id.clone()))?;
        // as with forms: whoever looked and agreed gives no reason
        Some(if reason.is_empty() {
            (ReapplyState::ByEye, BY_EYE.to_owned())
        } else {
            (ReapplyState::Waived, reason.clone())
        })
    }

    /// Every item as a human will find it, where no interface knows them.
    fn by_hand(&self, cx: &StepCx, items: &[Item]) -> Vec<ReapplyItem> {
        let form = self.form_title(cx);
        let shown = |item| {
            let now = Self::settled(cx, item).unwrap_or_else(|| (ReapplyState::ByHand, BY_HAND.to_owned()));
            entry(&form, item, now)
        };
        items.iter().map(shown).collect()
    }

    /// Every item written where it differs, and read back.
    async fn put_all(&self, cx: &StepCx, items: &[Item]) -> Result<Vec<ReapplyItem>, Halt> {
        let api = Api::open(cx, cx.namespace()).await?;
        let form = self.form_title(cx);
        let mut shown: Vec<ReapplyItem> = Vec::new();
        for item in items {
            let now = match Self::settled(cx, item) {
                Some(settled) => settled,
                None => match self.read_back(cx, &api, item).await? {
                    same @ (ReapplyState::Same, _) => same,
                    _ => self.write(cx, &api, item).await?,
                },
            };
            shown.push(entry(&form, item, now));
            let rows = shown.iter().map(row).collect();
            cx.show(
                &format!("{} of {} items", shown.len(), items.len()),
                rows,
                Some((shown.len() as u64, items.len() as u64)),
                None,
            );
        }
        Ok(shown)
    }

    fn form_title(&self, cx: &StepCx) -> String {
        cx.driver
            .state()
            .planned(&StepId(self.from.clone()))
            .map_or_else(|| self.from.clone(), |step| step.title.clone())
    }

    async fn settle(&self, cx: &StepCx, items: &[Item], shown: &mut [ReapplyItem]) -> Result<(), Halt> {
        let by = cx.world.host.operator();
        while shown.iter().any(|item| is_open(item.state)) {
            let question = Question::Reapply { step: cx.step.clone(), items: shown.to_vec() };
            let (name, what) = match cx.driver.ask(question).await? {
                Reply::Write { item } => (item, None),
                Reply::ReadBack { item } => (item, Some((ReapplyState::NotYet, String::new()))),
                Reply::ByEye { item } => (item, Some((ReapplyState::ByEye, String::new()))),
                Reply::Waive { item, reason } if reason.chars().count() >= SHORTEST_REASON => {
                    (item, Some((ReapplyState::Waived, reason)))
                }
                Reply::Back => return Err(Halt::Stopped("the operator went back".to_owned())),
                _ => continue,
            };
            let (Some(captured), Some(entry)) =
                (items.iter().find(|item| item.id == name), shown.iter_mut().find(|item| item.id == name))
            else {
                continue;
            };
            match what {
                // what the API can read is compared, not believed: a write that failed is no setting
                Some((ReapplyState::ByEye, _)) if entry.state != ReapplyState::ByHand => {
                    let why = "an eye counts only where the application shows a mask";
                    if !entry.sentence.ends_with(why) {
                        entry.sentence = format!("{}; {why}", entry.sentence);
                    }
                }
                Some((state @ (ReapplyState::ByEye | ReapplyState::Waived), reason)) => {
                    let (step, item) = (cx.step.clone(), name);
                    cx.driver.record(Record::Confirmed { step, item, by: by.clone(), reason: reason.clone() }).await?;
                    (entry.state, entry.sentence) =
                        (state, if state == ReapplyState::ByEye { BY_EYE.to_owned() } else { reason });
                }
                _ if self.path.is_empty() => BY_HAND.clone_into(&mut entry.sentence),
                other => {
                    let api = Api::open(cx, cx.namespace()).await?;
                    let now = match other {
                        None => self.write(cx, &api, captured).await?,
                        Some(_) => self.read_back(cx, &api, captured).await?,
                    };
                    // who tried once more sees that it was tried
                    entry.again = ((entry.state, &entry.sentence) == (now.0, &now.1)).then(|| cx.world.clock.now());
                    (entry.state, entry.sentence) = now;
                }
            }
        }
        Ok(())
    }
}

/// An item as a human finds it, with what is known of it now.
fn entry(form: &str, item: &Item, (state, sentence): (ReapplyState, String)) -> ReapplyItem {
    ReapplyItem {
        id: item.id.clone(),
        title: format!("{form} {}", item.id),
        state,
        sentence,
        again: None,
        fields: fields_of(item),
        secrets: secrets_of(item),
    }
}

fn is_open(state: ReapplyState) -> bool {
    !matches!(state, ReapplyState::Same | ReapplyState::ByEye | ReapplyState::Waived)
}

fn row(item: &ReapplyItem) -> Row {
    let (sign, word) = match item.state {
        ReapplyState::Same => (Sign::Done, "same"),
        ReapplyState::Differs => (Sign::Failed, "differs"),
        ReapplyState::Refused => (Sign::Failed, "refused"),
        ReapplyState::ByHand => (Sign::NeedsYou, "by hand"),
        ReapplyState::ByEye => (Sign::Done, "by eye"),
        ReapplyState::Waived => (Sign::Waived, "waived"),
        ReapplyState::NotYet => (Sign::NotYet, "not yet"),
    };
    Row { sign, word: word.to_owned(), name: item.title.clone(), detail: item.sentence.clone() }
}

/// Fields as label and value; secrets as the names of their members, length and check.
fn fields_of(item: &Item) -> Vec<(String, String)> {
    let told = |(field, value): (&String, &FieldValue)| {
        let json = match value {
            // a form of an earlier version: it was not asked whether the settings hold secrets
            FieldValue::Text { value, .. } if !item.types.contains_key(field) => serde_json::from_str(value).ok(),
            _ => None,
        };
        (field.clone(), json.map_or_else(|| value.told(), |members| member_names(&members)))
    };
    item.values.iter().map(told).collect()
}

/// Fields that hold a secret which can be shown.
fn secrets_of(item: &Item) -> Vec<String> {
    item.values.iter().filter(|(_, value)| value.can_be_shown()).map(|(field, _)| field.clone()).collect()
}

#[async_trait]
impl Action for HttpSpec {
    fn repeat(&self) -> Repeat {
        Repeat::Guarded
    }

    fn describe(&self, cx: &PlanCx<'_>) -> Described {
        if self.path.is_empty() {
            let asks = format!("asks of each item of step {} whether it is set again, or why not", self.from);
            return Described { commands: vec![asks], ..Described::default() };
        }
        Described {
            commands: vec![
                format!("PUT {} for each item of step {}, then GET and compare", self.path, self.from),
                "through port-forward, with the credentials of the application's own environment".to_owned(),
            ],
            rights: vec![
                right("get", "", "pods", "portforward", Some(cx.namespace)),
                right("create", "", "pods", "portforward", Some(cx.namespace)),
                right("get", "", "secrets", "", Some(cx.namespace)),
            ],
            ..Described::default()
        }
    }

    async fn probe(&self, cx: &StepCx) -> Result<Probed, Halt> {
        let items = load_of(cx, &self.from)?.items;
        if self.path.is_empty() {
            let verdict = if items.is_empty() { Verdict::Done } else { Verdict::NotDone };
            return Ok(Probed::new(verdict, format!("{} to look at", units::plural(items.len(), "item", "items"))));
        }
        let api = Api::open(cx, cx.namespace()).await?;
        let mut same = 0;
        for item in &items {
            same += usize::from(self.read_back(cx, &api, item).await?.0 == ReapplyState::Same);
        }
        let sentence = format!("{same} of {} items read back the same", items.len());
        Ok(match same {
            n if n == items.len() => Probed::new(Verdict::Done, sentence),
            0 => Probed::new(Verdict::NotDone, sentence),
            _ => Probed::new(Verdict::Partly, sentence),
        })
    }

    async fn run(&self, cx: &StepCx) -> Result<Done, Halt> {
        let form = load_of(cx, &self.from)?;
        let items = form.items;
        if self.path.is_empty() && items.is_empty() {
            let none = json!({"same": 0, "by_eye": 0, "waived": 0});
            return Ok(Done::with(format!("none, because {}", form.none_reason), none));
        }
        let mut shown = if self.path.is_empty() { self.by_hand(cx, &items) } else { self.put_all(cx, &items).await? };
        self.settle(cx, &items, &mut shown).await?;
        let count = |state| shown.iter().filter(|item| item.state == state).count();
        let (same, eye, waived) = (count(ReapplyState::Same), count(ReapplyState::ByEye), count(ReapplyState::Waived));
        if same + eye + waived != items.len() {
            return Err(Diagnostic::new(format!("{} of {} items are settled", same + eye + waived, items.len())).into());
        }
        let sentence = format!("{same} of {} read back the same, {eye} by eye, {waived} waived", items.len());
        cx.evidence(
            &format!("settings {}", self.from),
            4,
            &sentence,
            json!({"same": same, "by_eye": eye, "waived": waived}),
        )
        .await?;
        Ok(Done::with(sentence, json!({"same": same, "by_eye": eye, "waived": waived})))
    }
}
