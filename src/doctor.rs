//! Looks whether everything is there that a connection needs, and says what to do about what is not.
//!
//! Nothing is changed: HighLevel and the store are only read, a pair of tokens is renewed only as the bridge itself would
//! do it (once, and durably), and the one event that is stored is a `ping`, which no route carries out.

mod bridge;
mod highlevel;
mod net;
mod patient;
mod restored;
mod store;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use crate::clock::Clock;
use crate::connection::{ConnectionName, PollingMode};
use crate::polling::is_polled;
use crate::reason::{Code, Reason};
use crate::registry::Live;
use crate::tokens::Tokens;
use patient::{House, Patient};

/// The longest that one check takes.
const LIMIT: Duration = Duration::from_secs(10);

/// What a check has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It is as it should be.
    Good(String),
    /// It works, and may not for long or not for everything.
    Warning(Reason),
    /// It does not work.
    Failed(Reason),
    /// It could not be looked at, or there is nothing to look at: why.
    Skipped(String),
}

impl Finding {
    fn warning(code: Code, text: impl Into<String>) -> Self {
        Self::Warning(Reason::new(code, text))
    }

    fn failed(code: Code, text: impl Into<String>) -> Self {
        Self::Failed(Reason::new(code, text))
    }

    /// The finding in one word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Good(_) => "ok",
            Self::Warning(_) => "warning",
            Self::Failed(_) => "failed",
            Self::Skipped(_) => "skipped",
        }
    }

    /// What was found, and what to do about it.
    pub fn text(&self) -> &str {
        match self {
            Self::Good(text) | Self::Skipped(text) => text,
            Self::Warning(reason) | Self::Failed(reason) => &reason.text,
        }
    }

    /// The kind of what is wrong.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Good(_) | Self::Skipped(_) => None,
            Self::Warning(reason) | Self::Failed(reason) => Some(reason.code),
        }
    }
}

/// What a check is about: the bridge as a whole, or one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// The bridge.
    Bridge,
    /// A connection.
    Connection(ConnectionName),
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bridge => f.write_str("The bridge"),
            Self::Connection(name) => write!(f, "Connection {name}"),
        }
    }
}

/// Who hears of each check as it goes on.
pub trait Tell {
    /// A check begins, which may take a while.
    fn begins(&mut self, about: &About, check: &'static str);
    /// It has ended.
    fn ended(&mut self, about: &About, check: &'static str, finding: &Finding);
}

/// What became of all checks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many found something that does not work.
    pub failed: usize,
    /// How many found something that may not work for long.
    pub warnings: usize,
}

/// Makes the checks one after the other and keeps count.
struct Chart<'a> {
    tell: &'a mut dyn Tell,
    about: About,
    summary: Summary,
}

impl Chart<'_> {
    /// Makes a check within [`LIMIT`]; answers whether what depends on it can be looked at.
    async fn check(&mut self, check: &'static str, look: impl Future<Output = Finding>) -> bool {
        self.tell.begins(&self.about, check);
        let finding = tokio::time::timeout(LIMIT, look).await.unwrap_or_else(|_| {
            let seconds = LIMIT.as_secs();
            Finding::failed(
                Code::TooSlow,
                format!("no answer within {seconds} seconds: try again later, and look at the network and firewalls between"),
            )
        });
        self.note(check, &finding)
    }

    /// Notes what was found without waiting for anything.
    fn note(&mut self, check: &'static str, finding: &Finding) -> bool {
        match finding {
            Finding::Failed(_) => self.summary.failed += 1,
            Finding::Warning(_) => self.summary.warnings += 1,
            Finding::Good(_) | Finding::Skipped(_) => {}
        }
        self.tell.ended(&self.about, check, finding);
        matches!(finding, Finding::Good(_) | Finding::Warning(_))
    }

    /// Notes checks that cannot be made.
    fn skip(&mut self, checks: &[&'static str], why: &str) {
        for check in checks {
            self.note(check, &Finding::Skipped(why.to_owned()));
        }
    }
}

/// What the checks of one connection work with.
struct Examination<'a> {
    house: &'a House,
    patient: &'a Patient,
    tokens: &'a Tokens,
    clock: &'a Clock,
    /// How the bridge learns what happens in the store.
    news: News,
}

/// How the bridge learns what happens in a store.
#[derive(Debug, Clone, Copy)]
struct News {
    /// By asking, as the bridge itself decides it.
    polled: bool,
    /// Its add-on was heard.
    heard: bool,
    /// Its add-on may yet tell: the reason why it was never heard may be one that the checks find.
    awaited: bool,
}

impl News {
    async fn of(house: &House, live: &Live) -> Result<Self, Reason> {
        let heard = house.store.addon_heard(&live.connection.name).await;
        let heard = heard.map_err(|error| Reason::from(&error))?;
        let side = &live.connection.cscart;
        let awaited = side.polling != PollingMode::On && !side.webhook_secrets.is_empty();
        Ok(Self { polled: is_polled(side, heard), heard, awaited })
    }
}

/// Makes all checks: of the bridge, and of one connection or all. None: there is no connection of this name.
pub async fn examine(
    file: Option<&Path>,
    name: Option<&ConnectionName>,
    clock: &Clock,
    tell: &mut dyn Tell,
) -> Option<Summary> {
    let mut chart = Chart { tell, about: About::Bridge, summary: Summary::default() };
    let Some(house) = patient::house(&mut chart, file).await else {
        chart.skip(&["connections"], "the bridge itself is not in order yet");
        return Some(chart.summary);
    };
    let mut patients = house.patients();
    if let Some(name) = name {
        patients.retain(|patient| patient.name == *name);
        if patients.is_empty() {
            return None;
        }
    }
    if patients.is_empty() {
        let text = "there is no connection yet: write one into the configuration, or make one with `cartbridge connection add`";
        chart.note("connections", &Finding::warning(Code::Configuration, text));
    }
    let tokens = house.tokens(clock);
    for patient in &patients {
        chart.about = About::Connection(patient.name.clone());
        if !chart.note("configuration", &patient.finding()) && patient.connection.is_none() {
            continue;
        }
        if let Some(finding) = restored::finding(&house, &patient.name).await {
            chart.note("restore", &finding);
        }
        let Some(live) = house.live(patient, clock) else { continue };
        let news = match News::of(&house, &live).await {
            Ok(news) => news,
            Err(reason) => {
                chart.note("database", &Finding::Failed(reason));
                continue;
            }
        };
        let examination = Examination { house: &house, patient, tokens: &tokens, clock, news };
        highlevel::examine(&mut chart, &examination, &live).await;
        store::examine(&mut chart, &examination, &live).await;
        bridge::examine(&mut chart, &examination, &live).await;
    }
    // A new pair of tokens that is on its way to the disk is the only good one.
    tokens.finish().await;
    Some(chart.summary)
}
