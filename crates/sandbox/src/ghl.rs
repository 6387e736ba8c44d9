//! The simulated GHL: one location with a private integration token, a second one beside it, one app.

mod act;
mod appointments;
mod belongings;
mod bulk;
mod businesses;
mod call;
mod chooser;
mod contact;
mod contacts;
mod conversations;
mod countries;
mod custom_fields;
mod custom_values;
mod documented;
mod fixtures;
mod followers;
mod index;
mod install;
mod journeys;
mod lists;
mod location_lists;
mod locations;
mod messages;
mod notes;
mod oauth;
mod office;
mod opportunities;
mod place;
mod rate;
mod refusal;
mod router;
mod search;
mod settings;
mod state;
mod tags;
mod tasks;
mod tokens;
mod users;
mod validate;
mod view;
mod webhooks;

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::{Map, Value, json};

use self::{
    call::{Call, Outcome},
    place::Place,
    rate::Budget,
    refusal::Refusal,
    router::{Operation, Taker},
    state::State,
    webhooks::{First, Sign, Webhooks},
};
use crate::{
    clock,
    control::{Acting, Core, System, problem::ActError, settings::Fields},
    serve::{
        answer::{Answer, json_type},
        request::Request,
    },
};

/// The version that most of the documents name as the only one.
const VERSION: &str = "2021-07-28";
/// The one of calendars and conversations.
const OLDER_VERSION: &str = "2021-04-15";

/// How the simulated GHL starts, and what a reset brings back.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) seed: u64,
    /// The announced location's id; none: from the seed.
    pub(crate) location_id: Option<String>,
    pub(crate) url: String,
    pub(crate) strict_rate: bool,
    pub(crate) allow_duplicates: bool,
    pub(crate) search_lag: Duration,
    pub(crate) retry_429: Duration,
}

/// The simulated system.
pub(crate) struct Ghl {
    core: Core,
    setup: Setup,
    state: Mutex<State>,
    webhooks: Webhooks,
}

impl Ghl {
    pub(crate) fn new(core: Core, setup: Setup) -> Self {
        let webhooks = Webhooks::new(std::sync::Arc::clone(&core.deliveries), setup.seed, setup.retry_429);
        Self { core, state: Mutex::new(State::new(&setup)), webhooks, setup }
    }

    /// `ghl` in the announcement (contracts, section 4).
    pub(crate) fn announcement(&self) -> Value {
        let state = self.locked();
        json!({
            "url": self.setup.url,
            "authorize_url": format!("{}{}", self.setup.url, chooser::PATH),
            "location_id": state.location_id,
            "other_location_id": state.id_of(Place::Other),
            "company_id": state.company_id,
            "token": state.tokens.pit,
            "client_id": state.client_id,
            "client_secret": state.client_secret,
            "webhook_public_key": self.webhooks.public_key(),
        })
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what the state wants told; the first attempts are under way afterwards.
    fn tell(&self, state: &mut State) -> Vec<First> {
        let events = std::mem::take(&mut state.events);
        events
            .into_iter()
            .filter_map(|event| self.webhooks.send(state, event.kind, event.body, Sign::Ok))
            .collect()
    }
}

/// Checks token, version, budget and scope in this order, then runs the operation where the token belongs.
fn admit(
    state: &mut State,
    request: &Request,
    operation: &Operation<'_>,
    now: i64,
    budget: &mut Option<Budget>,
) -> Outcome {
    let (args, described) = (operation.args, operation.described);
    if operation.taker == Taker::Anyone {
        return (operation.run)(&mut Call { state, request, args, now, described });
    }
    let grant = request.bearer().and_then(|token| state.tokens.grant(token, now));
    let grant = grant.ok_or_else(|| Refusal::new(401, "Invalid token: access token is invalid"))?;
    let place = grant.budget.place;
    *budget = Some(grant.budget);
    match request.header("version") {
        None => return Err(Refusal::new(401, "version header was not found.")),
        Some(version) if takes_version(described, version) => {}
        Some(_) => return Err(Refusal::new(401, "version header is invalid.")),
    }
    let right_place = match operation.taker {
        Taker::Location => place != Place::Company,
        Taker::Company => place == Place::Company,
        Taker::Either | Taker::Anyone => true,
    };
    let allowed = right_place && (operation.scope.is_empty() || grant.scopes.contains(operation.scope));
    if !state.rate.admit(grant.budget, now, &state.limits) {
        return Err(Refusal::new(429, "Too Many Requests"));
    }
    if !allowed {
        return Err(Refusal::new(401, "The token is not authorized for this scope."));
    }
    if state.is_foreign(place, args[0]) {
        return Err(Refusal::other_location());
    }
    let there = match place {
        // A company's token reads any of its locations.
        Place::Company => described
            .map_or_else(|| state.place_of(args[0]), |described| documented::place(state, described, request))
            .unwrap_or(Place::Company),
        place => place,
    };
    state.at(there, |state| {
        let mut call = Call { state, request, args, now, described };
        if let Some(described) = described {
            documented::judge(&call, described)?;
        }
        (operation.run)(&mut call)
    })
}

/// Each operation is in one version; where its document names none, either will do.
fn takes_version(described: Option<&catalogue::Operation>, version: &str) -> bool {
    match described.map(|described| described.version.as_deref()) {
        None => version == VERSION,
        Some(Some(only)) => version == only,
        Some(None) => [VERSION, OLDER_VERSION].contains(&version),
    }
}

impl System for Ghl {
    fn core(&self) -> &Core {
        &self.core
    }

