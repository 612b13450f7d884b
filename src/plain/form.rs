//! A form, field by field: what stands there and where it is from, the fault at its field, then the whole item.

use secrecy::ExposeSecret;

use super::{
    answers::Say,
    talk::{Leave, Prompt, Talk},
};
use crate::{
    ports::Provenance,
    run::{Field, FieldInput, FieldKind, FieldValue, Form, Item, Live, Reply, StepId, secret_name},
};

/// Where a person is in a form. Every answer goes to the run and comes back as a new question: this is kept between them.
#[derive(Default)]
pub(super) struct Walk {
    step: Option<StepId>,
    /// The item that is walked through.
    item: Option<String>,
    /// The field that is asked next.
    at: usize,
    /// Whether a value for it was sent, and how it went is not told yet.
    sent: bool,
    /// The item whose confirmation was sent.
    confirming: Option<String>,
}

/// A form as it is asked.
pub(super) struct Asked<'a> {
    pub step: &'a StepId,
    pub title: &'a str,
    pub form: &'a Form,
    pub items: &'a [Item],
    pub none: &'a str,
    pub fault: &'a str,
}

/// Asks for the next thing that is open.
pub(super) async fn ask(talk: &mut Talk<'_>, asked: &Asked<'_>, walk: &mut Walk) -> Result<Say, Leave> {
    let (form, items) = (asked.form, asked.items);
    if walk.step.as_ref() != Some(asked.step) {
        *walk = Walk { step: Some(asked.step.clone()), ..Walk::default() };
        let confirmed = items.iter().filter(|item| item.confirmed).count();
        if form.repeated {
            talk.say(&format!("{}: {} in the list, {confirmed} confirmed.", asked.title, items.len()));
        }
    }
    if !asked.fault.is_empty() {
        talk.say(&format!("not yet. {}.", asked.fault));
    }
    let known = |name: &String| items.iter().find(|item| item.id == *name);
    let just = walk.confirming.take().filter(|name| known(name).is_some_and(|item| item.confirmed));
    if let Some(name) = &just {
        talk.say(&format!("saved. {} confirmed.", called(form, name)));
        walk.item = None;
        if !form.repeated {
            return Ok(Say::Reply(Reply::Seal));
        }
    }
    loop {
        let item = walk.item.as_ref().and_then(known);
        let Some(item) = item.or_else(|| items.iter().find(|item| !item.confirmed)) else {
            match list(talk, asked, walk).await? {
                Some(reply) => return Ok(Say::Reply(reply)),
                None => continue,
            }
        };
        if walk.item.as_ref() != Some(&item.id) {
            walk.item = Some(item.id.clone());
            (walk.at, walk.sent) = (first(form, item), false);
            head(talk, asked, item);
        }
        match item_question(talk, asked, item, walk).await {
            // from the first field of an item that was chosen from the list: to the list
            Err(Leave::Back) if item.confirmed => walk.item = None,
            said => return said,
        }
    }
}

fn called(form: &Form, name: &str) -> String {
    let mut noun = form.noun.clone();
    if let Some(first) = noun.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    if form.repeated { format!("{noun} {name}") } else { noun }
}

fn head(talk: &mut Talk<'_>, asked: &Asked<'_>, item: &Item) {
    talk.say("");
    let place = asked.items.iter().position(|known| known.id == item.id).unwrap_or_default() + 1;
    let name = called(asked.form, &item.id);
    if asked.form.repeated {
        talk.say(&format!("{name}, {place} of {}.", asked.items.len()));
    } else {
        talk.say(&format!("{name}."));
    }
    if let Some(laid) = talk.state.laid_file(asked.form) {
        talk.say(&format!("  Practice has laid it for you; type {laid}"));
    }
    if !item.extra.is_empty() {
        talk.say(&format!("  Kept as well, without a field: {}.", item.extra));
    }
    for fault in item.further_faults(asked.form) {
        talk.say(&format!("  {fault}."));
    }
    match &item.live {
        Live::Same => {}
        Live::Gone => talk.say("  It is gone from the application since it was captured."),
        Live::Differs(now) => {
            talk.say("  It was changed in the application since it was captured:");
            let fields = asked.form.fields.iter().filter_map(|field| Some((&field.label, now.get(&field.id)?)));
            for (label, now) in fields {
                talk.say(&format!("    {label} is now: {now}"));
            }
            if let Some(further) = item.further_live(asked.form) {
                talk.say(&format!("    Without a field: {further}"));
            }
        }
    }
}

