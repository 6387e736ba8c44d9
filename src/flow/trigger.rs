//! The names of what can set off a route: those of the catalogue.

/// All names that a route may ask for.
pub(super) fn all() -> Vec<String> {
    catalogue::triggers().iter().map(|trigger| trigger.name.clone()).collect()
}
