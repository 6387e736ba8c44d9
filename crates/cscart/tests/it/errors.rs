//! What went wrong is told by what one may do about it, and nothing is sent twice.

use std::{error::Error as _, time::Duration};

use cscart::{Error, Exchange, Failure, Gate, Gentleness, NewUser, UserId, UserQuery};
use serde_json::json;
use tokio::net::TcpListener;

use crate::store::{Reply, Store};

async fn create(store: &Store) -> Failure {
    store.client().users().create(&NewUser::customer("ada@example.com", 1)).await.unwrap_err()
}

#[tokio::test]
async fn an_answer_that_did_not_come_whole_leaves_it_uncertain() {
    type Make = fn() -> Reply;
    let replies: [(&str, Make); 2] = [
        ("hangs up", || Reply::Hangs),
        ("half an answer", || Reply::Half { status: 201, body: r#"{"user_id":" "# }),
    ];
    for (name, reply) in replies {
        let store = Store::new(move |_| reply()).await;
        let failure = create(&store).await;
        assert!(matches!(failure.error, Error::Uncertain { .. }), "{name}: {:?}", failure.error);
        assert!(failure.error.maybe_processed());
        assert_eq!(store.requests().len(), 1, "{name}: it was sent once");
        assert_eq!(failure.exchange.request_body.as_ref().unwrap()["email"], "ada@example.com");
    }
}

#[tokio::test]
async fn silence_ends_with_the_timeout_and_leaves_it_uncertain() {
    let store = Store::new(|_| Reply::Silent).await;
    let client = store.builder().timeout(Duration::from_secs(1)).build().unwrap();
    let failure = client.users().delete(UserId(42)).await.unwrap_err();
    assert!(matches!(failure.error, Error::Uncertain { .. }), "{:?}", failure.error);
    assert!(failure.exchange.duration >= Duration::from_secs(1));
    assert_eq!(store.requests().len(), 1);
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = cscart::Client::builder(url, "a@x.test", "key".into()).build().unwrap();
    let failure = client.users().get(UserId(1)).await.unwrap_err();
    assert!(matches!(failure.error, Error::NotSent(_)), "{:?}", failure.error);
    assert!(!failure.error.maybe_processed());
    assert_eq!((failure.exchange.path.as_str(), failure.exchange.status), ("/api/users/1", None));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = Store::saying(200, json!({ "user_id": 42 })).await;
    let location = format!("{}/api/users", target.url);
    let store = Store::new(move |_| Reply::empty(301).with_header("Location", &location)).await;
    let failure = create(&store).await;
    let Error::NotAnApi { status: 301, advice, .. } = &failure.error else { panic!("{:?}", failure.error) };
    assert!(advice.contains(&target.url), "{advice}");
    assert!(target.requests().is_empty());
    assert_eq!(store.requests().len(), 1);
}

#[tokio::test]
async fn a_limit_and_an_outage_say_how_long_to_wait() {
    for (status, maybe_processed) in [(429, false), (503, true)] {
        let store = Store::new(move |_| Reply::page(status).with_header("Retry-After", "7")).await;
        let failure = create(&store).await;
        assert_eq!(failure.error.code(), "unavailable");
        assert_eq!(failure.error.retry_after(), Some(Duration::from_secs(7)));
        assert_eq!(failure.error.maybe_processed(), maybe_processed);
        assert_eq!(store.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_page_in_place_of_an_answer_says_what_to_check() {
    let store = Store::new(|_| Reply::page(200)).await;
    let failure = create(&store).await;
    assert!(matches!(failure.error, Error::NotAnApi { status: 200, .. }), "{:?}", failure.error);
    assert!(failure.error.maybe_processed(), "the store may have printed a warning before its answer");
    assert!(failure.exchange.response_body.as_deref().unwrap().contains("A page"));
}

#[tokio::test]
async fn a_refusal_is_told_from_a_wrong_key() {
    for (status, code) in [(401, "unauthorized"), (403, "forbidden"), (400, "invalid"), (415, "refused")] {
        let store = Store::saying(status, json!({ "message": "No", "status": status })).await;
        let failure = create(&store).await;
        assert_eq!(failure.error.code(), code);
        assert!(failure.error.to_string().ends_with("No"), "{}", failure.error);
        assert!(!failure.error.maybe_processed());
    }
}

#[tokio::test]
async fn what_does_not_fit_is_named_by_its_place() {
    let users = json!([{ "user_id": "1" }, { "user_id": "x" }]);
    let store = Store::saying(200, json!({ "users": users, "params": { "page": 1 } })).await;
    let failure = store.client().users().list(&UserQuery::default()).await.unwrap_err();
    let Error::Protocol { status: 200, path, .. } = &failure.error else { panic!("{:?}", failure.error) };
    assert_eq!(path, "users[1].user_id");
    assert!(failure.source().unwrap().to_string().contains("users[1].user_id"));
    assert_eq!(failure.to_string(), "GET /api/users failed", "the query stays out of it");
}

#[tokio::test]
async fn an_answer_that_is_not_json_is_a_misfit() {
    for body in ["", "null", "OK", "{\"user_id\":"] {
        let store =
            Store::new(move |_| Reply::Answer { status: 200, headers: Vec::new(), body: body.into() }).await;
        let failure = store.client().users().get(UserId(1)).await.unwrap_err();
        assert!(matches!(failure.error, Error::Protocol { .. }), "{body}: {:?}", failure.error);
    }
}

#[tokio::test]
async fn a_byte_order_mark_does_no_harm() {
    let body = "\u{feff}\u{feff}{\"user_id\":\"42\"}";
    let store =
        Store::new(move |_| Reply::Answer { status: 200, headers: Vec::new(), body: body.into() }).await;
    let user = store.client().users().get(UserId(42)).await.unwrap().value;
    assert_eq!(user.user_id, Some(UserId(42)));
}

#[tokio::test]
async fn an_answer_cannot_fill_the_memory_or_the_log() {
    let store = Store::saying(200, json!({ "user_id": "42", "firstname": "x".repeat(100_000) })).await;
    let answer = store.client().users().get(UserId(42)).await.unwrap();
    assert_eq!(answer.exchange.response_body.unwrap().len(), Exchange::MAX_BODY);

    let client = store.builder().max_answer_bytes(10_000).build().unwrap();
    let failure = client.users().get(UserId(42)).await.unwrap_err();
    let Error::Protocol { source, .. } = &failure.error else { panic!("{:?}", failure.error) };
    assert_eq!(source.to_string(), "the answer is larger than 10000 bytes");
}

#[tokio::test]
async fn clients_with_one_gate_wait_for_each_other() {
    let store = Store::saying(200, json!({ "user_id": "42" })).await;
    let gate = Gate::from(Gentleness { concurrency: 1, per_second: 1 });
    let client = || store.builder().gentle(gate.clone()).timeout(Duration::from_millis(200)).build().unwrap();
    let (first, second) = (client(), client());
    first.users().get(UserId(42)).await.unwrap();
    let error = second.users().get(UserId(42)).await.unwrap_err().error;
    assert!(matches!(error, Error::NoTurn { .. }), "{error:?}");
    assert_eq!(store.requests().len(), 1);
}
