//! Connecting with OAuth, keeping the tokens good, and doing what they allow.

mod company;
mod connect;
mod processes;
mod refresh;
mod scopes;

use std::time::Duration;

use cartbridge::config::Config;
use reqwest::Url;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use sandbox::{Entry, Options};
use serde_json::{Value, json};

use crate::app::{QUICK, TestApp, ada};

/// Everything that the shipped routes need.
const ALL: &str = "contacts.readonly contacts.write";

/// How long access tokens last here: the bridge's clock can be moved past it, and webhooks are still not too old for it.
const LIFE: Duration = Duration::from_secs(280);

/// A bridge whose connection is to be connected with OAuth; `extra` stands in its `[connection.ghl.oauth]`.
pub async fn spawn(extra: &str) -> TestApp {
    let options = Options { strict_rate: false, ..Options::default() };
    let app =
        TestApp::spawn_edited(options, QUICK, |text, announced| with_oauth(&text, announced, extra)).await;
    app.sandbox.ghl().settings(json!({ "access_token_s": LIFE.as_secs() })).unwrap();
    app
}

fn with_oauth(text: &str, announced: &Value, extra: &str) -> String {
    let ghl = &announced["ghl"];
    let token = format!("token = {}\n", ghl["token"]);
    assert!(text.contains(&token), "{text}");
    let oauth = format!(
        "[connection.ghl.oauth]\nclient_id = {}\nclient_secret = {}\nchooser_url = {}\n{extra}\n[connection.cscart]",
        ghl["client_id"], ghl["client_secret"], ghl["url"]
    );
    let text = text.replace(&token, "").replace("[connection.cscart]", &oauth);
    Config::parse("test.toml", &text, &[]).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    text
}

/// A bridge that is connected with everything that its routes need.
pub async fn connected() -> TestApp {
    let app = spawn("").await;
    connect(&app, "scopes=needed").await;
    app
}

/// A person connects, and it works.
async fn connect(app: &TestApp, query: &str) {
    let page = Browser::default().connect(app, query).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("connected"), "{}", page.text);
}

/// What a browser shows.
struct Shown {
    status: u16,
    headers: reqwest::header::HeaderMap,
    text: String,
}

/// A browser: follows nothing by itself, and keeps one cookie.
#[derive(Default)]
struct Browser {
    cookie: Option<String>,
}

impl Browser {
    async fn get(&mut self, url: &str) -> Shown {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let mut request = http.get(url).header("accept", "text/html,application/xhtml+xml");
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        if let Some(set) = headers.get(SET_COOKIE) {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            self.cookie = Some(pair.to_owned()).filter(|pair| !pair.ends_with('='));
        }
        Shown { status, headers, text: answer.text().await.unwrap() }
    }

    /// Opens the connect address; answers where HighLevel's chooser is.
    async fn begin(&mut self, app: &TestApp, query: &str) -> Url {
        let shown = self.get(&format!("{}/connect/ghl/my-shop?{query}", app.url)).await;
        assert_eq!(shown.status, 303, "{}", shown.text);
        shown.headers[LOCATION].to_str().unwrap().parse().unwrap()
    }

    /// The person decides at the chooser; answers where the browser is sent.
    async fn decide(&self, chooser: &Url, form: &[(&str, &str)]) -> String {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let answer = http.post(chooser.clone()).form(form).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 302);
        answer.headers()[LOCATION].to_str().unwrap().to_owned()
    }

    /// From the connect address to the page at its end.
    async fn connect(&mut self, app: &TestApp, query: &str) -> Shown {
        let chooser = self.begin(app, query).await;
        let back = self.decide(&chooser, &[("decision", "allow")]).await;
        self.get(&back).await
    }
}

/// The calls for tokens that HighLevel got.
fn token_calls(app: &TestApp) -> Vec<Entry> {
    app.calls().into_iter().filter(|call| call.path == "/oauth/token").collect()
}

/// The calls that were to renew tokens.
pub fn refreshes(app: &TestApp) -> Vec<Entry> {
    token_calls(app).into_iter().filter(|call| call.body["grant_type"] == "refresh_token").collect()
}

/// Every access token that HighLevel gave out ends now, and the bridge's clock is past the time.
async fn expire(app: &TestApp) {
    app.highlevel(json!({ "action": "oauth.expire" })).await;
    app.clock.advance(LIFE + Duration::from_secs(1));
}

/// Somebody registers; answers the event's id.
async fn register(app: &TestApp) -> String {
    let made = app.shop(json!({ "action": "customer.register", "user": ada() })).await;
    assert_eq!(made["delivery"]["status"], 202, "{made}");
    made["delivery"]["body"]["id"].as_str().unwrap().to_owned()
}

/// How the connection stands, as the API tells.
async fn stand(app: &TestApp) -> Value {
    let (status, view) = app.api("GET", "/api/connections/my-shop", None).await;
    assert_eq!(status, 200, "{view}");
    view
}
