//! Flows of one's own: what a route file can ask for, from a webhook to the calls that come of it.

mod alone;
mod calls;
mod highlevel;
mod refused;
mod schema;
mod waits;

use sandbox::Options;
use serde_json::{Value, json};

use crate::app::{QUICK, TestApp, ada};

/// A bridge with a route of one's own, beside the shipped ones, and a customer who has a contact.
pub(crate) struct Flow {
    pub(crate) app: TestApp,
    pub(crate) user: Value,
    /// HighLevel's id of the customer's contact.
    pub(crate) contact: Value,
    /// How many calls HighLevel got before.
    before: usize,
    sent: usize,
    folder: tempfile::TempDir,
}

impl Flow {
    /// With this text as the route `flow`, on `cscart.ping`.
    pub(crate) async fn spawn(steps: &str) -> Self {
        Self::spawn_with(steps, QUICK).await
    }

    /// The same, on another event.
    pub(crate) async fn spawn_on(trigger: &str, steps: &str) -> Self {
        Self::spawn_files(&[("flow.toml", &route(trigger, steps))], QUICK).await
    }

    /// The same, with other settings of the engine.
    pub(crate) async fn spawn_with(steps: &str, settings: &str) -> Self {
        Self::spawn_files(&[("flow.toml", &route("cscart.ping", steps))], settings).await
    }

    /// With these files as routes.
    pub(crate) async fn spawn_files(files: &[(&str, &str)], settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let routes = folder.path().display().to_string();
        let options = Options { strict_rate: false, ..Options::default() };
        let app =
            TestApp::spawn_edited(options, settings, |text, _| format!("routes_dir = \"{routes}\"\n{text}"));
        let app = app.await;
        let user = app.register(ada()).await;
        let contact = app.ghl("contacts")[0]["id"].clone();
        let before = app.calls().len();
        Self { app, user, contact, before, sent: 0, folder }
    }

    /// Another text for a route, which is waited for to be in force.
    pub(crate) async fn mend(&self, name: &str, text: &str) {
        let text = text.replace("a test", "mended");
        std::fs::write(self.folder.path().join(name), text).unwrap();
        self.app
            .until("it is in force", async || {
                let (_, routes) = self.app.api("GET", "/api/routes", None).await;
                let mut routes = routes["items"].as_array().unwrap().iter();
                routes.any(|route| route["description"] == "mended").then_some(())
            })
            .await;
    }

    /// The store sends a ping about the customer; answers the event's id.
    pub(crate) async fn ping(&mut self, data: Value) -> String {
        let user = self.user.clone();
        self.ping_about(&json!({ "user_id": user, "email": "ada@example.com" }), data).await
    }

    /// The store sends a ping about anybody.
    pub(crate) async fn ping_about(&mut self, user: &Value, mut data: Value) -> String {
        data["user"] = user.clone();
        data["user_id"] = user["user_id"].clone();
        let at = self.app.clock.now().to_string();
        let body = json!({ "type": "ping", "timestamp": at, "store": { "url": "https://shop.example.com" }, "data": data });
        self.sent += 1;
        let (status, receipt) = self.app.deliver(&format!("msg_{}", self.sent), &body).await;
        assert_eq!(status, 202, "{receipt}");
        receipt["id"].as_str().unwrap().to_owned()
    }

    /// The calls since the beginning.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.app.call_names().split_off(self.before)
    }

    /// The texts of all notes, sorted.
    pub(crate) fn notes(&self) -> Vec<String> {
        let text = |note: Value| note["bodyText"].as_str().unwrap_or_default().to_owned();
        let mut notes: Vec<String> = self.app.ghl("notes").into_iter().map(text).collect();
        notes.sort();
        notes
    }
}

/// A route on an event.
pub(crate) fn route(trigger: &str, steps: &str) -> String {
    format!("description = \"a test\"\non = [\"{trigger}\"]\n{steps}")
}

/// The keys and states of an event's effects.
pub(crate) fn effects(event: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let effects = event["effects"].as_array().unwrap();
    effects.iter().map(|effect| (text(&effect["step"]), text(&effect["state"]))).collect()
}

/// Pairs of texts.
pub(crate) fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.into_iter().map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
}

#[tokio::test]
async fn what_one_step_gives_is_what_the_next_one_takes() {
    let mut flow = Flow::spawn(
        r#"
        [[step]]
        id = "find"
        do = "ghl.contact.find_duplicate"
        save_as = "found"
        with = { email = "ada@example.com" }
        [[step]]
        id = "note"
        if = "found.contact"
        do = "ghl.note.create"
        with = { contactId = "{{ found.contact.id }}", body = "{{ found.contact.firstName }} was found." }
        [[step]]
        id = "nobody"
        if = "not found.contact"
        do = "ghl.note.create"
        with = { body = "Nobody was found." }
        "#,
    )
    .await;
    let id = flow.ping(json!({})).await;
    let event = flow.app.until_state(&id, "done").await;
    assert_eq!(effects(&event), pairs([("find", "done"), ("note", "done")]));
    assert_eq!(event["effects"][0]["result"]["contact"]["id"], flow.contact, "the whole answer is kept");
    assert_eq!(flow.calls(), ["GET /contacts/search/duplicate", "POST /contacts/*/notes"]);
    assert_eq!(flow.notes(), ["Ada was found."]);
    flow.app.end().await;
}

