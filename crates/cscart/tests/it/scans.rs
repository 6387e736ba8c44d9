//! A scan gives every row once, whatever comes and goes meanwhile.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use cscart::{Cursor, Error, OrderQuery, UserQuery};
use serde_json::{Value, json};

use crate::store::{Reply, Request, Store};

/// A page of the ids as CS-Cart gives it: past the end the last one again.
fn page(request: &Request, ids: &BTreeSet<u64>, cap: u64) -> Value {
    let number = |name: &str| request.parameter(name).and_then(|text| text.parse::<u64>().ok());
    assert_eq!(request.parameter("sort_by").as_deref(), Some("id"));
    assert_eq!(request.parameter("sort_order").as_deref(), Some("asc"));
    let per_page = number("items_per_page").unwrap().min(cap);
    let last = (ids.len() as u64).div_ceil(per_page).max(1);
    let page = number("page").unwrap().clamp(1, last);
    let shown: Vec<Value> = ids
        .iter()
        .skip(((page - 1) * per_page) as usize)
        .take(per_page as usize)
        .map(|id| json!({ "user_id": id.to_string() }))
        .collect();
    json!({
        "users": shown,
        "params": { "page": page, "items_per_page": per_page.to_string(), "total_items": ids.len().to_string() },
    })
}

/// A store whose rows change before each answer, and the rows.
async fn restless(
    rows: u64,
    cap: u64,
    change: impl Fn(u64, &mut BTreeSet<u64>) + Send + Sync + 'static,
) -> Store {
    let state = Arc::new(Mutex::new((0_u64, (1..=rows).collect::<BTreeSet<u64>>())));
    Store::new(move |request| {
        let mut state = state.lock().unwrap();
        let (calls, ids) = &mut *state;
        change(*calls, ids);
        *calls += 1;
        Reply::json(200, &page(request, ids, cap))
    })
    .await
}

async fn ids(store: &Store, size: u64, from: Cursor) -> Vec<u64> {
    let client = store.client();
    let query = UserQuery { items_per_page: Some(size), ..UserQuery::default() };
    let mut scan = client.users().scan(&query).from(from);
    let mut ids = Vec::new();
    while let Some(page) = scan.next().await {
        ids.extend(page.unwrap().value.items.iter().map(|user| user.user_id.unwrap().0));
    }
    assert!(scan.next().await.is_none(), "it stays at its end");
    ids
}

#[tokio::test]
async fn a_quiet_list_is_read_once_in_hardly_more_calls_than_pages() {
    for rows in [0, 1, 9, 10, 11, 99, 100, 250] {
        let store = restless(rows, u64::MAX, |_, _| {}).await;
        assert_eq!(ids(&store, 10, Cursor::default()).await, (1..=rows).collect::<Vec<_>>());
        let calls = store.requests().len() as u64;
        assert!(calls <= rows.div_ceil(10) * 2 + 1, "{calls} calls for {rows} rows");
    }
}

#[tokio::test]
async fn what_stays_is_never_missed_although_others_are_deleted_before_every_page() {
    for deleted_at_once in [1, 3, 25] {
        // The first rows go: everything after them moves forward, by up to several pages.
        let store = restless(200, u64::MAX, move |calls, ids| {
            if calls > 0 && ids.len() > 100 {
                for id in ids.iter().take(deleted_at_once).copied().collect::<Vec<_>>() {
                    ids.remove(&id);
                }
            }
        })
        .await;
        let found = ids(&store, 10, Cursor::default()).await;
        let unique: BTreeSet<u64> = found.iter().copied().collect();
        assert_eq!(unique.len(), found.len(), "each once");
        let stayed: BTreeSet<u64> = (101..=200).collect();
        assert!(stayed.is_subset(&unique), "missed: {:?}", stayed.difference(&unique).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn what_is_added_meanwhile_comes_at_the_end() {
    let store = restless(30, u64::MAX, |calls, ids| {
        if calls > 0 && calls < 4 {
            ids.insert(100 + calls);
            ids.remove(&calls);
        }
    })
    .await;
    let found = ids(&store, 10, Cursor::default()).await;
    assert!(found.ends_with(&[101, 102, 103]) || found.ends_with(&[101, 102]), "{found:?}");
    assert!((4..=30).all(|id| found.contains(&id)), "{found:?}");
}

#[tokio::test]
async fn a_store_that_allows_smaller_pages_only_is_read_to_the_end() {
    let store = restless(120, 25, |_, _| {}).await;
    assert_eq!(ids(&store, 100, Cursor::default()).await, (1..=120).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_scan_goes_on_from_a_cursor_although_most_rows_before_it_are_gone() {
    let store = restless(100, u64::MAX, |_, ids| ids.retain(|id| *id > 40)).await;
    let found = ids(&store, 10, Cursor { after: 50, rows: 50 }).await;
    assert_eq!(found, (51..=100).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_list_that_is_not_sorted_as_asked_for_is_an_error_and_no_endless_loop() {
    let body = json!({
        "orders": [{ "order_id": 2 }, { "order_id": 1 }],
        "params": { "page": 1, "items_per_page": 2, "total_items": 4 },
    });
    let store = Store::saying(200, body).await;
    let client = store.client();
    let failure = client.orders().scan(&OrderQuery::default()).next().await.unwrap().unwrap_err();
    let Error::Protocol { path, .. } = &failure.error else { panic!("{:?}", failure.error) };
    assert_eq!(path, "orders[1]");

    // It counts more rows than it ever shows.
    let body = json!({
        "orders": [{ "order_id": 1 }, { "order_id": 2 }],
        "params": { "page": 1, "items_per_page": 2, "total_items": 400 },
    });
    let store = Store::saying(200, body).await;
    let client = store.client();
    let mut scan = client.orders().scan(&OrderQuery::default());
    assert_eq!(scan.next().await.unwrap().unwrap().value.items.len(), 2);
    let failure = scan.next().await.unwrap().unwrap_err();
    assert!(matches!(failure.error, Error::Protocol { .. }), "{:?}", failure.error);
}
