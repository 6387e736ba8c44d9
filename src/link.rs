//! Links: which customer of the store is which contact in HighLevel, and what both sides last showed.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use ghl::ContactId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::connection::ConnectionName;
use crate::sync::Shadow;

/// Who a customer is on the store's side.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Customer {
    /// A registered customer, by CS-Cart's `user_id`.
    User(u64),
    /// A checkout without registration; the e-mail (trimmed, lower case) is the identity.
    Guest(String),
}

impl Customer {
    /// Whether this is his number in the store, as text.
    pub fn is_number(&self, text: &str) -> bool {
        matches!(self, Self::User(id) if text.parse() == Ok(*id))
    }
}

impl fmt::Display for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "customer:{id}"),
            Self::Guest(email) => write!(f, "guest:{email}"),
        }
    }
}

impl FromStr for Customer {
    type Err = String;
    /// Reads what `Display` writes, and a bare number as a registered customer.
    fn from_str(text: &str) -> Result<Self, String> {
        let bad =
            || format!("`{text}` is no customer: give a user id (`42`, `customer:42`) or `guest:<e-mail>`");
        if let Some(email) = text.strip_prefix("guest:") {
            let email = email.trim().to_lowercase();
            return if email.contains('@') { Ok(Self::Guest(email)) } else { Err(bad()) };
        }
        match text.strip_prefix("customer:").unwrap_or(text).parse() {
            Ok(0) | Err(_) => Err(bad()),
            Ok(id) => Ok(Self::User(id)),
        }
    }
}

/// The pair customer ↔ contact.
#[derive(Debug, Clone)]
pub struct Link {
    /// The connection in which it holds.
    pub connection: ConnectionName,
    /// The store's side.
    pub customer: Customer,
    /// HighLevel's side.
    pub contact_id: ContactId,
    /// What each side last showed: the base of the merge.
    pub shadow: Shadow,
    /// The tags on the contact that the bridge put there, and may take away.
    pub tags: BTreeSet<String>,
    /// When the newest state of the customer that went into the shadow happened: an older event changes nothing.
    pub state_at: Timestamp,
}

/// What a task or a note is linked as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemKind {
    /// A task on the contact.
    Task,
    /// A note on the contact.
    Note,
}

impl ItemKind {
    /// The word in the database and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Note => "note",
        }
    }
}

/// The pair of something of the store's (a note; the reason for a task) and a task or note in HighLevel.
#[derive(Debug, Clone)]
pub struct ItemLink {
    /// The connection in which it holds.
    pub connection: ConnectionName,
    /// Task or note.
    pub kind: ItemKind,
    /// The store's side: a note's id, or `customer:42/welcome-task` for a task made once per customer.
    pub key: String,
    /// The contact that it hangs on.
    pub contact_id: ContactId,
    /// HighLevel's id of the task or note.
    pub remote_id: String,
    /// The fields both sides last agreed on.
    pub shadow: serde_json::Value,
    /// When the newest state that went into the shadow happened.
    pub state_at: Timestamp,
}