    fn handle(&self, request: &Request) -> Answer {
        let now = clock::now_ms();
        let mut budget = None;
        let mut state = self.locked();
        state.listening = self.core.deliveries.has_target();
        if let Some(answer) = chooser::answer(&mut state, request, now) {
            self.tell(&mut state);
            return answer;
        }
        let outcome = match router::find(&request.method, &request.path) {
            Some(operation) => admit(&mut state, request, &operation, now, &mut budget),
            None => Err(Refusal::new(404, format!("Cannot {} {}", request.method, request.path))),
        };
        if state.listening {
            self.tell(&mut state);
        }
        let limits = state.limits;
        let headers = budget.map(|budget| state.rate.headers(budget, now, &limits));
        let refused = match &outcome {
            Ok(_) => None,
            Err(refusal) => Some(refusal.body(&state.ids.uuid())),
        };
        // The answer is written out without the lock.
        drop(state);
        let mut answer = match outcome {
            Ok(reply) if reply.body.is_null() => Answer::empty(reply.status).with_effect(reply.effect),
            Ok(reply) => Answer::json(reply.status, &reply.body).with_effect(reply.effect),
            Err(refusal) => Answer::json(refusal.status, &refused),
        };
        answer.headers.extend(headers.into_iter().flatten());
        answer
    }

    fn bare(&self, status: u16, request: Option<&Request>) -> Answer {
        let now = clock::now_ms();
        let mut state = self.locked();
        let limits = state.limits;
        let bearer = request.and_then(Request::bearer);
        let budget = bearer.and_then(|token| state.tokens.grant(token, now)).map(|grant| grant.budget);
        let headers = budget.map(|budget| state.rate.headers(budget, now, &limits));
        let trace_id = state.ids.uuid();
        drop(state);
        let message = if status == 429 { "Too Many Requests" } else { refusal::reason(status) };
        let mut answer = match status {
            200..=299 => Answer { headers: vec![json_type()], body: "{}".into(), ..Answer::empty(status) },
            _ => Answer::json(status, &Refusal::new(status, message).body(&trace_id)),
        };
        answer.headers.extend(headers.into_iter().flatten());
        answer
    }

    fn state(&self) -> Value {
        self.locked().whole(clock::now_ms())
    }

    fn reset(&self) {
        *self.locked() = State::new(&self.setup);
        self.webhooks.reset(self.setup.retry_429);
    }

    fn settings(&self, settings: Map<String, Value>) -> Result<(), ActError> {
        settings::change(self, &settings)
    }

    fn act(&self, action: Map<String, Value>) -> Acting<'_> {
        Box::pin(async move {
            let name = act::name(&action)?;
            let fields = Fields(&action);
            let deliver = fields.bool("deliver")?.unwrap_or(true);
            let (mut made, firsts) = match name {
                "webhook.send" => {
                    let mut body = fields.object("body")?.cloned().unwrap_or_default();
                    let sign = Sign::parse(fields.text("sign")?)?;
                    let kind = fields.text("type")?.unwrap_or("ContactUpdate");
                    let mut state = self.locked();
                    body.entry("locationId").or_insert_with(|| json!(state.location_id));
                    (json!({}), self.webhooks.send(&mut state, kind, body, sign).into_iter().collect())
                }
                "webhook.redeliver" => {
                    let id = fields.needed_text("webhook_id")?;
                    (json!({}), self.webhooks.redeliver(id)?.into_iter().collect())
                }
                name => {
                    let mut state = self.locked();
                    state.listening = deliver && self.core.deliveries.has_target();
                    let made = act::perform(&mut state, name, &action, clock::now_ms());
                    let firsts = self.tell(&mut state);
                    (made?, firsts)
                }
            };
            let mut deliveries = Vec::with_capacity(firsts.len());
            for first in firsts {
                deliveries.push(first.delivery().await);
            }
            made["delivery"] = deliveries.first().cloned().unwrap_or_default();
            if deliveries.len() > 1 {
                made["deliveries"] = Value::Array(deliveries);
            }
            Ok(made)
        })
    }
}
