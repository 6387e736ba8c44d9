//! The short limit: so many requests in a window, whoever sends them.
//!
//! # When a request counts
//!
//! HighLevel counts a request when it arrives there: some time between its leaving here and its answer. Whether its window is
//! fixed or slides is not documented; a window that slides is the stricter reading, and what fits it fits both. So a place is
//! taken from the moment a request leaves until a window after its **answer**, not after its leaving: it may have been long
//! under way. That would cost a round trip a window. But the next request is under way for a while, too, before it counts. The
//! quickest round trip of late is what both of them needed at least, so a place is free again that much earlier. What is lost
//! is by how much round trips differ, and a margin of one hundredth of a window. But some day one will be quicker than the
//! quickest so far, and the more they differ, the quicker: so what is taken for granted is as far below the quickest as the
//! mean is above it, and with fewer than [`RoundTrips::ENOUGH`] answers it is nothing.
//!
//! # What others use
//!
//! An answer tells how many places were left when HighLevel looked at the request: `max − remaining` were taken then. Answers
//! come out of order, and what is under way may or may not be among those. What is certain: of ours no more can be counted than
//! had a place when the request left, itself included, and those that left between that and its answer. The rest was taken by
//! others. So alone we never blame anybody, however late an answer comes; with others, what they took is underestimated by no
//! more than what was under way, and the last answers of a rush tell it exactly. It is assumed that others go on as they do:
//! the most that was seen counts for the rest of the window and for the next one. Waiting until `remaining` is 0 would be too
//! late.
//!
//! # The beginning
//!
//! Whatever was sent before a restart still counts there, and the limit may not be the documented one. So the first request
//! leaves alone, and the others wait for what its answer says.

use std::collections::VecDeque;
use std::time::Duration;

use ghl::RateLimit;
use jiff::Timestamp;

use super::{after, between};

/// Requests in a window, as documented (HighLevel, "OAuth 2.0: Authorization", rate limits).
const MAX: u32 = 100;
/// The window, as documented there.
const LENGTH: Duration = Duration::from_secs(10);

/// The places of one window.
#[derive(Debug)]
pub(super) struct Window {
    /// The limit, once an answer has told it.
    max: Option<u32>,
    length: Duration,
    /// What of the limit is meant for the bridge; none: all.
    share: Option<u32>,
    /// Some answer has said what holds.
    taught: bool,
    /// How many have left and are not answered.
    under_way: usize,
    /// When those were answered that still have a place, oldest first.
    answered: VecDeque<Timestamp>,
    /// How many have ever left.
    sent: u64,
    /// Nothing may leave before: a 429 said so.
    closed_until: Option<Timestamp>,
    round_trips: RoundTrips,
    others: Others,
}

/// What is remembered of a request that has left.
#[derive(Debug)]
pub(super) struct Sent {
    at: Timestamp,
    /// How many of ours had a place then, itself included.
    places: u64,
    /// How many had ever left then, itself included.
    number: u64,
    /// How many were under way then, itself included.
    under_way: usize,
}

