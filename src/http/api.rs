//! The API for people and programs: events, connections, keys.

mod catalogue;
mod code;
mod connections;
mod customers;
mod dry_run;
mod events;
mod health;
mod jobs;
mod keys;
mod routes;
mod scopes;

use utoipa_axum::router::OpenApiRouter;

use super::Shared;
pub(super) use connections::{customer as read_customer, find as find_connection};
pub(super) use customers::CustomerView;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .merge(events::router())
        .merge(dry_run::router())
        .merge(connections::router())
        .merge(code::router())
        .merge(customers::router())
        .merge(jobs::router())
        .merge(keys::router())
        .merge(scopes::router())
        .merge(catalogue::router())
        .merge(routes::router())
}
