//! The mapping of a connection's settings, from a webhook to HighLevel.

use sandbox::Options;
use serde_json::{Value, json};

use crate::app::{QUICK, TestApp, ada};

/// A bridge whose connection has these settings.
async fn bridge(settings: &str) -> TestApp {
    let settings = settings.to_owned();
    let options = Options { strict_rate: false, ..Options::default() };
    TestApp::spawn_edited(options, QUICK, move |text, _| format!("{text}\n{settings}\n")).await
}

/// A bridge with these rules.
async fn with_fields(rules: &str) -> TestApp {
    bridge(&format!("[connection.settings.fields]\n{rules}")).await
}

/// A field of the location; answers its id.
async fn field(app: &TestApp, name: &str, kind: &str, options: &[&str]) -> String {
    let mut action = json!({ "action": "custom_field.create", "name": name, "dataType": kind });
    if !options.is_empty() {
        action["options"] = json!(options);
    }
    app.highlevel(action).await["customField"]["id"].as_str().unwrap().to_owned()
}

/// What a contact has in a custom field.
fn value(app: &TestApp, email: &str, id: &str) -> Value {
    let contacts = app.ghl("contacts");
    let contact = contacts.iter().find(|contact| contact["email"] == email).unwrap();
    let fields = contact["customFields"].as_array().unwrap();
    fields.iter().find(|field| field["id"] == id).map_or(Value::Null, |field| field["value"].clone())
}

/// A customer with more than the shipped form has.
fn ada_with(more: Value) -> Value {
    let mut user = ada();
    for (name, value) in more.as_object().unwrap() {
        user[name] = value.clone();
    }
    user
}

/// A webhook about a customer; answers its event when it is done.
async fn announce(app: &TestApp, id: &str, kind: &str, data: Value) -> Value {
    let body = json!({ "type": kind, "timestamp": app.clock.now().to_string(), "store": {}, "data": data });
    let (status, answer) = app.deliver(id, &body).await;
    assert_eq!(status, 202, "{answer}");
    app.settled().await;
    app.event(answer["id"].as_str().unwrap()).await
}

fn left_out(event: &Value) -> String {
    event["effects"][0]["result"]["left_out"].to_string()
}

fn looks(app: &TestApp) -> usize {
    app.call_names()
        .iter()
        .filter(|name| name.starts_with("GET /locations/") && name.ends_with("/customFields"))
        .count()
}

fn makings(app: &TestApp) -> usize {
    app.call_names()
        .iter()
        .filter(|name| name.starts_with("POST /locations/") && name.ends_with("/customFields"))
        .count()
}

#[tokio::test]
async fn with_nothing_set_no_call_is_made_for_custom_fields() {
    let app = bridge("").await;
    app.register(ada()).await;
    assert_eq!(app.call_names(), ["POST /contacts/", "POST /contacts/*/tasks"]);
    app.end().await;
}

