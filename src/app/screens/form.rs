//! S05: capturing what the upgrade wipes. A list of items, the fields of the chosen one, drafts saved at every field.

use super::{
    Act, Screen,
    dialog::{Dialog, Kept, rule},
    form_focus::{FormFocus, Parts},
    form_typing::Typed,
    vault::SHOWN,
};
use crate::{
    app::{Cmd, Key, Place, menu::Menu, text_field::TextField},
    run::{Field, FieldValue, Form, Item, Live, Reply, StepId},
};

/// Two Enter within this time are one key that is held down, in milliseconds.
const HELD: u64 = 200;

/// The form of a step.
#[derive(Debug)]
pub struct FormScreen {
    /// The step.
    pub step: StepId,
    /// Its title.
    pub title: String,
    /// What is asked.
    pub form: Form,
    /// What is there.
    pub items: Vec<Item>,
    /// Why there is none, or empty.
    pub none_reason: String,
    /// Why the last reply was refused, or empty.
    pub fault: String,
    /// The chosen row: items, then "add", then "none".
    pub list: Menu,
    /// What has the focus.
    pub focus: FormFocus,
    /// The text of the field in focus.
    pub edit: Option<TextField>,
    /// A line asked for over the list.
    pub dialog: Option<Dialog>,
    /// Until when a typed secret is shown in clear.
    pub shown_until: u64,
    pub(super) before: String,
    /// A name or a reason that was typed and not used yet: closing a line keeps it.
    kept: Kept,
    /// A line that was handed over, and whether the run took it is not known yet.
    sent: Option<Dialog>,
    /// The rule for a name.
    name: Field,
    entered_at: u64,
    confirming: Option<String>,
    /// What was typed where its text is not in the item: nothing typed is lost.
    pub(super) typed: Option<Typed>,
}

/// The form as it is shown: the name of a repeated item is its row, not a field.
fn shown(form: &Form) -> Form {
    let mut form = form.clone();
    if form.repeated {
        form.fields.retain(|field| field.id != "name");
    }
    form
}

impl FormScreen {
    /// A new screen; the first item that waits is chosen.
    pub fn new(step: &StepId, title: &str, form: &Form, items: &[Item], none_reason: &str, fault: &str) -> Self {
        let mut screen = Self {
            step: step.clone(),
            title: title.to_owned(),
            form: shown(form),
            items: Vec::new(),
            none_reason: String::new(),
            fault: String::new(),
            list: Menu::default(),
            focus: FormFocus::List,
            edit: None,
            dialog: None,
            shown_until: 0,
            before: String::new(),
            kept: Kept::new(none_reason),
            sent: None,
            name: rule(form),
            entered_at: 0,
            confirming: None,
            typed: None,
        };
        screen.refresh(items, none_reason, fault);
        screen.choose_waiting();
        if !form.repeated {
            screen.enter_field(0);
        }
        screen
    }

    /// The same form with what is there now.
    pub fn refresh(&mut self, items: &[Item], none_reason: &str, fault: &str) {
        let known = self.items.len();
        self.items = items.to_vec();
        self.none_reason = none_reason.to_owned();
        self.fault = fault.to_owned();
        self.list.resize(self.rows());
        let added = items.len() > known && known > 0 || items.len() == 1 && known == 0 && self.form.repeated;
        let open = items.last().is_some_and(|item| !item.confirmed && self.dialog.is_none());
        if added && open && self.focus != FormFocus::List {
            // it is edited next
            self.list.at = items.len() - 1;
            self.enter_missing();
        }
        self.back_to_typed();
        self.back_to_sent();
        if let Some(id) = self.confirming.take()
            && items.iter().any(|item| item.id == id && item.confirmed)
        {
            self.choose_waiting();
        }
    }

    /// Back to a line that the run refused, with its text; it is let go once it was taken.
    fn back_to_sent(&mut self) {
        let Some(sent) = self.sent.take() else { return };
        if sent.is_taken(&self.items, &self.none_reason) {
            if matches!(sent, Dialog::Add(_)) {
                self.kept.used();
            }
        } else if self.fault.is_empty() {
            // that was about what was said before it
            self.sent = Some(sent);
        } else if self.dialog.is_none() && !matches!(self.focus, FormFocus::Field(_)) {
            self.list.at = sent.row(self.items.len());
            self.focus = FormFocus::List;
            self.dialog = Some(sent);
        }
    }

