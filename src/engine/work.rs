//! One claim from plan to verdict: fold, know the customer, plan, carry out each step that is not done.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use jiff::Timestamp;
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::alone::Alone;
use super::operations;
use super::reconcile::{self, lost};
use super::step::{self, Step};
use super::verdict::{self, Verdict};
use super::{Engine, guard, schedule, wait};
use crate::effect::{EffectState, StepKey};
use crate::event::{Event, Source};
use crate::flow::{
    self, Context, Continued, Next, OnError, PlanError, PlannedDelay, PlannedStep, RouteSet, Run, Seen,
};
use crate::inbox::fold;
use crate::link::{Customer, Link};
use crate::reason::Code;
use crate::registry::Live;
use crate::store::{Claim, LEASE, LinkChange};
use crate::sync::{self, Canonical};

/// What the steps of an event work with.
pub(super) struct Work<'a> {
    pub(super) engine: &'a Engine,
    pub(super) live: &'a Live,
    /// HighLevel, without a token: see [`super::calls::call`].
    pub(super) client: &'a ghl::Client,
    pub(super) claim: &'a Claim,
    /// When the state that is carried out was reached: the newest of those folded together.
    pub(super) occurred_at: Timestamp,
    /// The routes that it is carried out with.
    pub(super) routes: &'a RouteSet,
    /// Whom the event is about.
    pub(super) customer: Option<Customer>,
    /// The contact that an event of HighLevel's is about, where no customer is linked with it.
    pub(super) told_contact: Option<ghl::ContactId>,
    /// The customer as the event shows him.
    pub(super) contact: Canonical,
    /// The customer's link, as the steps leave it.
    pub(super) link: Option<Link>,
    /// The guest whom this customer was before he registered; his link becomes the customer's.
    pub(super) guest: Option<Customer>,
    /// When the customer registered, as far as the event or the store tells it.
    pub(super) registered_at: Option<Timestamp>,
    /// When the note or the order was made that the event is about, as far as the store tells it.
    pub(super) made_at: Option<Timestamp>,
    /// What was left out of the contact, and why.
    pub(super) problems: Vec<String>,
    /// The followers that go with the head.
    pub(super) folded: Vec<i64>,
    /// The event's end was written down together with its last step.
    pub(super) finished: AtomicBool,
    /// Until when the lane is ours, in milliseconds since 1970.
    leased_until_ms: AtomicI64,
}

