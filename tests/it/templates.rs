//! The routes that are shipped: each off until a connection switches it on, and then just these calls, once.

mod customers;
mod docs;
mod orders;
mod others;

use cartbridge::routes::{Routes, Shown};
use sandbox::Options;
use serde_json::{Value, json};

use crate::app::{QUICK, TestApp, ada};

/// Routes that run without being switched on.
const BY_DEFAULT: [&str; 8] = [
    "customer-page",
    "customer-tags",
    "customer-to-contact",
    "import",
    "note-deleted",
    "note-to-note",
    "order-to-tags",
    "resync",
];

/// A bridge with one template switched on and `order-to-tags` off, and a customer who has a contact.
pub(crate) struct Template {
    pub(crate) app: TestApp,
    pub(crate) user: Value,
    /// How many calls HighLevel got before.
    before: usize,
}

impl Template {
    /// With these templates, and these lines of `[connection.settings.values]`.
    pub(crate) async fn spawn(templates: &[&str], values: &str) -> Self {
        let on: Vec<String> = templates.iter().map(|name| format!("{name} = true")).collect();
        let on = on.join("\n");
        let more = format!(
            "[connection.settings.routes]\norder-to-tags = false\n{on}\n[connection.settings.values]\n{values}\n"
        );
        let options = Options { strict_rate: false, ..Options::default() };
        let app = TestApp::spawn_edited(options, QUICK, |text, _| format!("{text}{more}")).await;
        let user = app.register(ada()).await;
        let before = app.calls().len();
        Self { app, user, before }
    }

    /// What happens in the store, and everything that follows.
    pub(crate) async fn shop(&self, action: Value) -> Value {
        let made = self.app.shop(action).await;
        self.app.settled().await;
        made
    }

    /// The store tells of something that the simulated one does not do by itself.
    pub(crate) async fn tell(&self, kind: &str, data: Value) {
        self.shop(json!({ "action": "webhook.send", "type": kind, "data": data })).await;
    }

    /// The customer orders; answers the order's number.
    pub(crate) async fn order(&self, total: &str) -> Value {
        let chairs = json!([{ "product": "Blue chair", "amount": 2, "price": "9.50" }]);
        let order =
            json!({ "action": "order.place", "user_id": self.user, "products": chairs, "total": total });
        self.shop(order).await["order_id"].clone()
    }

    /// The order gets another status.
    pub(crate) async fn status(&self, order: &Value, status: &str) {
        self.shop(json!({ "action": "order.status", "order_id": order, "status": status })).await;
    }

    /// The calls since the last time, each with its body.
    pub(crate) fn calls(&mut self) -> Vec<(String, Value)> {
        let names = self.app.call_names().split_off(self.before);
        let bodies = self.app.calls().split_off(self.before).into_iter().map(|call| call.body);
        let calls: Vec<(String, Value)> = names.into_iter().zip(bodies).collect();
        self.before += calls.len();
        calls
    }

    /// The names of the calls since the last time.
    pub(crate) fn names(&mut self) -> Vec<String> {
        self.calls().into_iter().map(|(name, _)| name).collect()
    }

    /// The customer's tags, but for those that every customer has.
    pub(crate) fn tags(&self) -> Vec<String> {
        let tags = self.app.tags_of("ada@example.com");
        tags.into_iter().filter(|tag| !["cs-cart", "customer"].contains(&tag.as_str())).collect()
    }
}

#[test]
fn each_template_is_off_until_it_is_switched_on_and_says_in_a_paragraph_how() {
    let routes = Routes::load(None).unwrap();
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/flows.md")).unwrap();
    let routes = routes.shown(None);
    for (id, Shown { route, .. }) in &routes {
        assert!(page.contains(&format!("`{id}`")), "docs/flows.md does not name `{id}`");
        assert_eq!(route.enabled, BY_DEFAULT.contains(&id.as_str()), "{id}");
        if !route.enabled {
            assert!(route.description.contains(&format!("`{id} = true`")), "{id} does not say how");
            assert!(route.description.contains("Scopes:"), "{id} does not say what it needs");
        }
    }
    assert!(routes.len() >= BY_DEFAULT.len() + 12);
}

#[tokio::test]
async fn what_is_switched_off_does_nothing() {
    let mut it = Template::spawn(&[], "").await;
    let order = it.order("2000.00").await;
    it.status(&order, "I").await;
    let (user, email) = (it.user.clone(), "ada@example.com");
    it.tell("cart.abandoned", json!({ "cart": { "user_id": user, "email": email, "total": 9 } })).await;
    it.tell("review.created", json!({ "review": { "user_id": user, "rating_value": 1 } })).await;
    it.tell("newsletter.subscribed", json!({ "newsletter": { "user_id": user, "email": email } })).await;
    it.tell("call_request.created", json!({ "call_request": { "user_id": user, "phone": "1" } })).await;
    it.tell("vendor.created", json!({ "vendor": { "company_id": 3, "company": "A", "email": email } })).await;
    assert_eq!(it.names(), [] as [&str; 0]);
    it.app.end().await;
}
