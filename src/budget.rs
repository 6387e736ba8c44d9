//! What is left of HighLevel's rate limit for one app in one location, and who may use it next.
//!
//! Documented are 100 requests in 10 seconds and 200,000 a day; what the headers of the answers say wins. How requests are
//! counted, how others are noticed and how it begins: `budget/window.rs`. The day: `budget/day.rs`. Who goes first:
//! `budget/turns.rs`, and how a backfill leaves room for him: `budget/pace.rs`.

mod day;
mod pace;
mod turns;
mod window;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ghl::RateLimit;
use jiff::Timestamp;
use tokio::sync::Notify;

use crate::clock::{Clock, after};
use crate::priority::Priority;
use day::Day;
use pace::Pace;
use turns::Turns;
use window::{End, Sent, Window};

/// For how long a request waits for a limit that is certainly closed: a little longer than a window.
const PATIENCE: Duration = Duration::from_secs(15);
/// For how long a request waits at all: others may always be more urgent. A lane is held meanwhile.
const LONGEST: Duration = Duration::from_secs(45);
/// How soon a waiting request looks again, whatever it expects: a clock may be set.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// So many lanes wait for a place at the same time, so that none stays unused while the next lane is being claimed.
const FEW: usize = 8;

/// The budget of one app in one location.
#[derive(Debug)]
pub struct Budget {
    clock: Clock,
    state: Mutex<State>,
    /// A place may have become free, or another may be next.
    changed: Notify,
}

#[derive(Debug)]
struct State {
    window: Window,
    day: Day,
    turns: Turns,
    pace: Pace,
    /// Who waits, by rank, the first in front.
    waiting: [VecDeque<u64>; 4],
    numbers: u64,
    stopped: bool,
    /// The end of the day for which the log says that it is used up.
    logged: Option<Timestamp>,
}

/// Why no request may leave for longer than it would be worth to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The short limit is used up until then.
    Window(Timestamp),
    /// The day's limit is used up until then.
    Day(Timestamp),
    /// What of the day is meant for a backfill is used up until then.
    Reserve(Timestamp),
    /// The bridge is stopping.
    Stopped,
}

/// What is left, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// How many requests may leave in a window, as far as is known.
    pub allowed: usize,
    /// How many may leave now.
    pub now: usize,
    /// How many of a window others use.
    pub used_by_others: u32,
    /// How many wait for their turn.
    pub waiting: usize,
    /// How many are left of the day.
    pub today: u64,
    /// Nothing leaves before.
    pub closed_until: Option<Timestamp>,
}

/// The right to send one request now. Give it back with what came of it.
#[derive(Debug)]
pub struct Place {
    budget: Arc<Budget>,
    sent: Option<Sent>,
}

impl Budget {
    /// A budget of at most `share` requests in a window; none: all that HighLevel allows.
    pub fn new(clock: Clock, share: Option<u32>) -> Self {
        let state = State {
            window: Window::new(share),
            day: Day::new(clock.now()),
            turns: Turns::default(),
            pace: Pace::default(),
            waiting: Default::default(),
            numbers: 0,
            stopped: false,
            logged: None,
        };
        Self { clock, state: Mutex::new(state), changed: Notify::new() }
    }

    /// Says what of the limit is meant for the bridge from now on.
    pub fn set_share(&self, share: Option<u32>) {
        self.state().window.set_share(share);
    }

