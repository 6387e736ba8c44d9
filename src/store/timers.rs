//! Timers: what is to happen at a time, whether or not the bridge was stopped meanwhile.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;
use crate::connection::ConnectionName;
use crate::event::EventId;
use crate::timer::Timer;

/// What is kept of timers. All methods are safe to repeat.
#[async_trait]
pub trait TimerStore: Send + Sync {
    /// Puts a timer outside of an event, in place of the one of its key if there is one.
    async fn put_timer(&self, timer: Timer) -> Result<()>;
    /// The timers that are due at `now`, the longest due first.
    async fn due_timers(&self, now: Timestamp, limit: usize) -> Result<Vec<Timer>>;
    /// When the next timer is due; none: there is no timer.
    async fn next_timer(&self) -> Result<Option<Timestamp>>;
    /// Stores a timer's event ([`Timer::event`]) and takes the timer away, or moves it to `again`, in one transaction. Answers the
    /// event's id; none: the timer is not there any more as it is given, because it was fired, dropped or begun anew.
    async fn fire_timer(
        &self,
        timer: &Timer,
        again: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Option<EventId>>;
    /// Takes a timer away, or moves it to `again`, without an event; answers whether it was still there as it is given.
    async fn pass_timer(&self, timer: &Timer, again: Option<Timestamp>) -> Result<bool>;
    /// Takes the timer of a key away, whenever it is due; answers whether there was one.
    async fn drop_timer(&self, connection: &ConnectionName, key: &str) -> Result<bool>;
    /// Timers, of one connection or of all, the next due first.
    async fn timers(&self, connection: Option<&ConnectionName>, limit: usize) -> Result<Vec<Timer>>;
    /// All timers whose key begins so.
    async fn timers_named(&self, prefix: &str) -> Result<Vec<Timer>>;
}
