//! What is only read: products, categories, storefronts, vendors, carts, and what CS-Cart's own add-ons bring.

use serde_json::{Value, json};

use super::{
    paging::{envelope, like},
    refusal::Refusal,
    router::{Outcome, Reply},
    state::{Row, State, text},
    world::{CscartEdition, CscartVersion, World},
};
use crate::serve::request::Request;

/// A table, as the API shows it.
struct Entity {
    /// In the path, and the key of its list.
    name: &'static str,
    id: &'static str,
    /// Filters that are compared exactly, and those that may be part of a text.
    exact: &'static [&'static str],
    alike: &'static [&'static str],
    /// Whether its list tells the number of its page; of vendors and storefronts the documentation shows `"params": [0]`.
    numbered: bool,
}

const ENTITIES: &[Entity] = &[
    Entity {
        name: "products",
        id: "product_id",
        exact: &["status", "company_id"],
        alike: &["product"],
        numbered: true,
    },
    Entity {
        name: "categories",
        id: "category_id",
        exact: &["status", "parent_id"],
        alike: &[],
        numbered: true,
    },
    Entity {
        name: "stores",
        id: "company_id",
        exact: &["company", "timestamp"],
        alike: &[],
        numbered: false,
    },
    Entity {
        name: "vendors",
        id: "company_id",
        exact: &["company", "timestamp", "status", "email"],
        alike: &[],
        numbered: false,
    },
    Entity { name: "carts", id: "user_id", exact: &["user_id"], alike: &["email"], numbered: true },
    Entity {
        name: "call_requests",
        id: "request_id",
        exact: &["status", "user_id"],
        alike: &["phone"],
        numbered: true,
    },
    Entity {
        name: "discussions",
        id: "post_id",
        exact: &["status", "object_type"],
        alike: &["name"],
        numbered: true,
    },
    Entity {
        name: "product_reviews",
        id: "product_review_id",
        exact: &["product_id", "status"],
        alike: &[],
        numbered: true,
    },
];

/// Whether the store has this entity at all.
fn is_there(world: &World, name: &str) -> bool {
    match name {
        "stores" => world.edition == CscartEdition::Ultimate,
        "vendors" => world.edition == CscartEdition::Multivendor,
        "call_requests" => world.has("call_requests"),
        "discussions" => world.has("discussion"),
        // The add-on is older than its entity.
        "product_reviews" => world.has("product_reviews") && world.version >= CscartVersion::V4_20,
        _ => true,
    }
}

/// Runs a method of one of them; none: it is none of these, or this store has it not.
pub(super) fn run(state: &State, request: &Request, method: &str, segments: &[&str]) -> Option<Outcome> {
    let (name, rest) = segments.split_first()?;
    if let ("categories", [category, "products", rest @ ..]) = (*name, rest) {
        let entity = entity("products")?;
        let within = |row: &Row| {
            row.get("category_ids")
                .and_then(Value::as_array)
                .is_some_and(|ids| ids.contains(&json!(category)))
        };
        return Some(answer(entity, state, request, method, rest, within));
    }
    let entity = entity(name).filter(|_| is_there(&state.world, name))?;
    Some(answer(entity, state, request, method, rest, |_| true))
}

fn entity(name: &str) -> Option<&'static Entity> {
    ENTITIES.iter().find(|entity| entity.name == name)
}

fn answer(
    entity: &Entity,
    state: &State,
    request: &Request,
    method: &str,
    rest: &[&str],
    within: impl Fn(&Row) -> bool,
) -> Outcome {
    let rows = state.tables.get(entity.name).into_iter().flat_map(|table| table.values());
    match (method, rest) {
        ("GET", []) => {
            let given = |name: &str| request.parameter(name).filter(|value| !value.is_empty());
            let fits = |row: &&Row| {
                within(row)
                    && entity
                        .exact
                        .iter()
                        .all(|name| given(name).is_none_or(|value| text(row, name) == value))
                    && entity
                        .alike
                        .iter()
                        .all(|name| given(name).is_none_or(|value| like(&text(row, name), value)))
            };
            let mut rows: Vec<&Row> = rows.filter(fits).collect();
            if request.parameter("sort_order") == Some("desc") {
                rows.reverse();
            }
            let mut body = envelope(request, entity.name, &rows, Row::clone, (entity.id, "asc"));
            if !entity.numbered {
                body["params"] = json!([0]);
            }
            Ok(Reply::new(200, body))
        }
        ("GET", [id]) => {
            let mut rows = rows.filter(|row| within(row));
            let row = rows.find(|row| text(row, entity.id) == *id).ok_or_else(Refusal::not_found)?;
            Ok(Reply::new(200, json!(row)))
        }
        (_, [] | [_]) => Err(Refusal::new(405, "")),
        _ => Err(Refusal::no_object()),
    }
}
