//! What became of one customer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::words;
use crate::event::EventId;

/// How it stands with a customer, or how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// To be looked at.
    Pending,
    /// Its event is under way.
    Open,
    /// A contact was made (or would be, in a dry run; so for the next ones).
    Created,
    /// A contact that was there was linked.
    Adopted,
    /// The contact was changed.
    Updated,
    /// Nothing had to be done.
    Equal,
    /// It is not clear which contact it is; nothing was sent.
    Conflict,
    /// It cannot be a contact, or HighLevel refused it.
    Rejected,
    /// Both sides have it, and not the same: a resync repairs it.
    Differs,
    /// Both sides have it, and not the same; a resync leaves it so.
    Kept,
    /// The store has the customer; HighLevel has no such contact.
    MissingContact,
    /// The contact is linked with a customer whom the store does not have.
    MissingCustomer,
}
words!(
    Outcome,
    "an outcome",
    Pending = "pending",
    Open = "open",
    Created = "created",
    Adopted = "adopted",
    Updated = "updated",
    Equal = "equal",
    Conflict = "conflict",
    Rejected = "rejected",
    Differs = "differs",
    Kept = "kept",
    MissingContact = "missing_contact",
    MissingCustomer = "missing_customer",
);

impl Outcome {
    /// Whether it is final.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Open)
    }

    /// Whether a verification is to say that both sides are not the same.
    pub fn is_difference(self) -> bool {
        matches!(self, Self::Differs | Self::MissingContact | Self::MissingCustomer | Self::Conflict)
    }
}

/// What an event of the job is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Plan {
    /// Make the contact.
    Create,
    /// Fill in what is empty on a contact that was there.
    Adopt,
    /// Send what has changed.
    Update,
}
words!(Plan, "a plan", Create = "create", Adopt = "adopt", Update = "update");

impl Plan {
    /// How it ends if it is carried out.
    pub fn outcome(self) -> Outcome {
        match self {
            Self::Create => Outcome::Created,
            Self::Adopt => Outcome::Adopted,
            Self::Update => Outcome::Updated,
        }
    }
}

/// How many are at each outcome. Negative where this is what a step adds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Counts(BTreeMap<Outcome, i64>);

impl Counts {
    /// One more (or fewer) at an outcome.
    pub fn count(&mut self, outcome: Outcome, by: i64) {
        let count = self.0.entry(outcome).or_default();
        *count += by;
    }

    /// How many are at an outcome.
    pub fn of(&self, outcome: Outcome) -> u64 {
        self.0.get(&outcome).copied().unwrap_or_default().max(0) as u64
    }

    /// Adds all of the other.
    pub fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|(outcome, by)| self.count(*outcome, *by));
    }

    /// How many customers are at a final outcome. A contact without a customer is none.
    pub fn ended(&self) -> u64 {
        let counted = |outcome: &&Outcome| outcome.is_final() && **outcome != Outcome::MissingCustomer;
        Outcome::ALL.iter().filter(counted).map(|outcome| self.of(*outcome)).sum()
    }

    /// How many customers there are at all, whether anything was found out about them or not.
    pub fn known(&self) -> u64 {
        let counted = |outcome: &&Outcome| **outcome != Outcome::MissingCustomer;
        Outcome::ALL.iter().filter(counted).map(|outcome| self.of(*outcome)).sum()
    }

    /// How many a verification has found not to be the same.
    pub fn differences(&self) -> u64 {
        Outcome::ALL.iter().filter(|outcome| outcome.is_difference()).map(|outcome| self.of(*outcome)).sum()
    }

    /// The final ones, by their words.
    pub fn shown(&self) -> BTreeMap<&'static str, u64> {
        let shown = Outcome::ALL.iter().filter(|outcome| outcome.is_final());
        shown.map(|outcome| (outcome.as_str(), self.of(*outcome))).filter(|(_, count)| *count > 0).collect()
    }
}

/// A customer of a job (or a contact, in a verification), and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The user id; 0 for what is no customer of the store.
    pub number: u64,
    /// `customer:42`, `contact:<id>`.
    pub subject: String,
    /// What became of it.
    pub outcome: Outcome,
    /// What its event is to do.
    pub plan: Option<Plan>,
    /// The contact.
    pub contact_id: Option<String>,
    /// Why, where that is not plain.
    pub reason: Option<String>,
    /// What differs: `email`, or with both values `city: "Paris" here, "Rome" there`.
    pub fields: Vec<String>,
    /// Its event.
    pub event: Option<EventId>,
}

impl Item {
    /// An item of a customer.
    pub fn of_customer(number: u64, outcome: Outcome) -> Self {
        Self {
            number,
            subject: format!("customer:{number}"),
            outcome,
            plan: None,
            contact_id: None,
            reason: None,
            fields: Vec::new(),
            event: None,
        }
    }

    /// The same, with the reason.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}
