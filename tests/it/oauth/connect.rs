//! To HighLevel's chooser and back.

use reqwest::header::SET_COOKIE;
use serde_json::json;

use super::{ALL, Browser, connect, register, spawn, stand, token_calls};
use crate::app::ada;

#[tokio::test]
async fn a_person_connects_and_what_waited_goes_on_by_itself() {
    let app = spawn("").await;
    let before = stand(&app).await;
    assert_eq!(before["status"], "not_connected", "{before}");
    let id = register(&app).await;
    let parked = app.until_state(&id, "parked").await;
    let address = before["connect_url"].as_str().unwrap();
    assert!(parked["state_reason"].as_str().unwrap().contains(address), "{parked}");

    let mut browser = Browser::default();
    let chooser = browser.begin(&app, "scopes=needed").await;
    let asked: Vec<(String, String)> = chooser.query_pairs().into_owned().collect();
    let asked = |name: &str| asked.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!(asked("scope"), Some(ALL));
    assert_eq!(asked("redirect_uri"), Some(format!("{}/connect/callback", app.url).as_str()));
    assert!(asked("state").unwrap().len() >= 43, "256 bits");
    let back = browser.decide(&chooser, &[("decision", "allow")]).await;
    let page = browser.get(&back).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("contacts.write") && page.text.contains("lang=\"en\""), "{}", page.text);
    assert!(!page.text.contains("scopes=needed"), "nothing is missing: {}", page.text);
    assert_eq!(page.headers["referrer-policy"], "no-referrer");
    assert_eq!(page.headers["cache-control"], "no-store");
    assert!(page.headers["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));

    app.until_state(&id, "done").await;
    assert_eq!(app.ghl("contacts").len(), 1);
    let now = stand(&app).await;
    assert_eq!((&now["status"], &now["status_reason"]), (&json!("connected"), &json!(null)));
    assert_eq!(token_calls(&app).len(), 1);
    app.end().await;
}

#[tokio::test]
async fn no_token_code_or_secret_is_shown_or_stored_in_clear() {
    let app = spawn("").await;
    let mut browser = Browser::default();
    let chooser = browser.begin(&app, "scopes=needed").await;
    let state = chooser.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let cookie = browser.cookie.clone().unwrap();
    let back = browser.decide(&chooser, &[("decision", "allow")]).await;
    browser.get(&back).await;
    let grant = app.store.grant_of(&"my-shop".parse().unwrap()).await.unwrap().unwrap().grant;
    let id = register(&app).await;
    app.until_state(&id, "done").await;

    use secrecy::ExposeSecret as _;
    let secrets = [
        grant.pair.access_token.expose_secret().to_owned(),
        grant.pair.refresh_token.expose_secret().to_owned(),
        state,
        cookie.split_once('=').unwrap().1.to_owned(),
    ];
    let shown = [
        stand(&app).await.to_string(),
        app.event(&id).await.to_string(),
        app.api("GET", "/metrics", None).await.1.to_string(),
        format!("{grant:?}"),
    ];
    let mut on_disk = Vec::new();
    for end in ["", "-wal"] {
        let path = format!("{}{end}", app.database().display());
        on_disk.extend(std::fs::read(path).unwrap_or_default());
    }
    for secret in secrets {
        assert!(secret.len() > 20);
        assert!(shown.iter().all(|text| !text.contains(&secret)), "shown");
        let bytes = secret.as_bytes();
        assert!(!on_disk.windows(bytes.len()).any(|window| window == bytes), "stored in clear");
    }
    app.end().await;
}

#[tokio::test]
async fn a_tampered_or_missing_state_connects_nothing_and_asks_nobody() {
    let app = spawn("").await;
    let mut browser = Browser::default();
    let chooser = browser.begin(&app, "").await;
    let back = browser.decide(&chooser, &[("decision", "allow")]).await;
    let tampered = back.replace("state=", "state=x");
    let doubled = format!("{back}&state=x");
    let without = back.split("&state=").next().unwrap().to_owned();
    assert!(!without.contains("state="), "{back}");
    for (address, title) in
        [(tampered, "This connect is over"), (doubled, "Nothing was begun"), (without, "Nothing was begun")]
    {
        let page = browser.get(&address).await;
        assert_eq!(page.status, 400, "{}", page.text);
        assert!(page.text.contains(title), "{}", page.text);
    }
    assert_eq!(token_calls(&app).len(), 0);
    assert_eq!(stand(&app).await["status"], "not_connected");
    // None of that has spoiled what was begun.
    assert_eq!(browser.get(&back).await.status, 200);
    app.end().await;
}

#[tokio::test]
async fn a_callback_is_good_once() {
    let app = spawn("").await;
    let mut browser = Browser::default();
    let chooser = browser.begin(&app, "").await;
    let cookie = browser.cookie.clone();
    let back = browser.decide(&chooser, &[("decision", "allow")]).await;
    assert_eq!(browser.get(&back).await.status, 200);
    browser.cookie = cookie;
    let again = browser.get(&back).await;
    assert_eq!(again.status, 400);
    assert!(again.text.contains("This connect is over"), "{}", again.text);
    assert_eq!(token_calls(&app).len(), 1);
    assert_eq!(stand(&app).await["status"], "read_only", "and the first still counts");
    app.end().await;
}

#[tokio::test]
async fn a_callback_in_another_browser_or_after_ten_minutes_connects_nothing() {
    let app = spawn("").await;
    let chooser = Browser::default().begin(&app, "").await;
    let back = Browser::default().decide(&chooser, &[("decision", "allow")]).await;
    let mut other = Browser::default();
    let page = other.get(&back).await;
    assert_eq!(page.status, 400);
    assert!(page.text.contains("not the browser that began"), "{}", page.text);
    other.begin(&app, "").await;
    assert_eq!(other.get(&back).await.status, 400, "and it is used up");

    let mut late = Browser::default();
    let chooser = late.begin(&app, "").await;
    let back = late.decide(&chooser, &[("decision", "allow")]).await;
    app.clock.advance(std::time::Duration::from_mins(11));
    let page = late.get(&back).await;
    assert!(page.status == 400 && page.text.contains("10 minutes"), "{}", page.text);
    assert_eq!(token_calls(&app).len(), 0);
    app.end().await;
}

#[tokio::test]
async fn somebody_elses_link_does_not_end_what_was_begun_here() {
    let app = spawn("").await;
    let mut browser = Browser::default();
    let chooser = browser.begin(&app, "").await;
    let begun = browser.cookie.clone();
    let shown = browser.get(&format!("{}/connect/callback?state=theirs&code=theirs", app.url)).await;
    assert!(!shown.headers.contains_key(SET_COOKIE));
    assert_eq!(browser.cookie, begun);
    let back = browser.decide(&chooser, &[("decision", "allow")]).await;
    assert_eq!(browser.get(&back).await.status, 200);
    app.end().await;
}

#[tokio::test]
async fn a_person_who_says_no_is_told_so_and_can_begin_again() {
    let app = spawn("").await;
    let mut browser = Browser::default();
    let chooser = browser.begin(&app, "").await;
    let back = browser.decide(&chooser, &[("decision", "deny")]).await;
    assert!(back.contains("error=access_denied"), "{back}");
    let page = browser.get(&back.replace("access_denied", "access_denied%3Cb%3E")).await;
    assert_eq!(page.status, 403);
    assert!(page.text.contains("access_denied&lt;b&gt;"), "{}", page.text);
    assert!(
        page.text.contains(&format!("{}/connect/ghl/my-shop", app.url).replace('/', "&#x2f;")),
        "{}",
        page.text
    );
    assert_eq!(token_calls(&app).len(), 0);

    let chooser = browser.begin(&app, "").await;
    let state = chooser.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let page = browser.get(&format!("{}/connect/callback?state={state}", app.url)).await;
    assert!(page.status == 400 && page.text.contains("HighLevel sent no code"), "{}", page.text);
    connect(&app, "").await;
    app.end().await;
}

#[tokio::test]
async fn a_program_is_told_as_a_program() {
    let app = spawn("").await;
    let answer = app.http.get(format!("{}/connect/callback?state=x&code=y", app.url)).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 400);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], "state-unknown");
    let (status, problem) = app.api("GET", "/connect/ghl/no-shop", None).await;
    assert_eq!((status, &problem["code"]), (404, &json!("unknown-connection")));
    let (status, problem) = app.api("GET", "/connect/ghl/my-shop?scopes=a%22b", None).await;
    assert_eq!((status, &problem["code"]), (400, &json!("not-connectable")), "{problem}");
    app.end().await;
}

