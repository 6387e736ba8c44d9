//! Search, lists and their pages, and the index that lags.

use std::{collections::HashSet, time::Duration};

use reqwest::Method;
use sandbox::Options;
use serde_json::{Value, json};

use crate::world::World;

/// Makes contacts without a request each: over the control, in the same process.
async fn fill(world: &World, count: usize) {
    for number in 0..count {
        let contact = json!({ "firstName": format!("N{number}"), "email": format!("n{number}@deos.com") });
        world.sandbox.ghl().act(json!({ "action": "contact.create", "contact": contact })).await.unwrap();
    }
    world.sandbox.ghl().settings(json!({ "strict_rate": false })).unwrap();
}

async fn search(world: &World, mut body: Value) -> (u16, Value) {
    body["locationId"] = json!(world.location());
    world.ghl(Method::POST, "/contacts/search", body).await
}

fn emails(body: &Value) -> Vec<String> {
    let contacts = body["contacts"].as_array().unwrap();
    contacts.iter().map(|it| it["email"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_new_contact_is_found_only_after_the_lag_but_the_duplicate_search_finds_it_at_once() {
    let world = World::with(Options { search_lag: Duration::from_secs(1), ..Options::default() }).await;
    world.create(json!({ "email": "rosan@deos.com" })).await;
    let by_email = json!({ "pageLimit": 10, "filters": [{ "field": "email", "operator": "eq", "value": "rosan@deos.com" }] });
    let (status, body) = search(&world, by_email.clone()).await;
    assert_eq!((status, &body["total"]), (200, &json!(0)));
    let path = format!("/contacts/search/duplicate?locationId={}&email=Rosan%40deos.com", world.location());
    let (_, body) = world.ghl(Method::GET, &path, Value::Null).await;
    assert_eq!(body["contact"]["email"], "rosan@deos.com");
    world.sandbox.ghl().settings(json!({ "strict_rate": false })).unwrap();
    let found = async { while search(&world, by_email.clone()).await.1["total"] != 1 {} };
    tokio::time::timeout(Duration::from_secs(10), found).await.unwrap();
    let none = format!("/contacts/search/duplicate?locationId={}&number=%2B18888888888", world.location());
    assert_eq!(world.ghl(Method::GET, &none, Value::Null).await.1, json!({ "contact": null }));
}

#[tokio::test]
async fn pages_end_at_ten_thousand_and_search_after_goes_on_to_the_end() {
    let world = World::start().await;
    let all = 10_450;
    fill(&world, all).await;
    let (status, last) = search(&world, json!({ "pageLimit": 500, "page": 20 })).await;
    assert_eq!((status, last["total"].as_u64()), (200, Some(all as u64)));
    let (status, body) = search(&world, json!({ "pageLimit": 500, "page": 21 })).await;
    assert_eq!(status, 400, "{body}");

    let mut seen: HashSet<String> = HashSet::new();
    let mut after = Value::Null;
    loop {
        let mut body = json!({ "pageLimit": 500 });
        if !after.is_null() {
            body["searchAfter"] = after;
        }
        let (status, page) = search(&world, body).await;
        assert_eq!(status, 200, "{page}");
        let Some(end) = page["contacts"].as_array().unwrap().last() else { break };
        after = end["searchAfter"].clone();
        for email in emails(&page) {
            assert!(seen.insert(email), "nobody twice");
        }
    }
    assert_eq!(seen.len(), all);
}

#[tokio::test]
async fn the_deprecated_list_pages_by_start_after_to_the_end() {
    let world = World::start().await;
    fill(&world, 205).await;
    let (mut seen, mut pages) = (HashSet::new(), 0);
    let mut path = format!("/contacts/?locationId={}&limit=100", world.location());
    loop {
        let (status, body) = world.ghl(Method::GET, &path, Value::Null).await;
        assert_eq!((status, &body["meta"]["total"]), (200, &json!(205)));
        seen.extend(emails(&body));
        pages += 1;
        let Some(next) = body["meta"]["nextPageUrl"].as_str() else { break };
        let (after, id) = (&body["meta"]["startAfter"], &body["meta"]["startAfterId"]);
        assert!(next.contains(&format!("startAfter={after}&startAfterId={}", id.as_str().unwrap())));
        path = next.strip_prefix(world.sandbox.ghl_url()).unwrap().to_owned();
    }
    assert_eq!((seen.len(), pages), (205, 3));
    let too_many = format!("/contacts/?locationId={}&limit=101", world.location());
    assert_eq!(world.ghl(Method::GET, &too_many, Value::Null).await.0, 422);
}

#[tokio::test]
async fn filters_groups_sort_and_query_find_what_they_say() {
    let world = World::start().await;
    for (first, city, tags) in
        [("Ada", "Berlin", vec!["vip"]), ("Ben", "Paris", vec!["vip", "new"]), ("Cem", "Berlin", vec![])]
    {
        let email = format!("{}@deos.com", first.to_lowercase());
        world.create(json!({ "firstName": first, "city": city, "tags": tags, "email": email })).await;
    }
    let by_name = json!([{ "field": "firstNameLowerCase", "direction": "asc" }]);
    let city = |it: &str| json!({ "field": "city", "operator": "eq", "value": it });
    let tag = |it: &str| json!({ "field": "tags", "operator": "contains", "value": it });
    for (filters, expected) in [
        (json!([city("Berlin")]), vec!["ada@deos.com", "cem@deos.com"]),
        (json!([city("Berlin"), tag("vip")]), vec!["ada@deos.com"]),
        (
            json!([{ "group": "OR", "filters": [city("Paris"), { "field": "tags", "operator": "not_exists" }] }]),
            vec!["ben@deos.com", "cem@deos.com"],
        ),
        (
            json!([{ "field": "firstNameLowerCase", "operator": "not_eq", "value": "ben" }]),
            vec!["ada@deos.com", "cem@deos.com"],
        ),
        (
            json!([{ "field": "dateAdded", "operator": "range", "value": { "gt": "2020-01-01T00:00:00Z", "lt": 4_102_444_800_000_i64 } }]),
            vec!["ada@deos.com", "ben@deos.com", "cem@deos.com"],
        ),
    ] {
        let (status, body) =
            search(&world, json!({ "pageLimit": 10, "filters": filters, "sort": by_name })).await;
        assert_eq!(
            (status, emails(&body)),
            (200, expected.into_iter().map(str::to_owned).collect()),
            "{filters}"
        );
    }
    let (_, body) = search(&world, json!({ "pageLimit": 10, "query": "PARIS" })).await;
    assert_eq!(body["total"], 0, "the query looks at names, addresses, numbers, companies and tags");
    let (_, body) = search(&world, json!({ "pageLimit": 10, "query": "ben@" })).await;
    assert_eq!(emails(&body), ["ben@deos.com"]);
    for wrong in [
        json!({}),
        json!({ "pageLimit": 501 }),
        json!({ "pageLimit": 10, "filters": [{ "field": "shoeSize", "operator": "eq", "value": 1 }] }),
        json!({ "pageLimit": 10, "filters": [{ "field": "city", "operator": "like", "value": "B" }] }),
        json!({ "pageLimit": 10, "bogus": true }),
    ] {
        assert_eq!(search(&world, wrong.clone()).await.0, 422, "{wrong}");
    }
}

#[tokio::test]
async fn equality_of_a_number_misses_additional_numbers() {
    let world = World::start().await;
    let contact = json!({ "phone": "+18888888888", "additionalPhones": ["+18888888877"] });
    world.sandbox.ghl().act(json!({ "action": "contact.create", "contact": contact })).await.unwrap();
    for (number, total) in [("+18888888888", 1), ("+18888888877", 0)] {
        let filter = json!([{ "field": "phone", "operator": "eq", "value": number }]);
        let (_, body) = search(&world, json!({ "pageLimit": 10, "filters": filter })).await;
        assert_eq!(body["total"], total, "HighLevel's issue 289");
    }
}