#[tokio::test]
async fn a_contact_that_was_just_made_is_known_to_the_next_step() {
    let mut flow = Flow::spawn(
        r#"
        [[step]]
        id = "contact"
        do = "ghl.contact.ensure"
        [[step]]
        id = "note"
        do = "ghl.note.create"
        with = { body = "Made as {{ contact.id }}." }
        "#,
    )
    .await;
    let bob = json!({ "user_id": 7001, "email": "bob@example.com", "firstname": "Bob" });
    let id = flow.ping_about(&bob, json!({})).await;
    flow.app.until_state(&id, "done").await;
    let contacts = flow.app.ghl("contacts");
    let made = contacts.iter().find(|contact| contact["email"] == "bob@example.com").unwrap();
    assert_eq!(flow.notes(), [format!("Made as {}.", made["id"].as_str().unwrap())]);
    assert_eq!(flow.app.ghl("notes")[0]["contactId"], made["id"]);
    flow.app.end().await;
}

const EACH: &str = r#"
    [[step]]
    id = "note"
    do = "ghl.note.create"
    for_each = "data.products"
    if = "item.price > 5"
    save_as = "notes"
    with = { body = "{{ index }}: {{ item.name }}" }
    [[step]]
    id = "sum"
    do = "ghl.note.create"
    with = { body = "{{ notes | select | list | length }} notes" }
"#;

#[tokio::test]
async fn a_step_runs_once_for_each_item_of_a_list() {
    let mut flow = Flow::spawn(EACH).await;
    let products =
        json!([{ "name": "pen", "price": 9 }, { "name": "clip", "price": 1 }, { "name": "ink", "price": 7 }]);
    let id = flow.ping(json!({ "products": products })).await;
    let event = flow.app.until_state(&id, "done").await;
    assert_eq!(effects(&event), pairs([("note[0]", "done"), ("note[2]", "done"), ("sum", "done")]));
    assert_eq!(flow.notes(), ["0: pen", "2 notes", "2: ink"]);
    flow.app.end().await;
}

#[tokio::test]
async fn a_list_that_is_far_too_long_is_a_dead_letter_that_names_the_step_and_nothing_is_done() {
    let mut flow = Flow::spawn(EACH).await;
    let many: Vec<Value> = (0..101).map(|_| json!({ "price": 9 })).collect();
    let id = flow.ping(json!({ "products": many })).await;
    let event = flow.app.until_state(&id, "dead").await;
    assert_eq!(event["state_code"], "route-mistake");
    let reason = event["state_reason"].as_str().unwrap();
    assert!(
        reason.starts_with("route `flow`, step `note`: `for_each`: `data.products` gives 101 items"),
        "{reason}"
    );
    assert_eq!(flow.calls(), [] as [&str; 0]);
    flow.app.may_have_dead_letters = true;
    flow.app.end().await;
}

#[tokio::test]
async fn orders_of_the_customer_tell_who_is_new_and_who_is_worth_much() {
    let folder = tempfile::tempdir().unwrap();
    let route = r#"
        on = ["cscart.order.created"]
        [[step]]
        id = "orders"
        do = "cscart.customer.orders"
        save_as = "orders"
        [[step]]
        id = "contact"
        do = "ghl.contact.ensure"
        [[step]]
        id = "first"
        if = "orders.count == 1"
        do = "ghl.tags.add"
        with = { tags = ["first order"] }
        [[step]]
        id = "returning"
        if = "orders.count > 1"
        do = "ghl.tags.add"
        with = { tags = ["returning", "spent {{ orders.total | round | int }}"] }
    "#;
    std::fs::write(folder.path().join("order-to-tags.toml"), route).unwrap();
    let routes = folder.path().display().to_string();
    let options = Options { strict_rate: false, ..Options::default() };
    let app =
        TestApp::spawn_edited(options, QUICK, |text, _| format!("routes_dir = \"{routes}\"\n{text}")).await;
    let user = app.register(ada()).await;
    // It came to nothing, so it does not count.
    let place = |status: &str, total: &str| json!({ "action": "order.place", "user_id": user, "status": status, "total": total });
    app.shop(place("D", "500.00")).await;
    app.settled().await;
    assert_eq!(app.tags_of("ada@example.com"), ["cs-cart", "customer"]);
    app.shop(place("P", "20.50")).await;
    app.settled().await;
    assert_eq!(app.tags_of("ada@example.com"), ["cs-cart", "customer", "first order"]);
    app.shop(place("O", "30.50")).await;
    app.settled().await;
    assert_eq!(
        app.tags_of("ada@example.com"),
        ["cs-cart", "customer", "first order", "returning", "spent 51"]
    );

    // A guest is known by the whole address: this one is a part of another guest's.
    for email in ["bob@example.com", "notbob@example.com", "bob@example.com"] {
        let order =
            json!({ "action": "guest.checkout", "email": email, "firstname": "Bob", "total": "9.00" });
        app.shop(order).await;
        app.settled().await;
    }
    assert!(app.tags_of("bob@example.com").contains(&"returning".to_owned()));
    assert!(app.tags_of("notbob@example.com").contains(&"first order".to_owned()));
    let event = &app.events("type=order.created&limit=1").await[0];
    let event = app.event(event["id"].as_str().unwrap()).await;
    let result = &event["effects"][0]["result"];
    assert_eq!((&result["count"], &result["total"]), (&json!(2), &json!(18.0)), "{event}");
    assert!(result["first_at"].as_str().unwrap() <= result["last_at"].as_str().unwrap());
    app.end().await;
}
