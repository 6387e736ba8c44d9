//! Routes: declarative flows in files. Reading them, checking them, and planning what one event asks for. Pure: no I/O.
//!
//! A route says on which triggers it runs, when, and with which steps. `routes/README.md` is its grammar.

mod action;
mod call;
mod context;
mod delay;
mod expression;
mod fields;
mod filters;
mod mistakes;
mod operation;
mod parameters;
mod route;
mod route_file;
mod run;
mod schedule;
mod schema;
mod trigger;
mod watch;
mod welcome;

pub use crate::mistake::Mistake as Error;
pub use call::{Usual, usual};
pub use catalogue::ghl_kind;
pub use context::{CONTINUED, CONTINUED_KIND, Context, Continued};
pub use delay::Wait;
pub use fields::{FieldMap, NotAgreed, Seen};
pub use operation::{Offer, Operation, offers};
pub use route::{Need, OnError, Route, RouteSet};
pub use run::{Next, PlanError, PlannedDelay, PlannedStep, Run, Skipped};
pub use schedule::Schedule;
pub use schema::schema;
pub use watch::{Judged, Watch};
pub use welcome::mistakes_in_welcome;
