//! The way of a connection.