impl Work<'_> {
    /// The event at the head.
    pub(super) fn event(&self) -> &Event {
        &self.claim.head
    }

    /// Whether the customer's link shows a newer state of him than this event does. One dated later than now was dated by a
    /// wrong clock: what a person asks for does not give way to it.
    pub(super) fn is_outdated(&self, link: &Link) -> bool {
        let event = self.event();
        let dated_wrong = event.source == Source::Manual && link.state_at > self.engine.clock.now();
        self.occurred_at < link.state_at && !event.forced && !dated_wrong
    }

    /// Keeps the lane for longer than any call takes. Written only now and then: most events are done long before.
    pub(super) async fn keep_lease(&self) -> Result<(), Verdict> {
        let now = self.engine.clock.now();
        let left_ms = self.leased_until_ms.load(Ordering::Relaxed) - now.as_millisecond();
        let lease_ms = LEASE.as_millis() as i64;
        if left_ms < lease_ms / 4 * 3 {
            self.engine.store.extend_lease(&self.claim.lane, now).await?;
            self.leased_until_ms.store(now.as_millisecond() + lease_ms, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The contact: the customer's, or that of an event of HighLevel's whom no customer is linked with.
    pub(super) fn contact_id(&self) -> Option<&ghl::ContactId> {
        self.link.as_ref().map(|link| &link.contact_id).or(self.told_contact.as_ref())
    }

    /// Keeps what was left out, once.
    pub(super) fn say(&mut self, what: String) {
        if !self.problems.contains(&what) {
            self.problems.push(what);
        }
    }

    /// A result, with what was left out of the contact.
    pub(super) fn with_problems(&self, mut result: Value) -> Value {
        if !self.problems.is_empty() {
            result["left_out"] = json!(self.problems);
        }
        result
    }

    /// A changed link, with the guest's old one dropped.
    pub(super) fn put_link(&mut self, link: Link) -> Vec<LinkChange> {
        let mut changes = vec![LinkChange::Put(link.clone())];
        if let Some(guest) = self.guest.take() {
            changes.push(LinkChange::Drop(link.connection.clone(), guest));
        }
        self.link = Some(link);
        changes
    }
}

/// Carries out a claim. `folded` receives the followers that went with the head.
pub(super) async fn carry_out(engine: &Engine, claim: &Claim, folded: &mut Vec<i64>) -> Verdict {
    match try_carry_out(engine, claim, folded).await {
        Ok(verdict) | Err(verdict) => verdict,
    }
}

async fn try_carry_out(engine: &Engine, claim: &Claim, folded: &mut Vec<i64>) -> Result<Verdict, Verdict> {
    let event = &claim.head;
    let Some(live) = engine.registry.get(&event.connection) else {
        let name = &event.connection;
        return Ok(match engine.registry.unreadable(name) {
            Some(why) => {
                Verdict::park(Code::ConnectionUnusable, format!("connection `{name}` cannot be used: {why}"))
            }
            None => {
                Verdict::park(Code::ConnectionGone, format!("connection `{name}` is gone: make it again"))
            }
        });
    };
    if live.connection.ghl.forbids_its_url() {
        return Ok(in_clear("ghl.api_url", "ghl.allow_plain_http"));
    }
    let Some(client) = &live.ghl else {
        return Ok(Verdict::park(
            Code::ConnectionUnusable,
            "HighLevel cannot be called: correct `ghl.api_url` of the connection",
        ));
    };
    engine.tokens.check(&live).await?;
    let fold = fold::fold(event, &claim.followers, &claim.effects);
    let payload = match fold.newest {
        Some(seq) => parse(&engine.store.payload(seq).await?)?,
        None => parse(&event.payload)?,
    };
    folded.clone_from(&fold.folded);
    // HighLevel's webhooks have no part of that name: all of one is what it tells.
    let payload = if event.source == Source::Ghl { json!({ "data": payload }) } else { payload };
    let continued = continued(event, &payload)?;

    let routes = engine.routes.of_connection(&live.connection);
    let told_contact = told_contact(event);
    let is_theirs = is_highlevels(event, continued.as_ref());
    let (payload, mut mapped, customer) = if is_theirs {
        // What HighLevel calls a user or an order is not what the store does.
        let asked = continued.is_some() || routes.asks_for(&event.trigger());
        let customer = match &told_contact {
            Some(contact) if asked => linked_with(engine, &live, contact).await?,
            _ => None,
        };
        (payload, sync::Mapped::default(), customer)
    } else {
        who(engine, &live, event, payload).await?
    };
    let told_contact = told_contact.filter(|_| customer.is_none());
    // A contact's lane is not that of the customer who is linked with it, and both write his link.
    let _turn = customer.as_ref().map(|customer| turn(engine, &live, customer)).transpose()?;
    let (link, guest) = find_link(engine, &live, customer.as_ref(), &mapped.contact).await?;
    // Many events only name the customer (a cart, a review, a schedule): the link knows more of him.
    let shows_nobody = mapped.contact.is_empty();
    match (&link, &customer) {
        (Some(link), _) if shows_nobody => mapped.contact = link.shadow.cscart.clone(),
        (None, Some(Customer::Guest(email))) if shows_nobody && names_by_address(&payload) => {
            mapped.contact.set(sync::Field::Email, email.clone());
        }
        _ => {}
    }
    let routes = match schedule::route_of(event.source, &event.kind, &payload) {
        Some(route) => routes.only(route),
        None => routes,
    };
    let mut run = routes
        .begin(&Context {
            trigger: &event.trigger(),
            event_id: event.id.to_string(),
            occurred_at: fold.occurred_at,
            connection: &event.connection,
            settings: &live.connection.settings,
            store: payload.get("store").unwrap_or(&Value::Null),
            data: payload.get("data").unwrap_or(&Value::Null),
            contact: &mapped.contact,
            contact_id: link
                .as_ref()
                .map(|link| &link.contact_id)
                .or(told_contact.as_ref())
                .map(ghl::ContactId::as_str),
            today: schedule::day(fold.occurred_at, &live.zone),
            continued: continued.as_ref(),
        })
        .map_err(mistake)?;
    let mut work = Work {
        engine,
        live: &live,
        client,
        claim,
        routes: &routes,
        // What has waited shows the customer as he was then.
        occurred_at: continued.as_ref().map_or(fold.occurred_at, |then| then.occurred_at),
        customer,
        told_contact,
        contact: mapped.contact,
        link,
        guest,
        registered_at: lost::registered_at(&payload).filter(|_| !is_theirs),
        made_at: lost::made_at(&payload).filter(|_| !is_theirs),
        problems: mapped.problems.iter().map(ToString::to_string).collect(),
        folded: fold.folded,
        finished: AtomicBool::new(false),
        leased_until_ms: AtomicI64::new(claim.lane.until.as_millisecond()),
    };
    let mut ahead = Ahead::default();
    let mut left_out = Vec::new();
    for effect in &claim.effects {
        if let Some(reason) = step::left_out(effect) {
            left_out.push(without(&effect.key, reason));
            run.done(&effect.key, &effect.result);
        } else if matches!(effect.state, EffectState::Done | EffectState::Skipped) {
            run.done(&effect.key, &effect.result);
        }
    }
    ahead.look(&mut run);
    if ahead.is_empty() && ahead.ended && ahead.failed.is_none() && !run.has_results() {
        return Ok(match ahead.skipped {
            Some(why) => Verdict::Done { reason: Some(format!("nothing to do: {why}")) },
            None => Verdict::Ignored { reason: "no route handles this type".into() },
        });
    }
    let mut begun: BTreeSet<String> = claim.effects.iter().map(|effect| effect.key.route.clone()).collect();
    let mut lacking = None;
    while let Some(next) = ahead.next(&mut run) {
        let last = lacking.is_none() && left_out.is_empty() && ahead.is_over();
        // What has begun is brought to its end.
        if begun.insert(next.route().to_owned()) {
            guard::check(engine, event, next.route()).await?;
        }
        match next {
            Todo::Step(planned) => {
                let needed = planned.operation.scopes();
                // What only reads need not wait for what may not be written, unless there is nobody yet to read.
                if lacking.is_some() && (work.link.is_none() || !planned.operation.only_reads()) {
                    continue;
                }
                let missing = engine.tokens.missing(&live, &needed).await?;
                if !missing.is_empty() {
                    lacking.get_or_insert(missing);
                    continue;
                }
                let key = planned.key.clone();
                let result = match carry_out_step(&mut work, planned, last).await? {
                    Outcome::Done(result) => result,
                    Outcome::LeftOut(reason, result) => {
                        left_out.push(without(&key, &reason));
                        result
                    }
                    Outcome::Failed(verdict) => {
                        ahead.fail(&mut run, &key.route, verdict);
                        continue;
                    }
                };
                run.linked(work.contact_id().map(ghl::ContactId::as_str));
                run.done(&key, &result);
            }
            // It keeps its place behind what lacks a scope.
            Todo::Delay(_) if lacking.is_some() => {}
            Todo::Delay(delay) => {
                let wait = wait::Wait::begin(&work, &delay, continued.as_ref(), &payload)?;
                run.done(&delay.key, &wait.result);
                ahead.look(&mut run);
                let last = left_out.is_empty() && ahead.is_over();
                wait.write_down(&work, last).await?;
            }
        }
    }
    if let Some(missing) = lacking {
        return Ok(Verdict::park(Code::NeedsScope, engine.tokens.lack(&live, &missing)));
    }
    match ahead.failed {
        Some(verdict) => Ok(verdict),
        None if work.finished.into_inner() => Ok(Verdict::Finished),
        None if left_out.is_empty() => Ok(Verdict::Done { reason: None }),
        None => Ok(Verdict::Done { reason: Some(left_out.join("; ")) }),
    }
}

/// What is to be done, as far as it is known before the results of what comes first.
#[derive(Default)]
struct Ahead {
    todo: VecDeque<Todo>,
    /// Nothing comes after it.
    ended: bool,
    /// Why the first step or route does not run that does not.
    skipped: Option<String>,
    /// How the event ends because of the first route that failed; the others are carried out all the same.
    failed: Option<Verdict>,
}

/// Something to be done.
enum Todo {
    Step(PlannedStep),
    Delay(PlannedDelay),
}

impl Todo {
    fn route(&self) -> &str {
        match self {
            Self::Step(planned) => &planned.key.route,
            Self::Delay(delay) => &delay.key.route,
        }
    }
}

impl Ahead {
    /// Looks as far ahead as the results allow. So a mistake is found before anything of its route is done, where it can be.
    fn look(&mut self, run: &mut Run<'_>) {
        while !self.ended {
            match run.next() {
                Ok(Next::Step(planned)) => self.todo.push_back(Todo::Step(planned)),
                Ok(Next::Delay(delay)) => self.todo.push_back(Todo::Delay(delay)),
                Ok(Next::Skipped(skipped)) => {
                    self.skipped.get_or_insert(skipped.why);
                }
                Ok(Next::Waits) => break,
                Ok(Next::End) => self.ended = true,
                Err(error) => {
                    let route = error.route.clone();
                    self.fail(run, &route, mistake(error));
                }
            }
        }
    }

    fn next(&mut self, run: &mut Run<'_>) -> Option<Todo> {
        self.look(run);
        self.todo.pop_front()
    }

    /// The rest of a route is not carried out.
    fn fail(&mut self, run: &mut Run<'_>, route: &str, verdict: Verdict) {
        run.abandon(route);
        self.todo.retain(|todo| todo.route() != route);
        self.failed.get_or_insert(verdict);
    }

    /// Whether nothing comes any more, and nothing has failed.
    fn is_over(&self) -> bool {
        self.is_empty() && self.ended && self.failed.is_none()
    }

    fn is_empty(&self) -> bool {
        self.todo.is_empty()
    }
}

/// How a step ended with which the event can go on.
enum Outcome {
    /// It is done, with this result.
    Done(Value),
    /// It was refused, for this reason, and is left out with this result.
    LeftOut(String, Value),
    /// It was refused, and with it its route fails; the others go on.
    Failed(Verdict),
}

async fn carry_out_step(work: &mut Work<'_>, planned: PlannedStep, last: bool) -> Result<Outcome, Verdict> {
    let effect = work.claim.effects.iter().find(|effect| effect.key == planned.key);
    // Without the contact the other routes would only be refused the same.
    let is_contact = planned.operation.changes_link();
    let mut step = Step::new(planned.key, planned.operation.name(), effect, last);
    let verdict = match operations::carry_out(work, &mut step, planned.operation).await {
        Ok(()) => return Ok(Outcome::Done(step.outcome().unwrap_or_default())),
        Err(verdict) => verdict,
    };
    // Whether it was refused for good; what may have been done is not, nor what only the bridge's own trouble keeps from it.
    let refused = match &verdict {
        Verdict::Dead { reason } if step.open().is_none() && reason.code != Code::StorageUnreadable => {
            Some(reason.clone())
        }
        _ => None,
    };
    let fails_alone = refused.is_some() && planned.on_error != OnError::Retry && !is_contact;
    let verdict = match (planned.on_error, refused) {
        (OnError::Continue, Some(reason)) => {
            step.leave_out(work, &reason.text).await?;
            return Ok(Outcome::LeftOut(reason.text, step.outcome().unwrap_or_default()));
        }
        (OnError::Retry, Some(reason)) => Verdict::retry(reason),
        _ => verdict,
    };
    // What was tried is kept for whoever wants to know why; a lost lease means that another one writes now.
    if verdict != Verdict::LeaseLost {
        step.fail(work, &verdict).await?;
    }
    if fails_alone { Ok(Outcome::Failed(verdict)) } else { Err(verdict) }
}

/// Says that a step was left out.
fn without(key: &StepKey, reason: &str) -> String {
    format!("done without step `{}` of route `{}`: {reason}", key.step, key.route)
}

fn mistake(error: PlanError) -> Verdict {
    Verdict::dead(Code::RouteMistake, format!("{error}. Mend the route, then replay"))
}

/// Where a route goes on that has waited.
fn continued(event: &Event, payload: &Value) -> Result<Option<Continued>, Verdict> {
    if event.trigger() != flow::CONTINUED {
        return Ok(None);
    }
    let continued = payload.get("continued").unwrap_or(&Value::Null);
    let read = Continued::deserialize(continued).map_err(|error| {
        let text = format!("what has waited cannot be read: {error}. Replay the event that began it");
        Verdict::dead(Code::WrongShape, text)
    })?;
    Ok(Some(read))
}

/// Whether an event tells of somebody without an account by his address alone, which is all that there is to know of him. (A
/// guest's order and checkout show him in full.)
fn names_by_address(payload: &Value) -> bool {
    const PARTS: [&str; 5] = ["cart", "newsletter", "subscriber", "review", "call_request"];
    let data = payload.get("data").unwrap_or(&Value::Null);
    PARTS.iter().any(|part| data.get(part).is_some_and(Value::is_object))
}

fn parse(payload: &[u8]) -> Result<Value, Verdict> {
    serde_json::from_slice(payload).map_err(|error| {
        let text = format!("the stored body cannot be read: {error}. Have the store send it again");
        Verdict::dead(Code::WrongShape, text)
    })
}

/// Whom the event is about, and how it shows him. A resync asks the store.
async fn who(
    engine: &Engine,
    live: &Live,
    event: &Event,
    mut payload: Value,
) -> Result<(Value, sync::Mapped, Option<Customer>), Verdict> {
    let subject: Option<Customer> = event.subject.as_str().parse().ok();
    if event.source == Source::Manual && event.kind == "resync" {
        match &subject {
            Some(Customer::User(id)) => {
                let user = fetch_user(engine, live, *id).await?;
                payload["data"] = json!({ "user": user });
            }
            Some(Customer::Guest(_)) => {
                return Err(Verdict::dead(
                    Code::GuestResync,
                    "a guest has no account in the store to compare with: only registered customers can be resynced",
                ));
            }
            None => {}
        }
    }
    let mapped = shown(live, event, &payload)?;
    Ok((payload, mapped, subject))
}

/// Whether HighLevel has told of it, maybe some time ago.
fn is_highlevels(event: &Event, continued: Option<&Continued>) -> bool {
    event.source == Source::Ghl || continued.is_some_and(|then| then.trigger.starts_with("ghl."))
}

/// The contact that an event of HighLevel's is filed under.
fn told_contact(event: &Event) -> Option<ghl::ContactId> {
    event.subject.as_str().strip_prefix("contact:").map(Into::into)
}

/// The customer who is linked with a contact. While a guest turns into a registered customer it is the latter.
async fn linked_with(
    engine: &Engine,
    live: &Live,
    contact: &ghl::ContactId,
) -> Result<Option<Customer>, Verdict> {
    let links = engine.store.links_of_contact(&live.connection.name, contact).await?;
    let mut customers: Vec<Customer> = links.into_iter().map(|link| link.customer).collect();
    customers.sort_by_key(|customer| matches!(customer, Customer::Guest(_)));
    Ok(customers.into_iter().next())
}

/// The turn of an event at its customer; none while an event of another lane has it.
fn turn<'a>(engine: &'a Engine, live: &Live, customer: &Customer) -> Result<Alone<'a>, Verdict> {
    reconcile::enter(engine, format!("{}/{customer}", live.connection.name))
}

