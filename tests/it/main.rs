//! The whole bridge against the sandbox, over real HTTP: each test reads like the promise that it holds.

#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "one program of tests: it ends where something is not as it should be, and nothing outside uses it"
)]

mod addon;
mod api;
mod app;
mod boundaries;
mod broken_store;
mod budget;
mod bulkhead;
mod catalogue_use;
mod crash;
mod doctor;
mod dry_run;
mod errors;
mod fault;
mod flow;
mod flows;
mod https;
mod jobs;
mod mapping;
mod oauth;
mod openapi;
mod polling;
mod program;
mod reload;
mod restore;
mod route_tests;
mod schedule;
mod secrets;
mod store;
mod storm;
mod templates;
mod timers;
mod webhooks;
