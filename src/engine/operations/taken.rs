//! An e-mail address or a phone number that another contact has: HighLevel refuses the contact that is to have it as well.

use ghl::MatchingField;

use crate::engine::work::Work;
use crate::sync::{Canonical, Field};

/// Takes out of what was `sent` the e-mail or phone that another contact has, with a word on it; answers whether there was one,
/// so that the rest is worth another try. A phone may well be shared (a family, an office): the link counts it as sent, and so
/// it is sent again only when it changes.
pub(super) fn leave_out(work: &mut Work<'_>, error: &ghl::Error, sent: &mut Canonical) -> bool {
    let ghl::Error::DuplicateContact { contact_id, matching_field, .. } = error else { return false };
    let (field, name) = match matching_field {
        MatchingField::Email => (Field::Email, "e-mail"),
        MatchingField::Phone => (Field::Phone, "phone"),
        _ => return false,
    };
    if sent.get(&field).is_none() {
        return false;
    }
    sent.remove(&field);
    work.say(format!("the {name}, which contact {contact_id} has as well"));
    true
}

/// The contact that has the e-mail already which another one was to get.
pub(super) fn has_the_email(error: &ghl::Error) -> Option<&ghl::ContactId> {
    match error {
        ghl::Error::DuplicateContact { contact_id, matching_field: MatchingField::Email, .. } => {
            Some(contact_id)
        }
        _ => None,
    }
}