/// The customer as a body of an event shows him.
pub(super) fn shown(live: &Live, event: &Event, body: &Value) -> Result<sync::Mapped, Verdict> {
    let seen = Seen::of_body(&event.kind, event.occurred_at, &live.connection, body);
    let mapped = live.fields.customer(&seen).map_err(|error| {
        Verdict::dead(Code::WrongShape, format!("{error}. Update the store's add-on, then replay"))
    })?;
    Ok(mapped.unwrap_or_default())
}

/// Why a connection that was stored before its URLs were checked is not called.
fn in_clear(url: &str, permission: &str) -> Verdict {
    let text = format!(
        "`{url}` is plain http to another machine: use https://, or allow it with `{permission} = true`"
    );
    Verdict::park(Code::PlainHttp, text)
}

/// The customer as the store's REST API shows him: the short form, without addresses.
pub(super) async fn fetch_user(engine: &Engine, live: &Live, id: u64) -> Result<cscart::User, Verdict> {
    asked(engine, store_client(live)?.users().get(id.into()).await)
}

/// The client of the store's REST API.
pub(super) fn store_client(live: &Live) -> Result<&cscart::Client, Verdict> {
    if live.connection.cscart.forbids_its_url() {
        return Err(in_clear("cscart.url", "cscart.allow_plain_http"));
    }
    live.cscart.as_ref().ok_or_else(|| {
        Verdict::park(
            Code::StoreKeyMissing,
            "the store cannot be asked: give the connection `cscart.email` and `cscart.api_key`",
        )
    })
}