#[tokio::test]
async fn fields_of_every_type_arrive_by_id_in_the_shape_that_they_take() {
    let app = with_fields(
        r#"
        website = "{{ data.user.url }}"
        "custom.points" = { value = "{{ data.user.points }}", type = "number" }
        "custom.budget" = { value = "{{ data.user.budget }}", type = "money" }
        "custom.since" = { value = "{{ data.user.since }}", type = "date" }
        "custom.level" = "{{ data.user.level }}"
        "custom.colours" = { value = "{{ data.user.colours }}", type = "list" }
        "custom.newsletter" = { value = "{{ data.user.newsletter }}", type = "bool" }
        "custom.remark" = "{{ data.user.remark }}"
        "#,
    )
    .await;
    let points = field(&app, "Points", "NUMERICAL", &[]).await;
    let budget = field(&app, "Budget", "MONETORY", &[]).await;
    let since = field(&app, "Since", "DATE", &[]).await;
    let level = field(&app, "Level", "SINGLE_OPTIONS", &["Gold", "Silver"]).await;
    let colours = field(&app, "Colours", "MULTIPLE_OPTIONS", &["Red", "Blue"]).await;
    let newsletter = field(&app, "Newsletter", "RADIO", &["Yes", "No"]).await;
    let remark = field(&app, "Remark", "LARGE_TEXT", &[]).await;
    let more = json!({
        "url": "https://ada.example.com", "points": "1,200", "budget": "1.234,5", "since": 1_764_000_000, "level": "gold",
        "colours": ["blue", "red"], "newsletter": "Y", "remark": "Tom &amp; Jerry",
    });
    let user = ada_with(json!({ "user_id": 77 }));
    let mut user = user;
    user.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let event = announce(&app, "m1", "customer.created", json!({ "user": user })).await;
    assert_eq!(event["state"], "done", "{event:#}");
    assert_eq!(left_out(&event), "null");
    for (id, expected) in [
        (points, json!(1200)),
        (budget, json!(1234.5)),
        (since, json!("2025-11-24")),
        (level, json!("Gold")),
        (colours, json!(["Blue", "Red"])),
        (newsletter, json!("Yes")),
        (remark, json!("Tom & Jerry")),
    ] {
        assert_eq!(value(&app, "ada@example.com", &id), expected);
    }
    assert_eq!(app.ghl("contacts")[0]["website"], "https://ada.example.com");
    assert_eq!(looks(&app), 1);
    app.end().await;
}

