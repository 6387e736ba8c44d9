use proptest::{option, prelude::*};
use serde_json::json;

use super::*;
use crate::{UsergroupId, UsergroupStatus};

fn user(value: Value) -> User {
    serde_json::from_value(value).unwrap()
}

#[test]
fn the_short_form_of_the_rest_api_says_nothing_of_the_rest() {
    // The columns that `fn_get_users` of CS-Cart 4.13.3 and 4.20.1 gives, for one user as for a list.
    let user = user(json!({
        "user_id": "3", "user_login": "user_3", "is_root": "N", "timestamp": "1328790000", "user_type": "C",
        "status": "A", "firstname": "Customer", "lastname": "Customer", "email": "customer@example.com",
        "company": "", "company_id": "1", "phone": "+1 646-386-3600", "last_login": "0",
        "company_name": "Simtech",
    }));
    assert_eq!(user.user_id, Some(UserId(3)));
    assert_eq!(user.user_type, Some(UserType::Customer));
    assert_eq!(user.status, Some(UserStatus::Active));
    assert_eq!(user.company.as_deref(), Some(""));
    assert_eq!(user.timestamp.unwrap().as_second(), 1_328_790_000);
    assert_eq!((user.lang_code, user.birthday, user.tags), (None, None, None));
    assert_eq!((user.billing, user.shipping), (Address::default(), Address::default()));
    assert_eq!(user.extra["company_name"], "Simtech");
}

#[test]
fn a_webhook_carries_the_whole_user() {
    let body = json!({
        "user_id": 42, "user_type": "C", "status": "D", "email": "ada@example.com", "firstname": "Ada &amp; Co",
        "birthday": "-63158400", "b_city": "Boston", "b_zipcode": 2125, "b_county": null, "s_country": "US",
        "s_address_type": "residential", "fields": { "36": "x" },
        "usergroups": [{ "id": 5, "name": "VIP", "status": "A" }], "tags": ["vip"], "guest": false,
    });
    let user = user(body);
    assert_eq!(user.firstname.as_deref(), Some("Ada &amp; Co"), "entities are left as they are");
    assert_eq!(user.billing.city.as_deref(), Some("Boston"));
    assert_eq!(user.billing.zipcode.as_deref(), Some("2125"));
    assert_eq!(user.billing.county, None);
    assert_eq!(user.shipping.country.as_deref(), Some("US"));
    assert_eq!(user.usergroups[0].id, UsergroupId(5));
    assert_eq!(
        serde_json::to_value(&user).unwrap(),
        json!({
            "user_id": 42, "user_type": "C", "status": "D", "email": "ada@example.com",
            "firstname": "Ada &amp; Co", "birthday": -63_158_400, "b_city": "Boston", "b_zipcode": "2125",
            "s_country": "US", "s_address_type": "residential", "fields": { "36": "x" },
            "usergroups": [{ "id": 5, "name": "VIP", "status": "A" }], "tags": ["vip"], "guest": false,
        })
    );
}

#[test]
fn a_guest_has_no_id_and_writes_0() {
    for id in [json!(0), json!("0"), json!(""), json!(null), json!(false)] {
        let guest = user(json!({ "user_id": id, "email": "gus@example.com", "guest": "Y" }));
        assert_eq!((guest.user_id, guest.guest), (None, true));
        let written = serde_json::to_value(&guest).unwrap();
        assert_eq!(written, json!({ "user_id": 0, "email": "gus@example.com", "guest": true }));
    }
    assert_eq!(user(json!({})), User::default());
}

#[test]
fn groups_are_read_in_the_form_of_the_rest_api_too() {
    let user = user(json!({
        "usergroups": { "5": { "link_id": "1", "usergroup_id": "5", "status": "P" } },
        "fields": [],
    }));
    assert_eq!(user.usergroups[0].id, UsergroupId(5));
    assert_eq!(user.usergroups[0].status, Some(UsergroupStatus::Pending));
    assert_eq!(user.usergroups[0].extra["link_id"], "1");
}

