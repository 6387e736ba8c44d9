//! A bridge in this process, on a database on disk.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

use cartbridge::app::App;
use cartbridge::clock::Clock;
use cartbridge::config::Config;
use cscart::webhook::Secret;
use secrecy::SecretString;
use serde_json::Value;

/// The key of the only connection's webhooks.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// The admin key.
pub const ADMIN_KEY: &str = "an-admin-key-of-at-least-32-characters";

/// That key, parsed.
pub fn secret() -> Secret {
    Secret::parse(SECRET).expect("it is a secret")
}

/// The configuration of a bridge whose HighLevel is at `ghl`.
pub fn config(database: &Path, ghl: &str, location: &str, token: &str) -> Config {
    let text = format!(
        "database = {database}\n[[connection]]\nname = \"my-shop\"\n[connection.ghl]\nlocation_id = \"{location}\"\n\
         token = \"{token}\"\napi_url = \"{ghl}\"\nrequests_per_window = 1000000\n\
         [connection.cscart]\nurl = \"http://127.0.0.1:9\"\nwebhook_secrets = [\"{SECRET}\"]\n",
        database = Value::String(format!("sqlite://{}", database.display())),
    );
    Config::parse("bench.toml", &text, &[]).unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

/// Builds a bridge whose HighLevel is at `ghl`.
pub async fn build(database: &Path, ghl: &str, location: &str, token: &str) -> App {
    let config = config(database, ghl, location, token);
    let built = App::build(config, Some(SecretString::from(ADMIN_KEY)), Clock::system()).await;
    built.expect("the bridge can be built")
}

/// The body of a customer's event. Each is later than all that were made before it, and none later than now: what a store dates
/// ahead happened when it arrived.
pub fn customer(kind: &str, id: usize, city: &str) -> String {
    static LATER_MS: AtomicI64 = AtomicI64::new(0);
    const HOUR_MS: i64 = 3_600_000;
    let ms = jiff::Timestamp::now().as_millisecond() - HOUR_MS + LATER_MS.fetch_add(1, Ordering::Relaxed);
    let now = jiff::Timestamp::from_millisecond(ms).expect("it is a time");
    format!(
        r#"{{"type":"{kind}","timestamp":"{now}","store":{{"url":"https://shop.example.com","company_id":1,"storefront_id":1,"version":"4.18.2","edition":"ULTIMATE","addon":"1.0.0"}},"data":{{"user":{{"user_id":"{id}","user_type":"C","status":"A","email":"customer{id}@example.com","firstname":"Ada","lastname":"Lovelace","company":"","phone":"","lang_code":"en","birthday":"","timestamp":"1795521600","b_firstname":"Ada","b_lastname":"Lovelace","b_address":"12 St James's Sq","b_address_2":"","b_city":"{city}","b_county":"","b_state":"DC","b_country":"US","b_zipcode":"20500","b_phone":"","s_firstname":"","s_lastname":"","s_address":"","s_address_2":"","s_city":"","s_county":"","s_state":"","s_country":"","s_zipcode":"","s_phone":"","fields":{{}}}},"usergroups":[]}}}}"#
    )
}

/// The signed webhook of a customer's event.
pub fn event(kind: &str, id: usize, city: &str) -> Vec<u8> {
    super::load::webhook(
        "/webhooks/cscart/my-shop",
        &secret(),
        &format!("msg_{kind}_{id}_{city}"),
        &customer(kind, id, city),
    )
}

/// Serves a router on a free port; answers where.
pub async fn serve(router: axum::Router) -> SocketAddr {
    use axum::serve::ListenerExt as _;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
    let address = listener.local_addr().expect("it has an address");
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}
