//! The client over real HTTP.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod oauth;
mod raw;
mod sandbox;
mod scopes;
mod token_answers;
mod world;
