//! How far a job has come, in words and numbers: on a terminal in place, elsewhere now and then as a line.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::clock::in_words;
use crate::jobs::{JobState, JobView};

/// Rates are those of so long back: what was done before that, another step perhaps, went at another pace.
const LATELY: Duration = Duration::from_secs(20);
/// A rate of less time than this is none.
const ENOUGH: Duration = Duration::from_secs(3);
/// How often a line is written where there is no terminal, as long as the step is the same.
const LINE_EVERY: Duration = Duration::from_secs(30);
/// How long a window of HighLevel's rate limit is, in seconds.
const WINDOW: f64 = 10.0;
/// A job that begins within this time need not say that it has not begun.
const SOON: Duration = Duration::from_secs(2);
/// So much has its place in a line on a terminal.
const SHORT: usize = 78;

/// Shows how far a job has come.
pub(super) struct Progress {
    bar: ProgressBar,
    /// The state and the step that it was in.
    at: (&'static str, &'static str),
    pace: Pace,
    began: Instant,
    written: Option<Instant>,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self {
            bar: ProgressBar::no_length(),
            at: ("", ""),
            pace: Pace::default(),
            began: Instant::now(),
            written: None,
        }
    }

    /// Shows a job as it is now. `allowed`: how many calls in a window are meant for it.
    pub(super) fn show(&mut self, view: &JobView, allowed: u32) {
        let now = Instant::now();
        if view.state == JobState::Queued.as_str() && now.duration_since(self.began) < SOON {
            return;
        }
        let at = (view.state, view.step);
        let is_next = std::mem::replace(&mut self.at, at) != at;
        if is_next {
            self.pace = Pace::default();
        }
        self.pace.note(now, view);
        let tail = tail(view, &self.pace, f64::from(allowed) / WINDOW);
        if self.bar.is_hidden() {
            if is_next || self.written.is_none_or(|written| now.duration_since(written) >= LINE_EVERY) {
                self.written = Some(now);
                let apart = if tail.is_empty() { "" } else { "; " };
                eprintln!("{}{apart}{tail}", headline(view));
            }
            return;
        }
        let (done, all) = stretch(view);
        // Without a known end there is no bar: an empty one would be full.
        let template = match all {
            Some(_) => "[{bar:12}] {wide_msg}\n{prefix}",
            None => "{wide_msg}\n{prefix}",
        };
        self.bar.set_message(headline(view));
        self.bar.set_prefix(shortened(&tail));
        if let Some(all) = all {
            self.bar.set_length(all);
            self.bar.set_position(done.min(all));
        }
        if is_next {
            let style = ProgressStyle::with_template(template);
            self.bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        }
        self.bar.tick();
    }

    /// Takes it away again.
    pub(super) fn end(self) {
        self.bar.finish_and_clear();
    }
}

/// How much of the step is behind, and how much there is, where that is known.
fn stretch(view: &JobView) -> (u64, Option<u64>) {
    let (done, all) = match view.step {
        "contacts" => (view.contacts_read, view.contacts),
        "customers" | "ending" => (view.done, view.customers),
        _ => (0, None),
    };
    (done, all.filter(|all| *all > 0))
}

/// What it is at, and how far that is.
fn headline(view: &JobView) -> String {
    let of = |all: Option<u64>| all.map(|all| format!(" of {all}")).unwrap_or_default();
    if view.state == JobState::Queued.as_str() {
        return "queued: it begins when no other job of the connection runs".to_owned();
    }
    match view.step {
        "counting" => "counting both sides".to_owned(),
        "choosing" => "finding out which customers to look at".to_owned(),
        "contacts" => format!("reading contacts: {}{}", view.contacts_read, of(view.contacts)),
        "customers" => {
            let under_way = if view.open > 0 {
                format!(", {} done, {} being sent", view.done, view.open)
            } else {
                String::new()
            };
            format!("{}{} customers examined{under_way}", view.examined, of(view.customers))
        }
        "leftovers" => "looking for contacts whose customer is gone".to_owned(),
        "ending" if view.open > 0 => {
            format!("sending: {}{} customers done, {} being sent", view.done, of(view.customers), view.open)
        }
        _ => format!("ending: {}{} customers done", view.done, of(view.customers)),
    }
}

