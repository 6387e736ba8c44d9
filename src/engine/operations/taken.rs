//! An e-mail address or a phone number that another contact has: HighLevel refuses the contact that is to have it as well.

use ghl::MatchingField;

use crate::engine::work::Work;
use crate::sync::{Canonical, Field};

/// Takes out of what was `sent` the e-mail or phone that another contact has, with a word on it; answers whether there was one,
/// so that the rest is worth another try.
///
/// A phone may well be shared (a family, an office): it is sent again when it changes. An e-mail names one person, so two contacts
/// that have it are to be merged: it is taken out of the customer, too, which leaves it a change that is still to be sent.
pub(super) fn leave_out(work: &mut Work<'_>, error: &ghl::Error, sent: &mut Canonical) -> bool {
    let ghl::Error::DuplicateContact { contact_id, matching_field, .. } = error else { return false };
    let (field, what) = match matching_field {
        MatchingField::Phone => (Field::Phone, format!("the phone, which contact {contact_id} has as well")),
        MatchingField::Email => {
            let what = format!(
                "the e-mail, which contact {contact_id} has as well: merge the two contacts in HighLevel; the next change, or a \
                 resync, sends it then"
            );
            (Field::Email, what)
        }
        _ => return false,
    };
    if sent.get(&field).is_none() {
        return false;
    }
    sent.remove(&field);
    if field == Field::Email {
        work.contact.remove(&field);
    }
    if !work.problems.contains(&what) {
        work.problems.push(what);
    }
    true
}