    /// The fault of the line that is typed over the list: by the rule, or as the run said it of this text.
    pub fn line_fault(&self) -> Option<String> {
        let typed = self.dialog.as_ref()?.fault(&self.name, &self.items);
        typed.or_else(|| (!self.fault.is_empty()).then(|| self.fault.clone()))
    }

    /// Rows of the list: items, and for a repeated form the two below them.
    fn rows(&self) -> usize {
        if self.form.repeated { self.items.len() + 2 } else { self.items.len() }
    }

    /// The chosen item.
    pub fn item(&self) -> Option<&Item> {
        self.items.get(self.list.at)
    }

    /// Whether everything is confirmed, or there is none with a reason.
    pub fn is_complete(&self) -> bool {
        if self.items.is_empty() {
            return self.none_reason.chars().count() >= 10;
        }
        self.items.iter().all(|item| item.confirmed && self.form.is_complete(item))
    }

    /// Whether the application says something else of the chosen item by now.
    pub fn can_take_live(&self) -> bool {
        self.item().is_some_and(|item| matches!(item.live, Live::Differs(_)))
    }

    fn choose_waiting(&mut self) {
        match self.items.iter().position(|item| !item.confirmed) {
            Some(at) => {
                self.list.at = at;
                self.focus = FormFocus::List;
            }
            None if self.items.is_empty() && self.none_reason.is_empty() => {
                self.list.at = 0;
                self.focus = FormFocus::List;
            }
            None => self.focus = FormFocus::Seal,
        }
    }

    /// Enters the chosen item's first field that is missing or faulty; else its first.
    fn enter_missing(&mut self) {
        let Some(item) = self.item() else { return };
        let missing = |field: &Field| {
            item.faults.contains_key(&field.id)
                || !field.optional && matches!(item.values.get(&field.id), None | Some(FieldValue::Empty))
        };
        self.enter_field(self.form.fields.iter().position(missing).unwrap_or(0));
    }

    /// What has the focus where nothing is edited: the list, or the way back where there is none.
    fn rest(&self) -> FormFocus {
        if self.form.repeated { FormFocus::List } else { FormFocus::Back }
    }

    fn go(&mut self, to: FormFocus) -> Vec<Act> {
        let acts = self.leave_field();
        if let FormFocus::Field(index) = to {
            self.enter_field(index);
        } else {
            self.focus = to;
        }
        acts
    }

    fn parts(&self) -> Parts {
        Parts { fields: self.form.fields.len(), list: self.form.repeated, item: self.item().is_some() }
    }

    fn next(&mut self) -> Vec<Act> {
        self.go(self.focus.next(self.parts()))
    }

    fn previous(&mut self) -> Vec<Act> {
        self.go(self.focus.previous(self.parts()))
    }

    fn enter(&mut self) -> Vec<Act> {
        match self.focus {
            FormFocus::List if self.list.at == self.items.len() && self.form.repeated => {
                self.dialog = Some(self.kept.add());
            }
            FormFocus::List if self.list.at > self.items.len() => {
                self.dialog = Some(self.kept.none());
            }
            FormFocus::List => match self.item() {
                Some(item) if !item.confirmed && self.form.is_complete(item) => self.focus = FormFocus::Confirm,
                Some(_) => self.enter_missing(),
                None => {}
            },
            FormFocus::Confirm if self.item().is_some_and(|item| !self.form.is_complete(item)) => self.enter_missing(),
            FormFocus::Field(_) => return self.next(),
            FormFocus::Confirm => {
                let Some(item) = self.item() else { return Vec::new() };
                let item = item.id.clone();
                self.confirming = Some(item.clone());
                return vec![Act::Say(Reply::ConfirmItem { item })];
            }
            FormFocus::Back => return vec![Act::Say(Reply::Back)],
            FormFocus::Seal if self.is_complete() => return vec![Act::Say(Reply::Seal)],
            FormFocus::Seal => {
                let noun = &self.form.noun;
                return vec![Act::Notice(format!("Not yet: every {noun} confirmed, or none with a reason."))];
            }
        }
        Vec::new()
    }

