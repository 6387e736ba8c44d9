//! The sandbox over real HTTP, as its clients meet it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

mod world;

mod access;
mod belongings;
mod chooser;
mod contacts;
mod documents;
mod faults;
mod ghl_webhooks;
mod independent_client;
mod oauth;
mod outbox;
mod search;
mod store_api;
mod store_worlds;
mod upsert;
