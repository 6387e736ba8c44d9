//! The mapping of a connection's settings holds for jobs as it does for events.

use std::time::Duration;

use sandbox::Options;
use serde_json::{Value, json};

use super::{count, done, outcome, patient, report, seed};
use crate::app::TestApp;

/// Rules that need nothing but what the store's REST API says of a customer.
const RULES: &str = r#"
[connection.settings.fields]
website = "https://shop.example.com/users/{{ data.user.user_id }}"
"custom.level" = "{{ data.user.company }}"
"custom.active" = { value = "{{ data.user.status == 'A' }}", type = "bool" }
"#;

/// A bridge whose connection has these settings besides, and whose HighLevel shows at once what was written.
async fn spawn_with(settings: &str) -> TestApp {
    let settings = settings.to_owned();
    let options = Options { strict_rate: false, search_lag: Duration::ZERO, ..Options::default() };
    TestApp::spawn_edited(options, &patient(), move |text, _| format!("{text}\n{settings}\n")).await
}

/// The fields that the rules fill; answers their ids.
async fn fields(app: &TestApp) -> [String; 2] {
    let level = field(app, "Level", "SINGLE_OPTIONS", &["Gold", "Silver"]).await;
    [level, field(app, "Active", "RADIO", &["Yes", "No"]).await]
}

async fn field(app: &TestApp, name: &str, kind: &str, options: &[&str]) -> String {
    let action =
        json!({ "action": "custom_field.create", "name": name, "dataType": kind, "options": options });
    app.highlevel(action).await["customField"]["id"].as_str().unwrap().to_owned()
}

/// Customers of this level.
fn members(count: usize, level: &str) -> Vec<Value> {
    let person = |n| json!({ "email": format!("member{n}@example.com"), "firstname": "M", "company": level });
    (0..count).map(person).collect()
}

/// What the contact of a member has in a custom field.
fn value(app: &TestApp, n: usize, id: &str) -> Value {
    let contact = contact(app, n);
    let fields = contact["customFields"].as_array().unwrap();
    fields.iter().find(|field| field["id"] == id).map_or(Value::Null, |field| field["value"].clone())
}

fn contact(app: &TestApp, n: usize) -> Value {
    let email = format!("member{n}@example.com");
    app.ghl("contacts").into_iter().find(|contact| contact["email"] == email.as_str()).unwrap()
}

/// A person edits a custom field in HighLevel.
async fn edit(app: &TestApp, n: usize, id: &str, value: Value) {
    let contact_id = contact(app, n)["id"].clone();
    let edit = json!({ "customFields": [{ "id": id, "field_value": value }] });
    app.highlevel(
        json!({ "action": "contact.update", "contact_id": contact_id, "contact": edit, "deliver": false }),
    )
    .await;
}

#[tokio::test]
async fn an_import_fills_the_fields_of_the_settings_and_the_second_one_finds_them_equal() {
    let app = spawn_with(RULES).await;
    let [level, active] = fields(&app).await;
    for own in ["cscart_customer_id", "cscart_status"] {
        field(&app, own, "TEXT", &[]).await;
    }
    seed(&app, members(5, "gold")).await;
    let first = done(&app, json!({ "kind": "import" })).await;
    assert_eq!(first["outcomes"], json!({ "created": 5 }), "{first}");
    assert_eq!((value(&app, 3, &level), value(&app, 3, &active)), (json!("Gold"), json!("Yes")));
    assert!(contact(&app, 3)["website"].as_str().unwrap().starts_with("https://shop.example.com/users/"));

    let events = app.events("limit=100").await.len();
    let second = done(&app, json!({ "kind": "import" })).await;
    assert_eq!(second["outcomes"], json!({ "equal": 5 }), "{second}");
    assert_eq!(app.events("limit=100").await.len(), events, "an equal customer costs no event");
    let looks = app.call_names().iter().filter(|name| name.ends_with("/customFields")).count();
    assert_eq!(looks, 1, "jobs and events know the same of the location's fields");
    let verify = done(&app, json!({ "kind": "verify" })).await;
    assert_eq!(verify["outcomes"], json!({ "equal": 5 }), "{verify}");
    app.end().await;
}

#[tokio::test]
async fn a_resync_repairs_a_field_of_the_settings_whose_change_was_missed() {
    let app = spawn_with(RULES).await;
    let [level, active] = fields(&app).await;
    let ids = seed(&app, members(3, "gold")).await;
    done(&app, json!({ "kind": "import" })).await;
    let change = json!({ "action": "customer.update", "user_id": ids[1], "user": { "company": "silver" }, "deliver": false });
    app.shop(change).await;
    edit(&app, 2, &active, json!("No")).await;
    let resync = done(&app, json!({ "kind": "resync" })).await;
    assert_eq!(resync["outcomes"], json!({ "updated": 1, "equal": 2 }), "{resync}");
    assert_eq!(value(&app, 1, &level), "Silver");
    assert_eq!(value(&app, 2, &active), "No", "what a person has changed stays");
    app.end().await;
}

