//! What differs between a customer and his contact. Pure: no I/O.

use std::fmt;

use crate::store::jobs::KnownContact;
use crate::sync::{Canonical, Definitions, Field};

/// A field in which a customer and his contact differ.
pub(super) struct Difference {
    pub(super) field: Field,
    ours: String,
    theirs: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?} in the store, {:?} in HighLevel", self.field, self.ours, self.theirs)
    }
}

/// The fields in which a customer and his contact differ now, with both values. A field that one side does not say is not
/// compared, and neither is one that HighLevel takes only when a contact is made: there is no mending it.
pub(super) fn differences(
    store: &Canonical,
    contact: &KnownContact,
    definitions: Option<&Definitions>,
) -> Vec<Difference> {
    let theirs = |field: &Field| contact.fields.shown(field).unwrap_or_default();
    let differs = |field: &Field, ours: &str| match (field, definitions) {
        (field, _) if field.is_create_only() => false,
        // Without the definitions HighLevel shows custom fields by ids that say nothing.
        (Field::Custom(_), None) => false,
        (Field::Custom(key), Some(definitions)) => {
            !definitions.get(key).is_some_and(|definition| definition.is_same(ours, theirs(field)))
        }
        (Field::Phone, _) => !is_same_number(ours, theirs(field)),
        _ => ours.to_lowercase() != theirs(field).to_lowercase(),
    };
    store
        .iter()
        .filter(|(field, ours)| differs(field, ours))
        .map(|(field, ours)| Difference {
            field: field.clone(),
            ours: ours.to_owned(),
            theirs: theirs(field).to_owned(),
        })
        .collect()
}

/// Whether HighLevel shows our number: it writes numbers in its own way, and with the country where ours has none.
fn is_same_number(ours: &str, theirs: &str) -> bool {
    let digits = |number: &str| number.chars().filter(char::is_ascii_digit).collect::<String>();
    let (ours, theirs) = (digits(ours), digits(theirs));
    let national = ours.trim_start_matches('0');
    ours == theirs || (!national.is_empty() && theirs.ends_with(national))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(fields: &[(Field, &str)]) -> Canonical {
        fields.iter().map(|(field, value)| (field.clone(), (*value).to_owned())).collect()
    }

    fn contact(fields: &[(Field, &str)]) -> KnownContact {
        KnownContact {
            id: "c".into(),
            fields: canonical(fields),
            number: None,
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
            (Field::Company, "Analytical Engines"),
            (Field::Custom("cscart_status".into()), "active"),
        ]);
        let theirs = contact(&[(Field::Email, "ada@example.com"), (Field::City, "Rome")]);
        let found: Vec<String> = differences(&store, &theirs, None).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["city: \"Paris\" in the store, \"Rome\" in HighLevel"]);
    }

    #[test]
    fn highlevels_way_of_writing_a_value_is_none() {
        for (field, ours, theirs, count) in [
            (Field::Phone, "+1 202 555 0143", "+12025550143", 0),
            (Field::Phone, "030 901820", "+4930901820", 0),
            (Field::Phone, "+12025550143", "+12025550144", 1),
            (Field::Phone, "+12025550143", "", 1),
            (Field::Phone, "", "+12025550143", 1),
            (Field::LastName, "lovelace", "Lovelace", 0),
            (Field::LastName, "Lovelace", "King", 1),
        ] {
            let found = differences(&canonical(&[(field.clone(), ours)]), &contact(&[(field, theirs)]), None);
            assert_eq!(found.len(), count, "{ours} {theirs}");
        }
    }
}
