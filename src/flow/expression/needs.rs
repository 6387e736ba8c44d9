//! Which variables of an event an expression may look at, so that no others are made for it.

use super::VARIABLES;

/// Some of the variables that every expression may use. What steps save, and the items of a list, are not among them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::flow) struct Needs(u8);

/// What filters look at by themselves: the country of a phone number, the time zone of a date, the day on which it happened.
const OF_FILTERS: [&str; 3] = ["contact", "event", "settings"];

/// Filters that look at whatever their argument says: a text that is a template, or the name of another filter.
const OPEN: [&str; 2] = ["render", "map"];

impl Needs {
    /// What a template may look at; rather more than less. It can name a variable only by its word.
    pub(in crate::flow) fn of(source: &str) -> Self {
        let filters = source.contains('|');
        let is_open = filters && OPEN.iter().any(|filter| source.contains(filter));
        let looked_at = VARIABLES.into_iter().filter(|variable| {
            is_open || source.contains(variable) || (filters && OF_FILTERS.contains(variable))
        });
        Self(looked_at.map(bit).fold(0, |all, one| all | one))
    }

    /// Those of either.
    pub(in crate::flow) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether a variable is among them.
    pub(in crate::flow) fn has(self, variable: &str) -> bool {
        self.0 & bit(variable) != 0
    }
}

impl FromIterator<Self> for Needs {
    fn from_iter<I: IntoIterator<Item = Self>>(all: I) -> Self {
        all.into_iter().fold(Self::default(), Self::and)
    }
}

fn bit(variable: &str) -> u8 {
    VARIABLES.iter().position(|known| *known == variable).map_or(0, |place| 1 << place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(source: &str) -> Vec<&'static str> {
        let needs = Needs::of(source);
        VARIABLES.into_iter().filter(|variable| needs.has(variable)).collect()
    }

    #[test]
    fn an_expression_needs_what_it_names_and_what_its_filters_look_at() {
        assert_eq!(of("found.name == 'x'"), Vec::<&str>::new());
        assert_eq!(of("data.order.total > 5 and store['url']"), ["data", "store"]);
        assert_eq!(of("data.phone | phone"), ["contact", "data", "event", "settings"]);
        assert_eq!(of("settings.welcome_task.title | render"), VARIABLES);
        assert_eq!(of("['x'] | map('ren' ~ 'der')"), VARIABLES);
    }
}
