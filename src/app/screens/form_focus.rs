//! The order in which the parts of a form have the focus.

/// What has the focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormFocus {
    List,
    Field(usize),
    Confirm,
    Back,
    Seal,
}

/// What there is to walk through.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts {
    /// Number of fields.
    pub fields: usize,
    /// Whether there is a list of items.
    pub list: bool,
    /// Whether an item is chosen.
    pub item: bool,
}

impl FormFocus {
    /// The part after this one.
    pub(super) fn next(self, parts: Parts) -> Self {
        match self {
            Self::List if parts.item => Self::Field(0),
            Self::Field(index) if index + 1 < parts.fields => Self::Field(index + 1),
            Self::Field(_) => Self::Confirm,
            Self::List | Self::Confirm => Self::Back,
            Self::Back => Self::Seal,
            Self::Seal if !parts.list => Self::Field(0),
            Self::Seal => Self::List,
        }
    }

    /// The part before this one.
    pub(super) fn previous(self, parts: Parts) -> Self {
        match self {
            Self::List => Self::Seal,
            Self::Field(0) if !parts.list => Self::Seal,
            Self::Field(0) => Self::List,
            Self::Field(index) => Self::Field(index - 1),
            Self::Confirm => Self::Field(parts.fields.saturating_sub(1)),
            Self::Back if parts.item => Self::Confirm,
            Self::Back => Self::List,
            Self::Seal => Self::Back,
        }
    }
}
