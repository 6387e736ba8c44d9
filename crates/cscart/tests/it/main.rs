//! The client against a store that listens on a real socket and answers as CS-Cart does.

#![expect(clippy::unwrap_used, reason = "what fails here fails its test, helpers included")]

mod addon_calls;
mod errors;
mod lists;
mod orders;
mod readers;
mod root;
mod scans;
mod store;
mod users;