/// Where the walk through an item begins: what was confirmed before and changed since is decided on as a whole.
fn first(form: &Form, item: &Item) -> usize {
    if item.live == Live::Same || !form.is_complete(item) { 0 } else { form.fields.len() }
}

fn from(provenance: &Provenance) -> String {
    match provenance {
        Provenance::Found { place } => format!("Found in {place}"),
        Provenance::Typed { by } => format!("Typed by {by}"),
        Provenance::File { path } => format!("From the file {path}"),
        Provenance::Run { run } => format!("From the run {run}"),
        Provenance::Default => "The default".to_owned(),
    }
}

/// A secret in words.
fn kept(secret: &FieldValue) -> String {
    secret.told().replace(" · ", ", ")
}

/// The list of items: complete, add, change one.
async fn list(talk: &mut Talk<'_>, asked: &Asked<'_>, walk: &mut Walk) -> Result<Option<Reply>, Leave> {
    let (form, items) = (asked.form, asked.items);
    let none_yet = items.is_empty() && asked.none.is_empty();
    let complete = match (items.is_empty(), asked.none) {
        (true, "") => format!("There is no {}, because …", form.noun),
        (true, reason) => format!("Go on: there is none, because {reason}"),
        (false, _) => "This is complete, go on".to_owned(),
    };
    let mut options = vec![complete];
    if form.repeated {
        options.push(format!("Add a {}", form.noun));
    }
    options.extend(items.iter().map(|item| format!("Change {}", called(form, &item.id))));
    let look = if form.look.is_empty() { String::new() } else { format!("Where to look: {}", form.look) };
    loop {
        let chosen = talk.number(&options, None, &look).await?;
        let answer = match chosen {
            1 if none_yet => {
                let prompt = Prompt::new("There is none, because:")
                    .help("At least 10 letters; the reason stays in the report for ever.");
                talk.line(&prompt).await.map(|reason| Some(Reply::None { reason }))
            }
            1 => return Ok(Some(Reply::Seal)),
            2 if form.repeated => {
                let prompt = Prompt::new(format!("Name of the {}:", form.noun))
                    .help("Up to 40 lower-case letters, digits and hyphens.")
                    .help(look.clone());
                talk.line(&prompt).await.map(|item| Some(Reply::Add { item: item.trim().to_owned() }))
            }
            n => {
                let item = n.checked_sub(if form.repeated { 3 } else { 2 }).and_then(|index| items.get(index));
                walk.item = item.map(|item| item.id.clone());
                (walk.at, walk.sent) = (0, false);
                if let Some(item) = item {
                    head(talk, asked, item);
                }
                return Ok(None);
            }
        };
        match answer {
            Err(Leave::Back) => {}
            answer => return answer,
        }
    }
}

/// One item from the field where the walk stands.
async fn item_question(talk: &mut Talk<'_>, asked: &Asked<'_>, item: &Item, walk: &mut Walk) -> Result<Say, Leave> {
    let form = asked.form;
    if std::mem::take(&mut walk.sent) && asked.fault.is_empty() {
        told(talk, form, item, walk);
    }
    loop {
        let back = match form.fields.get(walk.at) {
            Some(field) => match field_question(talk, asked, field, item).await {
                Ok(Some(say)) => {
                    walk.sent = true;
                    return Ok(say);
                }
                Ok(None) => {
                    walk.at += 1;
                    continue;
                }
                Err(leave) => leave,
            },
            None => match finish(talk, form, item, walk).await {
                Ok(Some(say)) => return Ok(say),
                Ok(None) => continue,
                Err(leave) => leave,
            },
        };
        if back != Leave::Back || walk.at == 0 {
            return Err(back);
        }
        walk.at -= 1;
    }
}