    /// Waits until a request of this class may leave, and counts it. Whoever would have to wait long is told until when
    /// instead: he holds a lane and its lease meanwhile.
    pub async fn take(self: &Arc<Self>, class: Priority) -> Result<Place, Closed> {
        let longest = after(self.clock.now(), LONGEST);
        let waiter = Waiter::new(self, class);
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let wait = match waiter.look(longest) {
                Look::Taken(sent) => return Ok(Place { budget: Arc::clone(self), sent: Some(sent) }),
                Look::Closed(closed) => return Err(closed),
                Look::Wait(wait) => wait.clamp(Duration::from_millis(1), LOOK_AGAIN),
            };
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// How many of at most `most` lanes are worth working on at the same time: as many as calls may leave, and a few that wait
    /// for the next places. While everything is closed for long, all: none of them calls, and each is told until when.
    pub fn worth(&self, most: usize) -> usize {
        let now = self.clock.now();
        let mut state = self.state();
        if state.closed(Priority::Person, now).is_some() {
            return most;
        }
        state.window.free(now).max(FEW).min(most)
    }

    /// What is left.
    pub fn left(&self) -> Left {
        let now = self.clock.now();
        let mut state = self.state();
        let today = state.day.closed(Priority::Person, now);
        Left {
            allowed: state.window.capacity(now),
            now: if today.is_some() { 0 } else { state.window.free(now) },
            used_by_others: state.window.used_by_others(now),
            waiting: state.waiting.iter().map(VecDeque::len).sum(),
            today: if today.is_some() { 0 } else { state.day.left() },
            closed_until: today.or_else(|| state.window.closed(now)),
        }
    }

    /// Closes the budget after a 429: until the time HighLevel gave, else for a window, or for the rest of the day.
    pub fn close(&self, retry_after: Option<Duration>, daily: bool) -> Closed {
        let now = self.clock.now();
        let mut state = self.state();
        if daily {
            Closed::Day(state.day.close(now, retry_after))
        } else {
            Closed::Window(state.window.close(now, retry_after))
        }
    }

    /// Nobody shall wait any more: the bridge is stopping. Who need not wait finishes what he has begun.
    pub fn stop(&self) {
        self.state().stopped = true;
        self.changed.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What keeps a class from sending for longer than [`PATIENCE`].
    fn closed(&mut self, class: Priority, now: Timestamp) -> Option<Closed> {
        let far = after(now, PATIENCE);
        let why = match self.day.closed(Priority::Person, now) {
            Some(_) => Closed::Day,
            None => Closed::Reserve,
        };
        let day = self.day.closed(class, now).filter(|until| *until > far).map(why);
        day.or_else(|| self.window.closed(now).filter(|until| *until > far).map(Closed::Window))
    }

    /// Says once, not for each event, that the day is used up.
    fn log(&mut self, closed: Closed) {
        if let Closed::Day(until) = closed
            && self.logged.is_none_or(|logged| logged < until)
        {
            self.logged = Some(until);
            tracing::warn!(
                "HighLevel's limit for the day is used up for a location: its events are parked until {until}"
            );
        }
    }

    /// Which classes wait for a place that they could take.
    fn waits(&mut self, now: Timestamp) -> [bool; 4] {
        Priority::ALL.map(|class| {
            !self.waiting[class.rank()].is_empty()
                && self.day.closed(class, now).is_none()
                && self.paced(class, now).is_none()
        })
    }

    /// When a class may send that has to leave room for others; none: now.
    fn paced(&mut self, class: Priority, now: Timestamp) -> Option<Timestamp> {
        if class != Priority::Backfill {
            return None;
        }
        self.pace.opens(now, self.window.capacity(now), self.window.keeps())
    }

    /// A request of a class leaves.
    fn send(&mut self, class: Priority, now: Timestamp) -> Sent {
        if class == Priority::Backfill {
            self.pace.took(now, self.window.capacity(now), self.window.keeps());
        }
        self.day.send(now);
        self.window.send(now)
    }
}

impl Place {
    /// The request was answered; what its headers say is learnt.
    pub fn answered(mut self, limit: &RateLimit) {
        self.over(End::Answered(limit));
    }

    /// The request was refused by a 429. See also [`Budget::close`].
    pub fn refused(mut self, limit: &RateLimit) {
        self.over(End::Refused(limit));
    }

    /// The request has not left.
    pub fn unused(mut self) {
        if self.sent.take().is_some() {
            let mut state = self.budget.state();
            state.window.unsent();
            state.day.unsent();
            drop(state);
            self.budget.changed.notify_waiters();
        }
    }

    fn over(&mut self, end: End<'_>) {
        let Some(sent) = self.sent.take() else { return };
        let now = self.budget.clock.now();
        let mut state = self.budget.state();
        state.window.over(&sent, now, end);
        if let End::Answered(limit) | End::Refused(limit) = end {
            let uncounted = state.window.uncounted(&sent);
            state.day.learn(limit, uncounted, now);
        }
        drop(state);
        self.budget.changed.notify_waiters();
    }
}

/// Without an answer it may have arrived all the same.
impl Drop for Place {
    fn drop(&mut self) {
        self.over(End::Unknown);
    }
}

/// One who waits in the queue of his class, until he is dropped.
struct Waiter<'a> {
    budget: &'a Budget,
    class: Priority,
    number: u64,
}

enum Look {
    Taken(Sent),
    Wait(Duration),
    Closed(Closed),
}

impl<'a> Waiter<'a> {
    fn new(budget: &'a Budget, class: Priority) -> Self {
        let mut state = budget.state();
        state.numbers += 1;
        let number = state.numbers;
        state.waiting[class.rank()].push_back(number);
        drop(state);
        Self { budget, class, number }
    }

    /// Takes a place if it is this one's turn and one is free.
    fn look(&self, longest: Timestamp) -> Look {
        let now = self.budget.clock.now();
        let mut state = self.budget.state();
        if let Some(closed) = state.closed(self.class, now) {
            state.log(closed);
            return Look::Closed(closed);
        }
        let waits = state.waits(now);
        let in_front = state.waiting[self.class.rank()].front() == Some(&self.number);
        let next = in_front && state.turns.next(waits) == Some(self.class);
        if next && state.window.free(now) > 0 {
            state.turns.took(self.class, waits);
            return Look::Taken(state.send(self.class, now));
        }
        if state.stopped {
            return Look::Closed(Closed::Stopped);
        }
        let paced = state.paced(self.class, now);
        let opens = state.day.closed(self.class, now).or_else(|| state.window.opens(now)).max(paced);
        if now >= longest {
            return Look::Closed(Closed::Window(opens.unwrap_or_else(|| after(now, state.window.length()))));
        }
        // Who is not next is woken when he may be; who waits for an answer is woken when it comes.
        let is_told = next || in_front && paced.is_some();
        Look::Wait(opens.filter(|_| is_told).map_or(LOOK_AGAIN, |opens| between(now, opens)))
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut state = self.budget.state();
        state.waiting[self.class.rank()].retain(|number| *number != self.number);
        drop(state);
        self.budget.changed.notify_waiters();
    }
}

/// From one time to a later one; nothing if it is not later.
fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::from_millis(to.duration_since(from).as_millis().max(0) as u64)
}

#[cfg(test)]
mod tests;
