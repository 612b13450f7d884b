//! The text of the field of a form that has the focus: entered, typed, pasted, left. What was typed is never lost, also where
//! the run refuses it and its text is kept nowhere else.

use secrecy::SecretString;
use zeroize::Zeroizing;

use super::{Act, FormFocus, FormScreen, SecretFor};
use crate::{
    app::text_field::TextField,
    run::{Field, FieldInput, FieldKind, FieldValue, Reply},
};

/// A text that was typed for a field of an item.
#[derive(Debug)]
pub(super) struct Typed {
    item: String,
    index: usize,
    text: TextField,
}

impl FormScreen {
    pub(super) fn enter_field(&mut self, index: usize) {
        let (Some(field), Some(item)) = (self.form.fields.get(index), self.items.get(self.list.at)) else {
            self.focus = FormFocus::Confirm;
            return;
        };
        let kept = self.typed.take().filter(|typed| typed.index == index && typed.item == item.id);
        let fresh = || {
            if item.is_unseen(field) { TextField::secret() } else { TextField::open(item.editable(field)) }
        };
        let edit = kept.map_or_else(fresh, |typed| typed.text);
        edit.text().clone_into(&mut self.before);
        self.edit = Some(edit);
        self.focus = FormFocus::Field(index);
    }

    /// Whether a secret that is typed has the focus.
    pub fn is_secret(&self) -> bool {
        matches!(self.edit, Some(TextField::Secret(_))) && matches!(self.focus, FormFocus::Field(_))
    }

    /// Item and field of the kept secret that has the focus, where nothing is typed over it.
    pub(in crate::app) fn kept_secret(&self) -> Option<(&String, &String)> {
        let FormFocus::Field(index) = self.focus else { return None };
        let (field, item) = (self.form.fields.get(index)?, self.items.get(self.list.at)?);
        let empty = self.is_secret() && self.dialog.is_none() && self.edit.as_ref().is_some_and(TextField::is_empty);
        let kept = item.values.get(&field.id).is_some_and(FieldValue::can_be_shown);
        (empty && kept).then_some((&item.id, &field.id))
    }

    /// The fault of the text in focus, as it is typed.
    pub fn typed_fault(&self) -> Option<String> {
        let FormFocus::Field(index) = self.focus else { return None };
        let (field, edit) = (self.form.fields.get(index)?, self.edit.as_ref()?);
        if field.kind == FieldKind::SecretFile || edit.reveal() == self.before || edit.is_empty() {
            return None;
        }
        field.check(edit.reveal()).err()
    }

    /// Leaves the field in focus; what was typed is kept, also when it does not pass.
    pub(super) fn leave_field(&mut self) -> Vec<Act> {
        let FormFocus::Field(index) = self.focus else { return Vec::new() };
        let (Some(edit), Some(field), Some(item)) =
            (self.edit.take(), self.form.fields.get(index), self.items.get(self.list.at))
        else {
            return Vec::new();
        };
        let (item, name, kind) = (item.id.clone(), field.id.clone(), field.kind);
        if matches!(edit, TextField::Secret(_)) {
            if edit.is_empty() {
                return Vec::new();
            }
            let secret = SecretString::from(edit.reveal().to_owned());
            if field.check(edit.reveal()).is_err() {
                self.typed = Some(Typed { item: item.clone(), index, text: edit });
            }
            return vec![Act::Secret(SecretFor::Field { item, field: name }, secret)];
        }
        if edit.text() == self.before {
            return Vec::new();
        }
        let input = FieldInput::Text(edit.text().to_owned());
        // what the run keeps of these, or not at all, is not their text
        if kind == FieldKind::SecretFile || field.hides(edit.text()) {
            self.typed = Some(Typed { item: item.clone(), index, text: edit });
        }
        vec![Act::Say(Reply::Set { item, field: name, input })]
    }

    /// Back to a text that the run refused, while nothing else is done; it is let go once it was taken.
    pub(super) fn back_to_typed(&mut self) {
        let Some(typed) = &self.typed else { return };
        let (index, field) = (typed.index, self.form.fields.get(typed.index));
        let item = self.items.iter().find(|item| item.id == typed.item);
        let faulty = item.zip(field).is_some_and(|(item, field)| item.faults.contains_key(&field.id));
        let chosen = item.is_some_and(|item| self.item().is_some_and(|chosen| chosen.id == item.id));
        if faulty && chosen && self.focus == FormFocus::Confirm {
            self.enter_field(index);
        } else if !faulty {
            self.typed = None;
        }
    }

    /// Takes a paste into the field in focus; whether something was left out.
    pub(super) fn paste_into_field(&mut self, pasted: &str) -> Option<bool> {
        let FormFocus::Field(index) = self.focus else { return None };
        let edit = self.edit.as_mut()?;
        if !self.form.fields.get(index).is_some_and(Field::is_json) {
            return Some(edit.paste(pasted));
        }
        // between the members of JSON a line break is a space
        let line = Zeroizing::new(pasted.trim().replace(['\n', '\r'], " "));
        Some(edit.paste(&line))
    }
}
