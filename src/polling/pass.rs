//! One poll of one store: what is new, into the inbox, and only then written down as read.

use std::time::Duration;

use cscart::{
    Cursor, Exchange, Failure, Order, OrderId, OrderQuery, OrderSort, SortOrder, User, UserQuery, UserSort,
};
use jiff::{SignedDuration, Timestamp};

use super::told::{Teller, fingerprint};
use crate::clock::Clock;
use crate::inbox::{Inbox, Incoming, ShapeError};
use crate::monitor::Monitor;
use crate::poll_state::{OVERLAP, PollState, SeenOrder, Track};
use crate::reason::{Code, Reason};
use crate::registry::Live;
use crate::store::{self, Store};

/// How far back changed orders are asked for again.
const BACK: SignedDuration = SignedDuration::from_mins(10);
/// Rows in a page: the overlap and what is new should be one call.
const PAGE: u64 = 250;
/// Full orders in a page: each costs the store a dozen queries.
const FULL_PAGE: u64 = 25;
/// Clocks that differ by less count as equal.
const SLACK: SignedDuration = SignedDuration::from_secs(60);

/// Why a poll ended early. What it has read until then is not lost.
#[derive(Debug, thiserror::Error)]
pub(super) enum PollError {
    /// The store did not answer as it should.
    #[error(transparent)]
    Call(#[from] Failure),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// An answer that makes no event.
    #[error(transparent)]
    Shape(#[from] ShapeError),
}

impl PollError {
    /// The cause and what to do.
    pub(super) fn reason(&self) -> Reason {
        match self {
            Self::Call(failure) => (&failure.error).into(),
            Self::Store(error) => error.into(),
            Self::Shape(error) => {
                Reason::new(Code::Internal, format!("what the store gave makes no event: {error}"))
            }
        }
    }

    /// How long the store asked to be left alone.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Call(failure) => failure.error.retry_after(),
            Self::Store(_) | Self::Shape(_) => None,
        }
    }
}

type Result<T> = std::result::Result<T, PollError>;

/// A poll with all that it needs.
pub(super) struct Pass<'a> {
    pub(super) live: &'a Live,
    pub(super) client: &'a cscart::Client,
    pub(super) store: &'a dyn Store,
    pub(super) inbox: &'a Inbox,
    pub(super) clock: &'a Clock,
    pub(super) monitor: &'a Monitor,
}

impl Pass<'_> {
    /// Reads what is new; answers how many events that made.
    pub(super) async fn run(&self) -> Result<usize> {
        let name = &self.live.connection.name;
        let url = &self.live.connection.cscart.url;
        let stored = self.store.poll_state(name).await?.filter(|state| state.url == *url);
        let Some(state) = stored else {
            let state = self.begin().await?;
            self.store.put_poll_state(name, &state).await?;
            return Ok(0);
        };
        let mut reading =
            Reading { pass: self, saved: state.clone(), state, events: 0, ahead: SignedDuration::ZERO };
        reading.users().await?;
        reading.orders().await?;
        reading.changed_orders().await?;
        Ok(reading.events)
    }

    /// The beginning: what is there now is no news.
    async fn begin(&self) -> Result<PollState> {
        let newest = UserQuery {
            sort_by: UserSort::Id,
            sort_order: SortOrder::Descending,
            items_per_page: Some(OVERLAP as u64),
            ..UserQuery::default()
        };
        let users = self.answered(self.client.users().list(&newest).await)?;
        let began_at = users.exchange.server_time.unwrap_or_else(|| self.clock.now());
        let newest = OrderQuery {
            sort_by: OrderSort::Id,
            sort_order: SortOrder::Descending,
            items_per_page: Some(OVERLAP as u64),
            ..OrderQuery::default()
        };
        let orders = self.answered(self.client.orders().list(&newest).await)?;
        let (users, orders) = (users.value, orders.value);
        let users_seen = users.items.iter().filter_map(|user| Some((user.user_id?.0, fingerprint(user))));
        let orders_seen = orders.items.iter().map(|order| (order.order_id.0, seen(order)));
        Ok(PollState {
            url: self.live.connection.cscart.url.clone(),
            revision: 0,
            began_at,
            users: beginning(users_seen.collect(), users.total_items),
            orders: beginning(orders_seen.collect(), orders.total_items),
            orders_changed_to: began_at,
        })
    }

    /// Counts a call.
    fn answered<T>(&self, answer: cscart::Result<T>) -> Result<cscart::Answer<T>> {
        let exchange = match &answer {
            Ok(answer) => &answer.exchange,
            Err(failure) => &*failure.exchange,
        };
        self.monitor.call("cscart", exchange.status.unwrap_or(0), exchange.duration);
        Ok(answer?)
    }
}

