//! Orders, statuses, groups.

use cscart::{Error, OrderId, OrderQuery, StatusChange, StatusQuery, UserType, UsergroupId, UsergroupQuery};
use serde_json::json;

use crate::store::{Reply, Store};

#[tokio::test]
async fn an_order_is_read_with_its_lines_and_addresses() {
    let store = Store::saying(
        200,
        json!({
            "order_id": "97", "user_id": "0", "status": "O", "total": 677.95, "notes": "Ring twice",
            "b_city": "Boston", "updated_at": "1456917990",
            "products": { "2418905672": { "product_id": "12", "amount": "1", "price": 30 } },
        }),
    )
    .await;
    let order = store.client().orders().get(OrderId(97)).await.unwrap().value;
    assert_eq!(store.request().target, "/api/orders/97");
    assert_eq!(order.user_id, None);
    assert_eq!(order.total.as_deref(), Some("677.95"));
    assert_eq!(order.billing.city.as_deref(), Some("Boston"));
    assert_eq!(order.products[0].amount, Some(1));
}

#[tokio::test]
async fn an_unknown_order_is_not_found() {
    for (status, body) in [(404, json!({ "message": "Not Found", "status": 404 })), (200, json!([]))] {
        let store = Store::saying(status, body).await;
        let failure = store.client().orders().get(OrderId(7)).await.unwrap_err();
        assert!(matches!(failure.error, Error::NotFound { .. }), "{:?}", failure.error);
    }
}

#[tokio::test]
async fn a_change_of_status_sends_nothing_else() {
    let store = Store::saying(200, json!({ "order_id": "97" })).await;
    let client = store.client();
    client.orders().set_status(97.into(), &StatusChange::new("C")).await.unwrap();
    let change = StatusChange {
        notify_user: Some(true),
        notify_department: Some(false),
        notify_vendor: Some(false),
        ..StatusChange::new("I")
    };
    client.orders().set_status(97.into(), &change).await.unwrap();
    let requests = store.requests();
    assert_eq!((requests[0].method.as_str(), requests[0].target.as_str()), ("PUT", "/api/orders/97"));
    assert_eq!(requests[0].json(), json!({ "status": "C" }));
    // More than these four keys would make CS-Cart calculate the order anew.
    let expected =
        json!({ "status": "I", "notify_user": "Y", "notify_department": "N", "notify_vendor": "N" });
    assert_eq!(requests[1].json(), expected);
}

#[tokio::test]
async fn times_of_placing_need_a_period_and_times_of_change_do_not() {
    let params = json!({ "page": 1, "items_per_page": "10", "total_items": "0" });
    let store = Store::saying(200, json!({ "orders": [], "params": params })).await;
    let client = store.client();
    let at = "2016-03-02T11:26:21Z".parse().unwrap();
    client.orders().list(&OrderQuery { updated_from: Some(at), ..OrderQuery::default() }).await.unwrap();
    let query = OrderQuery {
        placed_from: Some(at),
        statuses: vec!["P".into(), "C".into()],
        full: true,
        ..OrderQuery::default()
    };
    client.orders().list(&query).await.unwrap();
    let [changed, placed] = store.requests().try_into().unwrap();
    assert_eq!(changed.parameter("updated_at_from").as_deref(), Some("1456917981"));
    assert_eq!(changed.parameter("period"), None);
    assert_eq!(placed.parameter("period").as_deref(), Some("C"));
    assert_eq!(placed.parameter("time_from").as_deref(), Some("1456917981"));
    assert_eq!(placed.parameter("get_orders_data").as_deref(), Some("1"));
    assert!(placed.target.contains("status%5B%5D=P&status%5B%5D=C"), "{}", placed.target);
}

#[tokio::test]
async fn statuses_and_groups_are_listed() {
    let store = Store::new(|request| {
        let params = json!({ "page": 1, "items_per_page": "10", "total_items": "1" });
        if request.target.starts_with("/api/statuses") {
            let status = json!({ "status_id": "1", "status": "C", "type": "O", "is_default": "Y", "description": "Complete" });
            Reply::json(200, &json!({ "statuses": [status], "params": params }))
        } else {
            let group = json!({ "usergroup_id": "5", "type": "C", "status": "A", "usergroup": "VIP" });
            Reply::json(200, &json!({ "usergroups": { "5": group }, "params": params }))
        }
    })
    .await;
    let client = store.client();
    let statuses = client.statuses().list(&StatusQuery::default()).await.unwrap().value.items;
    assert_eq!((statuses[0].status.as_str(), statuses[0].description.as_deref()), ("C", Some("Complete")));
    assert!(statuses[0].is_default);

    let query = UsergroupQuery { kind: Some(UserType::Customer), ..UsergroupQuery::default() };
    let groups = client.usergroups().list(&query).await.unwrap().value.items;
    assert_eq!((groups[0].id, groups[0].name.as_deref()), (UsergroupId(5), Some("VIP")));
    assert_eq!(groups[0].kind, Some(UserType::Customer));
    assert_eq!(store.requests()[1].target, "/api/usergroups?type=C");
}
