//! Reading the location's contacts, a page at a time, into the scratch table.

use ghl::{SearchAfter, SearchQuery};
use serde_json::{Value, json};

use super::calls::{Caller, Hands, Trouble};
use super::{Job, PAGE_SIZE, Place, Progress, custom_fields};
use crate::connection::Settings;
use crate::reason::{Code, Reason};
use crate::store::jobs::{Chunk, KnownContact, Step};
use crate::sync::{self, Definitions, Field};

/// A contact as the job keeps it.
pub(super) fn known(
    contact: &ghl::Contact,
    settings: &Settings,
    definitions: Option<&Definitions>,
) -> KnownContact {
    let fields = sync::from_ghl_with(contact, definitions);
    let number = Field::Custom(settings.custom_fields.customer_id.clone());
    KnownContact {
        id: contact.id.to_string(),
        number: fields.shown(&number).map(str::to_owned),
        fields,
        tags: contact.tags.clone(),
        owner: None,
        linked: Vec::new(),
    }
}

/// How many contacts the location has: one call.
pub(super) async fn count(caller: &Caller<'_>) -> Result<Option<u64>, Trouble> {
    let mut query = SearchQuery::new(caller.live.connection.ghl.location_id.clone());
    query.page_limit = 1;
    query.page = Some(1);
    let found = search(caller, query).await?;
    Ok(found.total)
}

async fn search(caller: &Caller<'_>, query: SearchQuery) -> Result<ghl::SearchPage, Trouble> {
    let found = caller.highlevel(|client| {
        let query = query.clone();
        Box::pin(async move { client.contacts().search(&query).await })
    });
    found.await?.ok_or_else(|| {
        let text =
            "HighLevel does not know this location: check `ghl.location_id` of the connection, then resume";
        Trouble::Fatal(Reason::new(Code::NotFound, text))
    })
}

/// The contacts that show a customer's number; none where they cannot be searched for by it.
pub(super) async fn with_number(
    hands: &Hands<'_>,
    definitions: Option<&Definitions>,
    number: u64,
) -> Result<Vec<ghl::Contact>, Trouble> {
    let location = &hands.caller.live.connection.ghl.location_id;
    let Some(definition) = hands.number.zip(definitions).and_then(|(key, known)| known.get(key)) else {
        return Ok(Vec::new());
    };
    let Some(query) = definition.search(location, &number.to_string()) else { return Ok(Vec::new()) };
    let found = hands.caller.highlevel(|client| {
        let query = query.clone();
        Box::pin(async move {
            match client.contacts().search(&query).await {
                Ok(answer) => Ok(answer.map(|page| page.contacts)),
                // That fields can be searched for is seen and not documented.
                Err(failure)
                    if matches!(failure.error, ghl::Error::Invalid { .. } | ghl::Error::Refused { .. }) =>
                {
                    Ok(ghl::Answer { value: Vec::new(), exchange: *failure.exchange })
                }
                Err(failure) => Err(failure),
            }
        })
    });
    let found = found.await?.unwrap_or_default();
    let is_his = |contact: &ghl::Contact| {
        definition.is_shown(&number.to_string(), contact.custom_field(&definition.id))
    };
    Ok(found.into_iter().filter(is_his).collect())
}

/// Reads the page after this contact.
pub(super) async fn page(hands: &Hands<'_>, job: &Job, after: &[Value]) -> Result<(Step, Chunk), Trouble> {
    let caller = &hands.caller;
    let definitions = custom_fields::definitions(hands, job).await?;
    let mut query = SearchQuery::new(caller.live.connection.ghl.location_id.clone());
    query.page_limit = job.options.page_size.unwrap_or(PAGE_SIZE);
    // Oldest first: what is made meanwhile comes at the end, and moves nothing.
    query.sort = vec![json!({ "field": "dateAdded", "direction": "asc" })];
    if after.is_empty() {
        query.page = Some(1);
    } else {
        query.search_after = Some(SearchAfter(after.to_vec()));
    }
    let limit = u64::from(query.page_limit);
    let found = search(caller, query).await?;
    let read = found.contacts.len() as u64;
    let all = job.progress.contacts_read + read;
    // A short page is the last one, unless the total says that some are missing.
    let over = read == 0 || (read < limit && found.total.is_none_or(|total| all >= total));
    let place = match found.search_after() {
        _ if over => Place::Customers { page: 1, last: 0, total: None },
        Some(SearchAfter(next)) if next != after => Place::Contacts { after: next },
        _ => {
            let text = "HighLevel's search does not say where its next page begins: the contacts cannot be read to the end. \
                        Resume later";
            return Err(Trouble::Retry(Reason::new(Code::WrongShape, text)));
        }
    };
    let settings = &caller.live.connection.settings;
    let contacts =
        found.contacts.iter().map(|contact| known(contact, settings, definitions.as_deref())).collect();
    let chunk = Chunk { contacts, ..Chunk::default() };
    let progress = Progress { contacts_read: read, contacts: found.total, ..Progress::default() };
    Ok((Step { place, progress }, chunk))
}
