//! Routes: declarative flows in files. Reading them, checking them, and planning what one event asks for. Pure: no I/O.
//!
//! A route says on which triggers it runs, when, and with which steps. `routes/README.md` is its grammar.

mod expression;
mod fields;
mod filters;
mod operation;
mod parameters;
mod plan;
mod route;
mod route_file;
mod trigger;

pub use crate::mistake::Mistake as Error;
pub use catalogue::ghl_kind;
pub use fields::{FieldMap, Seen};
pub use operation::{Offer, Operation, offers};
pub use plan::{Context, Plan, PlanError, PlannedStep, Skipped};
pub use route::{Need, Route, RouteSet};
