//! The sandbox over real HTTP, as its clients meet it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

mod world;

mod contacts;
mod faults;
mod ghl_webhooks;
mod outbox;
