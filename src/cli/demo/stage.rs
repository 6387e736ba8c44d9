//! Where the story plays: the two simulated systems, the bridge, and what can be done with them.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use sandbox::{Entry, Sandbox};
use serde_json::{Value, json};

use super::bridge::Bridge;
use super::timeline::Timeline;

/// How long a scene waits for its end. Far more than it needs.
const PATIENCE: Duration = Duration::from_mins(1);

pub(super) struct Stage {
    pub(super) sandbox: Sandbox,
    pub(super) bridge: Bridge,
    pub(super) timeline: Timeline,
    http: reqwest::Client,
    /// The last request of HighLevel's that was shown.
    shown: u64,
}

impl Stage {
    pub(super) fn new(sandbox: Sandbox, bridge: Bridge, timeline: Timeline) -> Self {
        Self { sandbox, bridge, timeline, http: reqwest::Client::new(), shown: 0 }
    }

    /// What a person does in the store, told in a sentence; answers what came of it.
    pub(super) async fn store(&mut self, what: &str, action: Value) -> Value {
        self.timeline.says("store", what);
        match self.sandbox.cscart().act(action).await {
            Ok(made) => made,
            Err(error) => {
                self.timeline.check(false, &format!("the store can do that: {error}"));
                Value::Null
            }
        }
    }

    /// What a person does in HighLevel, told in a sentence.
    pub(super) async fn highlevel(&mut self, what: &str, action: Value) -> Value {
        self.timeline.says("HighLevel", what);
        match self.sandbox.ghl().act(action).await {
            Ok(made) => made,
            Err(error) => {
                self.timeline.check(false, &format!("HighLevel can do that: {error}"));
                Value::Null
            }
        }
    }

    /// Something goes wrong in HighLevel.
    pub(super) fn fault(&mut self, what: &str, fault: Value) {
        self.timeline.says("HighLevel", what);
        match serde_json::from_value(fault) {
            Ok(fault) => self.sandbox.ghl().fault(fault),
            Err(error) => self.timeline.check(false, &format!("that can go wrong: {error}")),
        }
    }

    /// Tells how the bridge answered a webhook; answers the event's id.
    pub(super) fn receipt(&mut self, made: &Value, expected: u64) -> String {
        let delivery = &made["delivery"];
        let status = delivery["status"].as_u64().unwrap_or_default();
        let id = delivery["body"]["id"].as_str().unwrap_or_default().to_owned();
        let answer = match status {
            202 => format!("202 stored as event {}", short(&id)),
            200 => format!("200 known already: event {}", short(&id)),
            other => format!("{other} {}", delivery["body"]["detail"].as_str().unwrap_or_default()),
        };
        self.timeline.says("bridge", &answer);
        if status != expected {
            self.timeline.check(false, &format!("the webhook is answered {expected}"));
        }
        id
    }

    /// Waits until an event rests, and shows what HighLevel was asked meanwhile; answers the event.
    pub(super) async fn finish(&mut self, event: &str) -> Value {
        let found = self
            .until(|stage| async move {
                let found = stage.event(event).await;
                let rests = ["done", "dead", "ignored", "folded", "parked"]
                    .iter()
                    .any(|state| found["state"] == *state);
                rests.then_some(found)
            })
            .await;
        self.show_calls();
        found.unwrap_or(Value::Null)
    }

    /// Waits for a condition, within reason.
    pub(super) async fn until<'a, T, F>(&'a self, condition: impl Fn(&'a Self) -> F) -> Option<T>
    where
        F: Future<Output = Option<T>>,
    {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(value) = condition(self).await {
                return Some(value);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        None
    }

    /// An event, as the bridge's API tells it; null when it does not answer.
    pub(super) async fn event(&self, id: &str) -> Value {
        self.api(reqwest::Method::GET, &format!("/api/events/{id}")).await
    }

    /// A request to the bridge's API.
    pub(super) async fn api(&self, method: reqwest::Method, path: &str) -> Value {
        let url = format!("{}{path}", self.bridge.url());
        let answer = self.http.request(method, url).bearer_auth(self.bridge.key()).send().await;
        match answer {
            Ok(answer) => answer.json().await.unwrap_or(Value::Null),
            Err(_) => Value::Null,
        }
    }

    /// The requests that HighLevel got since this was last asked, shown as they are answered.
    pub(super) fn show_calls(&mut self) -> Vec<Entry> {
        let calls: Vec<Entry> =
            self.sandbox.ghl().journal().into_iter().filter(|call| call.seq > self.shown).collect();
        for call in &calls {
            self.shown = call.seq;
            let request = format!("{} {}", call.method, shown_path(&call.path));
            let at = call.at.parse().unwrap_or_default();
            self.timeline.call(at, &request, call.status, call.fault.as_deref());
        }
        calls
    }

    /// The contacts that HighLevel holds for an e-mail address.
    pub(super) fn contacts(&self, email: &str) -> Vec<Value> {
        self.held("contacts").into_iter().filter(|contact| contact["email"] == email).collect()
    }

    /// What HighLevel holds of a kind.
    pub(super) fn held(&self, what: &str) -> Vec<Value> {
        self.sandbox.ghl().state()[what].as_array().cloned().unwrap_or_default()
    }

    /// What HighLevel holds of a kind on one contact.
    pub(super) fn held_on(&self, what: &str, contact: &Value) -> Vec<Value> {
        self.held(what).into_iter().filter(|item| item["contactId"] == contact["id"]).collect()
    }

    pub(super) fn check(&mut self, held: bool, what: &str) {
        self.timeline.check(held, what);
    }

    pub(super) fn failures(&self) -> usize {
        self.timeline.failures()
    }

    /// Leaves everything running until a person has seen enough.
    pub(super) async fn keep(&self, folder: &Path) -> anyhow::Result<()> {
        let announcement = self.sandbox.announcement();
        println!("\nAll three go on running; Ctrl-C ends them.\n");
        println!("  Cartbridge   {}   API key {}", self.bridge.url(), self.bridge.key());
        println!("  HighLevel    {}   token {}", self.sandbox.ghl_url(), text(&announcement["ghl"]["token"]));
        println!(
            "  the store    {}   e-mail {}, API key {}, webhook secret {}",
            self.sandbox.cscart_url(),
            text(&announcement["cscart"]["email"]),
            text(&announcement["cscart"]["api_key"]),
            text(&announcement["cscart"]["webhook_secret"]),
        );
        println!("  data         {}   configuration {}", folder.display(), self.bridge.config().display());
        println!("\nTry:");
        println!("  curl -H 'Authorization: Bearer {}' {}/api/events", self.bridge.key(), self.bridge.url());
        let register = json!({ "action": "customer.register", "user": { "email": "you@example.com", "firstname": "You" } });
        println!("  curl -d '{register}' {}/_sandbox/act", self.sandbox.cscart_url());
        tokio::signal::ctrl_c().await.context("no signal can be waited for")
    }

    /// Ends everything that the demo has started.
    pub(super) async fn end(mut self) {
        // It may have ended by itself; then there is nothing to end.
        drop(self.bridge.kill().await);
        self.sandbox.shutdown().await;
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The last part of an event's id: the first is a time, and much the same for all.
pub(super) fn short(id: &str) -> &str {
    id.rsplit('-').next().unwrap_or(id)
}

/// A path with ids cut short.
fn shown_path(path: &str) -> String {
    let cut = |part: &str| if part.len() >= 20 { format!("{}…", &part[..6]) } else { part.to_owned() };
    path.split('/').map(cut).collect::<Vec<_>>().join("/")
}
