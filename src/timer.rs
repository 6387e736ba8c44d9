//! Timers: what is to happen at a time, for one customer or for the whole connection.

use jiff::Timestamp;

use crate::connection::ConnectionName;
use crate::event::Subject;

/// An event that is filed when its time has come. One key of a connection has one timer: a newer one replaces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    /// The connection.
    pub connection: ConnectionName,
    /// Names it in its connection.
    pub key: String,
    /// What the event is about.
    pub subject: Subject,
    /// When it is filed.
    pub due_at: Timestamp,
    /// The event's type, without its source.
    pub kind: String,
    /// The event's body.
    pub payload: Vec<u8>,
}
