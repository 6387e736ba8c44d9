//! Jobs: what is done for every customer of a store, in the background, and goes on where it was.
//!
//! An import or a resync reads the location's contacts by pages into a scratch table, then the store's customers by pages, and
//! compares. Equal customers cost no call of their own. For each other one an event `manual.import` goes into the inbox, in the
//! transaction that moves the job on: so it is filed once, whatever happens, and the engine carries it out like any other
//! event, after everything that is live. A verification compares and sends nothing.

mod ask;
mod calls;
mod compare;
mod custom_fields;
mod customers;
mod estimate;
mod examine;
mod item;
mod report;
mod runner;
mod scan;
mod step;
mod verify;
mod view;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::connection::ConnectionName;
use crate::event::NotAnId;

pub use ask::{cancel, pause, resume};
pub use estimate::{ALLOWED, Asked, Estimate, allowed, estimate};
pub use item::{Counts, Item, Outcome, Plan};
pub use report::{Format, Report, partial};
pub use runner::Runner;
pub use view::JobView;

/// Identifies a job: a `UUIDv7`, so ids sort by when they were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub Uuid);

impl JobId {
    /// A new id.
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

impl Default for JobId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for JobId {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| NotAnId)
    }
}

/// Makes the words of an enum, and reads them back.
macro_rules! words {
    ($name:ident, $what:literal, $($variant:ident = $word:literal),+ $(,)?) => {
        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in the API, on the command line and in the database.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|it| it.as_str() == text).ok_or_else(|| {
                    let all: Vec<_> = Self::ALL.iter().map(|it| it.as_str()).collect();
                    format!("`{text}` is not {} ({})", $what, all.join(", "))
                })
            }
        }
    };
}
use words;

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobKind {
    /// The store's customers become contacts.
    Import,
    /// Customers are compared on both sides, and differences repaired.
    Resync,
    /// Customers are compared on both sides; nothing is sent.
    Verify,
}
words!(JobKind, "a kind of job", Import = "import", Resync = "resync", Verify = "verify");

/// How far a job has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Waits until the connection's other job has ended.
    Queued,
    /// Is being carried out.
    Running,
    /// A person has stopped it for now.
    Paused,
    /// Everything is done.
    Done,
    /// It cannot go on by itself; resumed, it goes on where it was.
    Failed,
    /// A person has ended it.
    Cancelled,
}
words!(
    JobState,
    "a state of a job",
    Queued = "queued",
    Running = "running",
    Paused = "paused",
    Done = "done",
    Failed = "failed",
    Cancelled = "cancelled",
);

impl JobState {
    /// Whether it does nothing more unless a person asks for it.
    pub fn is_over(self) -> bool {
        match self {
            Self::Done | Self::Failed | Self::Cancelled => true,
            Self::Queued | Self::Running | Self::Paused => false,
        }
    }
}

/// How many contacts a page of HighLevel's search has unless it is said; up to 500 are allowed, and 100 is safe.
pub const PAGE_SIZE: u32 = 100;

/// What a person may choose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Compare only, and report what would be done.
    pub dry_run: bool,
    /// How many contacts are read with one call, 1 to 500; none: [`PAGE_SIZE`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_size: Option<u32>,
    /// Only so many customers, spread over the whole store (a verification).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<u32>,
    /// Only customers who are new since then, or have events or orders (a resync).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

impl Options {
    /// Whether they fit a kind of job; otherwise what is wrong with them.
    pub fn check(&self, kind: JobKind) -> Result<(), String> {
        if let Some(size) = self.page_size.filter(|size| !(1..=500).contains(size)) {
            return Err(format!("`page_size` is {size} and must be 1 to 500"));
        }
        if self.sample == Some(0) {
            return Err("`sample` is 0: leave it out to look at all".to_owned());
        }
        if self.sample.is_some() && kind != JobKind::Verify {
            return Err(format!("`sample` is for a verification: a job of kind `{kind}` looks at all"));
        }
        if self.since.is_some() && kind != JobKind::Resync {
            return Err(format!("`since` is for a resync: a job of kind `{kind}` looks at all"));
        }
        Ok(())
    }

    /// Whether only some customers are looked at. Then each one's contact is looked up by itself; otherwise the location is
    /// read by pages.
    pub fn is_partial(&self) -> bool {
        self.sample.is_some() || self.since.is_some()
    }
}

