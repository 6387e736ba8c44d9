//! Lists come to an end, and once.

use std::sync::atomic::{AtomicBool, Ordering};

use cscart::{Client, Error, UserId, UserQuery};
use serde_json::{Value, json};

use crate::store::{Reply, Request, Store};

/// The page that was asked for of so many users, as CS-Cart gives it: past the end the last one again
/// (`db_get_valid_page`).
fn page(request: &Request, users: u64, per_page: u64) -> Value {
    let asked: u64 = request.parameter("page").map_or(1, |page| page.parse().unwrap());
    let page = asked.clamp(1, users.div_ceil(per_page).max(1));
    let ids = (page - 1) * per_page + 1..=(page * per_page).min(users);
    let items: Vec<Value> = ids.map(|id| json!({ "user_id": id.to_string() })).collect();
    json!({
        "users": items,
        "params": { "page": page, "items_per_page": per_page.to_string(), "total_items": users.to_string() },
    })
}

async fn all(client: &Client, query: &UserQuery) -> Vec<u64> {
    let mut pages = client.users().list_all(query);
    let mut ids = Vec::new();
    while let Some(page) = pages.next().await {
        ids.extend(
            page.unwrap().value.items.into_iter().filter_map(|user| user.user_id.map(|UserId(id)| id)),
        );
    }
    assert!(pages.next().await.is_none(), "it stays at its end");
    ids
}

#[tokio::test]
async fn every_page_is_read_once() {
    for (users, exchanges) in [(0, 1), (1, 1), (2, 1), (3, 2), (5, 3), (6, 3)] {
        let store = Store::new(move |request| Reply::json(200, &page(request, users, 2))).await;
        let ids = all(&store.client(), &UserQuery::default()).await;
        assert_eq!(ids, (1..=users).collect::<Vec<_>>());
        assert_eq!(store.requests().len(), exchanges, "{users} users");
    }
}

#[tokio::test]
async fn the_last_page_again_is_the_end_where_the_store_does_not_count() {
    let store = Store::new(|request| {
        let mut page = page(request, 3, 2);
        page["params"].as_object_mut().unwrap().remove("total_items");
        Reply::json(200, &page)
    })
    .await;
    assert_eq!(all(&store.client(), &UserQuery::default()).await, [1, 2, 3]);
    assert_eq!(store.requests().len(), 3);
}

#[tokio::test]
async fn a_list_goes_on_from_any_page() {
    let store = Store::new(|request| Reply::json(200, &page(request, 5, 2))).await;
    assert_eq!(all(&store.client(), &UserQuery { page: Some(3), ..UserQuery::default() }).await, [5]);
    assert!(all(&store.client(), &UserQuery { page: Some(9), ..UserQuery::default() }).await.is_empty());
}

#[tokio::test]
async fn after_an_error_the_same_page_is_asked_for_again() {
    let down = AtomicBool::new(true);
    let store = Store::new(move |request| {
        let second = request.parameter("page").as_deref() == Some("2");
        if second && down.swap(false, Ordering::SeqCst) {
            return Reply::page(503).with_header("Retry-After", "7");
        }
        Reply::json(200, &page(request, 3, 2))
    })
    .await;
    let client = store.client();
    let mut pages = client.users().list_all(&UserQuery::default());
    assert_eq!(pages.next().await.unwrap().unwrap().value.items.len(), 2);
    let failure = pages.next().await.unwrap().unwrap_err();
    assert!(matches!(failure.error, Error::Unavailable { status: 503, .. }));
    assert_eq!(pages.page(), 2);
    assert_eq!(pages.next().await.unwrap().unwrap().value.items[0].user_id, Some(UserId(3)));
    assert!(pages.next().await.is_none());
}

#[tokio::test]
async fn a_page_that_is_not_the_next_one_is_an_error_and_no_loop() {
    let store = Store::saying(
        200,
        json!({ "users": [{ "user_id": 1 }], "params": { "page": 4, "items_per_page": 1, "total_items": 9 } }),
    )
    .await;
    let client = store.client();
    let mut pages = client.users().list_all(&UserQuery::default());
    let failure = pages.next().await.unwrap().unwrap_err();
    assert!(matches!(failure.error, Error::Protocol { path, .. } if path == "params.page"));
}
