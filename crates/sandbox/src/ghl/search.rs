//! `POST /contacts/search`. contacts.json leaves body and answer open; the shape is the one of ghl.md, Contacts. It
//! reads the index, so a write is seen only after the search lag.

mod filter;

use std::{cmp::Ordering, sync::Arc};

use serde_json::{Map, Value, json};

use self::filter::Filter;
use super::{
    call::{Call, Outcome, Reply},
    contact::Contact,
    index::{Index, Place},
    lists::mentions,
    refusal::Refusal,
    validate::{Kind, Property, may, must},
    view,
};

const BODY: &[Property] = &[
    must("locationId", Kind::Text),
    must("pageLimit", Kind::Number),
    may("page", Kind::Number),
    may("searchAfter", Kind::Objects),
    may("filters", Kind::Objects),
    may("sort", Kind::Objects),
    may("query", Kind::Text),
];

/// `page × pageLimit` must not go beyond this; deeper pages need `searchAfter`.
const DEEPEST: u64 = 10_000;
const LARGEST_PAGE: u64 = 500;
const SORTABLE: &[&str] =
    &["dateAdded", "dateUpdated", "firstNameLowerCase", "lastNameLowerCase", "email", "dateOfBirth"];

/// One key of the order.
struct SortKey {
    field: String,
    descending: bool,
}

/// `POST /contacts/search`.
pub(crate) fn search(call: &mut Call<'_>) -> Outcome {
    let body = call.checked(BODY)?;
    let limit = number(body, "pageLimit")?.unwrap_or_default();
    if !(1..=LARGEST_PAGE).contains(&limit) {
        let rule = if limit == 0 { "must not be less than 1" } else { "must not be greater than 500" };
        return Err(Refusal::invalid(vec![format!("pageLimit {rule}")]));
    }
    let page = number(body, "page")?;
    let after = body.get("searchAfter").and_then(Value::as_array).filter(|list| !list.is_empty());
    if page.is_some() && after.is_some() {
        return Err(Refusal::new(400, "Either page or searchAfter can be passed, not both"));
    }
    let page = page.unwrap_or(1);
    if page == 0 {
        return Err(Refusal::invalid(vec![String::from("page must not be less than 1")]));
    }
    if page.saturating_mul(limit) > DEEPEST {
        let message = "page * pageLimit must not exceed 10000. Use searchAfter to go beyond";
        return Err(Refusal::new(400, message));
    }
    let filter = Filter::all(body.get("filters").and_then(Value::as_array))?;
    let sort = sort_keys(body.get("sort").and_then(Value::as_array))?;
    let query = body.get("query").and_then(Value::as_str).unwrap_or_default().to_lowercase();

    let state = &mut *call.state;
    state.index.catch_up(call.now);
    let index = &state.index;
    let skip = ((page - 1) * limit) as usize;
    let (total, found) = if filter.is_empty() && query.is_empty() && by_creation(&sort) {
        (index.len(), in_order_of_creation(index, sort[0].descending, after, skip, limit as usize))
    } else {
        let mut all = candidates(index, &filter);
        all.retain(|contact| filter.matches(contact) && (query.is_empty() || mentions(contact, &query)));
        let total = all.len();
        (total, sorted(index, all, &sort, after, skip, limit as usize))
    };
    let contacts: Vec<Value> = found
        .iter()
        .map(|contact| view::found(contact, &state.location_id, cursor(contact, &sort)))
        .collect();
    Ok(Reply::ok(json!({ "contacts": contacts, "total": total, "traceId": state.ids.uuid() })))
}

fn number(body: &Map<String, Value>, name: &str) -> Result<Option<u64>, Refusal> {
    match body.get(name) {
        None => Ok(None),
        Some(value) => value
            .as_u64()
            .map(Some)
            .ok_or_else(|| Refusal::invalid(vec![format!("{name} must be a positive number")])),
    }
}

fn sort_keys(sort: Option<&Vec<Value>>) -> Result<Vec<SortKey>, Refusal> {
    let mut keys = Vec::new();
    for (index, item) in sort.into_iter().flatten().enumerate() {
        let field = item["field"].as_str().unwrap_or_default();
        if !SORTABLE.contains(&field) {
            let allowed = SORTABLE.join(", ");
            return Err(Refusal::invalid(vec![format!(
                "sort.{index}.field must be one of the following values: {allowed}"
            )]));
        }
        let descending = match item["direction"].as_str() {
            Some("desc") => true,
            Some("asc") => false,
            _ => {
                return Err(Refusal::invalid(vec![format!(
                    "sort.{index}.direction must be one of the following values: asc, desc"
                )]));
            }
        };
        keys.push(SortKey { field: field.to_owned(), descending });
    }
    if keys.is_empty() {
        keys.push(SortKey { field: String::from("dateAdded"), descending: true });
    }
    Ok(keys)
}