/// How a request ended.
#[derive(Debug, Clone, Copy)]
pub(super) enum End<'a> {
    /// With an answer; what its headers say.
    Answered(&'a RateLimit),
    /// With a 429; what its headers say.
    Refused(&'a RateLimit),
    /// Without an answer: it may have arrived as late as now.
    Unknown,
}

impl Window {
    pub(super) fn new(share: Option<u32>) -> Self {
        Self {
            max: None,
            length: LENGTH,
            share,
            taught: false,
            under_way: 0,
            answered: VecDeque::new(),
            sent: 0,
            closed_until: None,
            round_trips: RoundTrips::default(),
            others: Others::default(),
        }
    }

    /// Says what of the limit is meant for the bridge.
    pub(super) fn set_share(&mut self, share: Option<u32>) {
        self.share = share;
    }

    /// How long a window is.
    pub(super) fn length(&self) -> Duration {
        self.length
    }

    /// How many may leave now.
    pub(super) fn free(&mut self, now: Timestamp) -> usize {
        self.forget(now);
        if self.closed_until.is_some() {
            return 0;
        }
        if !self.taught {
            return usize::from(self.under_way == 0);
        }
        self.capacity(now).saturating_sub(self.places())
    }

    /// How many of ours fit into a window: at least one, or we should never learn that there is room again.
    pub(super) fn capacity(&mut self, now: Timestamp) -> usize {
        let others = self.others.now(now, self.length);
        let left = self.limit().saturating_sub(others);
        // They come and go: with others about, a little is left free for more of them.
        let room = if others > 0 { left.min(others) / 8 + 1 } else { 0 };
        let rest = left.saturating_sub(room);
        self.share.map_or(rest, |share| share.min(rest)).max(1) as usize
    }

    /// The limit, whoever uses it. As long as nothing else is told, what the connection says holds, even where it is more.
    fn limit(&self) -> u32 {
        self.max.or(self.share).unwrap_or(MAX)
    }

    /// What others have used, as far as is known.
    pub(super) fn used_by_others(&mut self, now: Timestamp) -> u32 {
        self.others.now(now, self.length)
    }

    /// Until when a 429 keeps it closed.
    pub(super) fn closed(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.forget(now);
        self.closed_until
    }

    /// When one may leave again; none: now, or as soon as an answer comes.
    pub(super) fn opens(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.forget(now);
        if self.closed_until.is_some() {
            return self.closed_until;
        }
        if !self.taught || self.free(now) > 0 {
            return None;
        }
        let excess = self.places() - self.capacity(now);
        let keeps = self.keeps();
        let freed = self.answered.get(excess).map(|answered| after(*answered, keeps));
        // Should others be counted for less before that, there is room earlier.
        match (freed, self.others.changes()) {
            (Some(freed), Some(changes)) => {
                Some(freed.min(changes.max(after(now, Duration::from_millis(1)))))
            }
            (freed, changes) => freed.or(changes.filter(|changes| *changes > now)),
        }
    }

    /// A request leaves.
    pub(super) fn send(&mut self, now: Timestamp) -> Sent {
        self.forget(now);
        self.under_way += 1;
        self.sent += 1;
        Sent { at: now, places: self.places() as u64, number: self.sent, under_way: self.under_way }
    }

    /// It has not left after all.
    pub(super) fn unsent(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// A request is over.
    pub(super) fn over(&mut self, sent: &Sent, now: Timestamp, end: End<'_>) {
        self.under_way = self.under_way.saturating_sub(1);
        let limit = match end {
            End::Refused(limit) => {
                // It took no place, or others would seem to use as much less.
                self.sent -= 1;
                limit
            }
            End::Answered(limit) => {
                self.answered.push_back(now);
                limit
            }
            End::Unknown => {
                self.answered.push_back(now);
                return;
            }
        };
        self.taught = true;
        self.round_trips.saw(between(sent.at, now), now);
        if let Some(max) = limit.max.filter(|max| *max > 0) {
            self.max = Some(u32::try_from(max).unwrap_or(u32::MAX));
        }
        if let Some(length) = limit.interval.filter(|length| !length.is_zero()) {
            self.length = length.min(Duration::from_hours(1));
        }
        if let Some(remaining) = limit.remaining {
            let taken = u64::from(self.limit()).saturating_sub(remaining);
            let others = taken.saturating_sub((sent.places + self.sent).saturating_sub(sent.number));
            self.others.saw(u32::try_from(others).unwrap_or(u32::MAX), now, self.length);
        }
    }

    /// Of ours, how many HighLevel may not have counted yet when it answered this one.
    pub(super) fn uncounted(&self, sent: &Sent) -> u64 {
        self.sent.saturating_sub(sent.number) + sent.under_way as u64
    }

    /// After a 429: closed until the time HighLevel gave, else for a window.
    pub(super) fn close(&mut self, now: Timestamp, retry_after: Option<Duration>) -> Timestamp {
        let until = after(now, retry_after.unwrap_or(self.length).min(Duration::from_hours(24)));
        let until = self.closed_until.map_or(until, |before| before.max(until));
        self.closed_until = Some(until);
        until
    }

    /// How many of ours have a place.
    fn places(&self) -> usize {
        self.under_way + self.answered.len()
    }

    /// How long after its answer a request keeps its place.
    pub(super) fn keeps(&self) -> Duration {
        let margin = (self.length / 100).max(Duration::from_millis(2));
        (self.length + margin).saturating_sub(self.round_trips.least().min(self.length / 10))
    }

    /// Gives back the places of those that count no more.
    fn forget(&mut self, now: Timestamp) {
        let keeps = self.keeps();
        while self.answered.front().is_some_and(|answered| between(*answered, now) >= keeps) {
            self.answered.pop_front();
        }
        self.closed_until = self.closed_until.filter(|until| *until > now);
    }
}

/// The round trips of the last minute or two.
#[derive(Debug, Default)]
struct RoundTrips {
    since: Option<Timestamp>,
    now: Seen,
    before: Seen,
}

#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    least: Duration,
    total: Duration,
    count: u32,
}

impl RoundTrips {
    /// With fewer answers the quickest of them need not be quick.
    const ENOUGH: u32 = 50;
    /// How long one part of what is remembered lasts.
    const PART: Duration = Duration::from_mins(1);

    fn saw(&mut self, took: Duration, now: Timestamp) {
        let age = self.since.map_or(Duration::MAX, |since| between(since, now));
        if age >= Self::PART {
            self.before = if age < Self::PART * 2 { self.now } else { Seen::default() };
            self.now = Seen::default();
            self.since = Some(now);
        }
        let least = if self.now.count == 0 { took } else { self.now.least.min(took) };
        self.now = Seen { least, total: self.now.total.saturating_add(took), count: self.now.count + 1 };
    }

    /// What every round trip takes at least, in all likelihood.
    fn least(&self) -> Duration {
        let count = self.now.count + self.before.count;
        if count < Self::ENOUGH {
            return Duration::ZERO;
        }
        let seen = [self.now, self.before].into_iter().filter(|seen| seen.count > 0);
        let quickest = seen.map(|seen| seen.least).min().unwrap_or_default();
        let mean = self.now.total.saturating_add(self.before.total) / count;
        let certain = quickest.saturating_sub(mean.saturating_sub(quickest));
        // Times are counted in whole milliseconds.
        Duration::from_millis(certain.as_millis() as u64)
    }
}

/// The most that others were seen to use in this window and the one before.
#[derive(Debug, Default)]
struct Others {
    ends: Option<Timestamp>,
    now: u32,
    before: u32,
}

impl Others {
    fn saw(&mut self, used: u32, now: Timestamp, window: Duration) {
        self.turn(now, window);
        self.now = self.now.max(used);
    }

    fn now(&mut self, now: Timestamp, window: Duration) -> u32 {
        self.turn(now, window);
        self.now.max(self.before)
    }

    /// When they will be counted for less if nothing else is seen.
    fn changes(&self) -> Option<Timestamp> {
        self.ends.filter(|_| self.now.max(self.before) > 0)
    }

    fn turn(&mut self, now: Timestamp, window: Duration) {
        let Some(ends) = self.ends else {
            self.ends = Some(after(now, window));
            return;
        };
        if now >= ends {
            self.before = if between(ends, now) < window { self.now } else { 0 };
            self.now = 0;
            self.ends = Some(after(now, window));
        }
    }
}

#[cfg(test)]
mod tests;
