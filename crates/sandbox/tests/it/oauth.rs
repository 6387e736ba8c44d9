//! OAuth: codes, tokens, secrets, and the two locations.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::world::{Answer, World, send};

pub(crate) async fn token(world: &World, fields: &[(&str, &str)]) -> Answer {
    let mut form = vec![
        ("client_id", world.ghl["client_id"].as_str().unwrap()),
        ("client_secret", world.ghl["client_secret"].as_str().unwrap()),
    ];
    form.extend_from_slice(fields);
    send(world.http.post(format!("{}/oauth/token", world.sandbox.ghl_url())).form(&form)).await
}

pub(crate) async fn code(world: &World, scopes: &[&str], user_type: &str) -> String {
    let action = json!({ "action": "oauth.authorize", "scopes": scopes, "user_type": user_type });
    world.sandbox.ghl().act(action).await.unwrap()["code"].as_str().unwrap().to_owned()
}

/// `GET` with this bearer token.
pub(crate) async fn get(world: &World, path: &str, bearer: &str) -> Answer {
    let url = format!("{}{path}", world.sandbox.ghl_url());
    send(world.http.get(url).bearer_auth(bearer).header("version", "2021-07-28")).await
}

#[tokio::test]
async fn a_refresh_token_is_good_once() {
    let world = World::start().await;
    let code = code(&world, &["contacts.readonly"], "Location").await;
    let by_code = [("grant_type", "authorization_code"), ("code", code.as_str())];
    let (status, first) = token(&world, &by_code).await;
    assert_eq!(status, 200, "{first}");
    assert_eq!(
        (&first["expires_in"], &first["userType"], &first["scope"]),
        (&json!(86_399), &json!("Location"), &json!("contacts.readonly"))
    );
    assert_eq!(
        (&first["locationId"], &first["companyId"]),
        (&world.ghl["location_id"], &world.ghl["company_id"])
    );
    let (status, again) = token(&world, &by_code).await;
    assert_eq!((status, &again["error"]), (400, &json!("invalid_grant")), "a code is good once");

    let refresh = first["refresh_token"].as_str().unwrap();
    let by_refresh = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("user_type", "Location")];
    let (status, second) = token(&world, &by_refresh).await;
    assert_eq!(status, 200);
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    let (status, again) = token(&world, &by_refresh).await;
    assert_eq!((status, &again["error"]), (400, &json!("invalid_grant")));
    let journal = world.sandbox.ghl().journal();
    let kinds: Vec<_> = journal.iter().map(|it| it.effect.as_ref().map(|it| it.kind.as_str())).collect();
    assert_eq!(kinds, [Some("token.issued"), None, Some("token.refreshed"), None]);

    let access = second["access_token"].as_str().unwrap();
    let list = format!("/contacts/?locationId={}", world.location());
    assert_eq!(get(&world, &list, access).await.0, 200);
    world.sandbox.ghl().act(json!({ "action": "oauth.expire" })).await.unwrap();
    assert_eq!(get(&world, &list, access).await.0, 401);
    let third =
        [("grant_type", "refresh_token"), ("refresh_token", second["refresh_token"].as_str().unwrap())];
    assert_eq!(token(&world, &third).await.0, 200);
}

#[tokio::test]
async fn the_token_endpoint_takes_a_form_and_lists_what_is_wrong() {
    let world = World::start().await;
    let (status, body) = token(&world, &[]).await;
    assert_eq!(status, 422);
    assert_eq!(body["message"][0], "grant_type must be a valid enum value");
    let url = format!("{}/oauth/token", world.sandbox.ghl_url());
    let json_body = json!({ "grant_type": "refresh_token", "client_id": "x", "client_secret": "y" });
    let (status, body) = send(world.http.post(url).json(&json_body)).await;
    assert_eq!((status, &body["message"][0]), (422, &json!("grant_type must be a valid enum value")));
    let wrong = [("grant_type", "refresh_token"), ("refresh_token", "never issued")];
    assert_eq!(token(&world, &wrong).await.0, 400);
}