#[test]
fn what_does_not_fit_is_named() {
    let odd = json!({ "user_id": 1, "email": ["a@x.test"] });
    let error = serde_path_to_error::deserialize::<_, User>(odd).unwrap_err();
    assert_eq!(error.path().to_string(), "email");
    let odd = json!({ "usergroups": [{ "id": 5 }, { "name": "x" }] });
    let error = serde_path_to_error::deserialize::<_, User>(odd).unwrap_err();
    assert_eq!(error.path().to_string(), "usergroups[1]");
}

fn text() -> impl Strategy<Value = Option<String>> {
    option::of(".{0,12}")
}

/// Seconds, but for the first of 1970, which means none.
fn time() -> impl Strategy<Value = Option<Timestamp>> {
    option::of((-2_000_000_000_i64..4_000_000_000).prop_filter("0 means none", |&seconds| seconds != 0))
        .prop_map(|seconds| seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()))
}

prop_compose! {
    fn address()(fields in proptest::array::uniform10(text())) -> Address {
        let [firstname, lastname, address, address_2, city, county, state, country, zipcode, phone] = fields;
        Address { firstname, lastname, address, address_2, city, county, state, country, zipcode, phone }
    }
}

prop_compose! {
    fn group()(id in 1_u64.., name in text(), status in option::of("[A-Z]")) -> Usergroup {
        let group = json!({ "id": id, "name": name, "status": status });
        serde_json::from_value(group).unwrap()
    }
}

prop_compose! {
    fn any_user()(
        (user_id, user_type, status) in (option::of(1_u64..), option::of("[A-Z]"), option::of("[A-Z]")),
        [email, firstname, lastname, phone, company, lang_code] in proptest::array::uniform6(text()),
        (birthday, timestamp) in (time(), time()),
        (billing, shipping) in (address(), address()),
        fields in proptest::collection::btree_map("[0-9]{1,3}", ".{0,5}".prop_map(Value::from), 0..4),
        usergroups in proptest::collection::vec(group(), 0..3),
        tags in option::of(proptest::collection::vec(".{0,5}", 0..3)),
        guest: bool,
        extra in proptest::collection::btree_map("x_[a-z]{1,5}", ".{0,5}".prop_map(Value::from), 0..3),
    ) -> User {
        User {
            user_id: user_id.map(UserId),
            user_type: user_type.map(UserType::from),
            status: status.map(UserStatus::from),
            email, firstname, lastname, phone, company, lang_code,
            birthday, timestamp, billing, shipping, fields, usergroups, tags, guest,
            extra: extra.into_iter().collect(),
        }
    }
}

/// One of the ways in which CS-Cart may write a value.
fn loosely(value: Value, way: u8) -> Value {
    match value {
        Value::Number(number) if way % 2 == 1 => Value::from(number.to_string()),
        Value::Bool(yes) => match way % 4 {
            0 => Value::Bool(yes),
            1 => Value::from(if yes { "Y" } else { "N" }),
            2 => Value::from(u8::from(yes)),
            _ => Value::from(if yes { "1" } else { "" }),
        },
        other => other,
    }
}

proptest! {
    #[test]
    fn a_user_survives_being_written_and_read(user in any_user()) {
        let written = serde_json::to_string(&user).unwrap();
        let read: User = serde_json::from_str(&written).unwrap();
        prop_assert_eq!(&read, &user);
        let value = serde_json::to_value(&user).unwrap();
        prop_assert_eq!(serde_json::from_value::<User>(value).unwrap(), user);
    }

    #[test]
    fn however_loosely_it_is_written_it_reads_alike(user in any_user(), ways in any::<[u8; 64]>()) {
        let Value::Object(written) = serde_json::to_value(&user).unwrap() else { unreachable!() };
        let loose: Map<String, Value> = written
            .into_iter()
            .zip(ways.into_iter().cycle())
            .map(|((key, value), way)| (key, loosely(value, way)))
            .collect();
        prop_assert_eq!(serde_json::from_value::<User>(Value::Object(loose)).unwrap(), user);
    }
}