#[tokio::test]
async fn a_token_for_another_location_is_not_taken() {
    let app = spawn("").await;
    let other = app.sandbox.announcement()["ghl"]["other_location_id"].as_str().unwrap().to_owned();
    let mut browser = Browser::default();
    let chooser = browser.begin(&app, "").await;
    let back = browser.decide(&chooser, &[("decision", "allow"), ("location_id", &other)]).await;
    let page = browser.get(&back).await;
    assert_eq!(page.status, 409, "{}", page.text);
    assert!(page.text.contains(&other), "it names the one that was chosen: {}", page.text);
    assert_eq!(stand(&app).await["status"], "not_connected");
    assert!(app.store.grant_heads().await.unwrap().is_empty(), "nothing was stored");
    app.end().await;
}

#[tokio::test]
async fn an_answer_without_its_fields_or_of_another_order_is_read_as_far_as_it_can_be() {
    let app = spawn("").await;
    let location = app.sandbox.announcement()["ghl"]["location_id"].clone();
    let answered = async |body: serde_json::Value| {
        app.fault(json!({ "kind": "status", "status": 200, "path": "/oauth/token", "body": body }));
        Browser::default().connect(&app, "scopes=contacts.readonly").await
    };
    for (what, body) in [
        ("no access token", json!({ "refresh_token": "r", "userType": "Location", "locationId": location })),
        ("no refresh token", json!({ "access_token": "a", "userType": "Location", "locationId": location })),
        ("nothing", json!({})),
        ("no object", json!("tokens")),
    ] {
        let page = answered(body).await;
        assert_eq!(page.status, 502, "{what}: {}", page.text);
        assert!(page.text.contains("HighLevel gave no tokens"), "{what}: {}", page.text);
    }
    let page = answered(json!({ "access_token": "a", "refresh_token": "r", "userType": "Location" })).await;
    assert_eq!(page.status, 409, "no location: {}", page.text);
    assert!(app.store.grant_heads().await.unwrap().is_empty(), "nothing was stored");

    let page = answered(json!({
        "access_token": "a", "refresh_token": "r", "locationId": location,
        "scope": "contacts.write, contacts.readonly  contacts.write",
    }))
    .await;
    assert_eq!(page.status, 200, "{}", page.text);
    let grant = app.store.grant_of(&"my-shop".parse().unwrap()).await.unwrap().unwrap().grant;
    assert_eq!(grant.scopes.to_string(), ALL, "whatever their order");
    let life = grant.expires_at.duration_since(grant.issued_at).as_secs();
    assert_eq!(life, 86_399, "a day, as documented, where the answer does not say");

    let page = answered(json!({ "access_token": "a", "refresh_token": "r", "locationId": location })).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let grant = app.store.grant_of(&"my-shop".parse().unwrap()).await.unwrap().unwrap().grant;
    assert_eq!(grant.scopes.to_string(), "contacts.readonly", "as asked for, where the answer does not say");
    app.end().await;
}