#[tokio::test]
async fn a_companys_token_opens_its_locations_and_nothing_of_a_location_itself() {
    let world = World::start().await;
    let code = code(&world, &["oauth.write", "oauth.readonly", "contacts.readonly"], "Company").await;
    let (_, company) =
        token(&world, &[("grant_type", "authorization_code"), ("code", &code), ("user_type", "Company")])
            .await;
    assert_eq!(company["userType"], "Company");
    let access = company["access_token"].as_str().unwrap();
    let list = format!("/contacts/?locationId={}", world.location());
    assert_eq!(get(&world, &list, access).await.0, 401);
    let app = world.ghl["client_id"].as_str().unwrap().split('-').next().unwrap();
    let installed = format!(
        "/oauth/installedLocations?companyId={}&appId={app}",
        world.ghl["company_id"].as_str().unwrap()
    );
    let (status, locations) = get(&world, &installed, access).await;
    assert_eq!((status, &locations["locations"][0]["_id"]), (200, &world.ghl["location_id"]));
    let form = [("companyId", world.ghl["company_id"].as_str().unwrap()), ("locationId", world.location())];
    let request = world.http.post(format!("{}/oauth/locationToken", world.sandbox.ghl_url())).form(&form);
    let (status, opened) = send(request.bearer_auth(access).header("version", "2021-07-28")).await;
    assert_eq!(status, 200, "{opened}");
    assert_eq!(get(&world, &list, opened["access_token"].as_str().unwrap()).await.0, 200);
}

/// Trades a code for tokens.
async fn redeem(world: &World, code: &str) -> Answer {
    token(world, &[("grant_type", "authorization_code"), ("code", code)]).await
}

async fn refresh(world: &World, refresh_token: &str) -> Answer {
    token(world, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
}

fn text<'a>(body: &'a Value, key: &str) -> &'a str {
    body[key].as_str().unwrap()
}

#[tokio::test]
async fn a_code_and_a_refresh_token_end_when_they_are_too_old() {
    let world = World::start().await;
    let settings = |settings: Value| world.sandbox.ghl().settings(settings).unwrap();
    settings(json!({ "code_s": 0 }));
    let old = code(&world, &["contacts.readonly"], "Location").await;
    let (status, body) = redeem(&world, &old).await;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")));
    settings(json!({ "code_s": 600, "refresh_token_s": 0 }));
    let young = code(&world, &["contacts.readonly"], "Location").await;
    let (status, tokens) = redeem(&world, &young).await;
    assert_eq!(status, 200, "{tokens}");
    let (status, body) = refresh(&world, text(&tokens, "refresh_token")).await;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")));
}

#[tokio::test]
async fn a_code_is_bound_to_its_redirect_uri_and_void_after_a_wrong_one() {
    let world = World::start().await;
    let uri = "https://bridge.example.com/back";
    let action = json!({ "action": "oauth.authorize", "redirect_uri": uri });
    let authorize = || world.sandbox.ghl().act(action.clone());
    let trade = async |code: &Value, uri: &str| {
        let fields =
            [("grant_type", "authorization_code"), ("code", text(code, "code")), ("redirect_uri", uri)];
        token(&world, &fields).await
    };
    let code = authorize().await.unwrap();
    for uri in ["https://bridge.example.com/other", uri] {
        let (status, body) = trade(&code, uri).await;
        assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")), "{uri}");
    }
    let code = authorize().await.unwrap();
    assert_eq!(trade(&code, uri).await.0, 200);
    let code = authorize().await.unwrap();
    assert_eq!(redeem(&world, text(&code, "code")).await.0, 200, "redirect_uri is not required");
}

#[tokio::test]
async fn a_token_may_do_what_its_scopes_say_and_no_more() {
    let world = World::start().await;
    let code = code(&world, &["contacts.readonly"], "Location").await;
    let (_, tokens) = redeem(&world, &code).await;
    let access = text(&tokens, "access_token");
    assert_eq!(get(&world, &format!("/contacts/?locationId={}", world.location()), access).await.0, 200);
    let (_, renewed) = refresh(&world, text(&tokens, "refresh_token")).await;
    assert_eq!(renewed["scope"], "contacts.readonly");
    for access in [access, text(&renewed, "access_token")] {
        let url = format!("{}/contacts/", world.sandbox.ghl_url());
        let body = json!({ "locationId": world.location(), "email": "a@deos.com" });
        let request = world.http.post(url).bearer_auth(access).header("version", "2021-07-28").json(&body);
        let (status, body) = send(request).await;
        assert_eq!((status, text(&body, "message")), (401, "The token is not authorized for this scope."));
    }
    let unknown = json!({ "action": "oauth.authorize", "scopes": ["contacts.read"] });
    let error = world.sandbox.ghl().act(unknown).await.unwrap_err().to_string();
    assert!(error.contains("contacts.readonly"), "{error}");
}

