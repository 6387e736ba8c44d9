//! Products, categories, storefronts, vendors, carts, and what add-ons bring.

use cscart::{CategoryId, Edition, Error, ListQuery, PageKind, ProductId};
use serde_json::{Value, json};

use crate::store::{Reply, Store};

#[tokio::test]
async fn products_are_read_loosely_and_to_the_end() {
    let store = Store::new(|request| {
        let page: u64 = request.parameter("page").map_or(1, |page| page.parse().unwrap()).min(2);
        let product = json!({
            "product_id": page.to_string(), "product": "Tea 🍵", "amount": "-3", "price": "9.50",
            "category_ids": { "0": "4", "3": 5 }, "timestamp": "1700000000", "list_qty_count": "0",
        });
        let params = json!({ "page": page.to_string(), "items_per_page": "1", "total_items": "2" });
        Reply::json(200, &json!({ "products": [product], "params": params }))
    })
    .await;
    let client = store.client();
    let mut pages = client.products().list_all(&ListQuery::default().filter("status", "A"));
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        found.extend(page.unwrap().value.items);
    }
    assert_eq!(
        found.iter().map(|product| product.product_id).collect::<Vec<_>>(),
        [1, 2].map(|id| Some(ProductId(id)))
    );
    assert_eq!(found[0].amount.as_deref(), Some("-3"));
    assert_eq!(found[0].category_ids, [CategoryId(4), CategoryId(5)]);
    assert_eq!(found[0].extra["list_qty_count"], "0");
    assert_eq!(store.requests()[0].parameter("status").as_deref(), Some("A"));
}

#[tokio::test]
async fn lists_without_page_numbers_end_where_the_last_page_comes_again() {
    // As the documentation shows vendors: `"params": [0]`, and past the end the last page again.
    let store = Store::new(|request| {
        let page: u64 = request.parameter("page").unwrap().parse().unwrap();
        let first = (page.min(2) - 1) * 2 + 1;
        let vendors: Vec<Value> =
            (first..first + 2).map(|id| json!({ "company_id": id.to_string() })).collect();
        Reply::json(200, &json!({ "vendors": vendors, "params": [0] }))
    })
    .await;
    let client = store.client();
    let mut pages = client.vendors().list_all(&ListQuery { items_per_page: Some(2), ..ListQuery::default() });
    let mut ids = Vec::new();
    while let Some(page) = pages.next().await {
        ids.extend(page.unwrap().value.items.iter().map(|vendor| vendor.company_id.unwrap().0));
    }
    assert_eq!(ids, [1, 2, 3, 4]);
    assert_eq!(store.requests().len(), 3);
}

#[tokio::test]
async fn an_add_on_that_is_not_there_is_absent_and_nothing_is_wrong_with_the_connection() {
    let store = Store::saying(404, json!({ "message": "Not Found: object not found", "status": 404 })).await;
    let client = store.client();
    let failure = client.call_requests().list(&ListQuery::default()).await.unwrap_err();
    assert!(matches!(failure.error, Error::Absent { what: "call requests" }), "{:?}", failure.error);
    let failure = client.product_reviews().list_all(&ListQuery::default()).next().await.unwrap().unwrap_err();
    assert!(matches!(failure.error, Error::Absent { what: "product reviews" }), "{:?}", failure.error);
    let failure = client.products().get(ProductId(7)).await.unwrap_err();
    assert!(matches!(failure.error, Error::NotFound { .. }), "{:?}", failure.error);
}

#[tokio::test]
async fn the_edition_shows_in_what_the_store_has_and_is_asked_for_once() {
    for (has, edition) in [("vendors", Edition::MultiVendor), ("stores", Edition::Ultimate)] {
        let store = Store::new(move |request| {
            if request.target.contains(&format!("/api/{has}")) {
                Reply::json(200, &json!({ has: [{ "company_id": "1" }], "params": [0] }))
            } else {
                Reply::json(404, &json!({ "message": "Not Found", "status": 404 }))
            }
        })
        .await;
        let client = store.client();
        assert_eq!(client.capabilities().edition, None);
        assert_eq!(client.edition().await.unwrap().value, edition);
        let asked = store.requests().len();
        assert_eq!(client.clone().edition().await.unwrap().value, edition);
        assert_eq!((client.capabilities().edition, store.requests().len()), (Some(edition), asked));
    }
}

#[tokio::test]
async fn whether_orders_are_listed_by_change_is_found_out_by_asking_for_the_future() {
    let orders = |count: u64| {
        let list: Vec<Value> = (1..=count).map(|id| json!({ "order_id": id })).collect();
        json!({ "orders": list, "params": { "page": 1, "items_per_page": 1, "total_items": count.to_string() } })
    };
    // Heeds the filter, ignores it, has no orders.
    for (filtered, all, known) in [(0, 1, Some(true)), (1, 1, Some(false)), (0, 0, None)] {
        let store = Store::new(move |request| {
            let count = if request.parameter("updated_at_from").is_some() { filtered } else { all };
            Reply::json(200, &orders(count))
        })
        .await;
        let client = store.client();
        assert_eq!(client.lists_orders_by_change().await.unwrap().value, known);
        assert_eq!(client.capabilities().orders_by_change, known);
    }
}

#[tokio::test]
async fn a_page_with_200_says_what_it_is() {
    for (body, kind, word) in [
        ("<!DOCTYPE html><title>Store closed</title>", PageKind::Maintenance, "maintenance"),
        ("<html><title>Just a moment...</title></html>", PageKind::Firewall, "firewall"),
        ("\u{feff}\n<html><form><input type=\"password\"></form>", PageKind::Login, "sign in"),
    ] {
        let store =
            Store::new(move |_| Reply::Answer { status: 200, headers: vec![], body: body.to_owned() }).await;
        let failure = store.client().version().await.unwrap_err();
        let Error::NotAnApi { status: 200, advice, page: Some(page) } = &failure.error else {
            panic!("{:?}", failure.error)
        };
        assert_eq!(page.kind, kind);
        assert!(advice.contains(word), "{advice}");
    }
}

#[tokio::test]
async fn a_switch_of_the_stores_own_functions_is_never_sent() {
    let store = Store::saying(200, json!([])).await;
    let query = ListQuery::default().filter("get_conditions", 1);
    let failure = store.client().products().list(&query).await.unwrap_err();
    assert!(matches!(failure.error, Error::Unsendable { .. }), "{:?}", failure.error);
    assert!(store.requests().is_empty());
}
