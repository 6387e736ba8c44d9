//! Three ways: what one side shows, what it showed last, and what the other has.

use serde::{Deserialize, Serialize};

use super::{Canonical, Definitions, Field};

/// What each side last showed: the base of the merge.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shadow {
    /// The store's side.
    pub cscart: Canonical,
    /// HighLevel's side.
    pub ghl: Canonical,
}

impl Shadow {
    /// Whether nothing is known of either side: a link that was made by hand.
    pub fn is_empty(&self) -> bool {
        self.cscart.is_empty() && self.ghl.is_empty()
    }

    /// Takes over what HighLevel shows now. A custom field of the location's that is empty there is forgotten on both sides, so
    /// that it is sent: it may have been made after the contact, and until then HighLevel has ignored its value. Without the
    /// definitions nobody can tell whether one is empty.
    pub fn see(&mut self, theirs: &Canonical, definitions: Option<&Definitions>) {
        self.ghl.extend(theirs);
        let is_there = |key: &str| definitions.is_some_and(|definitions| definitions.get(key).is_some());
        for (field, _) in self.cscart.custom_fields().iter() {
            let Field::Custom(key) = field else { continue };
            if is_there(key) && theirs.shown(field).is_none() {
                self.cscart.remove(field);
                self.ghl.remove(field);
            }
        }
    }
}

/// The fields to be changed on the other side, with their new values; `""` empties one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes(Canonical);

impl Changes {
    /// Everything that can be sent, changed or not: for a replay that a person forces.
    pub fn all(contact: &Canonical) -> Self {
        Self(
            contact
                .iter()
                .filter(|(field, value)| !field.is_create_only() && !value.is_empty())
                .map(owned)
                .collect(),
        )
    }

    /// Whether nothing has changed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The changed fields with their new values.
    pub fn values(&self) -> &Canonical {
        &self.0
    }

    /// The same, for taking out what cannot be sent.
    pub fn values_mut(&mut self) -> &mut Canonical {
        &mut self.0
    }

    /// The names of the changed fields.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(|(field, _)| field.to_string()).collect()
    }
}

/// What the store has changed since it last showed itself and HighLevel does not have yet.
pub fn changes(shadow: &Shadow, store: &Canonical) -> Changes {
    let changed = store.iter().filter(|(field, value)| {
        let last = shadow.cscart.get(field).unwrap_or_default();
        let theirs = shadow.ghl.get(field).unwrap_or_default();
        !field.is_create_only() && *value != last && *value != theirs
    });
    Changes(changed.map(owned).collect())
}

/// What is filled in when a customer is first linked to a contact that HighLevel has already: only what is empty there.
pub fn first_link(store: &Canonical, theirs: &Canonical) -> Changes {
    let missing = store.iter().filter(|(field, value)| {
        !field.is_create_only() && !value.is_empty() && theirs.shown(field).is_none()
    });
    Changes(missing.map(owned).collect())
}

fn owned((field, value): (&Field, &str)) -> (Field, String) {
    (field.clone(), value.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canonical() -> impl Strategy<Value = Canonical> {
        let field = prop_oneof![
            Just(Field::FirstName),
            Just(Field::Email),
            Just(Field::Phone),
            Just(Field::Company),
            Just(Field::Custom("k".into())),
        ];
        proptest::collection::btree_map(field, "[ab]{0,1}", 0..5)
            .prop_map(|fields| fields.into_iter().collect())
    }

    proptest! {
        #[test]
        fn what_was_shown_before_is_no_change(store in canonical(), theirs in canonical()) {
            let shadow = Shadow { cscart: store.clone(), ghl: theirs };
            prop_assert!(changes(&shadow, &store).is_empty());
        }

        #[test]
        fn what_the_other_side_has_already_is_not_sent(last in canonical(), now in canonical()) {
            let shadow = Shadow { cscart: last, ghl: now.clone() };
            prop_assert!(changes(&shadow, &now).is_empty());
        }

        #[test]
        fn a_change_carries_the_newest_value_and_touches_nothing_else(last in canonical(), theirs in canonical(), now in canonical()) {
            let changes = changes(&Shadow { cscart: last.clone(), ghl: theirs }, &now);
            for (field, value) in changes.values().iter() {
                prop_assert_eq!(now.get(field), Some(value));
                prop_assert_ne!(last.get(field).unwrap_or_default(), value);
            }
        }

        #[test]
        fn a_first_link_wipes_nothing(store in canonical(), theirs in canonical()) {
            for (field, value) in first_link(&store, &theirs).values().iter() {
                prop_assert!(theirs.shown(field).is_none());
                prop_assert!(!value.is_empty());
            }
        }
    }

    #[test]
    fn a_field_that_the_store_does_not_show_is_left_alone() {
        let before: Canonical = [(Field::City, "Paris".to_owned())].into_iter().collect();
        let shadow = Shadow { cscart: before.clone(), ghl: before };
        assert!(changes(&shadow, &Canonical::default()).is_empty());
    }

    #[test]
    fn a_field_that_the_store_has_emptied_is_emptied() {
        let before: Canonical = [(Field::City, "Paris".to_owned())].into_iter().collect();
        let shadow = Shadow { cscart: before.clone(), ghl: before };
        let now: Canonical = [(Field::City, String::new())].into_iter().collect();
        assert_eq!(changes(&shadow, &now).values(), &now);
    }

    #[test]
    fn the_company_goes_only_into_a_new_contact() {
        let now: Canonical = [(Field::Company, "Analytical Engines".to_owned())].into_iter().collect();
        assert!(changes(&Shadow::default(), &now).is_empty());
        assert!(Changes::all(&now).is_empty());
    }
}
