//! What a step can ask for.

use ghl::oauth::{Operation as Call, Scopes};
use jiff::{SignedDuration, Timestamp};

use super::parameters::{Arguments, Kind, Parameter, flag, list, number, text};

/// One call, or a few that belong together, with everything it needs.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// Create the customer's contact, or send what has changed.
    SaveContact {
        /// The tags that the contact is to have.
        tags: Vec<String>,
    },
    /// Create the customer's contact where there is none.
    EnsureContact {
        /// The tags of a contact that is made.
        tags: Vec<String>,
    },
    /// Delete the customer's contact.
    DeleteContact,
    /// Fetch contact and tasks for the store's page.
    FetchContact,
    /// Make a task on the customer's contact.
    CreateTask {
        /// Its title.
        title: String,
        /// Its text.
        body: Option<String>,
        /// When it is due.
        due_date: Timestamp,
        /// HighLevel's id of the user who gets it.
        assigned_to: Option<String>,
        /// Not again for the same customer, whatever the event.
        once_per_customer: bool,
    },
    /// Create the note on the contact, or change it.
    SaveNote {
        /// The store's id of it.
        note_id: String,
        /// Its text.
        body: String,
    },
    /// Delete the note on the contact.
    DeleteNote {
        /// The store's id of it.
        note_id: String,
    },
    /// Add tags; the bridge owns them from then on.
    AddTags {
        /// Which.
        tags: Vec<String>,
    },
    /// Remove tags that the bridge owns.
    RemoveTags {
        /// Which.
        tags: Vec<String>,
    },
    /// Make these the tags that the bridge owns, beside those of the settings.
    SetTags {
        /// Which.
        tags: Vec<String>,
    },
    /// Ask the store for the customer's orders.
    CountOrders,
    /// A plain call of HighLevel's API.
    Call {
        /// Which.
        operation: &'static catalogue::Operation,
        /// Its inputs, as far as the step gives them.
        inputs: serde_json::Value,
    },
}

impl Operation {
    /// Its name in a route, and in the ledger until it is known what was really done.
    pub fn name(&self) -> &'static str {
        match self {
            Self::SaveContact { .. } => "ghl.contact.save",
            Self::EnsureContact { .. } => "ghl.contact.ensure",
            Self::DeleteContact => "ghl.contact.delete",
            Self::FetchContact => "ghl.contact.fetch",
            Self::CreateTask { .. } => "ghl.task.create",
            Self::SaveNote { .. } => "ghl.note.save",
            Self::DeleteNote { .. } => "ghl.note.delete",
            Self::AddTags { .. } => "ghl.tags.add",
            Self::RemoveTags { .. } => "ghl.tags.remove",
            Self::SetTags { .. } => "ghl.tags.set",
            Self::CountOrders => "cscart.customer.orders",
            Self::Call { operation, .. } => &operation.name,
        }
    }

    /// What a token must allow for it.
    pub fn scopes(&self) -> Scopes {
        match self {
            Self::Call { operation, .. } => scopes_of(operation),
            own => ALL.iter().find(|spec| spec.name == own.name()).map(Spec::scopes).unwrap_or_default(),
        }
    }

    /// Whether it changes nothing in HighLevel.
    pub fn only_reads(&self) -> bool {
        match self {
            Self::Call { operation, .. } => operation.repeat == catalogue::Repeat::Read,
            own => own.scopes().iter().all(|scope| scope.as_str().ends_with(".readonly")),
        }
    }

    /// Whether the customer may have another contact after it than before, or none any more.
    pub fn changes_link(&self) -> bool {
        matches!(self, Self::SaveContact { .. } | Self::EnsureContact { .. } | Self::DeleteContact)
    }
}

/// What a token must allow for a plain call, as far as HighLevel documents it.
pub(super) fn scopes_of(operation: &catalogue::Operation) -> Scopes {
    operation.scopes.iter().filter_map(|scope| scope.parse().ok()).collect()
}

/// An operation of the bridge's own, as routes may name it.
pub(super) struct Spec {
    pub(super) name: &'static str,
    /// What it does, for people.
    pub(super) does: &'static str,
    pub(super) parameters: &'static [Parameter],
    /// The calls that it may come to, repairs and looking after a broken connection included.
    pub(super) calls: &'static [Call],
    /// Makes it of the rendered parameters; an error says what is wrong with which.
    pub(super) make: fn(&Arguments) -> Result<Operation, String>,
}

/// How far ahead a task can be due.
const MAX_DAYS: i64 = 3650;

/// Saving a contact: create or update it, take over one that is there.
const SAVE_CONTACT: &[Call] =
    &[Call::ContactCreate, Call::ContactFindDuplicate, Call::ContactGet, Call::ContactUpdate, Call::TagsAdd];

