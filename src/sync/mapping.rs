//! From CS-Cart's names to the canonical contact, and from there to HighLevel's, and back.

mod cscart;
mod ghl;

use std::fmt;

pub use cscart::{from_order, from_user};
pub use ghl::{from_ghl, from_ghl_with, new_contact, update};

use super::{Canonical, Field};

/// A customer in the common form, and what of him did not fit into it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapped {
    /// What is known of him.
    pub contact: Canonical,
    /// What was kept aside.
    pub problems: Vec<Problem>,
}

/// What is shown of a value, in characters.
const MAX_SHOWN: usize = 80;

/// A value that is not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The field.
    pub field: Field,
    /// The value as the store has it.
    pub value: String,
    /// Why it is not sent.
    pub why: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut value: String = self.value.chars().take(MAX_SHOWN).collect();
        if value.len() < self.value.len() {
            value.push('…');
        }
        write!(f, "{} `{value}`: {}", self.field, self.why)
    }
}