/// How it went with the value that was sent.
fn told(talk: &mut Talk<'_>, form: &Form, item: &Item, walk: &mut Walk) {
    let Some(field) = form.fields.get(walk.at) else { return };
    if let Some(fault) = item.faults.get(&field.id) {
        let kept = match item.values.get(&field.id) {
            Some(FieldValue::Text { value, .. }) if !value.is_empty() => format!(" The text is kept: {value}"),
            _ => String::new(),
        };
        talk.say(&format!("not yet. {} {fault}{kept}", field.label));
        return;
    }
    match item.values.get(&field.id) {
        Some(secret @ FieldValue::Secret { .. }) => {
            talk.say(&format!("ok. {} saved in the vault: {}.", field.label, kept(secret)));
        }
        _ => talk.say(&format!("ok. {} saved.", field.label)),
    }
    walk.at += 1;
}

/// Asks for one field; nothing when it stays as it is.
async fn field_question(
    talk: &mut Talk<'_>,
    asked: &Asked<'_>,
    field: &Field,
    item: &Item,
) -> Result<Option<Say>, Leave> {
    let value = item.values.get(&field.id).filter(|value| **value != FieldValue::Empty);
    let fault = item.faults.contains_key(&field.id);
    let stands = match value {
        Some(FieldValue::Text { value, provenance }) => Some((from(provenance), value.clone())),
        Some(secret @ FieldValue::Secret { provenance, .. }) => {
            Some((from(provenance), format!("in the vault, {}", kept(secret))))
        }
        Some(FieldValue::Empty) | None => None,
    };
    if let Some((from, value)) = &stands {
        talk.say(&format!("  {}. {from}:", field.label));
        talk.say(&format!("    {value}"));
    }
    if let Some(now) = item.live.of(&field.id) {
        talk.say(&format!("    The application says now: {now}"));
    }
    let unseen = item.is_unseen(field);
    let what = match field.kind {
        _ if unseen => "typing stays hidden",
        FieldKind::SecretFile => "path of the file",
        FieldKind::Bool => "true or false",
        _ => "",
    };
    let example = if field.example.is_empty() { String::new() } else { format!("example: {}", field.example) };
    let notes = |notes: &[&str]| {
        let notes: Vec<&str> = notes.iter().copied().filter(|note| !note.is_empty()).collect();
        if notes.is_empty() { String::new() } else { format!(" ({})", notes.join("; ")) }
    };
    let label = &field.label;
    let text = match (&stands, fault) {
        (Some(_), false) => format!("  Enter keeps it, or type another {label}{}:", notes(&[what])),
        (_, true) => format!("  {label}{}:", notes(&[what, &example, "Enter = try again"])),
        (None, false) if field.optional => format!("  {label}{}:", notes(&[what, &example, "Enter = none"])),
        (None, false) => format!("  {label}{}:", notes(&[what, &example])),
    };
    let example = if example.is_empty() { example } else { format!("As {example}.") };
    let prompt = Prompt::new(text)
        .help(rule(field))
        .help(example)
        .help(if value.is_some_and(FieldValue::can_be_shown) {
            let name = secret_name(&asked.step.0, &item.id, &field.id);
            shown_by(&format!("{}/{name}", talk.state.short()))
        } else {
            String::new()
        })
        .help(if asked.form.look.is_empty() { String::new() } else { format!("Where to look: {}", asked.form.look) })
        .help("Each field is saved as soon as it is typed. \"back\" goes to the field before.");
    loop {
        let (item, name) = (item.id.clone(), field.id.clone());
        if unseen {
            let secret = talk.secret(&prompt).await?;
            if secret.expose_secret().is_empty() {
                if empty(talk, field, stands.is_some() && !fault) {
                    return Ok(None);
                }
                continue;
            }
            let again = Prompt::new(format!("  {} once more (Enter = compare by check number):", field.label))
                .help("The same again, so that a slip is seen now. Or only Enter, then compare length and check.");
            match talk.secret(&again).await {
                Ok(again) if again.expose_secret().is_empty() || again.expose_secret() == secret.expose_secret() => {
                    return Ok(Some(Say::Secret { item, field: name, secret }));
                }
                Ok(_) => talk.say("not yet. The two are not the same."),
                Err(Leave::Back) => {}
                Err(leave) => return Err(leave),
            }
            continue;
        }
        let text = talk.line(&prompt).await?;
        if !text.trim().is_empty() {
            return Ok(Some(Say::Reply(Reply::Set { item, field: name, input: FieldInput::Text(text) })));
        }
        if empty(talk, field, stands.is_some() && !fault) {
            return Ok(None);
        }
    }
}