    fn dialog_command(&mut self, cmd: Cmd) -> Vec<Act> {
        let Some(dialog) = self.dialog.take() else { return Vec::new() };
        let missing = dialog.missing(&self.name, &self.items);
        match (cmd, dialog) {
            (Cmd::Enter, dialog) if !missing.is_empty() => {
                self.dialog = Some(dialog);
                vec![Act::Notice(format!("Not yet: {missing}. Esc closes."))]
            }
            (Cmd::Enter, dialog) => {
                let reply = match &dialog {
                    Dialog::Add(text) => Reply::Add { item: text.text().to_owned() },
                    Dialog::None(text) => Reply::None { reason: text.text().to_owned() },
                };
                self.focus = if matches!(dialog, Dialog::Add(_)) { FormFocus::Confirm } else { FormFocus::Seal };
                self.kept.keep(&dialog);
                self.sent = Some(dialog);
                vec![Act::Say(reply)]
            }
            (Cmd::Back, closed) => {
                self.kept.keep(&closed);
                Vec::new()
            }
            (_, open) => {
                self.dialog = Some(open);
                Vec::new()
            }
        }
    }
}

impl Screen for FormScreen {
    fn place(&self) -> Place {
        match self.focus {
            _ if self.dialog.is_some() => Place::Inputs,
            FormFocus::Field(_) => Place::FormField,
            FormFocus::Confirm | FormFocus::Back | FormFocus::Seal => Place::FormButtons,
            FormFocus::List => Place::FormList,
        }
    }

    fn typing(&self) -> bool {
        self.dialog.is_some() || matches!(self.focus, FormFocus::Field(_))
    }

    fn command(&mut self, cmd: Cmd, key: Key, at: u64) -> Vec<Act> {
        if self.dialog.is_some() {
            return self.dialog_command(cmd);
        }
        match cmd {
            Cmd::Next => return self.next(),
            Cmd::Previous => return self.previous(),
            Cmd::Enter => {
                // a key that is held down confirms nothing: every item is looked at by a human
                let held = at < self.entered_at + HELD;
                self.entered_at = at;
                if held && matches!(self.focus, FormFocus::Confirm | FormFocus::Seal) {
                    return Vec::new();
                }
                return self.enter();
            }
            Cmd::ShowSecret => self.shown_until = at + SHOWN,
            Cmd::Back => return self.go(self.rest()),
            Cmd::Add if self.form.repeated => {
                self.list.at = self.items.len();
                self.dialog = Some(self.kept.add());
            }
            Cmd::None if self.form.repeated => {
                self.list.at = self.items.len() + 1;
                self.dialog = Some(self.kept.none());
            }
            Cmd::Take if self.form.repeated => {
                if let Some(item) = self.item() {
                    let item = item.id.clone();
                    return vec![Act::Say(Reply::Remove { item })];
                }
            }
            Cmd::TakeLive => {
                if let Some(item) = self.item().filter(|_| self.can_take_live()) {
                    let item = item.id.clone();
                    self.focus = FormFocus::Confirm;
                    return vec![Act::Say(Reply::TakeLive { item })];
                }
            }
            Cmd::Up if self.focus != FormFocus::List && self.form.repeated => return self.go(FormFocus::List),
            Cmd::Up if !self.form.repeated => return self.previous(),
            Cmd::Down if self.focus != FormFocus::List => return self.next(),
            _ => {
                if self.list.moved(cmd, key) {
                    self.focus = FormFocus::List;
                }
            }
        }
        Vec::new()
    }

    fn put_down(&mut self) -> Vec<Act> {
        if let Some(closed) = self.dialog.take() {
            self.kept.keep(&closed);
        }
        self.go(self.rest())
    }

    fn edit(&mut self, key: Key, _: u64) {
        match &mut self.dialog {
            Some(dialog) => {
                let changed = dialog.text().key(key);
                if changed {
                    self.fault.clear();
                }
                changed
            }
            None => self.edit.as_mut().is_some_and(|edit| edit.key(key)),
        };
    }

    fn paste(&mut self, pasted: &str) -> Option<String> {
        let more = match &mut self.dialog {
            Some(dialog) => dialog.text().paste(pasted),
            None => self.paste_into_field(pasted)?,
        };
        more.then(|| "Only the first line of the paste was taken.".to_owned())
    }
}