/// Where a job goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case", deny_unknown_fields)]
pub enum Place {
    /// Both sides are to be counted.
    Counting,
    /// It is to be found out which customers are looked at.
    Choosing {
        /// The next page of the store's orders (or of its customers, for a sample).
        page: u64,
    },
    /// The location's contacts are being read.
    Contacts {
        /// After which one the next page begins, in HighLevel's form.
        #[serde(default)]
        after: Vec<Value>,
    },
    /// The store's customers are being compared.
    Customers {
        /// The page on which the next one is.
        page: u64,
        /// The last one whose outcome is written.
        last: u64,
        /// How many there were when that page was read: with fewer, what comes next has moved forward.
        #[serde(default)]
        total: Option<u64>,
    },
    /// Contacts that no customer has turned out to be are being told.
    Leftovers {
        /// The last one.
        after: String,
    },
    /// The last events are being carried out.
    Ending,
}

/// What there is, what is done, and what it has cost. Also what a step adds to that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Progress {
    /// How many customers are looked at.
    pub customers: Option<u64>,
    /// How many contacts the location has.
    pub contacts: Option<u64>,
    /// How many of these were read.
    pub contacts_read: u64,
    /// How many customers are at each outcome.
    pub outcomes: Counts,
    /// Calls to HighLevel, those of the events among them.
    pub calls: u64,
    /// Calls to the store.
    pub store_calls: u64,
}

impl Progress {
    /// Adds what a step has done.
    pub fn add(&mut self, step: &Self) {
        self.customers = step.customers.or(self.customers);
        self.contacts = step.contacts.or(self.contacts);
        self.contacts_read += step.contacts_read;
        self.calls += step.calls;
        self.store_calls += step.store_calls;
        self.outcomes.add(&step.outcomes);
    }

    /// How many customers are done with.
    pub fn done(&self) -> u64 {
        self.outcomes.ended()
    }

    /// How many customers were compared: those that are done with, and those whose events are under way.
    pub fn examined(&self) -> u64 {
        self.done() + self.outcomes.of(Outcome::Open)
    }
}

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// The connection.
    pub connection: ConnectionName,
    /// What it does.
    pub kind: JobKind,
    /// What was chosen.
    pub options: Options,
    /// How far it has come.
    pub state: JobState,
    /// Why it waits, has failed or was stopped.
    pub reason: Option<String>,
    /// Where it goes on.
    pub place: Place,
    /// What is done.
    pub progress: Progress,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it began to run the last time.
    pub resumed_at: Option<Timestamp>,
    /// How much was done by then.
    pub resumed_done: u64,
    /// How many calls to HighLevel it had cost by then.
    pub resumed_calls: u64,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

impl Job {
    /// A job that waits for its turn.
    pub fn new(connection: ConnectionName, kind: JobKind, options: Options, now: Timestamp) -> Self {
        Self {
            id: JobId::new(),
            connection,
            kind,
            options,
            state: JobState::Queued,
            reason: None,
            place: Place::Counting,
            progress: Progress::default(),
            created_at: now,
            started_at: None,
            resumed_at: None,
            resumed_done: 0,
            resumed_calls: 0,
            finished_at: None,
        }
    }

    /// How many customers are looked at, once that is known. Of some customers only those count who were chosen.
    pub fn customers(&self) -> Option<u64> {
        match &self.place {
            Place::Counting | Place::Choosing { .. } if self.options.is_partial() => None,
            _ if self.options.is_partial() => Some(self.progress.outcomes.known()),
            _ => self.progress.customers,
        }
    }

    /// Calls to HighLevel that are still to be made, as far as that can be told: pages of contacts, look-ups of single ones, events
    /// under way, and of the customers who were not compared yet as many as of the others (before the first of them, all).
    pub fn calls_left(&self) -> Option<u64> {
        let progress = &self.progress;
        let pages = match &self.place {
            Place::Contacts { .. } => {
                let unread = progress.contacts?.saturating_sub(progress.contacts_read);
                unread.div_ceil(u64::from(self.options.page_size.unwrap_or(PAGE_SIZE)))
            }
            _ => 0,
        };
        let examined = progress.examined();
        let unexamined = match &self.place {
            Place::Leftovers { .. } | Place::Ending => 0,
            _ => self.customers()?.saturating_sub(examined),
        };
        let looked_up = if self.options.is_partial() { unexamined } else { 0 };
        let of = |outcome| progress.outcomes.of(outcome);
        let open = of(Outcome::Open);
        let sent = match examined {
            _ if !self.sends() => 0,
            0 => unexamined,
            _ => {
                let sent = open + of(Outcome::Created) + of(Outcome::Adopted) + of(Outcome::Updated);
                (unexamined * sent).div_ceil(examined)
            }
        };
        Some(pages + looked_up + open + sent)
    }

    /// Whether it sends anything.
    pub fn sends(&self) -> bool {
        self.kind != JobKind::Verify && !self.options.dry_run
    }
}