/// All operations.
pub(super) const ALL: &[Spec] = &[
    Spec {
        name: "ghl.contact.save",
        does: "creates the customer's contact with these tags, or sends what has changed and adds tags that are missing",
        parameters: &[list("tags")],
        calls: SAVE_CONTACT,
        make: |given| Ok(Operation::SaveContact { tags: given.texts("tags")? }),
    },
    Spec {
        name: "ghl.contact.ensure",
        does: "creates the customer's contact only if there is none",
        parameters: &[list("tags")],
        calls: SAVE_CONTACT,
        make: |given| Ok(Operation::EnsureContact { tags: given.texts("tags")? }),
    },
    Spec {
        name: "ghl.contact.delete",
        does: "deletes the customer's contact",
        parameters: &[],
        calls: &[Call::ContactDelete],
        make: |_| Ok(Operation::DeleteContact),
    },
    Spec {
        name: "ghl.contact.fetch",
        does: "fetches contact, tasks, notes and appointments for the store's page",
        parameters: &[],
        calls: &[Call::ContactGet, Call::NoteList, Call::ContactAppointments, Call::TaskList, Call::TaskGet],
        make: |_| Ok(Operation::FetchContact),
    },
    Spec {
        name: "ghl.task.create",
        does: "makes a task on the customer's contact, due so many days after the event happened",
        parameters: &[
            text("title").required(),
            text("body"),
            number("due_in_days"),
            text("assigned_to"),
            flag("once_per_customer"),
        ],
        calls: &[Call::TaskCreate, Call::TaskList],
        make: |given| {
            let days = given.whole_number("due_in_days")?.unwrap_or(1);
            if !(0..=MAX_DAYS).contains(&days) {
                return Err(format!("`due_in_days` is {days} and must be 0 to {MAX_DAYS}"));
            }
            // From when it happened, not from now: a repeated try must ask for the very same task.
            let due_date = given.occurred_at.saturating_add(SignedDuration::from_hours(24 * days));
            Ok(Operation::CreateTask {
                title: given.required_text("title")?,
                body: given.text("body")?,
                due_date: due_date.map_err(|error| error.to_string())?,
                assigned_to: given.text("assigned_to")?,
                once_per_customer: given.flag("once_per_customer"),
            })
        },
    },
    Spec {
        name: "ghl.note.save",
        does: "makes the store's note a note on the contact, or changes it",
        parameters: &[text("note_id").required(), text("body").required()],
        calls: &[Call::NoteCreate, Call::NoteUpdate, Call::NoteList],
        make: |given| {
            Ok(Operation::SaveNote {
                note_id: given.required_text("note_id")?,
                body: given.required_text("body")?,
            })
        },
    },
    Spec {
        name: "ghl.note.delete",
        does: "deletes the note that a note of the store's has become",
        parameters: &[text("note_id").required()],
        calls: &[Call::NoteDelete],
        make: |given| Ok(Operation::DeleteNote { note_id: given.required_text("note_id")? }),
    },
    Spec {
        name: "ghl.tags.add",
        does: "adds tags to the customer's contact; the bridge owns them from then on",
        parameters: &[list("tags").required()],
        calls: &[Call::TagsAdd],
        make: |given| Ok(Operation::AddTags { tags: given.texts("tags")? }),
    },
    Spec {
        name: "ghl.tags.remove",
        does: "removes tags that the bridge owns from the customer's contact, and no others",
        parameters: &[list("tags").required()],
        calls: &[Call::TagsRemove],
        make: |given| Ok(Operation::RemoveTags { tags: given.texts("tags")? }),
    },
    Spec {
        name: "ghl.tags.set",
        does: "makes these the tags that the bridge owns, beside those in the settings",
        parameters: &[list("tags").required()],
        calls: &[Call::TagsAdd, Call::TagsRemove],
        make: |given| Ok(Operation::SetTags { tags: given.texts("tags")? }),
    },
    Spec {
        name: "cscart.customer.orders",
        does: "asks the store for the customer's orders; gives `count`, `total`, `currency`, `first_at` and `last_at`",
        parameters: &[],
        calls: &[],
        make: |_| Ok(Operation::CountOrders),
    },
];

/// An operation as it is shown to whoever writes a route.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a few words.
    pub does: &'static str,
    /// Its parameters: name, what each may be, whether it is required.
    pub parameters: Vec<(&'static str, String, bool)>,
    /// What a token must allow for it.
    pub scopes: Scopes,
}

/// All operations that a route can name, in the order of `routes/README.md`.
pub fn offers() -> Vec<Offer> {
    ALL.iter()
        .map(|spec| Offer {
            name: spec.name,
            does: spec.does,
            parameters: spec
                .parameters
                .iter()
                .map(|it| (it.name, it.kind.to_string(), it.required))
                .collect(),
            scopes: spec.scopes(),
        })
        .collect()
}

impl Spec {
    /// What a token must allow for it ("OAuth 2.0: Scopes").
    pub(super) fn scopes(&self) -> Scopes {
        self.calls.iter().map(|call| call.scope()).collect()
    }

    /// The parameter of this name.
    pub(super) fn parameter(&self, name: &str) -> Option<&'static Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// Whether a value that stands in the file as it is can be right.
    pub(super) fn takes(kind: Kind, value: &toml::Value) -> bool {
        match kind {
            Kind::Text => value.is_str() || value.is_integer(),
            Kind::List => value.as_array().is_some_and(|items| items.iter().all(toml::Value::is_str)),
            Kind::Number => value.is_integer(),
            Kind::Flag => value.is_bool(),
        }
    }
}
