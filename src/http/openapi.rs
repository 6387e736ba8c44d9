//! The description of everything that is served: made from the handlers, committed as `openapi.yaml`.

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;

use super::{Shared, api, connect, health, webhooks};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Cartbridge",
        description = "A bridge between CS-Cart stores and HighLevel locations. Webhooks are verified and stored before \
                       they are acknowledged; the API shows what was done for each event and does it again."
    ),
    tags(
        (name = "webhooks", description = "Where the store and HighLevel deliver events"),
        (name = "add-on", description = "What the store's add-on asks, signed as its webhooks are"),
        (name = "events", description = "What came in, what was done for it, replay"),
        (name = "connections", description = "Which store is paired with which location"),
        (name = "connect", description = "Connecting with HighLevel, in a browser"),
        (name = "customers", description = "A customer and his contact"),
        (name = "jobs", description = "Imports, resyncs of many, verifications"),
        (name = "keys", description = "API keys"),
        (name = "routes", description = "The flows in force, and the texts that they have had"),
        (name = "catalogue", description = "What can be done in HighLevel, and what can set off a route"),
        (name = "health", description = "For supervisors and Prometheus"),
    ),
    modifiers(&ApiKeys)
)]
struct Description;

struct ApiKeys;

impl Modify for ApiKeys {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key: `cartbridge key add`"))
            .build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("api_key", SecurityScheme::Http(scheme));
    }
}

/// The router with its description.
pub(super) fn documented_router() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(Description::openapi())
        .merge(webhooks::router())
        .merge(api::router())
        .merge(connect::router())
        .merge(health::router())
}

/// The description of everything that is served.
pub fn description() -> utoipa::openapi::OpenApi {
    documented_router().split_for_parts().1
}

/// The description as YAML: the text of `openapi.yaml`.
pub fn yaml() -> String {
    // Everything in it came from derives, which write only what YAML can hold.
    description().to_yaml().unwrap_or_default()
}
