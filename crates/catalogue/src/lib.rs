#![doc = include_str!("../README.md")]

mod answer;
mod check;
mod example;
mod kind;
mod load;
mod operation;
mod request;
mod trigger;

pub use answer::Answer;
pub use check::{Mistake, mistakes_in};
pub use kind::{Field, Kind};
pub use load::{answer, operation, operations, sample, search, trigger, triggers};
pub use operation::{Body, Encoding, Input, Method, Operation, Place, Repeat};
pub use request::{Part, Request, RequestBody};
pub use trigger::{Case, Source, Trigger, ghl_kind};
