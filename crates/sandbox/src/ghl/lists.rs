//! The lists: the deprecated `GET /contacts/` and the contacts of a business. Both read the search index.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    call::{Call, Outcome, Reply},
    contact::Contact,
    refusal::Refusal,
    view,
};

/// `GET /contacts/`: newest first, paged by `startAfter` (a creation time in ms) and `startAfterId` from `meta`.
/// `limit` is 20 unless told otherwise, at most 100.
pub(crate) fn list(call: &mut Call<'_>) -> Outcome {
    call.location(call.request.parameter("locationId"))?;
    call.only_parameters(&["locationId", "startAfterId", "startAfter", "query", "limit"])?;
    let limit = call.number("limit")?.unwrap_or(20);
    if !(1..=100).contains(&limit) {
        let message =
            if limit == 0 { "limit must not be less than 1" } else { "limit must not be greater than 100" };
        return Err(Refusal::invalid(vec![message.to_owned()]));
    }
    let start_after = call.number("startAfter")?;
    let start_id = call.request.parameter("startAfterId").filter(|id| !id.is_empty());
    let query = call.request.parameter("query").unwrap_or_default().to_lowercase();
    let state = &mut *call.state;
    state.index.catch_up(call.now);
    let index = &state.index;
    // The id stands for its exact place; a time alone starts below everything of that millisecond.
    let start = start_id.and_then(|id| index.place(id)).or_else(|| start_after.map(|at| (at as i64, 0)));
    let wanted = |contact: &&Arc<Contact>| query.is_empty() || mentions(contact, &query);
    let total = if query.is_empty() { index.len() } else { index.newest_first().filter(wanted).count() };
    let page: Vec<&Arc<Contact>> = match start {
        Some(place) => index.before(place).filter(wanted).take(limit as usize).collect(),
        None => index.newest_first().filter(wanted).take(limit as usize).collect(),
    };
    let contacts: Vec<Value> = page.iter().map(|contact| view::listed(contact, &state.location_id)).collect();
    let mut meta = json!({ "total": total, "currentPage": 1, "nextPage": null, "prevPage": null });
    if let Some(last) = page.last() {
        meta["startAfterId"] = json!(last.id);
        meta["startAfter"] = json!(last.date_added);
        let more = index.before(last.place()).any(|contact| wanted(&contact));
        if more && page.len() == limit as usize {
            meta["nextPage"] = json!(2);
            meta["nextPageUrl"] = json!(format!(
                "{}/contacts/?locationId={}&startAfter={}&startAfterId={}&limit={limit}",
                state.url, state.location_id, last.date_added, last.id
            ));
        }
    }
    Ok(Reply::ok(json!({ "contacts": contacts, "count": total, "meta": meta })))
}

/// `GET /contacts/business/{businessId}`: `limit` 25 and `skip` 0 unless told otherwise.
pub(crate) fn of_business(call: &mut Call<'_>) -> Outcome {
    call.location(call.request.parameter("locationId"))?;
    call.only_parameters(&["locationId", "limit", "skip", "query"])?;
    let (limit, skip) = (call.number("limit")?.unwrap_or(25), call.number("skip")?.unwrap_or(0));
    let query = call.request.parameter("query").unwrap_or_default().to_lowercase();
    let state = &mut *call.state;
    state.index.catch_up(call.now);
    let mut contacts = state.index.of_business(call.args[0]);
    contacts.retain(|contact| query.is_empty() || mentions(contact, &query));
    contacts.sort_unstable_by_key(|contact| std::cmp::Reverse(contact.place()));
    let count = contacts.len();
    let page = contacts.iter().skip(skip as usize).take(limit.min(100) as usize);
    let page: Vec<Value> = page.map(|contact| view::listed(contact, &state.location_id)).collect();
    Ok(Reply::ok(json!({ "contacts": page, "count": count })))
}

/// Whether a lower-cased search text occurs in name, address, number, company or tags.
pub(crate) fn mentions(contact: &Contact, query: &str) -> bool {
    let name = contact.full_name().to_lowercase();
    name.contains(query)
        || contact.emails().any(|email| email.contains(query))
        || contact.phones().any(|phone| phone.contains(query))
        || contact.company_name.as_deref().is_some_and(|it| it.to_lowercase().contains(query))
        || contact.tags.iter().any(|tag| tag.contains(query))
}