#[tokio::test]
async fn the_definitions_are_fetched_once_and_a_change_of_one_field_sends_that_field() {
    let app = with_fields(r#""custom.level" = "{{ data.user.level }}""#).await;
    let level = field(&app, "Level", "TEXT", &[]).await;
    let user = |level: &str| json!({ "user": ada_with(json!({ "user_id": 77, "level": level })) });
    announce(&app, "m1", "customer.created", user("Gold")).await;
    announce(&app, "m2", "customer.updated", user("Silver")).await;
    announce(&app, "m3", "customer.updated", user("Silver")).await;
    assert_eq!(value(&app, "ada@example.com", &level), "Silver");
    let updates: Vec<Value> =
        app.calls().into_iter().filter(|call| call.method == "PUT").map(|call| call.body).collect();
    assert_eq!(updates, [json!({ "customFields": [{ "id": level, "field_value": "Silver" }] })]);
    assert_eq!(looks(&app), 1);
    app.end().await;
}

#[tokio::test]
async fn a_field_that_is_missing_or_has_no_such_option_is_left_out_and_the_rest_goes_on() {
    let app = with_fields(
        r#"
        "custom.nowhere" = "x"
        "custom.level" = "Bronze"
        "custom.wrong" = { value = "many", type = "number" }
        "#,
    )
    .await;
    field(&app, "Level", "RADIO", &["Gold", "Silver"]).await;
    let event =
        announce(&app, "m1", "customer.created", json!({ "user": ada_with(json!({ "user_id": 77 })) })).await;
    assert_eq!(event["state"], "done");
    let said = left_out(&event);
    for part in [
        "custom:nowhere: the location has no such field",
        "custom:level `Bronze`: the field has no such option; it has `Gold`, `Silver`",
        "custom:wrong `many`: it is not a number",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    assert_eq!(app.ghl("contacts")[0]["city"], "Washington");
    app.end().await;
}

#[tokio::test]
async fn an_option_that_is_gone_by_now_is_left_out_of_an_update() {
    let app = with_fields(r#""custom.level" = "{{ data.user.level }}""#).await;
    let level = field(&app, "Level", "RADIO", &["Gold", "Silver"]).await;
    let user = |level: &str| json!({ "user": ada_with(json!({ "user_id": 77, "level": level })) });
    announce(&app, "m1", "customer.created", user("Gold")).await;
    let event = announce(&app, "m2", "customer.updated", user("Platinum")).await;
    assert_eq!(event["state"], "done");
    assert_eq!(value(&app, "ada@example.com", &level), "Gold", "what was there stays");
    app.end().await;
}

#[tokio::test]
async fn an_option_that_was_deleted_in_highlevel_since_is_left_out_of_a_new_contact_and_of_a_change() {
    let app = with_fields(r#""custom.level" = "{{ data.user.level }}""#).await;
    let level = field(&app, "Level", "SINGLE_OPTIONS", &["Gold", "Silver"]).await;
    let user = |id: u64, level: &str| {
        let user =
            json!({ "user_id": id, "email": format!("c{id}@example.com"), "firstname": "C", "level": level });
        json!({ "user": user })
    };
    announce(&app, "m1", "customer.created", user(77, "Silver")).await;
    set_options(&app, &level, &["Silver"]).await;
    let made = announce(&app, "m2", "customer.created", user(78, "Gold")).await;
    set_options(&app, &level, &["Gold"]).await;
    let changed = announce(&app, "m3", "customer.updated", user(78, "Silver")).await;
    for (event, said) in [
        (&made, "custom:level `Gold`: the field has no such option; it has `Silver`"),
        (&changed, "custom:level `Silver`: the field has no such option; it has `Gold`"),
    ] {
        assert_eq!(event["state"], "done", "{event:#}");
        assert!(left_out(event).contains(said), "{event:#}");
    }
    assert_eq!(value(&app, "c78@example.com", &level), Value::Null);
    assert_eq!(
        changed["payload"]["data"]["user"]["level"], "Silver",
        "the event keeps all that it came with"
    );
    // It is there again, and known of when it is next looked.
    let gold = announce(&app, "m4", "customer.updated", user(78, "Gold")).await;
    assert_eq!(left_out(&gold), "null");
    assert_eq!(value(&app, "c78@example.com", &level), "Gold");
    app.end().await;
}

#[tokio::test]
async fn a_contact_that_is_there_gets_the_rest_where_an_option_was_deleted_since() {
    let app = with_fields(r#""custom.level" = "{{ data.user.level }}""#).await;
    let level = field(&app, "Level", "RADIO", &["Gold", "Silver"]).await;
    let user = |id: u64, email: &str| json!({ "user": { "user_id": id, "email": email, "firstname": "Ada", "level": "Gold" } });
    announce(&app, "m1", "customer.created", user(77, "a@example.com")).await;
    set_options(&app, &level, &["Silver"]).await;
    let there = json!({ "email": "b@example.com" });
    app.highlevel(json!({ "action": "contact.create", "contact": there, "deliver": false })).await;
    let event = announce(&app, "m2", "customer.created", user(78, "b@example.com")).await;
    assert_eq!(event["state"], "done", "{event:#}");
    assert!(left_out(&event).contains("custom:level `Gold`: the field has no such option"), "{event:#}");
    let contacts = app.ghl("contacts");
    let contact = contacts.iter().find(|contact| contact["email"] == "b@example.com").unwrap();
    assert_eq!(contact["firstName"], "Ada");
    app.end().await;
}

#[tokio::test]
async fn a_refusal_that_names_no_field_is_looked_into_and_else_keeps_the_event_with_all_its_data() {
    let mut app = with_fields(r#""custom.level" = "{{ data.user.level }}""#).await;
    app.may_have_dead_letters = true;
    let level = field(&app, "Level", "RADIO", &["Gold", "Silver", "Bronze"]).await;
    let user = |level: &str| json!({ "user": ada_with(json!({ "user_id": 77, "level": level })) });
    announce(&app, "m1", "customer.created", user("Silver")).await;
    let refusal =
        json!({ "method": "PUT", "path": "/contacts/*", "kind": "status", "status": 422, "times": 1 });
    set_options(&app, &level, &["Silver", "Bronze"]).await;
    app.fault(refusal.clone());
    let event = announce(&app, "m2", "customer.updated", user("Gold")).await;
    assert_eq!(event["state"], "done", "{event:#}");
    assert!(left_out(&event).contains("custom:level `Gold`: the field has no such option"), "{event:#}");

    app.fault(refusal);
    let dead = announce(&app, "m3", "customer.updated", user("Bronze")).await;
    assert_eq!(dead["state"], "dead", "nothing is wrong with the fields: {dead:#}");
    assert_eq!(dead["payload"]["data"]["user"]["level"], "Bronze");
    let again = app.replay(&dead).await;
    app.until_state(&again, "done").await;
    assert_eq!(value(&app, "ada@example.com", &level), "Bronze");
    app.end().await;
}

#[tokio::test]
async fn many_customers_at_once_make_a_missing_field_once() {
    let app = with_fields(
        r#""custom.vip_level" = { value = "{{ data.user.firstname }}", create = true, label = "VIP level" }"#,
    )
    .await;
    for n in 0..12 {
        let user =
            json!({ "user_id": 100 + n, "email": format!("c{n}@example.com"), "firstname": format!("C{n}") });
        let body = json!({ "type": "customer.created", "timestamp": app.clock.now().to_string(), "store": {}, "data": { "user": user } });
        assert_eq!(app.deliver(&format!("m{n}"), &body).await.0, 202);
    }
    app.settled().await;
    assert_eq!((makings(&app), looks(&app)), (1, 1));
    let fields = app.ghl("customFields");
    assert_eq!((fields.len(), &fields[0]["fieldKey"]), (1, &json!("contact.vip_level")));
    assert_eq!(fields[0]["name"], "VIP level");
    let id = fields[0]["id"].as_str().unwrap();
    assert_eq!(value(&app, "c7@example.com", id), "C7");
    app.end().await;
}

#[tokio::test]
async fn a_field_whose_making_was_never_answered_is_looked_for_before_it_is_made_again() {
    let app = with_fields(r#""custom.vip_level" = { value = "Gold", create = true }"#).await;
    app.fault(json!({ "method": "POST", "path": "*/customFields", "kind": "reset_after" }));
    let event =
        announce(&app, "m1", "customer.created", json!({ "user": ada_with(json!({ "user_id": 77 })) })).await;
    assert_eq!(event["state"], "done", "{event:#}");
    assert_eq!((makings(&app), looks(&app)), (1, 2));
    let fields = app.ghl("customFields");
    assert_eq!(fields.len(), 1);
    assert_eq!(value(&app, "ada@example.com", fields[0]["id"].as_str().unwrap()), "Gold");
    app.end().await;
}

#[tokio::test]
async fn a_field_that_was_deleted_in_highlevel_is_left_out_and_the_event_goes_on() {
    let app = with_fields(r#""custom.level" = "{{ data.user.level }}""#).await;
    let level = field(&app, "Level", "TEXT", &[]).await;
    let user = |level: &str| json!({ "user": ada_with(json!({ "user_id": 77, "level": level })) });
    announce(&app, "m1", "customer.created", user("Gold")).await;
    delete_field(&app, &level).await;
    let event = announce(&app, "m2", "customer.updated", user("Silver")).await;
    assert_eq!(event["state"], "done");
    assert!(left_out(&event).contains("custom:level: the field was deleted in HighLevel"), "{event:#}");
    let event = announce(&app, "m3", "customer.updated", user("Bronze")).await;
    assert_eq!(event["state"], "done", "{event:#}");
    assert_eq!(looks(&app), 2, "it is known to be gone");
    app.end().await;
}

#[tokio::test]
async fn without_the_scope_to_read_definitions_values_go_by_their_keys() {
    let app = with_fields(r#""custom.level" = "Gold""#).await;
    let level = field(&app, "Level", "TEXT", &[]).await;
    app.sandbox.ghl().settings(json!({ "scopes": ["contacts.readonly", "contacts.write"] })).unwrap();
    let event =
        announce(&app, "m1", "customer.created", json!({ "user": ada_with(json!({ "user_id": 77 })) })).await;
    assert_eq!(event["state"], "done", "{event:#}");
    assert_eq!(value(&app, "ada@example.com", &level), "Gold");
    let said = left_out(&event);
    assert!(
        said.contains("went by their keys") && said.contains("locations/customFields.readonly"),
        "{said}"
    );
    app.end().await;
}

#[tokio::test]
async fn a_contact_that_is_there_keeps_what_its_custom_fields_hold() {
    let app = with_fields("\"custom.level\" = \"Gold\"\n\"custom.colour\" = \"Red\"").await;
    let level = field(&app, "Level", "TEXT", &[]).await;
    let colour = field(&app, "Colour", "TEXT", &[]).await;
    let theirs =
        json!({ "email": "ada@example.com", "customFields": [{ "id": level, "field_value": "Platinum" }] });
    app.highlevel(json!({ "action": "contact.create", "contact": theirs })).await;
    announce(&app, "m1", "customer.created", json!({ "user": ada_with(json!({ "user_id": 77 })) })).await;
    assert_eq!(value(&app, "ada@example.com", &level), "Platinum");
    assert_eq!(value(&app, "ada@example.com", &colour), "Red");
    app.end().await;
}

#[tokio::test]
async fn an_orders_total_goes_into_a_field_of_its_buyer() {
    let app =
        with_fields(r#""custom.last_total" = { value = "{{ data.order.total }}", type = "money" }"#).await;
    let total = field(&app, "Last total", "MONETORY", &[]).await;
    let order = json!({ "order": { "order_id": 5, "user_id": 0, "email": "gus@example.com", "firstname": "Gus", "total": "1,234.5" } });
    announce(&app, "m1", "order.created", order).await;
    assert_eq!(value(&app, "gus@example.com", &total), json!(1234.5));
    app.end().await;
}

#[tokio::test]
async fn a_template_that_goes_wrong_for_an_event_loses_its_field_and_nothing_else() {
    let app = with_fields(
        r#"
        city = "{{ data.user.nothing | default('soon') | date }}"
        website = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}"
        "#,
    )
    .await;
    let mut user = ada_with(json!({ "user_id": 77 }));
    user["company"] = json!("x".repeat(400_000));
    let event = announce(&app, "m1", "customer.created", json!({ "user": user })).await;
    assert_eq!(event["state"], "done", "{event:#}");
    let said = left_out(&event);
    for part in ["`date` of `soon`", "does too much", "only its first 5000 bytes"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    assert_eq!(app.ghl("contacts")[0]["lastName"], "Lovelace");
    app.end().await;
}

#[tokio::test]
async fn a_rule_that_cannot_work_is_refused_by_the_api_with_what_to_do() {
    let app = bridge("").await;
    let (_, shown) = app.api("GET", "/api/connections/my-shop", None).await;
    let connection = json!({
        "name": "other", "ghl": { "location_id": "loc", "token": "pit-1", "api_url": shown["ghl"]["api_url"] },
        "cscart": { "url": "https://shop.example.com", "webhook_secrets": ["whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"] },
        "settings": { "fields": { "emial": "x" } },
    });
    let (status, problem) = app.api("POST", "/api/connections", Some(connection)).await;
    assert_eq!(status, 400, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("did you mean `email`?"), "{problem}");
    app.end().await;
}

/// Somebody deletes a custom field in HighLevel.
async fn delete_field(app: &TestApp, id: &str) {
    on_field(app, reqwest::Method::DELETE, id, None).await;
}

/// Somebody gives a custom field of HighLevel's other options.
async fn set_options(app: &TestApp, id: &str, options: &[&str]) {
    let body = json!({ "name": "Level", "options": options });
    on_field(app, reqwest::Method::PUT, id, Some(body)).await;
}

async fn on_field(app: &TestApp, method: reqwest::Method, id: &str, body: Option<Value>) {
    let announcement = app.sandbox.announcement();
    let ghl = &announcement["ghl"];
    let text = |name: &str| ghl[name].as_str().unwrap();
    let url = format!("{}/locations/{}/customFields/{id}", text("url"), text("location_id"));
    let mut request =
        app.http.request(method, url).bearer_auth(text("token")).header("Version", "2021-07-28");
    if let Some(body) = body {
        request = request.json(&body);
    }
    assert_eq!(request.send().await.unwrap().status(), 200);
}