#[tokio::test]
async fn a_rule_that_came_later_is_told_by_a_verification_and_carried_out_by_a_resync() {
    let mut app = spawn_with("").await;
    let [level, _] = fields(&app).await;
    seed(&app, members(3, "gold")).await;
    done(&app, json!({ "kind": "import" })).await;
    app.edit_config(|text| format!("{text}\n{RULES}"));
    app.start_again().await;
    let verify = done(&app, json!({ "kind": "verify" })).await;
    assert_eq!(verify["outcomes"], json!({ "differs": 3 }), "{verify}");
    let told = report(&app, &verify).await[0]["fields"].as_str().unwrap().to_owned();
    for part in ["website: ", "custom:level: \"gold\" in the store, \"\" in HighLevel", "custom:active: "] {
        assert!(told.contains(part), "{part} in {told}");
    }
    let resync = done(&app, json!({ "kind": "resync" })).await;
    assert_eq!(resync["outcomes"], json!({ "updated": 3 }), "{resync}");
    assert_eq!(value(&app, 0, &level), "Gold");
    let verify = done(&app, json!({ "kind": "verify" })).await;
    assert_eq!(verify["outcomes"], json!({ "equal": 3 }), "{verify}");
    app.end().await;
}

#[tokio::test]
async fn a_verification_names_a_field_of_the_settings_that_differs_also_in_a_sample() {
    let app = spawn_with(RULES).await;
    let [level, _] = fields(&app).await;
    let ids = seed(&app, members(2, "gold")).await;
    done(&app, json!({ "kind": "import" })).await;
    edit(&app, 1, &level, json!("Silver")).await;
    for options in [json!({}), json!({ "sample": 2 })] {
        let verify = done(&app, json!({ "kind": "verify", "options": options })).await;
        assert_eq!(verify["outcomes"], json!({ "equal": 1, "kept": 1 }), "{options}: {verify}");
        let lines = report(&app, &verify).await;
        let line =
            lines.iter().find(|line| line["customer"] == format!("customer:{}", ids[1])).unwrap().clone();
        assert_eq!(line["fields"], "custom:level: \"gold\" in the store, \"Silver\" in HighLevel");
    }
    app.end().await;
}

#[tokio::test]
async fn a_contact_that_is_there_keeps_its_values_and_gets_those_that_it_lacks() {
    let app = spawn_with(RULES).await;
    let [level, active] = fields(&app).await;
    let theirs =
        json!({ "email": "member0@example.com", "customFields": [{ "id": level, "field_value": "Silver" }] });
    app.highlevel(json!({ "action": "contact.create", "contact": theirs, "deliver": false })).await;
    seed(&app, members(1, "gold")).await;
    let import = done(&app, json!({ "kind": "import" })).await;
    assert_eq!(import["outcomes"], json!({ "adopted": 1 }), "{import}");
    assert_eq!((value(&app, 0, &level), value(&app, 0, &active)), (json!("Silver"), json!("Yes")));
    app.end().await;
}

#[tokio::test]
async fn what_the_location_cannot_take_is_told_and_is_no_difference() {
    let app = spawn_with(RULES).await;
    field(&app, "Level", "SINGLE_OPTIONS", &["Gold"]).await;
    let ids = seed(&app, members(1, "bronze")).await;
    for outcomes in [json!({ "created": 1 }), json!({ "equal": 1 })] {
        let import = done(&app, json!({ "kind": "import" })).await;
        assert_eq!(import["outcomes"], outcomes, "{import}");
        let (_, why) = outcome(&report(&app, &import).await, ids[0]);
        for part in [
            "custom:level `bronze`: the field has no such option",
            "custom:active: the location has no such field",
        ] {
            assert!(why.contains(part), "{part} in {why}");
        }
    }
    app.end().await;
}

#[tokio::test]
async fn a_profile_field_that_the_rest_api_does_not_show_empties_nothing() {
    let rule = "[connection.settings.fields]\n\
         \"custom.newsletter\" = { value = \"{{ data.user.fields['40'] }}\", when_empty = \"clear\" }";
    let app = spawn_with(rule).await;
    let newsletter = field(&app, "Newsletter", "TEXT", &[]).await;
    seed(&app, members(1, "gold")).await;
    done(&app, json!({ "kind": "import" })).await;
    edit(&app, 0, &newsletter, json!("weekly")).await;
    let resync = done(&app, json!({ "kind": "resync" })).await;
    assert_eq!(resync["outcomes"], json!({ "equal": 1 }), "{resync}");
    assert_eq!(value(&app, 0, &newsletter), "weekly");
    app.end().await;
}

#[tokio::test]
async fn without_the_scope_to_read_definitions_a_job_goes_on_without_them() {
    let app =
        spawn_with("[connection.settings.fields]\n\"custom.level\" = \"{{ data.user.company }}\"").await;
    let level = field(&app, "Level", "TEXT", &[]).await;
    app.sandbox.ghl().settings(json!({ "scopes": ["contacts.readonly", "contacts.write"] })).unwrap();
    seed(&app, members(2, "gold")).await;
    for outcomes in [json!({ "created": 2 }), json!({ "equal": 2 })] {
        let import = done(&app, json!({ "kind": "import" })).await;
        assert_eq!(import["outcomes"], outcomes, "{import}");
    }
    assert_eq!(value(&app, 0, &level), "gold");
    assert_eq!(count(&app, "PUT", "/contacts/*"), 0);
    app.end().await;
}
