//! Placing an order, and an order as the add-on's webhooks show it.

use serde_json::{Value, json};

use super::subject;
use crate::cscart::state::{Event, Row, State, loose, text};

/// The customer's columns that an order repeats.
const CUSTOMER: &[&str] = &[
    "email",
    "firstname",
    "lastname",
    "phone",
    "company",
    "lang_code",
    "b_firstname",
    "b_lastname",
    "b_address",
    "b_address_2",
    "b_city",
    "b_county",
    "b_state",
    "b_country",
    "b_zipcode",
    "b_phone",
    "s_firstname",
    "s_lastname",
    "s_address",
    "s_address_2",
    "s_city",
    "s_county",
    "s_state",
    "s_country",
    "s_zipcode",
    "s_phone",
];

/// Stores an order and tells of it. `given` is what the act says of it; `customer` fills what is not said.
pub(in crate::cscart) fn place(state: &mut State, user_id: u64, customer: &Row, given: &Row) -> Row {
    let id = state.next("order");
    let mut order = Row::new();
    for name in CUSTOMER {
        let value = given.get(*name).or_else(|| customer.get(*name)).map(loose).unwrap_or_default();
        order.insert((*name).to_owned(), json!(value));
    }
    let at = state.world.now();
    let status = Some(text(given, "status")).filter(|it| !it.is_empty()).unwrap_or_else(|| String::from("O"));
    let currency =
        Some(text(given, "currency")).filter(|it| !it.is_empty()).unwrap_or_else(|| String::from("USD"));
    for (name, value) in [
        ("order_id", json!(id.to_string())),
        ("is_parent_order", json!("N")),
        ("parent_order_id", json!("0")),
        ("issuer_id", Value::Null),
        ("user_id", json!(user_id.to_string())),
        ("company_id", json!("1")),
        ("storefront_id", json!("1")),
        ("status", json!(status)),
        ("secondary_currency", json!(currency)),
        (
            "timestamp",
            json!(Some(text(given, "timestamp")).filter(|it| !it.is_empty()).unwrap_or_else(|| at.clone())),
        ),
        ("updated_at", json!(at)),
        ("notes", json!(text(given, "notes"))),
        ("details", json!(text(given, "details"))),
        ("products", products(given.get("products"))),
    ] {
        order.insert(name.to_owned(), value);
    }
    let given_total = text(given, "total");
    let sum = if given_total.is_empty() { total(&order) } else { given_total };
    order.insert(String::from("total"), json!(sum));
    state.orders.insert(id, order.clone());
    state.events.push(Event::new("order.created", subject(&order), data(&order)));
    order
}

/// The products of an order as a map by their number in the cart, every value a string.
fn products(given: Option<&Value>) -> Value {
    let one = vec![
        json!({ "product_id": "1", "product": "Sample product", "product_code": "S-1", "amount": 1, "price": "19.99" }),
    ];
    let list = given.and_then(Value::as_array).cloned().unwrap_or(one);
    let rows = list.iter().enumerate().map(|(place, product)| {
        let field = |name: &str, default: &str| {
            let value = product.get(name).map(loose).filter(|it| !it.is_empty());
            json!(value.unwrap_or_else(|| default.to_owned()))
        };
        let item_id = (1000 + place).to_string();
        let row = json!({
            "item_id": item_id,
            "product_id": field("product_id", "1"),
            "product": field("product", "Sample product"),
            "product_code": field("product_code", ""),
            "amount": field("amount", "1"),
            "price": field("price", "0.00"),
            "category_ids": product.get("category_ids").cloned().unwrap_or(json!(["1"])),
        });
        (item_id, row)
    });
    Value::Object(rows.collect())
}

/// The sum of the products, with two decimals.
pub(in crate::cscart) fn total(order: &Row) -> String {
    let number = |product: &Value, name: &str| -> f64 {
        product[name].as_str().and_then(|it| it.parse().ok()).unwrap_or_default()
    };
    let products = order.get("products").and_then(Value::as_object);
    let sum: f64 =
        products.into_iter().flatten().map(|(_, it)| number(it, "amount") * number(it, "price")).sum();
    format!("{sum:.2}")
}

/// `data` of an order's webhook (contracts, section 2): products as a list.
pub(in crate::cscart) fn data(order: &Row) -> Value {
    let mut told = order.clone();
    for name in ["is_parent_order", "parent_order_id", "issuer_id", "secondary_currency"] {
        told.remove(name);
    }
    let products: Vec<Value> = order
        .get("products")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(_, product)| {
            let mut product = product.clone();
            if let Value::Object(product) = &mut product {
                product.remove("item_id");
            }
            product
        })
        .collect();
    told.insert(String::from("products"), json!(products));
    told.insert(String::from("currency"), json!(text(order, "secondary_currency")));
    told.insert(String::from("previous_status"), json!(""));
    json!({ "order": told })
}
