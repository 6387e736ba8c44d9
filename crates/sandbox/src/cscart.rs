//! The simulated store: CS-Cart 4.20's REST API for users and orders, and the add-on's webhooks.

mod act;
mod catalog;
mod endpoint;
mod fixtures;
mod orders;
mod outbox;
mod paging;
mod refusal;
mod router;
mod sign;
mod state;
mod statuses;
mod usergroups;
mod users;
mod world;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

pub(crate) use self::world::World;
pub use self::world::{CscartEdition, CscartVersion};
use self::{outbox::Outbox, refusal::Refusal, sign::Sign, state::State};
use crate::{
    control::{
        Acting, Core, System,
        problem::{ActError, only_known},
        settings::Fields,
    },
    serve::{
        answer::{Answer, json_type},
        request::Request,
    },
};

/// How the simulated store starts, and what a reset brings back.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) seed: u64,
    pub(crate) url: String,
    pub(crate) outbox_retry: Duration,
    pub(crate) world: World,
}

/// The simulated system.
pub(crate) struct Store {
    core: Core,
    setup: Setup,
    state: Mutex<State>,
    outbox: Arc<Outbox>,
}

impl Store {
    pub(crate) fn new(core: Core, setup: Setup) -> Self {
        let state = State::new(&setup);
        let outbox = Outbox::new(Arc::clone(&core.deliveries), setup.seed, setup.outbox_retry);
        Self { core, outbox: Arc::new(outbox), state: Mutex::new(state), setup }
    }

    /// `cscart` in the announcement (contracts, section 4).
    pub(crate) fn announcement(&self) -> Value {
        let state = self.locked();
        json!({
            "url": self.setup.url,
            "email": state.admin_email,
            "api_key": state.api_key,
            "webhook_secret": self.outbox.secret(),
        })
    }

    fn answer(&self, state: &mut State, request: &Request) -> Answer {
        if endpoint::is_meant(request) && state.world.addon {
            return endpoint::answer(state, self.outbox.key(), request);
        }
        let Some(target) = router::Target::of(request) else {
            // The storefront answers everything else, with a page.
            let mut answer = Answer::empty(404);
            answer.header("content-type", "text/html; charset=utf-8");
            answer.body = "<!DOCTYPE html><title>Page not found</title>".into();
            return answer;
        };
        let outcome =
            if is_admin(state, request) { target.run(state, request) } else { Err(Refusal::new(401, "")) };
        match outcome {
            Ok(reply) if reply.status == 204 => Answer::empty(204).with_effect(reply.effect),
            Ok(reply) => Answer::json(reply.status, &reply.body).with_effect(reply.effect),
            Err(refusal) => refusal.answer(),
        }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The request's `Authorization` names the administrator and his key.
fn is_admin(state: &State, request: &Request) -> bool {
    let header = request.header("authorization").and_then(|it| it.strip_prefix("Basic "));
    let decoded = header.and_then(|it| STANDARD.decode(it.trim()).ok());
    let Some(credentials) = decoded.and_then(|it| String::from_utf8(it).ok()) else { return false };
    let Some((email, key)) = credentials.split_once(':') else { return false };
    email.eq_ignore_ascii_case(&state.admin_email) && key == state.api_key
}

impl System for Store {
    fn core(&self) -> &Core {
        &self.core
    }

    fn handle(&self, request: &Request) -> Answer {
        let mut state = self.locked();
        let mut answer = self.answer(&mut state, request);
        answer.header("date", &state.world.date());
        let events = std::mem::take(&mut state.events);
        let told = if state.world.addon { events } else { Vec::new() };
        for event in told {
            // Nobody waits for the first attempt of a change made through the API.
            drop(self.outbox.put(&mut state, event));
        }
        answer
    }

    fn bare(&self, status: u16, _: Option<&Request>) -> Answer {
        match status {
            200..=299 => Answer { headers: vec![json_type()], body: "{}".into(), ..Answer::empty(status) },
            _ => Refusal::new(status, "").answer(),
        }
    }

    fn state(&self) -> Value {
        let mut whole = self.locked().whole();
        whole["outbox"] = self.outbox.rows();
        whole
    }

    fn reset(&self) {
        *self.locked() = State::new(&self.setup);
        self.outbox.reset(self.setup.outbox_retry);
    }

    fn settings(&self, settings: Map<String, Value>) -> Result<(), ActError> {
        only_known(
            "setting",
            &settings,
            &[&["deliver_to", "connection", "outbox_retry_ms"], world::SETTINGS].concat(),
        )?;
        let world = self.locked().world.with(&settings)?;
        let fields = Fields(&settings);
        let deliver_to = fields.target()?;
        let connection = fields.text("connection")?;
        if let Some(retry) = fields.milliseconds("outbox_retry_ms")? {
            self.outbox.set_retry(retry);
        }
        self.locked().world = world;
        self.core.deliveries.retarget(|target| {
            if let Some(deliver_to) = deliver_to {
                target.deliver_to = deliver_to.as_str().map(str::to_owned);
            }
            if let Some(connection) = connection {
                connection.clone_into(&mut target.connection);
            }
        });
        Ok(())
    }

    fn act(&self, action: Map<String, Value>) -> Acting<'_> {
        Box::pin(async move {
            let name = act::name(&action)?;
            let fields = Fields(&action);
            let deliver = fields.bool("deliver")?.unwrap_or(true);
            let (mut made, waiting) = match name {
                "webhook.redeliver" => {
                    let id = fields.needed_text("webhook_id")?;
                    (json!({}), vec![self.outbox.redeliver(id)?])
                }
                "webhook.send" => {
                    let sign = Sign::parse(fields.text("sign")?)?;
                    let kind = fields.needed_text("type")?;
                    let data = fields.object("data")?.cloned().unwrap_or_default();
                    let mut state = self.locked();
                    let id = fields.text("webhook_id")?;
                    let event = state::Event::new(kind, "send", Value::Object(data)).signed(sign).with_id(id);
                    let put = self.outbox.put(&mut state, event);
                    (json!({}), vec![put])
                }
                name => {
                    let mut state = self.locked();
                    let made = act::perform(&mut state, name, &action);
                    let events = std::mem::take(&mut state.events);
                    let made = made?;
                    let events = if deliver && state.world.addon { events } else { Vec::new() };
                    let put = |event| self.outbox.put(&mut state, event);
                    (made, events.into_iter().map(put).collect())
                }
            };
            let mut deliveries = Vec::with_capacity(waiting.len());
            if self.core.deliveries.has_target() {
                for first in waiting {
                    deliveries.push(first.delivery().await);
                }
            }
            made["delivery"] = deliveries.first().cloned().unwrap_or_default();
            if deliveries.len() > 1 {
                made["deliveries"] = Value::Array(deliveries);
            }
            Ok(made)
        })
    }
}
