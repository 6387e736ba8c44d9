//! The data, held against the rules of their names, against HighLevel's documents, and against themselves.

#![allow(
    clippy::unwrap_used,
    reason = "one program of tests: it ends where something is not as it should be"
)]

mod checking;
mod data;
mod fresh;
mod requests;

/// The generator's reader of documents.
#[path = "../../examples/generate"]
mod generate {
    pub(crate) mod documents;
}