fn by_creation(sort: &[SortKey]) -> bool {
    matches!(sort, [key] if key.field == "dateAdded")
}

/// The common case without a look at every contact: nothing asked for but pages by creation.
fn in_order_of_creation(
    index: &Index,
    descending: bool,
    after: Option<&Vec<Value>>,
    skip: usize,
    limit: usize,
) -> Vec<Arc<Contact>> {
    let start = after.map(|cursor| place_of(index, cursor, descending));
    match (start, descending) {
        (None, true) => index.newest_first().skip(skip).take(limit).cloned().collect(),
        (None, false) => index.oldest_first().skip(skip).take(limit).cloned().collect(),
        (Some(place), true) => index.before(place).take(limit).cloned().collect(),
        (Some(place), false) => index.after(place).take(limit).cloned().collect(),
    }
}

/// The place that a cursor names: that of its contact, or of its time when the contact is gone.
fn place_of(index: &Index, cursor: &[Value], descending: bool) -> Place {
    let id = cursor.last().and_then(Value::as_str).unwrap_or_default();
    index.place(id).unwrap_or_else(|| {
        let time = cursor.first().and_then(Value::as_i64).unwrap_or_default();
        (time, if descending { 0 } else { u64::MAX })
    })
}

/// The contacts that a filter can match at all: a few when it pins id, address or number.
fn candidates(index: &Index, filter: &Filter) -> Vec<Arc<Contact>> {
    if let Some(id) = filter.pins("id") {
        index.with_id(id)
    } else if let Some(email) = filter.pins("email") {
        index.with_email(email)
    } else if let Some(phone) = filter.pins("phone") {
        index.with_phone(phone)
    } else {
        index.newest_first().cloned().collect()
    }
}

fn sorted(
    index: &Index,
    mut all: Vec<Arc<Contact>>,
    sort: &[SortKey],
    after: Option<&Vec<Value>>,
    skip: usize,
    limit: usize,
) -> Vec<Arc<Contact>> {
    let newest_first = sort[0].descending;
    all.sort_by(|left, right| {
        compare(&values(left, sort), left.place(), &values(right, sort), right.place(), sort, newest_first)
    });
    if let Some(cursor) = after {
        let place = place_of(index, cursor, newest_first);
        let from: Vec<Value> = cursor.iter().take(sort.len()).cloned().collect();
        all.retain(|contact| {
            let own = values(contact, sort);
            compare(&own, contact.place(), &from, place, sort, newest_first) == Ordering::Greater
        });
    }
    all.into_iter().skip(skip).take(limit).collect()
}

fn compare(
    left: &[Value],
    left_place: Place,
    right: &[Value],
    right_place: Place,
    sort: &[SortKey],
    newest_first: bool,
) -> Ordering {
    for (at, key) in sort.iter().enumerate() {
        let (left, right) = (left.get(at), right.get(at));
        let order = match (left, right) {
            (Some(Value::String(left)), Some(Value::String(right))) => left.cmp(right),
            (Some(left), Some(right)) if left.is_number() && right.is_number() => {
                left.as_i64().cmp(&right.as_i64())
            }
            // What has no value comes last, in either direction.
            (left, right) => {
                let missing = |value: Option<&Value>| value.is_none_or(Value::is_null);
                match missing(left).cmp(&missing(right)) {
                    Ordering::Equal => continue,
                    order => return order,
                }
            }
        };
        if order != Ordering::Equal {
            return if key.descending { order.reverse() } else { order };
        }
    }
    if newest_first { right_place.cmp(&left_place) } else { left_place.cmp(&right_place) }
}

fn values(contact: &Contact, sort: &[SortKey]) -> Vec<Value> {
    sort.iter()
        .map(|key| {
            filter::values(contact, &key.field).and_then(|it| it.into_iter().next()).unwrap_or(Value::Null)
        })
        .collect()
}

/// The `searchAfter` that each contact carries: its sort values and its id.
fn cursor(contact: &Contact, sort: &[SortKey]) -> Value {
    let mut cursor = values(contact, sort);
    cursor.push(json!(contact.id));
    Value::Array(cursor)
}
