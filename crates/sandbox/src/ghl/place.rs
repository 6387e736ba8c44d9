//! The two locations of the simulated company, and the company itself.
//!
//! The first location is the one that is announced. The second one is there so that a token can be one "for
//! another location": it is as real as the first, with contacts of its own.

use std::mem::swap;

use super::state::State;

/// Whom a token speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// The announced location.
    Location,
    /// The company's other location.
    Other,
    Company,
}

impl Place {
    /// HighLevel's word, as in `userType`.
    pub(crate) fn user_type(self) -> &'static str {
        match self {
            Self::Location | Self::Other => "Location",
            Self::Company => "Company",
        }
    }
}

impl State {
    /// The location of this id.
    pub(crate) fn place_of(&self, location_id: &str) -> Option<Place> {
        if location_id == self.location_id {
            return Some(Place::Location);
        }
        (self.other.as_ref()?.location_id == location_id).then_some(Place::Other)
    }

    /// The id that stands for a place: a location's, or the company's.
    pub(crate) fn id_of(&self, place: Place) -> &str {
        match (place, &self.other) {
            (Place::Company, _) => &self.company_id,
            (Place::Other, Some(other)) => &other.location_id,
            (Place::Location | Place::Other, _) => &self.location_id,
        }
    }

    /// Both locations, the announced one first.
    pub(crate) fn locations(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(self.other.as_deref())
    }

    /// Whether a contact is the other location's, seen from this place.
    pub(crate) fn is_foreign(&self, place: Place, contact_id: &str) -> bool {
        let there = match place {
            Place::Location => self.other.as_deref(),
            Place::Other => Some(self),
            Place::Company => None,
        };
        there.is_some_and(|there| there.contacts.contains_key(contact_id))
    }

    /// Works on what a place holds. Ids, tokens, budgets, settings and events are the same everywhere.
    pub(crate) fn at<T>(&mut self, place: Place, work: impl FnOnce(&mut Self) -> T) -> T {
        let other = if place == Place::Other { self.other.take() } else { None };
        let Some(mut other) = other else { return work(self) };
        self.swap_shared(&mut other);
        let done = work(&mut other);
        self.swap_shared(&mut other);
        self.other = Some(other);
        done
    }

    fn swap_shared(&mut self, other: &mut Self) {
        swap(&mut self.ids, &mut other.ids);
        swap(&mut self.tokens, &mut other.tokens);
        swap(&mut self.rate, &mut other.rate);
        swap(&mut self.limits, &mut other.limits);
        swap(&mut self.allow_duplicates, &mut other.allow_duplicates);
        swap(&mut self.match_phone_first, &mut other.match_phone_first);
        swap(&mut self.allow_duplicate_opportunities, &mut other.allow_duplicate_opportunities);
        swap(&mut self.search_lag, &mut other.search_lag);
        swap(&mut self.listening, &mut other.listening);
        swap(&mut self.events, &mut other.events);
    }
}
