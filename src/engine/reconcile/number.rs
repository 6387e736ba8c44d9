//! Looking for the contact of a customer by his number in the store, which the bridge writes into a custom field: the only thing
//! by which a contact is found whose link is lost and whose customer has another e-mail address by now.

use std::time::Duration;

use jiff::Timestamp;

use super::lost;
use crate::clock::after;
use crate::engine::calls::call;
use crate::engine::custom_fields;
use crate::engine::operations::Found;
use crate::engine::step::Step;
use crate::engine::verdict::Verdict;
use crate::engine::work::Work;
use crate::link::Customer;
use crate::reason::Code;
use crate::restore::Restore;
use crate::sync::{self, Field};

/// The contact that shows the customer's number. Only a token that may read the location's custom fields finds it.
pub(in crate::engine) async fn by_number(
    work: &mut Work<'_>,
    step: &mut Step,
    restore: Restore,
) -> Result<Option<Found>, Verdict> {
    let Some(Customer::User(number)) = work.customer else { return Ok(None) };
    let Some(key) = work.engine.registry.number_field(&work.live.connection).map(str::to_owned) else {
        return Ok(None);
    };
    let seen_from = visible_from(work, restore);
    if work.engine.clock.now() < seen_from {
        return Err(Verdict::retry_at(seen_from, lost::not_yet(), false));
    }
    let Some(definitions) = custom_fields::all(work, step).await? else { return Ok(None) };
    let Some(definition) = definitions.get(&key) else { return Ok(None) };
    let number = number.to_string();
    let Some(query) = definition.search(&work.live.connection.ghl.location_id, &number) else {
        return Ok(None);
    };
    let page = match call!(work, step, |ghl| ghl.contacts().search(&query)).await {
        Ok(page) => page,
        Err(failed) if matches!(failed.error, ghl::Error::Invalid { .. } | ghl::Error::Refused { .. }) => {
            work.say(format!(
                "the contact could not be looked for by the customer's number: {}",
                failed.error
            ));
            return Ok(None);
        }
        Err(failed) => return Err(failed.verdict),
    };
    let mut his = Vec::new();
    for found in page.contacts {
        let links = work.engine.store.links_of_contact(&work.live.connection.name, &found.id).await?;
        let (guests, others): (Vec<Customer>, Vec<Customer>) = links
            .into_iter()
            .map(|link| link.customer)
            .filter(|customer| Some(customer) != work.customer.as_ref())
            .partition(|customer| matches!(customer, Customer::Guest(_)));
        if !others.is_empty() {
            continue;
        }
        // The search may show what is not so any more.
        match call!(work, step, |ghl| ghl.contacts().get(&found.id)).await {
            Ok(contact) if definition.is_shown(&number, contact.custom_field(&definition.id)) => {
                his.push((contact, guests));
            }
            Ok(_) => {}
            Err(failed) if failed.is_not_found() => {}
            Err(failed) => return Err(failed.verdict),
        }
    }
    if his.len() > 1 {
        let email = work.contact.shown(&Field::Email);
        his.retain(|(contact, _)| sync::from_ghl(contact).shown(&Field::Email) == email);
        if his.len() != 1 {
            return Err(several(&number));
        }
    }
    let Some((contact, guests)) = his.pop() else { return Ok(None) };
    // The guest whom he was before he registered, under another address than he has now.
    work.guest = work.guest.take().or(guests.into_iter().next());
    Ok(Some(Found::by_number(contact, definitions)))
}

/// From when on the search shows everything that was made before the restore.
fn visible_from(work: &Work<'_>, restore: Restore) -> Timestamp {
    after(restore.lost_until, Duration::from_millis(work.engine.config.index_lag_ms))
}

fn several(number: &str) -> Verdict {
    let text = format!(
        "several contacts show the customer number {number}, and none or several of them the customer's e-mail: merge them in \
         HighLevel, or take the number out of those that are somebody else, then replay"
    );
    Verdict::dead(Code::UnclearContact, text)
}
