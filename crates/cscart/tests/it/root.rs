//! Where the store has its API: `/api/…`, or `/api.php?_d=…` without rewriting.

use cscart::{Error, NewUser, UserId};
use serde_json::json;

use crate::store::{Reply, Store};

#[tokio::test]
async fn without_rewriting_the_script_is_found_once_and_remembered() {
    let store = Store::new(|request| {
        if request.target.starts_with("/api.php") {
            let id = if request.target.contains("42") { "42" } else { "43" };
            Reply::json(200, &json!({ "user_id": id }))
        } else {
            Reply::page(404)
        }
    })
    .await;
    let client = store.client();

    let first = client.users().get(UserId(42)).await.unwrap();
    assert_eq!(first.exchange.path, "/api.php?_d=users%2F42&ajax_custom=1");
    let earlier = first.exchange.earlier.expect("the page before it is shown");
    assert_eq!((earlier.path.as_str(), earlier.status), ("/api/users/42", Some(404)));

    let second = client.clone().users().get(UserId(43)).await.unwrap();
    assert!(second.exchange.earlier.is_none());
    let targets: Vec<_> = store.requests().into_iter().map(|request| request.target).collect();
    assert_eq!(
        targets,
        ["/api/users/42", "/api.php?_d=users%2F42&ajax_custom=1", "/api.php?_d=users%2F43&ajax_custom=1"]
    );
}

#[tokio::test]
async fn a_write_that_met_a_page_is_made_at_the_script_whole() {
    let store = Store::new(|request| {
        if request.target.starts_with("/api.php") {
            Reply::json(201, &json!({ "user_id": 42, "profile_id": 51 }))
        } else {
            Reply::page(404)
        }
    })
    .await;
    let made = store.client().users().create(&NewUser::customer("ada@example.com", 1)).await.unwrap();
    assert_eq!(made.value.user_id, UserId(42));
    let requests = store.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1].method, "POST");
    assert_eq!(requests[1].json()["email"], "ada@example.com");
}

#[tokio::test]
async fn once_the_api_has_spoken_a_page_saying_404_is_just_that() {
    let store = Store::new(|request| match request.target.as_str() {
        // An error of the API is its word as well.
        "/api/users/1" => Reply::json(404, &json!({ "message": "Not Found", "status": 404 })),
        _ => Reply::page(404),
    })
    .await;
    let client = store.client();
    let failure = client.users().get(UserId(1)).await.unwrap_err();
    assert!(matches!(failure.error, Error::NotFound { .. }));
    let failure = client.users().get(UserId(2)).await.unwrap_err();
    assert!(matches!(failure.error, Error::NotAnApi { status: 404, .. }), "{:?}", failure.error);
    assert_eq!(store.requests().len(), 2);
}

#[tokio::test]
async fn where_there_is_no_api_at_all_it_says_what_to_check() {
    let store = Store::new(|_| Reply::page(404)).await;
    let client = store.client();
    for _ in 0..2 {
        let failure = client.users().get(UserId(1)).await.unwrap_err();
        let Error::NotAnApi { status: 404, advice, .. } = &failure.error else {
            panic!("{:?}", failure.error)
        };
        assert!(advice.contains("the store's own address"), "{advice}");
        assert!(!failure.error.maybe_processed());
        assert!(failure.exchange.earlier.is_some());
    }
    assert_eq!(store.requests().len(), 4, "nothing was learnt, so both are tried again");
}

#[tokio::test]
async fn only_a_404_leads_to_the_script() {
    for status in [403, 500, 503] {
        let store = Store::new(move |_| Reply::page(status)).await;
        store.client().users().get(UserId(1)).await.unwrap_err();
        assert_eq!(store.requests().len(), 1, "{status}");
    }
}
