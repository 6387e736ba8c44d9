//! Lists of opportunities and pipelines (opportunities.json, tags Search and Pipelines).

use serde_json::{Value, json};

use super::{
    super::{
        call::{Call, Outcome, Reply},
        refusal::Refusal,
        state::State,
    },
    shown, text,
};
use crate::clock;

/// `GET /opportunities/pipelines?locationId=`.
pub(crate) fn pipelines(call: &mut Call<'_>) -> Outcome {
    call.location(call.request.parameter("locationId"))?;
    Ok(Reply::ok(json!({ "pipelines": call.state.office.pipelines })))
}

/// What is shown beside each opportunity.
struct Beside {
    notes: bool,
    tasks: bool,
    events: bool,
}

impl Beside {
    fn put(&self, state: &State, opportunity: &Value) -> Value {
        let mut shown = shown(state, opportunity);
        let contact = text(opportunity, "contactId");
        for (wanted, name, things) in [
            (self.notes, "notes", &state.notes),
            (self.tasks, "tasks", &state.tasks),
            (self.events, "calendarEvents", &state.appointments),
        ] {
            shown[name] = if wanted { json!(things.list(contact)) } else { json!([]) };
        }
        shown
    }
}

/// `GET /opportunities/search`: newest first, 20 at a time and 100 at most, by `page` or by `startAfter` with `startAfterId`.
pub(crate) fn list(call: &mut Call<'_>) -> Outcome {
    let parameter = |name: &str| call.request.parameter(name).filter(|value| !value.is_empty());
    let limit = call.number("limit")?.unwrap_or(20);
    if limit == 0 || limit > 100 {
        return Err(Refusal::invalid(vec!["limit must not be greater than 100".to_owned()]));
    }
    let page = call.number("page")?.unwrap_or(1).max(1);
    let equal = |name: &str, field: &str| {
        let wanted = parameter(name).map(str::to_owned);
        let field = field.to_owned();
        move |it: &Value| wanted.as_deref().is_none_or(|wanted| it[&field] == wanted)
    };
    let filters = [
        equal("id", "id"),
        equal("pipeline_id", "pipelineId"),
        equal("pipeline_stage_id", "pipelineStageId"),
        equal("contact_id", "contactId"),
        equal("assigned_to", "assignedTo"),
    ];
    let status = parameter("status").filter(|status| *status != "all");
    let query = parameter("q").unwrap_or_default();
    let mut all = newest_first(call.state, query);
    all.retain(|it| {
        filters.iter().all(|filter| filter(it)) && status.is_none_or(|status| it["status"] == status)
    });
    if parameter("order") == Some("added_asc") {
        all.reverse();
    }
    let total = all.len();
    let skipped = match parameter("startAfterId") {
        Some(id) => all.iter().position(|it| it["id"] == id).map_or(total, |place| place + 1),
        None => usize::try_from((page - 1).saturating_mul(limit)).unwrap_or(usize::MAX),
    };
    let beside = Beside {
        notes: parameter("getNotes") == Some("true"),
        tasks: parameter("getTasks") == Some("true"),
        events: parameter("getCalendarEvents") == Some("true"),
    };
    let shown: Vec<Value> =
        all.iter().skip(skipped).take(limit as usize).map(|it| beside.put(call.state, it)).collect();
    let more = skipped.saturating_add(shown.len()) < total;
    let mut meta = json!({
        "total": total, "currentPage": page, "nextPage": more.then_some(page + 1),
        "prevPage": (page > 1).then(|| page - 1),
    });
    if let Some(last) = shown.last() {
        let at = last["createdAt"].as_str().and_then(clock::parse_iso);
        meta["startAfterId"] = last["id"].clone();
        meta["startAfter"] = json!(at);
        meta["nextPageUrl"] = more
            .then(|| {
                format!(
                    "{}/opportunities/search?location_id={}&limit={limit}&page={}&startAfter={}&startAfterId={}",
                    call.state.url,
                    call.state.location_id,
                    page + 1,
                    at.unwrap_or_default(),
                    text(last, "id"),
                )
            })
            .into();
    }
    Ok(Reply::ok(json!({ "opportunities": shown, "meta": meta, "aggregations": {} })))
}

/// `POST /opportunities/search`: by `page` (from 1) unless `searchAfter` has a time and an id.
pub(crate) fn search(call: &mut Call<'_>) -> Outcome {
    let body = call.object()?;
    let number = |name: &str| body.get(name).and_then(Value::as_u64).unwrap_or(1);
    let query = body.get("query").and_then(Value::as_str).unwrap_or_default();
    let all = newest_first(call.state, query);
    let after = body.get("searchAfter").and_then(|it| it.get(1)).and_then(Value::as_str);
    let skipped = match after.and_then(|id| all.iter().position(|it| it["id"] == id)) {
        Some(place) => place + 1,
        None => usize::try_from(number("page").saturating_sub(1).saturating_mul(number("limit")))
            .unwrap_or(usize::MAX),
    };
    let wants = |name: &str| body.get("additionalDetails").is_some_and(|details| details[name] == true);
    let beside = Beside { notes: wants("notes"), tasks: wants("tasks"), events: wants("calendarEvents") };
    let limit = usize::try_from(number("limit").min(100)).unwrap_or(100);
    let shown: Vec<Value> =
        all.iter().skip(skipped).take(limit).map(|it| beside.put(call.state, it)).collect();
    Ok(Reply::ok(json!({ "opportunities": shown, "total": all.len(), "aggregations": {} })))
}

/// Those whose name, or whose contact's name, address or number holds the words.
fn newest_first<'a>(state: &'a State, query: &str) -> Vec<&'a Value> {
    let query = query.to_lowercase();
    let fits = |opportunity: &&Value| {
        let contact = state.contacts.get(text(opportunity, "contactId"));
        let texts = [Some(text(opportunity, "name").to_owned()), contact.map(|it| it.full_name())];
        let more = contact.map(|it| [it.email.clone(), it.phone.clone()]).unwrap_or_default();
        query.is_empty()
            || texts.into_iter().chain(more).flatten().any(|it| it.to_lowercase().contains(&query))
    };
    let mut all: Vec<&Value> = state.opportunities.all().filter(fits).collect();
    all.reverse();
    all
}
