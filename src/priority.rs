//! Who goes first, where not all can go at once.

use crate::event::Source;

/// The urgency of an event, most urgent first. It decides which lanes are claimed first and whose call takes the next free
/// place of a rate limit. None starves: each class has a share of its own ([`crate::budget`], [`crate::engine`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Priority {
    /// A person waits for it: he asked for it, or looks at the customer's page in the store.
    Person,
    /// What has just happened on one side, tried for the first time.
    Live,
    /// What has failed before.
    Retry,
    /// An import of everything: what matters is that it ends, not when.
    Backfill,
}

impl Priority {
    /// All classes, most urgent first.
    pub const ALL: [Self; 4] = [Self::Person, Self::Live, Self::Retry, Self::Backfill];

    /// The class of an event: the one place where it is decided.
    ///
    /// `tries`: how many tries have failed. `replayed`: whether a person asked to run it again.
    pub fn of(source: Source, kind: &str, tries: u32, replayed: bool) -> Self {
        match (source, kind) {
            // Events of this type are made by imports only.
            (_, "import") => Self::Backfill,
            _ if tries > 0 => Self::Retry,
            (Source::Manual, _) | (_, "customer.viewed") => Self::Person,
            _ if replayed => Self::Person,
            (Source::Cscart | Source::Ghl | Source::Schedule, _) => Self::Live,
        }
    }

    /// Its place among the classes: 0 is the most urgent. This number stands in the database.
    pub fn rank(self) -> usize {
        self as usize
    }

    /// The class of a rank; what is no rank is the least urgent.
    pub fn of_rank(rank: usize) -> Self {
        Self::ALL.get(rank).copied().unwrap_or(Self::Backfill)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_known_by_what_an_event_is_and_how_it_fared() {
        for (source, kind, tries, replayed, class) in [
            (Source::Manual, "resync", 0, false, Priority::Person),
            (Source::Cscart, "customer.viewed", 0, false, Priority::Person),
            (Source::Cscart, "customer.created", 0, true, Priority::Person),
            (Source::Cscart, "customer.created", 0, false, Priority::Live),
            (Source::Ghl, "contact.updated", 0, false, Priority::Live),
            (Source::Schedule, "continued", 0, false, Priority::Live),
            (Source::Cscart, "customer.viewed", 1, false, Priority::Retry),
            (Source::Manual, "import", 0, false, Priority::Backfill),
            (Source::Manual, "import", 3, true, Priority::Backfill),
        ] {
            assert_eq!(
                Priority::of(source, kind, tries, replayed),
                class,
                "{source} {kind} {tries} {replayed}"
            );
        }
    }

    #[test]
    fn ranks_are_the_order_of_urgency() {
        for (rank, class) in Priority::ALL.into_iter().enumerate() {
            assert_eq!((class.rank(), Priority::of_rank(rank)), (rank, class));
        }
    }
}
