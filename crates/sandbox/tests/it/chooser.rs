//! The page on which a person lets the app in, as a browser meets it.

use reqwest::{Client, RequestBuilder, Response, Url, redirect};
use serde_json::{Value, json};

use crate::{
    oauth::{get, token},
    world::{Receiver, World, send},
};

const BACK: &str = "https://bridge.example.com/oauth/callback?shop=a";

/// The page's URL; `changed` replaces parameters, and null leaves one out.
fn url(world: &World, changed: Value) -> Url {
    let mut parameters = json!({
        "response_type": "code", "redirect_uri": BACK, "client_id": world.ghl["client_id"],
        "scope": "contacts.readonly contacts.write", "state": "s 1&2", "loginWindowOpenMode": "self",
    });
    parameters.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
    let parameters =
        parameters.as_object().unwrap().iter().filter_map(|(name, it)| Some((name, it.as_str()?)));
    Url::parse_with_params(world.ghl["authorize_url"].as_str().unwrap(), parameters).unwrap()
}

/// As a browser posts the page's form, without following where it leads.
fn post(url: Url, form: &Value) -> RequestBuilder {
    Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap().post(url).form(form)
}

/// Where the browser is sent, with its query.
fn sent_to(response: &Response) -> (String, Vec<(String, String)>) {
    assert_eq!(response.status(), 302);
    let url = Url::parse(response.headers()["location"].to_str().unwrap()).unwrap();
    (
        format!("{}{}", url.origin().ascii_serialization(), url.path()),
        url.query_pairs().into_owned().collect(),
    )
}

#[tokio::test]
async fn the_page_shows_what_is_asked_for_and_works_without_a_script() {
    let world = World::start().await;
    let response = world.http.get(url(&world, json!({ "state": "\"><script>" }))).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &"text/html; charset=utf-8".parse().unwrap())
    );
    let page = response.text().await.unwrap();
    for part in [
        "<form method=\"post\">",
        "<button name=\"decision\" value=\"allow\">Authorize</button>",
        ">Cancel</a>",
        "contacts.write",
        "Sandbox Store",
        "Second Sandbox Store",
        world.location(),
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("<script>"), "{page}");
    let cancel = page.split("<a href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    assert!(cancel.starts_with(BACK) && cancel.contains("error=access_denied&state="), "{cancel}");
}

#[tokio::test]
async fn whoever_authorizes_comes_back_with_a_code_and_the_state() {
    let receiver = Receiver::start(&[200]).await;
    let world = World::start().await;
    world.sandbox.ghl().settings(json!({ "deliver_to": receiver.url })).unwrap();
    let response = post(url(&world, json!({})), &json!({ "decision": "allow" })).send().await.unwrap();
    let (back, query) = sent_to(&response);
    assert_eq!(back, "https://bridge.example.com/oauth/callback");
    let [shop, code, state] = &query[..] else { panic!("{query:?}") };
    assert_eq!((shop.1.as_str(), code.0.as_str()), ("a", "code"));
    assert_eq!(state, &("state".to_owned(), "s 1&2".to_owned()));
    let effect = world.sandbox.ghl().journal().pop().unwrap().effect.unwrap();
    assert_eq!((effect.kind.as_str(), effect.id.as_str()), ("code.issued", world.location()));
    let install = receiver.wait_for("INSTALL").await.body();
    assert_eq!(install["locationId"], world.location());

    let trade = async |redirect_uri: &str| {
        let fields =
            [("grant_type", "authorization_code"), ("code", code.1.as_str()), ("redirect_uri", redirect_uri)];
        token(&world, &fields).await
    };
    let (status, tokens) = trade(BACK).await;
    assert_eq!((status, &tokens["scope"]), (200, &json!("contacts.readonly contacts.write")), "{tokens}");
    let list = format!("/contacts/?locationId={}", world.location());
    assert_eq!(get(&world, &list, tokens["access_token"].as_str().unwrap()).await.0, 200);
    assert_eq!(trade(BACK).await.0, 400, "a code is good once");
}

#[tokio::test]
async fn whoever_denies_comes_back_with_an_error_and_the_state() {
    let world = World::start().await;
    let response = post(url(&world, json!({})), &json!({ "decision": "deny" })).send().await.unwrap();
    let (_, query) = sent_to(&response);
    assert_eq!(query[1], ("error".to_owned(), "access_denied".to_owned()));
    assert_eq!(query[2].1, "s 1&2");
    let response = post(url(&world, json!({ "state": null })), &json!({ "decision": "deny" })).send().await;
    assert_eq!(sent_to(&response.unwrap()).1.len(), 2, "no state comes back when none was sent");
    assert_eq!(world.sandbox.ghl().state()["tokens"]["codes"], 0);
}

#[tokio::test]
async fn the_form_chooses_the_location_or_the_company() {
    let receiver = Receiver::start(&[200]).await;
    let world = World::start().await;
    world.sandbox.ghl().settings(json!({ "deliver_to": receiver.url })).unwrap();
    let chosen = async |form: Value| {
        let response = post(url(&world, json!({ "scope": "oauth.write" })), &form).send().await.unwrap();
        let code = sent_to(&response).1[1].1.clone();
        token(&world, &[("grant_type", "authorization_code"), ("code", &code)]).await.1
    };
    let other = &world.ghl["other_location_id"];
    let tokens = chosen(json!({ "decision": "allow", "location_id": other })).await;
    assert_eq!(&tokens["locationId"], other);
    assert_eq!(&receiver.wait_for("INSTALL").await.body()["locationId"], other);
    let form = json!({ "decision": "allow", "location_id": other, "user_type": "Company" });
    let tokens = chosen(form).await;
    assert_eq!((&tokens["userType"], tokens.get("locationId")), (&json!("Company"), None));
    let company = crate::world::until(|| receiver.received().into_iter().nth(1)).await.body();
    assert_eq!((&company["companyId"], company.get("locationId")), (&world.ghl["company_id"], None));
}

#[tokio::test]
async fn what_the_app_asks_for_wrongly_is_told_to_the_person_and_sends_nobody_anywhere() {
    let world = World::start().await;
    for (changed, said) in [
        (json!({ "client_id": "somebody-else" }), "client_id"),
        (json!({ "client_id": null }), "client_id"),
        (json!({ "redirect_uri": null }), "redirect_uri"),
        (json!({ "redirect_uri": "/oauth/callback" }), "redirect_uri"),
        (json!({ "redirect_uri": "javascript:alert(1)" }), "redirect_uri"),
        (json!({ "redirect_uri": "https://a.example.com/#x" }), "redirect_uri"),
        (json!({ "response_type": "token" }), "response_type"),
        (json!({ "scope": null }), "scope"),
        (json!({ "scope": "contacts.readonly contacts.<all>" }), "contacts.&lt;all&gt;"),
    ] {
        let url = url(&world, changed.clone());
        for request in [world.http.get(url.clone()), post(url, &json!({ "decision": "allow" }))] {
            let (status, page) = send(request).await;
            assert_eq!(status, 400, "{changed}");
            assert!(page.as_str().unwrap().contains(said), "{changed}: {page}");
        }
    }
    for form in [
        json!({}),
        json!({ "decision": "maybe" }),
        json!({ "decision": "allow", "location_id": "elsewhere" }),
        json!({ "decision": "allow", "user_type": "Agency" }),
    ] {
        assert_eq!(send(post(url(&world, json!({})), &form)).await.0, 400, "{form}");
    }
    assert_eq!(world.sandbox.ghl().state()["tokens"]["codes"], 0);
}
