#![doc = include_str!("../README.md")]

mod clock;
mod control;
mod cscart;
mod deliver;
mod ghl;
mod ids;
mod sandbox;
mod serve;

pub use control::{
    Control,
    faults::{Fault, FaultKind},
    journal::{Effect, Entry},
    problem::ActError,
};
pub use cscart::{CscartEdition, CscartVersion};
pub use deliver::{Attempt, Delivery};
pub use sandbox::{Options, Sandbox, StartError};