/// What the store has answered, counted.
pub(super) fn asked<T>(engine: &Engine, answer: cscart::Result<T>) -> Result<T, Verdict> {
    let (exchange, outcome) = match answer {
        Ok(answer) => (answer.exchange, Ok(answer.value)),
        Err(failure) => (*failure.exchange, Err(failure.error)),
    };
    engine.monitor.call("cscart", exchange.status.unwrap_or(0), exchange.duration);
    outcome.map_err(|error| verdict::of_cscart(&error, engine.clock.now()))
}

/// The customer's link. One who has registered takes over the link of the guest with his e-mail.
async fn find_link(
    engine: &Engine,
    live: &Live,
    customer: Option<&Customer>,
    contact: &Canonical,
) -> Result<(Option<Link>, Option<Customer>), Verdict> {
    let name = &live.connection.name;
    let Some(customer) = customer else { return Ok((None, None)) };
    if let Some(link) = engine.store.link(name, customer).await? {
        return Ok((Some(link), None));
    }
    let email = contact.shown(&sync::Field::Email);
    if let (Customer::User(_), Some(email)) = (customer, email) {
        let guest = Customer::Guest(email.to_owned());
        if let Some(mut link) = engine.store.link(name, &guest).await? {
            link.customer = customer.clone();
            return Ok((Some(link), Some(guest)));
        }
    }
    Ok((None, None))
}
