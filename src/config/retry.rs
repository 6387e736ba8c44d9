//! How a failed event is tried again: what the engine says, with what a connection says otherwise.

use std::time::Duration;

use super::EngineConfig;
use crate::connection::RetryOverrides;

/// What holds for the events of one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryConfig {
    /// The shortest delay, in milliseconds.
    pub base_ms: u64,
    /// The longest delay, in milliseconds.
    pub max_ms: u64,
    /// How many failed tries make a dead letter.
    pub max_tries: u32,
    /// For how long an event may fail before it is one.
    pub max_age: Duration,
}

impl RetryConfig {
    /// What the connection says, else what the engine says.
    pub fn of(engine: &EngineConfig, connection: &RetryOverrides) -> Self {
        let hours = connection.max_age_hours.unwrap_or(engine.max_age_hours);
        Self {
            base_ms: connection.base_ms.unwrap_or(engine.retry_base_ms),
            max_ms: connection.max_ms.unwrap_or(engine.retry_max_ms),
            max_tries: connection.max_tries.unwrap_or(engine.max_tries),
            max_age: Duration::from_hours(u64::from(hours)),
        }
    }
}
