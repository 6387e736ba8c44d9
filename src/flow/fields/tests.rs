use serde_json::json;

use super::*;

fn settings(fields: &str) -> Settings {
    toml::from_str(&format!("time_zone = \"Europe/Berlin\"\n[fields]\n{fields}")).unwrap()
}

fn applied(fields: &str, data: serde_json::Value) -> Mapped {
    let settings = settings(fields);
    let map = FieldMap::compile(&settings);
    assert_eq!(map.mistakes(), [] as [String; 0]);
    let mut mapped = Mapped::default();
    mapped.contact.set(Field::Country, "US");
    mapped.contact.set(Field::City, "Paris");
    let seen = Seen {
        kind: "customer.created",
        occurred_at: "2026-11-24T12:00:00Z".parse().unwrap(),
        connection: &"my-shop".parse().unwrap(),
        settings: &settings,
        store: &json!({ "url": "https://shop.example.com" }),
        data: &data,
    };
    map.apply(&seen, &mut mapped);
    mapped
}

fn custom(mapped: &Mapped, key: &str) -> Option<String> {
    mapped.contact.get(&Field::Custom(key.into())).map(str::to_owned)
}

#[test]
fn rules_fill_fields_by_their_types() {
    let mapped = applied(
        r#"
            website = "{{ data.user.url }}"
            "custom.total" = { value = "{{ data.order.total }}", type = "money" }
            "custom.placed" = { value = "{{ data.order.timestamp }}", type = "date" }
            "custom.colours" = { value = "{{ data.user.fields['36'] }}", type = "list" }
            "custom.newsletter" = { value = "{{ data.user.fields['40'] }}", type = "bool" }
            "custom.mobile" = { value = "{{ data.user.fields['41'] }}", type = "phone" }
            "custom.bought" = "{{ data.order.products | items }}"
            first_name = "{{ data.user.fullname | first_name }}"
        "#,
        json!({
            "user": { "url": "https://ada.example.com", "fullname": "Ada Lovelace",
                "fields": { "36": ["red", "blue"], "40": "Y", "41": "202 555 0143" } },
            "order": { "total": "1,234.5", "timestamp": "1764028800", "products": { "1": { "product": "Chair", "amount": 2 } } },
        }),
    );
    assert_eq!(mapped.problems, []);
    for (key, value) in [
        ("total", "1234.50"),
        ("placed", "2025-11-25"),
        ("colours", r#"["red","blue"]"#),
        ("newsletter", "true"),
        ("mobile", "+12025550143"),
        ("bought", "2 × Chair"),
    ] {
        assert_eq!(custom(&mapped, key).as_deref(), Some(value), "{key}");
    }
    assert_eq!(mapped.contact.get(&Field::Website), Some("https://ada.example.com"));
    assert_eq!(mapped.contact.get(&Field::FirstName), Some("Ada"));
}

#[test]
fn an_empty_value_keeps_or_clears() {
    let rules = r#"
        city = { value = "{{ data.city }}", when_empty = "clear" }
        country = "{{ data.country }}"
        "custom.a" = { value = "{{ data.a }}", when_empty = "clear" }
        "custom.b" = "{{ data.b }}"
    "#;
    let mapped = applied(rules, json!({ "city": "", "country": "", "a": null, "b": "" }));
    assert_eq!(mapped.contact.get(&Field::City), Some(""));
    assert_eq!(mapped.contact.get(&Field::Country), None, "nothing is said of it, so it keeps what it has");
    assert_eq!((custom(&mapped, "a").as_deref(), custom(&mapped, "b")), (Some(""), None));
}

#[test]
fn what_an_event_does_not_speak_of_is_not_cleared() {
    let rules = r#"
        city = { value = "{{ data.user.town | entities }}", when_empty = "clear" }
        "custom.newsletter" = { value = "{{ data.user.fields['40'] }}", type = "bool", when_empty = "clear" }
    "#;
    let mapped = applied(rules, json!({ "order": { "order_id": 5 } }));
    assert_eq!((mapped.contact.get(&Field::City), custom(&mapped, "newsletter")), (None, None));
    let unticked = applied(rules, json!({ "user": { "fields": { "36": "Gold" } } }));
    assert_eq!(custom(&unticked, "newsletter").as_deref(), Some(""), "the profile is there, and has no tick");
}

#[test]
fn what_cannot_be_read_is_left_out_with_a_reason_and_the_rest_goes_on() {
    let mapped = applied(
        r#"
            city = "{{ data.city | date }}"
            phone = "{{ data.phone }}"
            "custom.points" = { value = "{{ data.points }}", type = "number" }
            "custom.huge" = "{{ data.huge }}"
            "custom.long" = "{{ data.long }}"
            "custom.fine" = "{{ data.fine }}"
        "#,
        json!({ "city": "soon", "phone": "ask me", "points": "many", "huge": "x".repeat(10_000_000), "long": "y".repeat(9000), "fine": "ok" }),
    );
    let said: Vec<String> = mapped.problems.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 5, "{said:#?}");
    for (field, why) in [
        ("city", "`date` of `soon`"),
        ("phone `ask me`", "no phone number of US"),
        ("custom:points `many`", "not a number"),
        ("custom:huge", "1024 KiB"),
        ("custom:long", "first 5000 bytes"),
    ] {
        let problem =
            said.iter().find(|said| said.starts_with(field)).unwrap_or_else(|| panic!("{field}: {said:#?}"));
        assert!(problem.contains(why) && problem.len() < 300, "{problem}");
    }
    assert_eq!(mapped.contact.get(&Field::City), None, "not what the default mapping had either");
    assert_eq!(custom(&mapped, "fine").as_deref(), Some("ok"));
    assert_eq!(custom(&mapped, "long").map(|text| text.len()), Some(5000));
}

