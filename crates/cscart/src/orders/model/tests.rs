use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn an_order_of_the_documentation_is_read() {
    // developer_guide/api/entities/orders.rst, "Response Format".
    let order: Order = serde_json::from_value(json!({
        "order_id": "97", "issuer_id": null, "user_id": "3", "is_parent_order": "N", "parent_order_id": "0",
        "company_id": "1", "timestamp": "1456917981", "firstname": "George", "lastname": "Nills",
        "email": "dsds@example.com", "phone": "+1 646-386-3600", "status": "O", "total": "677.95",
        "invoice_id": null, "credit_memo_id": null, "points": null,
    }))
    .unwrap();
    assert_eq!((order.order_id, order.user_id), (OrderId(97), Some(UserId(3))));
    assert_eq!(order.total.as_deref(), Some("677.95"));
    assert_eq!(order.status.as_deref(), Some("O"));
    assert_eq!(order.timestamp.unwrap().as_second(), 1_456_917_981);
    assert!(order.products.is_empty());
    assert_eq!(order.extra["parent_order_id"], "0");
}

#[test]
fn lines_are_a_list_or_a_map() {
    let line = json!({
        "product_id": "12", "product": "100g Pants", "product_code": "U0012O5AF0", "amount": "2",
        "price": "30.00", "category_ids": ["224", 230],
    });
    for products in [json!([line]), json!({ "2418905672": line })] {
        let order: Order = serde_json::from_value(json!({ "order_id": 7, "products": products })).unwrap();
        let [product] = order.products.as_slice() else { panic!("{order:?}") };
        assert_eq!(product.product_id, Some(ProductId(12)));
        assert_eq!(product.amount, Some(2));
        assert_eq!(product.price.as_deref(), Some("30.00"));
        assert_eq!(product.category_ids, [CategoryId(224), CategoryId(230)]);
    }
}

#[test]
fn an_order_must_have_its_id() {
    for order in [json!({}), json!({ "order_id": "0" }), json!({ "order_id": null })] {
        assert!(serde_json::from_value::<Order>(order).is_err());
    }
}

proptest! {
    #[test]
    fn an_order_survives_being_written_and_read(
        order_id in 1_u64..,
        user_id in 0_u64..3,
        texts in proptest::collection::btree_map(
            prop::sample::select(vec![
                "email", "status", "previous_status", "total", "currency", "notes", "details", "firstname", "phone",
                "lang_code", "b_city", "b_phone", "s_address_2", "s_country", "x_other",
            ]),
            ".{0,10}",
            0..10,
        ),
        timestamp in 1_i64..4_000_000_000,
        amounts in proptest::collection::vec(0_u64..1000, 0..4),
    ) {
        let mut webhook: Map<String, Value> =
            texts.into_iter().map(|(key, text)| (key.to_owned(), Value::from(text))).collect();
        webhook.insert("order_id".into(), order_id.into());
        webhook.insert("user_id".into(), user_id.into());
        webhook.insert("timestamp".into(), timestamp.into());
        if !amounts.is_empty() {
            let lines: Vec<Value> =
                amounts.iter().map(|amount| json!({ "product_id": 1, "amount": amount, "category_ids": [3] })).collect();
            webhook.insert("products".into(), lines.into());
        }
        let webhook = Value::Object(webhook);
        let order: Order = serde_json::from_value(webhook.clone()).unwrap();
        prop_assert_eq!(serde_json::to_value(&order).unwrap(), webhook);
    }
}
