//! The sandbox over real HTTP, as its clients meet it.

mod world;

mod contacts;
mod faults;
mod ghl_webhooks;
mod outbox;
