//! What the demo prints while it plays.

use std::time::Duration;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;

use crate::clock::Clock;

const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const WARN: Style = AnsiColor::Yellow.on_default();

/// Prints the story, and counts what did not go as it should.
pub(super) struct Timeline {
    clock: Clock,
    began: Timestamp,
    scenes: usize,
    failures: usize,
}

impl Timeline {
    pub(super) fn begin() -> Self {
        println!("\n{BOLD}A store, HighLevel, and the bridge between them{BOLD:#}\n");
        let clock = Clock::system();
        Self { began: clock.now(), clock, scenes: 0, failures: 0 }
    }

    /// Where something is to be found.
    pub(super) fn place(what: &str, url: &str) {
        println!("  {what:<24}{DIM}{url}{DIM:#}");
    }

    /// A new scene.
    pub(super) fn scene(&mut self, title: &str) {
        self.scenes += 1;
        println!("\n{BOLD}{:>2}. {title}{BOLD:#}", self.scenes);
    }

    /// Somebody did something.
    pub(super) fn says(&self, who: &str, what: &str) {
        println!("{} {who:<10} {what}", self.at(self.clock.now()));
    }

    /// A request that HighLevel got, when, and its answer; none: the connection was cut.
    pub(super) fn call(&self, at: Timestamp, request: &str, status: Option<u16>, fault: Option<&str>) {
        let style = match status {
            Some(200..=299) if fault.is_none() => GOOD,
            _ => WARN,
        };
        let answer = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        let fault = fault.map(|fault| format!("  ({})", fault.replace('_', " "))).unwrap_or_default();
        println!("{} HighLevel  ← {request:<46} {style}{answer}{style:#}{DIM}{fault}{DIM:#}", self.at(at));
    }

    /// A promise of this scene: held or not.
    pub(super) fn check(&mut self, held: bool, what: &str) {
        let (mark, style) = if held { ("✓", GOOD) } else { ("✗", BAD) };
        println!("         {style}{mark} {what}{style:#}");
        self.failures += usize::from(!held);
    }

    /// How much did not go as it should.
    pub(super) fn failures(&self) -> usize {
        self.failures
    }

    /// How long it has taken so far.
    pub(super) fn elapsed(&self) -> Duration {
        Duration::try_from(self.clock.now().duration_since(self.began)).unwrap_or_default()
    }

    fn at(&self, at: Timestamp) -> String {
        format!("{DIM}{:>6.2} s{DIM:#}", at.duration_since(self.began).as_secs_f64())
    }
}
