//! The circuit breaker of a location: while HighLevel does not work there, nothing is sent but one probe now and then.
//!
//! ```text
//! closed ──FAILURES in a row, of several lanes──▶ open ──its time is over──▶ half open: one probe
//!    ▲                                              ▲                            │
//!    └───────────────── answered ───────────────────┼────────────────────────────┤
//!                                                   └── failed: longer ──────────┘
//! ```
//!
//! A failure is a call that was not answered, or by 408, 425 or 5xx. A refusal is an answer, and so is a 429: the budget sees
//! to that. One customer whose calls always fail is no outage, so the failures must be of several lanes.
//!
//! An own small machine: the crates for it (`failsafe`, `recloser`) have clocks of their own, cannot be asked before there is
//! work, and do not tell lanes apart.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::{Clock, after};

/// So many calls in a row fail until it opens.
const FAILURES: u32 = 10;
/// Of at least so many lanes.
const LANES: usize = 3;
/// The first time for which it stays open; each failed probe doubles it.
const FIRST: Duration = Duration::from_secs(1);
/// The longest time.
const LONGEST: Duration = Duration::from_mins(1);

/// The breaker of one location.
#[derive(Debug)]
pub struct Breaker {
    clock: Clock,
    /// Names the location in the log.
    location: String,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// Changes with each opening and closing: what began before says nothing any more.
    era: u64,
}

#[derive(Debug)]
enum Phase {
    Closed { failures: u32, lanes: HashSet<String> },
    Open { until: Timestamp, probes: u32, probing: bool },
}

impl Phase {
    fn closed() -> Self {
        Self::Closed { failures: 0, lanes: HashSet::new() }
    }
}

/// How much may be begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admits {
    /// Everything: it is closed.
    All,
    /// One probe, or none while there is one under way: it is half open.
    Probe,
    /// Nothing before that time: it is open.
    Nothing(Timestamp),
}

/// The right to make one call. Say what came of it.
#[derive(Debug)]
pub struct Pass {
    breaker: Arc<Breaker>,
    era: u64,
    probe: bool,
    told: bool,
}

impl Breaker {
    /// A closed breaker.
    pub fn new(clock: Clock, location: String) -> Self {
        Self { clock, location, state: Mutex::new(State { phase: Phase::closed(), era: 0 }) }
    }

    /// How much may be begun now.
    pub fn admits(&self) -> Admits {
        match self.state().phase {
            Phase::Closed { .. } => Admits::All,
            Phase::Open { until, .. } if until > self.clock.now() => Admits::Nothing(until),
            Phase::Open { .. } => Admits::Probe,
        }
    }

    /// Lets a call pass, or says when to ask again.
    pub fn enter(self: &Arc<Self>) -> Result<Pass, Timestamp> {
        let now = self.clock.now();
        let mut state = self.state();
        let era = state.era;
        let probe = match &mut state.phase {
            Phase::Closed { .. } => false,
            Phase::Open { until, .. } if *until > now => return Err(*until),
            Phase::Open { probing: true, .. } => return Err(after(now, FIRST)),
            Phase::Open { probing, .. } => {
                *probing = true;
                true
            }
        };
        Ok(Pass { breaker: Arc::clone(self), era, probe, told: false })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, state: &mut State, probes: u32, why: &str) {
        // Half fixed, half random, so that many locations do not come back together.
        let longest = FIRST.saturating_mul(1 << probes.min(16)).min(LONGEST).as_millis() as u64;
        let wait = Duration::from_millis(longest / 2 + rand::random_range(0..=longest / 2));
        let until = after(self.clock.now(), wait);
        if probes == 0 {
            tracing::error!(
                location.id = self.location,
                "HighLevel does not work for location {}: {why}. Nothing is sent there until a probe is answered; the next \
                 one is made at {until}",
                self.location
            );
        }
        state.phase = Phase::Open { until, probes, probing: false };
        state.era += 1;
    }
}

impl Pass {
    /// HighLevel has answered, whatever it said.
    pub fn answered(mut self) {
        self.told = true;
        let breaker = Arc::clone(&self.breaker);
        let mut state = breaker.state();
        if state.era != self.era {
            return;
        }
        if self.probe {
            tracing::warn!(
                location.id = breaker.location,
                "HighLevel works again for location {}: everything goes on",
                breaker.location
            );
            state.era += 1;
        }
        state.phase = Phase::closed();
    }