#[tokio::test]
async fn a_token_for_the_other_location_opens_that_and_nothing_of_the_first() {
    let world = World::start().await;
    let other = text(&world.ghl, "other_location_id");
    let mine = world.create(json!({ "email": "ada@deos.com" })).await;
    let action = json!({ "action": "oauth.authorize", "location_id": other });
    let code = world.sandbox.ghl().act(action).await.unwrap();
    let (_, tokens) = redeem(&world, text(&code, "code")).await;
    assert_eq!((&tokens["locationId"], &tokens["userType"]), (&json!(other), &json!("Location")));
    let access = text(&tokens, "access_token");
    for path in [
        format!("/contacts/?locationId={}", world.location()),
        format!("/contacts/{mine}"),
        format!("/contacts/{mine}/tasks"),
    ] {
        let (status, body) = get(&world, &path, access).await;
        let said = text(&body, "message");
        assert_eq!((status, said), (403, "The token does not have access to this location."), "{path}");
    }
    let (status, body) = get(&world, &format!("/locations/{other}"), access).await;
    assert_eq!((status, &body["location"]["name"]), (200, &json!("Second Sandbox Store")));
    let url = format!("{}/contacts/", world.sandbox.ghl_url());
    let request = world.http.post(url).bearer_auth(access).header("version", "2021-07-28");
    let (status, made) = send(request.json(&json!({ "locationId": other, "email": "ada@deos.com" }))).await;
    assert_eq!((status, &made["contact"]["locationId"]), (201, &json!(other)), "it has contacts of its own");
    let path = format!("/contacts/{}", text(&made["contact"], "id"));
    assert_eq!(
        world.ghl(Method::GET, &path, Value::Null).await.0,
        403,
        "and the first one's token sees none"
    );
    assert_eq!(world.sandbox.ghl().state()["contacts"].as_array().unwrap().len(), 1);
    assert_eq!(world.sandbox.ghl().state()["other"]["contacts"].as_array().unwrap().len(), 1);
}

/// `POST /oauth/locationToken` for the announced location.
fn location_token(world: &World, access: &str) -> RequestBuilder {
    let request = world.http.post(format!("{}/oauth/locationToken", world.sandbox.ghl_url()));
    request.bearer_auth(access).header("version", "2021-07-28")
}

#[tokio::test]
async fn a_locations_token_comes_for_a_form_with_a_companys_token_and_its_scope_only() {
    let world = World::start().await;
    let fields = json!({ "companyId": world.ghl["company_id"], "locationId": world.location() });
    for (scopes, user_type, expected) in [
        (&["oauth.write", "contacts.readonly"][..], "Company", 200),
        (&["oauth.readonly", "contacts.readonly"], "Company", 401),
        (&["oauth.write", "contacts.readonly"], "Location", 401),
    ] {
        let code = code(&world, scopes, user_type).await;
        let (_, tokens) = redeem(&world, &code).await;
        let access = text(&tokens, "access_token");
        let (status, body) = send(location_token(&world, access).form(&fields)).await;
        assert_eq!(status, expected, "{scopes:?} {user_type}: {body}");
        if expected == 200 {
            assert_eq!(send(location_token(&world, access).json(&fields)).await.0, 422, "JSON is no form");
            let elsewhere = json!({ "companyId": "another", "locationId": world.location() });
            assert_eq!(send(location_token(&world, access).form(&elsewhere)).await.0, 400);
        }
    }
}

#[tokio::test]
async fn installed_locations_come_in_pages_and_say_which_have_the_app() {
    let world = World::start().await;
    let company = text(&world.ghl, "company_id");
    let app = text(&world.ghl, "client_id").split('-').next().unwrap();
    let code = code(&world, &["oauth.readonly"], "Company").await;
    let (_, tokens) = redeem(&world, &code).await;
    assert_eq!(tokens["approvedLocations"], json!([world.location(), world.ghl["other_location_id"]]));
    let access = text(&tokens, "access_token");
    let list = async |query: &str| {
        let path = format!("/oauth/installedLocations?companyId={company}&appId={app}{query}");
        get(&world, &path, access).await.1
    };
    let first = list("&limit=1").await;
    assert_eq!((&first["count"], first["locations"].as_array().unwrap().len()), (&json!(2), 1));
    assert_eq!(first["locations"][0]["isInstalled"], true);
    let second = list("&limit=1&skip=1").await;
    assert_eq!(second["locations"][0]["_id"], world.ghl["other_location_id"]);
    assert_eq!(list("&query=second").await["count"], 1);
    assert_eq!(list("&isInstalled=false").await["count"], 0);
    assert_eq!(list("&bogus=1").await["statusCode"], 422);
}