/// A track that begins behind what is there.
fn beginning<T>(seen: std::collections::BTreeMap<u64, T>, total: Option<u64>) -> Track<T> {
    let start = seen.last_key_value().map_or(0, |(id, _)| *id);
    let after = seen.first_key_value().map_or(0, |(id, _)| id - 1);
    let rows = total.unwrap_or(0).saturating_sub(seen.len() as u64);
    Track { start, after, rows, seen }
}

fn seen(order: &Order) -> SeenOrder {
    SeenOrder {
        status: order.status.clone().unwrap_or_default(),
        updated_at: order.updated_at.map(Timestamp::as_second),
    }
}

/// A poll under way.
struct Reading<'a> {
    pass: &'a Pass<'a>,
    state: PollState,
    /// What is on disk of it.
    saved: PollState,
    events: usize,
    /// How far the store's clock is ahead, as its last answer said.
    ahead: SignedDuration,
}

impl Reading<'_> {
    /// New customers, and changes of the newest ones.
    async fn users(&mut self) -> Result<()> {
        let query = UserQuery { items_per_page: Some(PAGE), ..UserQuery::default() };
        let Track { after, rows, .. } = self.state.users;
        let mut scan = self.pass.client.users().scan(&query).from(Cursor { after, rows });
        while let Some(page) = scan.next().await {
            let page = self.heard(page)?;
            for user in &page.items {
                self.user(user).await?;
            }
            let Cursor { after, rows } = scan.cursor();
            self.state.users.moved(after, rows);
            self.save().await?;
        }
        Ok(())
    }

    async fn user(&mut self, user: &User) -> Result<()> {
        let Some(id) = user.user_id.map(u64::from) else { return Ok(()) };
        let print = fingerprint(user);
        let before = self.state.users.seen.get(&id);
        if before == Some(&print) {
            return Ok(());
        }
        let is_old = before.is_none() && id <= self.state.users.start;
        let is_new = before.is_none() && user.timestamp.is_none_or(|at| at >= self.state.began_at - SLACK);
        if !is_old {
            // A new row with an old date of registration was imported: that is no reason to welcome anybody.
            let incoming = if is_new {
                self.teller().customer("customer.created", &format!("poll:user:{id}:new"), user)
            } else {
                let source_id = format!("poll:user:{id}:{print}:{}", self.state.revision);
                self.teller().customer("customer.updated", &source_id, user)
            };
            self.append(incoming?).await?;
        }
        self.state.users.seen.insert(id, print);
        Ok(())
    }

    /// New orders, and the status of the newest ones.
    async fn orders(&mut self) -> Result<()> {
        let query = OrderQuery { items_per_page: Some(PAGE), ..OrderQuery::default() };
        let Track { after, rows, .. } = self.state.orders;
        let mut scan = self.pass.client.orders().scan(&query).from(Cursor { after, rows });
        while let Some(page) = scan.next().await {
            let page = self.heard(page)?;
            for order in &page.items {
                let id = order.order_id.0;
                let status = order.status.as_deref().unwrap_or_default();
                match self.state.orders.seen.get(&id) {
                    Some(before) if before.status == status => {}
                    None if id <= self.state.orders.start => {
                        self.state.orders.seen.insert(id, seen(order));
                    }
                    _ => {
                        if let Some(order) = self.in_full(order.order_id).await? {
                            self.order(&order).await?;
                        }
                    }
                }
            }
            let Cursor { after, rows } = scan.cursor();
            self.state.orders.moved(after, rows);
            self.save().await?;
        }
        Ok(())
    }

    /// Older orders that were changed, where the store lists them by that.
    async fn changed_orders(&mut self) -> Result<()> {
        let known = self.pass.client.lists_orders_by_change().await;
        if self.pass.answered(known)?.value != Some(true) {
            return Ok(());
        }
        let from = self.state.orders_changed_to.checked_sub(BACK).unwrap_or(Timestamp::UNIX_EPOCH);
        let query = OrderQuery {
            updated_from: Some(from),
            full: true,
            items_per_page: Some(FULL_PAGE),
            ..OrderQuery::default()
        };
        let mut scan = self.pass.client.orders().scan(&query);
        let mut newest = self.state.orders_changed_to;
        let mut now = None;
        while let Some(page) = scan.next().await {
            if let Ok(answer) = &page {
                now = now.or(answer.exchange.server_time);
            }
            let page = self.heard(page)?;
            for order in &page.items {
                let changed_at = order.updated_at.unwrap_or(self.state.began_at);
                newest = newest.max(changed_at);
                match self.state.orders.seen.get_mut(&order.order_id.0) {
                    Some(before) if *before == seen(order) => {}
                    // From before polling began, and never seen in full.
                    Some(before) if before.updated_at.is_none() && changed_at < self.state.began_at => {
                        *before = seen(order);
                    }
                    None if order.order_id.0 <= self.state.orders.start
                        && changed_at < self.state.began_at => {}
                    _ => self.order(order).await?,
                }
            }
            self.save().await?;
        }
        // A time that has not come yet by the store's own clock was written while that was wrong.
        self.state.orders_changed_to = newest.min(now.unwrap_or(newest)).max(self.state.began_at);
        self.save().await
    }

    /// An order in full; none: it is gone again.
    async fn in_full(&self, id: OrderId) -> Result<Option<Order>> {
        match self.pass.answered(self.pass.client.orders().get(id).await) {
            Ok(answer) => Ok(Some(answer.value)),
            Err(PollError::Call(failure)) if matches!(failure.error, cscart::Error::NotFound { .. }) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// A full order that is new or has changed since it was last seen.
    async fn order(&mut self, order: &Order) -> Result<()> {
        let id = order.order_id.0;
        let now_seen = seen(order);
        let before = self.state.orders.seen.get(&id).cloned();
        let incoming = if before.is_none() && id > self.state.orders.start {
            let is_guests =
                order.user_id.is_none() && order.email.as_ref().is_some_and(|email| !email.is_empty());
            if is_guests {
                let guest = self.teller().guest(&format!("poll:order:{id}:guest"), order)?;
                self.append(guest).await?;
            }
            self.teller().order("order.created", &format!("poll:order:{id}:new"), order, "")
        } else {
            let at = now_seen.updated_at.unwrap_or_default();
            let source_id = format!("poll:order:{id}:{}:{at}:{}", now_seen.status, self.state.revision);
            match &before {
                Some(before) if before.status == now_seen.status => {
                    self.teller().order("order.updated", &source_id, order, "")
                }
                before => {
                    let previous = before.as_ref().map_or("", |before| before.status.as_str());
                    self.teller().order("order.status_changed", &source_id, order, previous)
                }
            }
        };
        self.append(incoming?).await?;
        self.state.orders.seen.insert(id, now_seen);
        Ok(())
    }

    fn teller(&self) -> Teller<'_> {
        Teller { url: &self.state.url, ahead: self.ahead, now: self.pass.clock.now() }
    }

    async fn append(&mut self, incoming: Incoming) -> Result<()> {
        let appended = self.pass.inbox.append(&self.pass.live.connection.name, incoming).await?;
        self.events += usize::from(!appended.duplicate);
        Ok(())
    }

    /// Writes down what was read, unless that is on disk already.
    async fn save(&mut self) -> Result<()> {
        self.state.trim();
        if self.state != self.saved {
            self.state.revision += 1;
            self.pass.store.put_poll_state(&self.pass.live.connection.name, &self.state).await?;
            self.saved = self.state.clone();
        }
        Ok(())
    }

    /// Counts a call, and notes what time it is in the store.
    fn heard<T>(&mut self, answer: cscart::Result<T>) -> Result<T> {
        let answer = self.pass.answered(answer)?;
        self.ahead = ahead(&answer.exchange, self.pass.clock.now());
        Ok(answer.value)
    }
}

/// How far the store's clock is ahead.
fn ahead(exchange: &Exchange, now: Timestamp) -> SignedDuration {
    let ahead = exchange.server_time.map_or(SignedDuration::ZERO, |there| there.duration_since(now));
    if ahead.abs() < SLACK { SignedDuration::ZERO } else { ahead }
}