#[tokio::test]
async fn a_wrong_client_secret_is_named_and_a_previous_one_helps_out() {
    let app = spawn("").await;
    let rotated = app.highlevel(json!({ "action": "oauth.rotate_secret" })).await;
    let page = Browser::default().connect(&app, "").await;
    assert_eq!(page.status, 502, "{}", page.text);
    assert!(page.text.contains("ghl.oauth.client_secret"), "{}", page.text);
    let secret = rotated["client_secret"].as_str().unwrap().to_owned();
    app.end().await;

    // The configuration has the next secret already, and HighLevel still wants the one before.
    let options = sandbox::Options { strict_rate: false, ..sandbox::Options::default() };
    let app = crate::app::TestApp::spawn_edited(options, crate::app::QUICK, |text, announced| {
        let old = &announced["ghl"]["client_secret"];
        let text = super::with_oauth(&text, announced, &format!("previous_client_secret = {old}"));
        text.replace(&format!("\nclient_secret = {old}"), &format!("\nclient_secret = \"{secret}\""))
    })
    .await;
    connect(&app, "scopes=needed").await;
    assert_eq!(token_calls(&app).iter().map(|call| call.status.unwrap()).collect::<Vec<_>>(), [401, 200]);
    app.register(ada()).await;
    assert_eq!(app.ghl("contacts").len(), 1);
    app.end().await;
}

#[tokio::test]
async fn a_connection_with_a_private_integration_token_is_not_connected_this_way() {
    let app = crate::app::TestApp::spawn().await;
    let (status, problem) = app.api("GET", "/connect/ghl/my-shop", None).await;
    assert_eq!((status, &problem["code"]), (409, &json!("not-connectable")));
    assert!(problem["detail"].as_str().unwrap().contains("Private Integration Token"), "{problem}");
    let view = stand(&app).await;
    assert_eq!((&view["status"], &view["connect_url"]), (&json!("connected"), &json!(null)));
    app.end().await;
}

#[tokio::test]
async fn over_https_the_cookie_is_bound_to_this_host() {
    let options = sandbox::Options { strict_rate: false, ..sandbox::Options::default() };
    let app = crate::app::TestApp::spawn_edited(options, crate::app::QUICK, |text, announced| {
        let text = super::with_oauth(&text, announced, "");
        let end = text.find('\n').unwrap();
        format!("public_url = \"https://bridge.example.com\"{}", &text[end..])
    })
    .await;
    let shown = Browser::default().get(&format!("{}/connect/ghl/my-shop", app.url)).await;
    let cookie = shown.headers[SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("__Host-cartbridge_connect="), "{cookie}");
    for part in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=600"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    app.end().await;
}