#[tokio::test]
async fn a_rotated_secret_is_taken_beside_the_old_one_as_long_as_told() {
    let world = World::start().await;
    let wrong = [("grant_type", "refresh_token"), ("refresh_token", "x"), ("client_secret", "fresh")];
    let error = async |fields: &[(&str, &str)]| text(&token(&world, fields).await.1, "error").to_owned();
    assert_eq!(error(&wrong).await, "invalid_client");
    let rotate = |keep: u64| {
        let action = json!({ "action": "oauth.rotate_secret", "secret": "fresh", "keep_old_ms": keep });
        world.sandbox.ghl().act(action)
    };
    assert_eq!(rotate(600_000).await.unwrap()["client_secret"], "fresh");
    // A refused grant is what a good secret gets here.
    assert_eq!(error(&wrong).await, "invalid_grant");
    assert_eq!(error(&wrong[..2]).await, "invalid_grant", "the old one");
    world.sandbox.ghl().reset();
    rotate(0).await.unwrap();
    assert_eq!(error(&wrong).await, "invalid_grant");
    assert_eq!(error(&wrong[..2]).await, "invalid_client", "the old one");
}

#[tokio::test]
async fn whatever_spoils_the_answer_the_refresh_token_is_used_up() {
    let world = World::start().await;
    for fault in [
        json!({ "kind": "reset_after" }),
        json!({ "kind": "cut_answer" }),
        json!({ "kind": "malformed" }),
        json!({ "kind": "status", "status": 502, "processed": true }),
        json!({ "kind": "delay", "ms": 1 }),
    ] {
        let code = code(&world, &["contacts.readonly"], "Location").await;
        let (_, tokens) = redeem(&world, &code).await;
        let mut spoilt = fault.clone();
        spoilt["path"] = json!("/oauth/token");
        world.sandbox.ghl().fault(serde_json::from_value(spoilt).unwrap());
        let form = [
            ("client_id", text(&world.ghl, "client_id")),
            ("client_secret", text(&world.ghl, "client_secret")),
            ("grant_type", "refresh_token"),
            ("refresh_token", text(&tokens, "refresh_token")),
        ];
        let request = world.http.post(format!("{}/oauth/token", world.sandbox.ghl_url())).form(&form);
        let answer = match request.send().await {
            Ok(response) => response.json::<Value>().await.ok(),
            Err(_) => None,
        };
        let whole = answer.is_some_and(|it| it["access_token"].is_string());
        assert_eq!(whole, fault["kind"] == "delay", "{fault}");
        let last = world.sandbox.ghl().journal().pop().unwrap();
        assert_eq!(last.effect.unwrap().kind, "token.refreshed", "{fault}");
        assert_eq!(refresh(&world, text(&tokens, "refresh_token")).await.0, 400, "{fault}");
    }
}

#[tokio::test]
async fn a_refusal_can_be_ordered_with_either_status_and_leaves_the_token_good() {
    let world = World::start().await;
    let code = code(&world, &["contacts.readonly"], "Location").await;
    let (_, tokens) = redeem(&world, &code).await;
    for status in [400, 401] {
        let body = json!({ "error": "invalid_grant", "error_description": "Invalid grant" });
        let fault = json!({ "kind": "status", "status": status, "path": "/oauth/token", "body": body });
        world.sandbox.ghl().fault(serde_json::from_value(fault).unwrap());
        assert_eq!(refresh(&world, text(&tokens, "refresh_token")).await, (status, body));
    }
    assert_eq!(refresh(&world, text(&tokens, "refresh_token")).await.0, 200);
}

#[tokio::test]
async fn a_fault_shows_the_budget_of_the_token_that_met_it() {
    let world = World::start().await;
    let code = code(&world, &["contacts.readonly"], "Location").await;
    let (_, tokens) = redeem(&world, &code).await;
    let used = json!({ "action": "rate.consume", "app": "app", "requests": 40 });
    world.sandbox.ghl().act(used).await.unwrap();
    let fault = json!({ "kind": "status", "status": 503 });
    world.sandbox.ghl().fault(serde_json::from_value(fault).unwrap());
    let url = format!("{}/contacts/x", world.sandbox.ghl_url());
    let response = world.http.get(url).bearer_auth(text(&tokens, "access_token")).send().await.unwrap();
    assert_eq!(response.headers()["x-ratelimit-remaining"], "60");
}
