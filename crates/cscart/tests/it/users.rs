//! Users and their groups.

use base64::{Engine, engine::general_purpose::STANDARD};
use cscart::{
    Error, Method, NewUser, ProfileId, UserId, UserQuery, UserStatus, UserType, UserUpdate, UsergroupId,
    UsergroupStatus,
};
use serde_json::json;

use crate::store::{EMAIL, KEY, Reply, Request, Store};

/// The columns that CS-Cart 4.13.3 and 4.20.1 give, for one user as for a list.
fn ada() -> serde_json::Value {
    json!({
        "user_id": "42", "user_login": "user_42", "is_root": "N", "timestamp": "1328790000", "user_type": "C",
        "status": "A", "firstname": "Ada", "lastname": "Lovelace", "email": "ada@example.com", "company": "",
        "company_id": "1", "phone": "", "last_login": "0", "company_name": "Simtech",
    })
}

#[tokio::test]
async fn a_user_is_read_in_one_exchange_that_does_not_hold_the_key() {
    let store = Store::saying(200, ada()).await;
    let answer = store.client().users().get(UserId(42)).await.unwrap();
    assert_eq!(answer.value.email.as_deref(), Some("ada@example.com"));
    assert_eq!(answer.value.status, Some(UserStatus::Active));

    let request = store.request();
    assert_eq!((request.method.as_str(), request.target.as_str()), ("GET", "/api/users/42"));
    let basic = STANDARD.encode(format!("{EMAIL}:{KEY}"));
    assert_eq!(request.header("authorization"), Some(format!("Basic {basic}").as_str()));
    assert_eq!(request.header("accept"), Some("application/json"));

    let exchange = answer.exchange;
    assert_eq!((exchange.method.as_str(), exchange.path.as_str()), ("GET", "/api/users/42"));
    assert_eq!(exchange.status, Some(200));
    assert!(exchange.response_body.as_deref().unwrap().contains("ada@example.com"));
    assert!(exchange.earlier.is_none());
    let shown = format!("{exchange:?}");
    assert!(!shown.contains(KEY) && !shown.contains(&basic), "{shown}");
}

#[tokio::test]
async fn an_unknown_user_is_not_found_however_the_store_says_so() {
    let params = json!({ "page": 1, "items_per_page": "10", "total_items": "0" });
    for (status, body) in [
        (404, json!({ "message": "Not Found", "status": 404 })),
        (200, json!({ "users": [], "params": params })),
        (200, json!([])),
    ] {
        let store = Store::saying(status, body).await;
        let failure = store.client().users().get(UserId(7)).await.unwrap_err();
        assert!(matches!(failure.error, Error::NotFound { .. }), "{:?}", failure.error);
        assert_eq!(failure.error.code(), "not_found");
        assert_eq!(failure.exchange.status, Some(status));
        assert!(!failure.error.maybe_processed());
    }
}

#[tokio::test]
async fn another_user_than_the_one_asked_for_is_no_answer() {
    for body in [ada(), json!({ "users": [ada()], "params": [] }), json!({ "ok": true })] {
        let store = Store::saying(200, body).await;
        let failure = store.client().users().get(UserId(7)).await.unwrap_err();
        assert!(
            matches!(&failure.error, Error::Protocol { path, .. } if path == "user_id"),
            "{:?}",
            failure.error
        );
    }
}

#[tokio::test]
async fn a_user_is_made_changed_and_deleted() {
    let store = Store::new(|request| match request.method.as_str() {
        "POST" => Reply::json(201, &json!({ "user_id": 42, "profile_id": "51" })),
        "PUT" => Reply::json(200, &json!({ "user_id": "42", "profile_id": "51" })),
        _ => Reply::empty(204),
    })
    .await;
    let client = store.client();

    let made = client.users().create(&NewUser::customer("ada@example.com", 0)).await.unwrap();
    assert_eq!((made.value.user_id, made.value.profile_id), (UserId(42), Some(ProfileId(51))));
    assert_eq!(made.exchange.request_body.unwrap()["email"], "ada@example.com");

    let update = UserUpdate { lastname: Some("King".into()), ..UserUpdate::default() };
    assert_eq!(client.users().update(42.into(), &update).await.unwrap().value.user_id, UserId(42));
    client.users().delete(42.into()).await.unwrap();

    let requests = store.requests();
    assert_eq!(requests[0].target, "/api/users");
    assert_eq!(requests[0].header("content-type"), Some("application/json"));
    assert_eq!(requests[0].json(), json!({ "email": "ada@example.com", "user_type": "C", "company_id": 0 }));
    assert_eq!((requests[1].method.as_str(), requests[1].target.as_str()), ("PUT", "/api/users/42"));
    assert_eq!(requests[1].json(), json!({ "lastname": "King" }));
    assert_eq!((requests[2].method.as_str(), requests[2].target.as_str()), ("DELETE", "/api/users/42"));
    assert_eq!(requests[2].body, "");
}

