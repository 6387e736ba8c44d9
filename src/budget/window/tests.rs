//! A window against a model of HighLevel: limiters of both kinds, requests and answers that are under way for any time and
//! overtake each other, and others who use the same limit.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::*;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + ms).unwrap()
}

/// HighLevel's side.
#[derive(Debug)]
struct Limiter {
    max: usize,
    length: i64,
    /// A window that slides; else one that begins anew at multiples of its length.
    slides: bool,
    counted: VecDeque<i64>,
}

impl Limiter {
    /// Whether a request passes, and how many remain.
    fn admit(&mut self, now: i64) -> (bool, u64) {
        let oldest = if self.slides { now - self.length + 1 } else { now - now.rem_euclid(self.length) };
        while self.counted.front().is_some_and(|at| *at < oldest) {
            self.counted.pop_front();
        }
        let passes = self.counted.len() < self.max;
        if passes {
            self.counted.push_back(now);
        }
        (passes, (self.max - self.counted.len()) as u64)
    }
}

/// What is tried.
#[derive(Debug, Clone)]
struct World {
    slides: bool,
    max: usize,
    /// How long a request, and an answer, are under way: at least, and how much longer at most.
    latency: (i64, i64),
    /// How many others send in a window, and between which times.
    others: (i64, i64, i64),
    seed: u64,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happens {
    Look,
    Arrives(usize),
    Answered { id: usize, passed: bool, remaining: u64 },
    Other,
}

/// What came of it.
#[derive(Debug, Default)]
struct Outcome {
    /// When each of ours was let through, and was refused.
    passed: Vec<i64>,
    refused: Vec<i64>,
}

const LENGTH_MS: i64 = 10_000;
/// As many as the engine works on at the same time.
const WORKERS: usize = 32;

/// Sends as much as the window lets, for so many milliseconds.
fn run(world: &World, for_ms: i64) -> Outcome {
    let mut random = StdRng::seed_from_u64(world.seed);
    let mut limiter =
        Limiter { max: world.max, length: LENGTH_MS, slides: world.slides, counted: VecDeque::new() };
    let mut window = Window::new(None);
    let mut sent: Vec<Option<Sent>> = Vec::new();
    let mut outcome = Outcome::default();
    let mut agenda = BinaryHeap::from([Reverse((0, Happens::Look))]);
    let (rate, from, to) = world.others;
    let mut looks_at = 0;
    if rate > 0 {
        agenda.push(Reverse((from, Happens::Other)));
    }
    while let Some(Reverse((now, happens))) = agenda.pop() {
        if now > for_ms {
            break;
        }
        let mut under_way = || world.latency.0 + random.random_range(0..=world.latency.1);
        match happens {
            Happens::Look => {}
            Happens::Arrives(id) => {
                let (passed, remaining) = limiter.admit(now);
                if passed {
                    outcome.passed.push(now);
                } else {
                    outcome.refused.push(now);
                }
                agenda.push(Reverse((now + under_way(), Happens::Answered { id, passed, remaining })));
            }
            Happens::Answered { id, passed, remaining } => {
                let mut limit = RateLimit::default();
                limit.max = Some(world.max as u64);
                limit.remaining = Some(remaining);
                limit.interval = Some(Duration::from_millis(LENGTH_MS as u64));
                let end = if passed { End::Answered(&limit) } else { End::Refused(&limit) };
                window.over(&sent[id].take().unwrap(), at(now), end);
                if !passed {
                    window.close(at(now), None);
                }
            }
            Happens::Other => {
                limiter.admit(now);
                let next = now + (LENGTH_MS / rate).max(1);
                if next < to {
                    agenda.push(Reverse((next, Happens::Other)));
                }
            }
        }
        while window.under_way < WORKERS && window.free(at(now)) > 0 {
            agenda.push(Reverse((now + under_way(), Happens::Arrives(sent.len()))));
            sent.push(Some(window.send(at(now))));
        }
        if window.under_way < WORKERS
            && let Some(opens) = window.opens(at(now))
        {
            let opens = opens.as_millisecond() - at(0).as_millisecond();
            assert!(opens > now, "it opens in the past, and is closed");
            if looks_at <= now || opens < looks_at {
                looks_at = opens;
                agenda.push(Reverse((opens, Happens::Look)));
            }
        }
    }
    outcome
}

fn alone() -> impl Strategy<Value = World> {
    (any::<bool>(), 1usize..200, 0i64..1_000, 0i64..3_000, any::<u64>()).prop_map(
        |(slides, max, least, jitter, seed)| World {
            slides,
            max,
            latency: (least, jitter),
            others: (0, 0, 0),
            seed,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// However long requests and answers are under way, and whatever kind of window it is.
    #[test]
    fn alone_it_is_never_refused(world in alone()) {
        let outcome = run(&world, 12 * LENGTH_MS);
        prop_assert_eq!(outcome.refused, Vec::<i64>::new());
    }

    /// Round trips that differ by up to 80 ms.
    #[test]
    fn alone_it_uses_at_least_98_percent_of_what_is_allowed(
        slides: bool, least in 0i64..500, jitter in 0i64..=40, seed: u64
    ) {
        let world = World { slides, max: 100, latency: (least, jitter), others: (0, 0, 0), seed };
        let outcome = run(&world, 40 * LENGTH_MS);
        prop_assert!(outcome.passed.len() * 100 >= 40 * 100 * 98, "{}", outcome.passed.len());
    }

    /// Others who begin at any time, and send any part of the limit.
    #[test]
    fn it_makes_room_for_others_within_a_window(
        slides: bool, rate in 5i64..90, from in 0i64..30_000, least in 0i64..200, jitter in 0i64..100, seed: u64
    ) {
        let world = World { slides, max: 100, latency: (least, jitter), others: (rate, from, i64::MAX), seed };
        let outcome = run(&world, 20 * LENGTH_MS);
        // One window to be told of them.
        let known = from + LENGTH_MS + 1_000;
        let late = outcome.refused.iter().filter(|at| **at > known).count();
        let passed = outcome.passed.iter().filter(|at| **at > known).count();
        let windows = (20 * LENGTH_MS - known) / LENGTH_MS + 1;
        // One in the mean; the worst of 20,000 random worlds had 5.1, where a rush was under way as others filled a window.
        prop_assert!(late as i64 <= 7 * windows, "{late} refused in {windows} windows");
        let left = (100 - rate) * windows;
        prop_assert!(passed as i64 * 2 >= left, "{passed} of {left}");
    }

    /// Others who have stopped.
    #[test]
    fn it_takes_everything_again_when_others_have_stopped(
        slides: bool, rate in 5i64..95, seed: u64
    ) {
        let world = World { slides, max: 100, latency: (50, 50), others: (rate, 10_000, 60_000), seed };
        let outcome = run(&world, 20 * LENGTH_MS);
        // Their last request counts for a window; what was seen of them is believed for two.
        let passed = outcome.passed.iter().filter(|at| **at > 90_000).count();
        prop_assert!(passed * 100 >= 11 * 100 * 98, "{passed}");
    }
}
