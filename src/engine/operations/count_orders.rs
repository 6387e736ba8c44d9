//! `cscart.customer.orders`: what the customer has ordered so far, from the store.

use cscart::{Order, OrderQuery};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::engine::step::Step;
use crate::engine::store_calls::{asked, store_client};
use crate::engine::verdict::Verdict;
use crate::engine::work::Work;
use crate::link::Customer;

/// How many orders are looked at, at most. Who has more is a good customer in any case.
const MOST: usize = 1000;

/// The statuses of orders that came to nothing: failed, declined, cancelled, not completed (CS-Cart's letters).
const CAME_TO_NOTHING: [&str; 4] = ["F", "D", "I", "N"];

/// Counts them; the result has `count`, `total`, `currency` (null: the store's list does not say), `first_at` and `last_at`.
pub(super) async fn count(work: &mut Work<'_>, step: &mut Step) -> Result<(), Verdict> {
    let customer = super::customer(work)?;
    let store = store_client(work.live)?;
    let mut query = OrderQuery::default();
    match &customer {
        Customer::User(id) => query.user = Some((*id).into()),
        // The store finds addresses that contain this one, too.
        Customer::Guest(email) => query.email = Some(email.clone()),
    }
    let mut pages = store.orders().list_all(&query);
    let mut orders: Vec<Order> = Vec::new();
    let (mut seen, mut is_all) = (0, true);
    while let Some(page) = pages.next().await {
        let page = asked(work.engine, page)?;
        seen += page.items.len();
        orders.extend(page.items.into_iter().filter(|order| is_of(order, &customer)));
        if seen >= MOST {
            is_all = false;
            break;
        }
        work.keep_lease().await?;
    }
    step.done(work, sum(&orders, is_all), Vec::new()).await
}

/// Whether an order is this customer's, and came to something.
fn is_of(order: &Order, customer: &Customer) -> bool {
    let status = order.status.as_deref().unwrap_or_default();
    let email = order.email.as_deref().map(|email| email.trim().to_lowercase());
    !CAME_TO_NOTHING.contains(&status)
        && match customer {
            Customer::User(id) => order.user_id == Some((*id).into()),
            Customer::Guest(of_guest) => email.as_ref() == Some(of_guest),
        }
}

fn sum(orders: &[Order], is_all: bool) -> Value {
    let cents = |total: &String| total.trim().parse::<f64>().ok().map(|total| (total * 100.0).round() as i64);
    let total: i64 = orders.iter().filter_map(|order| order.total.as_ref()).filter_map(cents).sum();
    let times = || orders.iter().filter_map(|order| order.timestamp);
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
    let mut result = json!({
        "count": orders.len(),
        "total": total as f64 / 100.0,
        "currency": orders.iter().find_map(|order| order.currency.as_deref()),
        "first_at": time(times().min()),
        "last_at": time(times().max()),
    });
    if !is_all {
        result["note"] = format!("only the first {MOST} orders were looked at").into();
    }
    result
}
