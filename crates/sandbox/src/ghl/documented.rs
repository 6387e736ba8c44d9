//! Every other operation of HighLevel's documents, as the catalogue has them: asked as strictly as the others, and answered
//! with the documents' own example unless the sandbox really holds what it is about.

mod parts;
mod strict;

use std::collections::HashMap;
use std::sync::LazyLock;

use catalogue::{Operation as Described, answer, operations};
use hyper::Method;
use serde_json::Value;

use super::{
    appointments, businesses,
    call::{Call, Outcome, Reply},
    conversations, custom_values, location_lists, messages,
    opportunities::{self, followers, lists},
    place::Place,
    refusal::Refusal,
    router::{Operation, Taker},
    state::State,
};
use crate::{
    control::journal::Effect,
    serve::request::{Body, Request},
};

/// Operations by the number of segments of their paths.
static BY_LENGTH: LazyLock<HashMap<usize, Vec<&'static Described>>> = LazyLock::new(|| {
    let mut by_length: HashMap<usize, Vec<&'static Described>> = HashMap::new();
    for operation in operations() {
        by_length.entry(segments(&operation.path).count()).or_default().push(operation);
    }
    // What is spelled out goes before what stands in braces.
    for all in by_length.values_mut() {
        all.sort_by_key(|operation| operation.path.matches('{').count());
    }
    by_length
});

/// The operation behind method and path; a slash at the end makes no difference.
pub(super) fn find<'a>(method: &Method, path: &'a str) -> Option<Operation<'a>> {
    let described = *BY_LENGTH.get(&segments(path).count())?.iter().find(|operation| {
        operation.method.as_str() == method.as_str()
            && segments(&operation.path)
                .zip(segments(path))
                .all(|(known, given)| if known.starts_with('{') { !given.is_empty() } else { known == given })
    })?;
    let mut args = [""; 2];
    for (place, (_, value)) in args.iter_mut().zip(variables(described, path)) {
        *place = value;
    }
    let taker = match answer(&described.name) {
        _ if described.agency => Taker::Company,
        Some(answer) if answer.either => Taker::Either,
        _ => Taker::Location,
    };
    let scope = described.scopes.first().map_or("", String::as_str);
    Some(Operation { scope, taker, run: run_of(&described.name), args, described: Some(described) })
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.trim_start_matches('/').trim_end_matches('/').split('/')
}

/// What stands for the names in braces.
fn variables<'a>(
    described: &'static Described,
    path: &'a str,
) -> impl Iterator<Item = (&'static str, &'a str)> {
    segments(&described.path)
        .zip(segments(path))
        .filter_map(|(known, given)| Some((known.strip_prefix('{')?.strip_suffix('}')?, given)))
}

/// What carries an operation out.
fn run_of(name: &str) -> fn(&mut Call<'_>) -> Outcome {
    match name {
        "ghl.pipeline.list" => lists::pipelines,
        "ghl.opportunity.create" => opportunities::create,
        "ghl.opportunity.upsert" => opportunities::upsert,
        "ghl.opportunity.get" => opportunities::get,
        "ghl.opportunity.update" => opportunities::update,
        "ghl.opportunity.set_status" => opportunities::set_status,
        "ghl.opportunity.delete" => opportunities::delete,
        "ghl.opportunity.list" => lists::list,
        "ghl.opportunity.search" => lists::search,
        "ghl.opportunity.add_followers" => followers::add,
        "ghl.opportunity.remove_followers" => followers::remove,
        "ghl.business.create" => businesses::create,
        "ghl.business.get" => businesses::get,
        "ghl.business.list" => businesses::list,
        "ghl.business.update" => businesses::update,
        "ghl.business.delete" => businesses::delete,
        "ghl.custom_value.create" => custom_values::create,
        "ghl.custom_value.get" => custom_values::get,
        "ghl.custom_value.list" => custom_values::list,
        "ghl.custom_value.update" => custom_values::update,
        "ghl.custom_value.delete" => custom_values::delete,
        "ghl.workflow.list" => location_lists::workflows,
        "ghl.campaign.list" => location_lists::campaigns,
        "ghl.calendar.list" => location_lists::calendars,
        "ghl.calendar.get" => location_lists::calendar,
        "ghl.appointment.create" => appointments::create,
        "ghl.appointment.get" => appointments::get,
        "ghl.appointment.update" => appointments::update,
        "ghl.calendar_event.list" => appointments::list,
        "ghl.calendar_event.delete" => appointments::delete,
        "ghl.conversation.create" => conversations::create,
        "ghl.conversation.get" => conversations::get,
        "ghl.conversation.update" => conversations::update,
        "ghl.conversation.delete" => conversations::delete,
        "ghl.conversation.search" => conversations::search,
        "ghl.message.send" => messages::send,
        "ghl.message.add_inbound" => messages::add_inbound,
        "ghl.message.get" => messages::get,
        "ghl.message.list" => messages::list,
        "ghl.message.set_status" => messages::set_status,
        _ => by_example,
    }
}

/// The location that a request names, wherever it does: HighLevel's documents know three names for it.
pub(super) fn named_location<'a>(described: &'static Described, request: &'a Request) -> Option<&'a str> {
    let text = |name: &str| named(described, request, name);
    let alternative = || text("altId").filter(|_| text("altType") == Some("location"));
    text("locationId").or_else(|| text("location_id")).or_else(alternative)
}

/// A value of the path, the query or the body's first level.
fn named<'a>(described: &'static Described, request: &'a Request, name: &str) -> Option<&'a str> {
    let in_path =
        variables(described, &request.path).find_map(|(known, value)| (known == name).then_some(value));
    let in_body = || match &request.body {
        Body::Json(body) | Body::Form(body) => body.get(name).and_then(Value::as_str),
        Body::Empty | Body::BrokenJson(..) | Body::Text(_) => None,
    };
    in_path.or_else(|| request.parameter(name)).or_else(in_body)
}

/// Where a company's token works: in the location that the request names.
pub(super) fn place(state: &State, described: &'static Described, request: &Request) -> Option<Place> {
    state.place_of(named_location(described, request)?)
}

/// Location and company are the token's, then path, query and body are of the documented form; only then it is carried out.
pub(super) fn judge(call: &Call<'_>, described: &'static Described) -> Result<(), Refusal> {
    if let Some(location) = named_location(described, call.request) {
        call.location(Some(location))?;
    }
    match named(described, call.request, "companyId") {
        Some(company) if company != call.state.company_id => return Err(Refusal::other_company()),
        _ => {}
    }
    // A body that is no JSON is refused before its form is looked at.
    if described.body.is_some() && !matches!(call.request.body, Body::Json(Value::Array(_))) {
        call.object()?;
    }
    strict::check(described, variables(described, &call.request.path), call.request)
}

/// The documents' example, with the ids of this location and company. Nothing is kept.
fn by_example(call: &mut Call<'_>) -> Outcome {
    let Some(answer) = call.described.and_then(|described| answer(&described.name)) else {
        return Err(Refusal::new(404, "Not Found"));
    };
    let mut body = answer.example.clone();
    put_ids(&mut body, call.state);
    let effect = Effect::on("none: form checked only", answer.name.as_str());
    Ok(Reply { status: answer.status, body, effect: Some(effect) })
}

fn put_ids(value: &mut Value, state: &State) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match name.as_str() {
                    "locationId" | "location_id" if value.is_string() => {
                        *value = state.location_id.as_str().into();
                    }
                    "companyId" if value.is_string() => *value = state.company_id.as_str().into(),
                    _ => put_ids(value, state),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| put_ids(item, state)),
        _ => {}
    }
}