/// Calls to be made, rate, use of the limit (in calls a second), time left, and why it waits.
fn tail(view: &JobView, pace: &Pace, limit: f64) -> String {
    let mut told = Vec::new();
    if let Some(calls) = view.calls_left.filter(|calls| *calls > 0) {
        // Of customers who were not compared yet each may need one.
        let about = if view.examined == 0 { "at most" } else { "about" };
        told.push(format!("{about} {calls} calls to make"));
    }
    if let Some(rate) = pace.calls().filter(|rate| *rate > 0.0) {
        told.push(format!("{rate:.1} a second ({:.0} % of the limit)", (rate / limit * 100.0).min(100.0)));
    }
    if let Some(seconds) = left(view, pace, limit) {
        told.push(format!("{} left", in_words(seconds.max(1))));
    }
    if let Some(reason) = &view.reason {
        told.push(format!("waits: {reason}"));
    }
    told.join(", ")
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHORT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Seconds until it is done: the calls that are left at the rate of late, or else at that of the limit; and the customers who are
/// left, at the rate at which they were compared of late.
fn left(view: &JobView, pace: &Pace, limit: f64) -> Option<u64> {
    let calls = view.calls_left? as f64;
    let by_calls = calls / pace.calls().filter(|rate| *rate > 0.0).unwrap_or(limit).min(limit);
    let unexamined = view.customers.map(|all| all.saturating_sub(view.examined)).unwrap_or_default();
    let by_customers = pace.examined().filter(|rate| *rate > 0.0).map(|rate| unexamined as f64 / rate);
    let seconds = by_calls.max(by_customers.unwrap_or_default());
    (seconds > 0.0).then(|| seconds.ceil() as u64)
}

/// What was done of late.
#[derive(Default)]
struct Pace {
    /// When, calls, customers compared.
    seen: VecDeque<(Instant, u64, u64)>,
}

impl Pace {
    fn note(&mut self, now: Instant, view: &JobView) {
        self.seen.push_back((now, view.calls, view.examined));
        while self.seen.front().is_some_and(|(at, ..)| now.duration_since(*at) > LATELY) {
            self.seen.pop_front();
        }
    }

    /// Calls a second.
    fn calls(&self) -> Option<f64> {
        self.rate(|(_, calls, _)| *calls)
    }

    /// Customers compared a second.
    fn examined(&self) -> Option<f64> {
        self.rate(|(.., examined)| *examined)
    }

    fn rate(&self, of: impl Fn(&(Instant, u64, u64)) -> u64) -> Option<f64> {
        let (first, last) = self.seen.front().zip(self.seen.back())?;
        let passed = last.0.duration_since(first.0);
        (passed >= ENOUGH).then(|| of(last).saturating_sub(of(first)) as f64 / passed.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::{Job, JobKind, Options, Outcome, Place};

    /// An import of 1000 customers that has come this far.
    fn view(place: Place, outcomes: &[(Outcome, i64)]) -> JobView {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let mut job = Job::new("my-shop".parse().unwrap(), JobKind::Import, Options::default(), now);
        job.state = JobState::Running;
        job.place = place;
        job.progress.customers = Some(1000);
        job.progress.contacts = Some(2000);
        job.progress.contacts_read = 500;
        for (outcome, count) in outcomes {
            job.progress.outcomes.count(*outcome, *count);
        }
        JobView::new(&job, now, 100)
    }

    #[test]
    fn what_is_told_is_what_is_going_on() {
        let customers = Place::Customers { page: 4, last: 300, total: None };
        let half = [(Outcome::Created, 100), (Outcome::Equal, 100), (Outcome::Open, 100)];
        for (view, told, bar) in [
            (
                view(Place::Counting, &[]),
                "counting both sides; at most 1000 calls to make, 100 seconds left",
                None,
            ),
            (
                view(Place::Contacts { after: Vec::new() }, &[]),
                "reading contacts: 500 of 2000; at most 1015 calls to make, 102 seconds left",
                Some(2000),
            ),
            (
                view(customers, &half),
                "300 of 1000 customers examined, 200 done, 100 being sent; about 567 calls to make, 57 seconds left",
                Some(1000),
            ),
            (
                view(Place::Ending, &[(Outcome::Created, 900), (Outcome::Open, 100)]),
                "sending: 900 of 1000 customers done, 100 being sent; about 100 calls to make, 10 seconds left",
                Some(1000),
            ),
            (
                view(Place::Ending, &[(Outcome::Equal, 1000)]),
                "ending: 1000 of 1000 customers done; ",
                Some(1000),
            ),
        ] {
            assert_eq!(format!("{}; {}", headline(&view), tail(&view, &Pace::default(), 10.0)), told);
            assert_eq!(stretch(&view).1, bar, "{told}");
        }
    }

    #[test]
    fn the_time_left_goes_by_the_rate_of_late_and_never_by_more_than_the_limit() {
        let customers = Place::Customers { page: 4, last: 300, total: None };
        let mut now = view(customers, &[(Outcome::Created, 200), (Outcome::Open, 100)]);
        let began = Instant::now();
        let mut pace = Pace::default();
        pace.note(began, &now);
        now.calls = 50;
        pace.note(began + Duration::from_secs(10), &now);
        assert_eq!(left(&now, &pace, 10.0), Some(160), "800 calls at 5 a second");
        now.calls = 500;
        pace.note(began + Duration::from_secs(20), &now);
        assert_eq!(left(&now, &pace, 10.0), Some(80));
        assert_eq!(left(&now, &pace, 2.0), Some(400), "where others have most of the limit");
    }
}