    /// HighLevel has not answered, or that it cannot. `lane`: whose call it was.
    pub fn failed(mut self, lane: &str, why: &str) {
        self.told = true;
        let breaker = Arc::clone(&self.breaker);
        let mut state = breaker.state();
        if state.era != self.era {
            return;
        }
        match &mut state.phase {
            Phase::Open { probes, .. } => {
                let probes = *probes + 1;
                breaker.open(&mut state, probes, why);
            }
            Phase::Closed { failures, lanes } => {
                *failures += 1;
                if lanes.len() < LANES {
                    lanes.insert(lane.to_owned());
                }
                if *failures >= FAILURES && lanes.len() >= LANES {
                    breaker.open(&mut state, 0, why);
                }
            }
        }
    }
}

/// A probe that was never made makes room for another.
impl Drop for Pass {
    fn drop(&mut self) {
        if self.told || !self.probe {
            return;
        }
        let mut state = self.breaker.state();
        if state.era == self.era
            && let Phase::Open { probing, .. } = &mut state.phase
        {
            *probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker() -> (Clock, Arc<Breaker>) {
        let clock = Clock::system();
        (clock.clone(), Arc::new(Breaker::new(clock, "location".into())))
    }

    fn fail(breaker: &Arc<Breaker>, lane: &str) {
        breaker.enter().unwrap().failed(lane, "HighLevel cannot be reached");
    }

    fn opened() -> (Clock, Arc<Breaker>) {
        let (clock, breaker) = breaker();
        (0..FAILURES).for_each(|n| fail(&breaker, &format!("customer:{n}")));
        assert!(matches!(breaker.admits(), Admits::Nothing(_)), "{breaker:?}");
        (clock, breaker)
    }

    #[test]
    fn failures_of_several_lanes_in_a_row_open_it() {
        let (_, breaker) = opened();
        assert!(breaker.enter().is_err());
    }

    #[test]
    fn an_answer_between_or_one_lane_alone_opens_nothing() {
        let (_, breaker) = breaker();
        for n in 0..20 {
            fail(&breaker, &format!("customer:{n}"));
            if n % 3 == 0 {
                breaker.enter().unwrap().answered();
            }
        }
        breaker.enter().unwrap().answered();
        for _ in 0..100 {
            fail(&breaker, "customer:666");
        }
        assert_eq!(breaker.admits(), Admits::All);
    }

    #[test]
    fn exactly_one_probe_is_made_and_an_answer_closes_it() {
        let (clock, breaker) = opened();
        clock.advance(LONGEST);
        assert_eq!(breaker.admits(), Admits::Probe);
        let probe = breaker.enter().unwrap();
        assert!(breaker.enter().is_err(), "one at a time");
        drop(probe);
        let probe = breaker.enter().expect("one that was not made makes room for another");
        probe.answered();
        assert_eq!(breaker.admits(), Admits::All);
        fail(&breaker, "customer:1");
        assert_eq!(breaker.admits(), Admits::All, "it counts anew");
    }

    #[test]
    fn failed_probes_keep_it_open_ever_longer_up_to_a_limit() {
        let (clock, breaker) = opened();
        let mut waits = Vec::new();
        for _ in 0..12 {
            clock.advance(LONGEST);
            fail(&breaker, "customer:1");
            let Admits::Nothing(until) = breaker.admits() else { panic!("{breaker:?}") };
            waits.push(Duration::try_from(until.duration_since(clock.now())).unwrap());
        }
        assert!(waits[0] <= FIRST * 2 && waits[11] >= LONGEST * 9 / 20 && waits[11] <= LONGEST, "{waits:?}");
    }

    #[test]
    fn what_began_before_it_opened_says_nothing_about_now() {
        let (_, breaker) = breaker();
        let (slow, slower) = (breaker.enter().unwrap(), breaker.enter().unwrap());
        (0..FAILURES).for_each(|n| fail(&breaker, &format!("customer:{n}")));
        slow.answered();
        slower.failed("customer:9", "a timeout");
        assert!(matches!(breaker.admits(), Admits::Nothing(_)));
    }
}