/// Why no secret is printed here, and what shows the one of this name.
pub(super) fn shown_by(name: &str) -> String {
    format!("No secret is printed here: it would stay in the scrollback. To see it: drydock vault show {name} --reveal")
}

/// Whether an empty Enter leaves the field as it is.
fn empty(talk: &mut Talk<'_>, field: &Field, stands: bool) -> bool {
    if stands {
        talk.say(&format!("ok. {} kept.", field.label));
    } else if !field.optional {
        talk.say(&format!("not yet. {} needs a value.", field.label));
    }
    stands || field.optional
}

fn rule(field: &Field) -> String {
    match field.kind {
        FieldKind::Text if field.no_spaces => "One line of text without spaces.".to_owned(),
        FieldKind::Text => "One line of text.".to_owned(),
        FieldKind::Url => "An address that begins with https:// or http://.".to_owned(),
        FieldKind::Name => "Up to 40 lower-case letters, digits and hyphens.".to_owned(),
        FieldKind::Bool => "true or false.".to_owned(),
        FieldKind::Json => "A JSON object, in braces, on one line.".to_owned(),
        FieldKind::SecretJson => {
            "A JSON object, in braces, on one line. It is not shown; drydock keeps it in the vault only.".to_owned()
        }
        FieldKind::SecretFile => {
            "The path of a file here; the vault gets a copy, byte for byte. Your file stays where it is.".to_owned()
        }
        FieldKind::Secret => "A secret. It is not shown; drydock keeps it in the vault only.".to_owned(),
    }
}

/// The end of an item: confirm it, walk again, take it out.
async fn finish(talk: &mut Talk<'_>, form: &Form, item: &Item, walk: &mut Walk) -> Result<Option<Say>, Leave> {
    let name = called(form, &item.id);
    if !form.is_complete(item) {
        let open = form.fields.iter().position(|field| {
            item.faults.contains_key(&field.id)
                || (!field.optional && matches!(item.values.get(&field.id), None | Some(FieldValue::Empty)))
        });
        let label = open.and_then(|at| form.fields.get(at)).map_or("a field", |field| field.label.as_str());
        talk.say(&format!("not yet. {name} is not complete: {label}."));
        walk.at = open.unwrap_or_default();
        return Ok(None);
    }
    let mut options = vec![format!("Confirm {name}"), "Go through its fields again".to_owned()];
    if form.repeated {
        options.push("Take it out of the list".to_owned());
    }
    if matches!(item.live, Live::Differs(_)) {
        options.push("Take what the application says now".to_owned());
    }
    let help = "Confirming says that a person looked at every field. It changes nothing in the cluster.";
    let id = item.id.clone();
    Ok(match talk.number(&options, None, help).await? {
        1 => {
            walk.confirming = Some(id.clone());
            Some(Say::Reply(Reply::ConfirmItem { item: id }))
        }
        2 => {
            walk.at = 0;
            None
        }
        n if n == 4 || !form.repeated => Some(Say::Reply(Reply::TakeLive { item: id })),
        _ => {
            walk.item = None;
            Some(Say::Reply(Reply::Remove { item: id }))
        }
    })
}
