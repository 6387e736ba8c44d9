//! Cartbridge keeps the customers of a CS-Cart store and the contacts of a HighLevel location in step.
//!
//! The path of an event, and where it is walked:
//!
//! 1. received: [`http::webhooks`] checks the signature over the raw bytes;
//! 2. stored: [`inbox`] makes it durable before it is acknowledged;
//! 3. claimed: [`engine`] takes the oldest of each lane under a lease, and folds later states of it into one;
//! 4. planned: [`flow`] matches routes and renders their steps, [`sync`] maps and merges (both without I/O);
//! 5. carried out: `engine::operations`, each call in the ledger ([`effect`]) and under the location's [`budget`];
//! 6. finished: done, waiting, parked or a dead letter, as [`show`] tells it.

pub mod access;
pub mod app;
pub mod breaker;
pub mod budget;
pub mod cli;
pub mod clock;
pub mod config;
pub mod connection;
pub mod connection_code;
pub mod custom_fields;
pub mod doctor;
pub mod dry_run;
pub mod effect;
pub mod engine;
pub mod event;
pub mod flow;
pub mod grant;
pub mod http;
pub mod inbox;
pub mod jobs;
pub mod link;
pub mod lock;
pub mod mistake;
pub mod monitor;
pub mod permit;
pub mod poll_state;
pub mod polling;
pub mod priority;
pub mod reason;
pub mod registry;
pub mod restore;
pub mod route_tests;
pub mod routes;
pub mod show;
pub mod store;
pub mod sync;
pub mod timer;
pub mod tls;
pub mod tokens;
pub mod vault;