#[test]
fn a_rule_that_cannot_work_is_told_with_what_to_do() {
    for (fields, why) in [
        (r#"shoe_size = "42""#, "`shoe_size` is not a field of a contact"),
        (r#"emial = "x""#, "did you mean `email`?"),
        (r#""custom.VIP Level" = "x""#, "a-z, 0-9 and `_`"),
        (r#"city = "{{ dta.city }}""#, "did you mean `data`?"),
        (r#"city = "{{ data.city | shout }}""#, "shout"),
        (r#"city = { value = "x", type = "phone" }"#, "`type` cannot be changed"),
        (r#"city = { value = "x", create = true }"#, "custom fields"),
        (r#""custom.a" = { value = "x", type = "list", create = true }"#, "with its options"),
        (r#"city = "{% set a = [a, a] %}""#, "no statement `set`"),
    ] {
        let map = FieldMap::compile(&settings(fields));
        assert!(
            map.mistakes().len() == 1 && map.mistakes()[0].contains(why),
            "{fields}: {:?}",
            map.mistakes()
        );
    }
    let wrong = Settings { time_zone: Some("Mars".into()), ..Settings::default() };
    assert!(FieldMap::compile(&wrong).mistakes()[0].contains("Mars"));
}

#[test]
fn nothing_set_changes_nothing() {
    let mapped = applied("", json!({ "user": {} }));
    assert_eq!(mapped.contact.get(&Field::City), Some("Paris"));
    assert!(!FieldMap::compile(&Settings::default()).has_custom());
}

/// The part of `docs/mapping.md` in a fence of this language, the `nth` of them.
fn example(language: &str, nth: usize) -> &'static str {
    let page = include_str!("../../../docs/mapping.md");
    let fence = format!("```{language}\n");
    page.split(fence.as_str()).nth(nth + 1).and_then(|rest| rest.split("\n```").next()).unwrap()
}

#[test]
fn the_example_of_the_documentation_gives_what_it_says() {
    #[derive(serde::Deserialize)]
    struct Example {
        connection: Connection,
    }
    #[derive(serde::Deserialize)]
    struct Connection {
        settings: Settings,
    }
    let settings = toml::from_str::<Example>(example("toml", 0)).unwrap().connection.settings;
    let map = FieldMap::compile(&settings);
    assert_eq!(map.mistakes(), [] as [String; 0]);
    let data: serde_json::Value = serde_json::from_str(example("json", 0)).unwrap();
    let mut mapped = Mapped::default();
    let seen = Seen {
        kind: "order.placed",
        occurred_at: "2026-11-24T12:00:00Z".parse().unwrap(),
        connection: &"my-shop".parse().unwrap(),
        settings: &settings,
        store: &json!({}),
        data: &data,
    };
    map.apply(&seen, &mut mapped);
    assert_eq!(mapped.problems, []);
    let expected: serde_json::Value = serde_json::from_str(example("json", 1)).unwrap();
    assert_eq!(serde_json::to_value(&mapped.contact).unwrap(), expected);
}

#[test]
fn the_documentation_names_every_field() {
    let page = include_str!("../../../docs/mapping.md");
    for name in Field::names() {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
}