#[tokio::test]
async fn the_groups_of_a_user_are_a_map_by_id() {
    let store = Store::new(|request| match request.target.as_str() {
        "/api/users/3/usergroups" => Reply::json(
            200,
            &json!({
                "5": { "link_id": "1", "usergroup_id": "5", "status": "A" },
                "9": { "link_id": "2", "usergroup_id": "9", "status": "P" },
            }),
        ),
        _ => Reply::json(200, &json!([])),
    })
    .await;
    let client = store.client();
    let groups = client.users().usergroups(UserId(3)).await.unwrap().value;
    let groups: Vec<_> = groups.into_iter().map(|group| (group.id, group.status)).collect();
    let expected = [(5, UsergroupStatus::Active), (9, UsergroupStatus::Pending)];
    assert_eq!(groups, expected.map(|(id, status)| (UsergroupId(id), Some(status))));
    assert!(client.users().usergroups(UserId(4)).await.unwrap().value.is_empty());
}

#[tokio::test]
async fn a_user_is_put_into_a_group_and_taken_out() {
    // 200 with a message, or 204 for `F` (CS-Cart 4.20.1).
    let store = Store::new(|request| match request.json()["status"].as_str() {
        Some("F") => Reply::empty(204),
        _ => Reply::json(200, &json!({ "message": "Status has been changed" })),
    })
    .await;
    let client = store.client();
    for status in [UsergroupStatus::Active, UsergroupStatus::Available] {
        client.users().set_usergroup(3.into(), 5.into(), status).await.unwrap();
    }
    let requests = store.requests();
    assert!(requests.iter().all(|request| request.target == "/api/users/3/usergroups/5"));
    let bodies: Vec<_> = requests.iter().map(Request::json).collect();
    assert_eq!(bodies, [json!({ "status": "A" }), json!({ "status": "F" })]);
}

#[tokio::test]
async fn a_list_always_says_whom_it_wants() {
    let params = json!({ "page": 1, "items_per_page": "10", "total_items": "0" });
    let store = Store::saying(200, json!({ "users": [], "params": params })).await;
    let client = store.client();
    client.users().list(&UserQuery::default()).await.unwrap();
    let query = UserQuery {
        email: Some("ada+1@example.com".into()),
        user_ids: vec![UserId(1), UserId(2)],
        page: Some(3),
        filters: vec![("is_root".into(), "Y".into())],
        ..UserQuery::new(UserType::Administrator)
    };
    client.users().list(&query).await.unwrap();
    let requests = store.requests();
    assert_eq!(requests[0].target, "/api/users?user_type=C&sort_by=id&sort_order=asc&items_per_page=100");
    for (name, value) in [
        ("user_type", "A"),
        ("email", "ada+1@example.com"),
        ("user_ids[]", "1"),
        ("page", "3"),
        ("is_root", "Y"),
    ] {
        assert_eq!(requests[1].parameter(name).as_deref(), Some(value), "{name}");
    }
}

#[tokio::test]
async fn whatever_is_not_covered_is_reached_all_the_same() {
    let store = Store::saying(200, json!({ "hooks": [] })).await;
    let client = store.client();
    let body = json!({ "raw_api_key": "hunter2" });
    let answer =
        client.request(Method::POST, "/stores/1/zapier_hooks", &[("a", "b c")], Some(&body)).await.unwrap();
    assert_eq!(answer.value, json!({ "hooks": [] }));
    let request = store.request();
    assert_eq!(request.target, "/api/stores/1/zapier_hooks?a=b+c");
    assert_eq!(request.json(), body);
    assert!(!format!("{:?}", answer.exchange).contains("hunter2"));
}

#[tokio::test]
async fn the_version_is_the_apis() {
    let store = Store::saying(200, json!({ "Version": "2.1" })).await;
    assert_eq!(store.client().version().await.unwrap().value, "2.1");
    assert_eq!(store.request().target, "/api/version");
}
