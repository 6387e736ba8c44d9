//! What differs between a customer and his contact. Pure: no I/O.

use crate::link::Link;
use crate::store::jobs::KnownContact;
use crate::sync::{Canonical, Definitions, Field};

/// The fields in which a customer and his contact differ, with both values. A field that one side does not say is not
/// compared, and neither is one that both sides still show as they did when they were last in step: HighLevel rewrites
/// some values.
pub(super) fn differences(
    store: &Canonical,
    contact: &KnownContact,
    link: Option<&Link>,
    definitions: Option<&Definitions>,
) -> Vec<String> {
    let theirs = &contact.fields;
    let compared = store.iter().filter(|(field, ours)| {
        let there = theirs.shown(field).unwrap_or_default();
        let same = match (field, definitions) {
            // Without the definitions HighLevel shows custom fields by ids that say nothing.
            (Field::Custom(_), None) => true,
            (Field::Custom(key), Some(definitions)) => {
                definitions.get(key).is_some_and(|definition| definition.is_same(ours, there))
            }
            _ => *ours == there,
        };
        !same && !in_step(field, ours, there, link)
    });
    compared
        .map(|(field, ours)| {
            let there = theirs.shown(field).unwrap_or_default();
            format!("{field}: {ours:?} in the store, {there:?} in HighLevel")
        })
        .collect()
}

fn in_step(field: &Field, ours: &str, there: &str, link: Option<&Link>) -> bool {
    link.is_some_and(|link| {
        let shadow = &link.shadow;
        shadow.cscart.get(field) == Some(ours) && shadow.ghl.get(field) == Some(there)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::Shadow;

    fn canonical(fields: &[(Field, &str)]) -> Canonical {
        fields.iter().map(|(field, value)| (field.clone(), (*value).to_owned())).collect()
    }

    fn contact(fields: &[(Field, &str)]) -> KnownContact {
        KnownContact {
            id: "c".into(),
            fields: canonical(fields),
            tags: Vec::new(),
            owner: None,
            linked: Vec::new(),
        }
    }

    #[test]
    fn only_what_both_sides_say_and_do_not_share_is_a_difference() {
        let store = canonical(&[
            (Field::Email, "ada@example.com"),
            (Field::City, "Paris"),
            (Field::Phone, ""),
            (Field::Custom("cscart_status".into()), "active"),
        ]);
        let theirs = contact(&[(Field::Email, "ada@example.com"), (Field::City, "Rome")]);
        assert_eq!(
            differences(&store, &theirs, None, None),
            ["city: \"Paris\" in the store, \"Rome\" in HighLevel"]
        );
    }

    #[test]
    fn what_highlevel_has_rewritten_and_shows_still_is_none() {
        let (ours, theirs) = (canonical(&[(Field::Phone, "+1 202")]), canonical(&[(Field::Phone, "+1202")]));
        let link = Link {
            connection: "my-shop".parse().unwrap(),
            customer: "42".parse().unwrap(),
            contact_id: "c".to_owned().into(),
            shadow: Shadow { cscart: ours.clone(), ghl: theirs },
            tags: std::collections::BTreeSet::new(),
            state_at: jiff::Timestamp::UNIX_EPOCH,
        };
        assert!(differences(&ours, &contact(&[(Field::Phone, "+1202")]), Some(&link), None).is_empty());
        assert_eq!(differences(&ours, &contact(&[(Field::Phone, "+1203")]), Some(&link), None).len(), 1);
    }
}
