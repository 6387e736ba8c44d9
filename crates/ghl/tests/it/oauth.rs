//! The way of a connection, from the chooser to the last refresh, against the sandbox.

use ghl::{
    Error, ListQuery,
    oauth::{Chooser, ChooserHost, Operation, Scope, Scopes, UserType},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::world::HighLevel;

const BACK: &str = "https://bridge.example.com/oauth/callback";

/// Lets the app in as a person with a browser would; what comes back in the redirect.
async fn let_in(there: &HighLevel, scopes: &Scopes, form: Value) -> Vec<(String, String)> {
    let app = there.app();
    let url = Chooser::new(&app.client_id, BACK, scopes, "nobody+guesses/it")
        .host(ChooserHost::Other(there.sandbox.ghl_url().to_owned()))
        .version_id("6578278e879ad2646715ba9c")
        .url()
        .unwrap();
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let page = browser.get(&url).send().await.unwrap();
    assert_eq!(page.status(), 200, "{}", page.text().await.unwrap());
    let answer = browser.post(&url).form(&form).send().await.unwrap();
    let back = reqwest::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    assert!(back.as_str().starts_with(BACK));
    back.query_pairs().into_owned().collect()
}

#[tokio::test]
async fn a_location_is_connected_and_its_tokens_are_renewed() {
    let there = HighLevel::start().await;
    let (app, oauth) = (there.app(), there.client.oauth());
    let scopes = Scopes::from([Scope::CONTACTS_READONLY, Scope::CONTACTS_WRITE]);
    let back = let_in(&there, &scopes, json!({ "decision": "allow" })).await;
    assert_eq!(back[1], ("state".to_owned(), "nobody+guesses/it".to_owned()));
    let code = SecretString::from(back[0].1.as_str());
    let location = Some(UserType::Location);
    let first = oauth.exchange_code(&app, &code, location.clone(), Some(BACK)).await.unwrap();
    assert_eq!(first.value.scopes.as_ref(), Some(&scopes));
    assert_eq!(first.value.location_id.as_ref().unwrap().as_str(), there.location);
    assert_eq!(first.value.company_id.as_ref().unwrap().as_str(), there.announced("company_id"));
    let second = oauth.refresh(&app, &first.value.refresh_token, location.clone()).await.unwrap();
    let client = there.client.with_token(second.value.access_token.clone());
    client.contacts().list(&ListQuery::new(there.location.as_str())).await.unwrap();
    let shown = format!("{first:?} {second:?}");
    for secret in [
        &code,
        &app.client_secret,
        &first.value.access_token,
        &first.value.refresh_token,
        &second.value.refresh_token,
    ] {
        assert!(!shown.contains(secret.expose_secret()), "{shown}");
    }

    let again = oauth.refresh(&app, &first.value.refresh_token, location.clone()).await.unwrap_err();
    assert!(matches!(again.error, Error::InvalidGrant { .. }), "a refresh token is good once: {again:?}");
    let again = oauth.exchange_code(&app, &code, location, Some(BACK)).await.unwrap_err();
    assert!(matches!(again.error, Error::InvalidGrant { .. }), "a code is good once: {again:?}");
}

#[tokio::test]
async fn whoever_cancels_brings_back_an_error_and_the_state() {
    let there = HighLevel::start().await;
    let back = let_in(&there, &[Scope::CONTACTS_READONLY].into(), json!({ "decision": "deny" })).await;
    assert_eq!(back[0], ("error".to_owned(), "access_denied".to_owned()));
    assert_eq!(back[1].0, "state");
}

#[tokio::test]
async fn a_token_for_another_location_names_it_and_is_refused_here() {
    let there = HighLevel::start().await;
    let other = there.announced("other_location_id");
    let scopes = Scopes::from([Operation::ContactList.scope()]);
    let back = let_in(&there, &scopes, json!({ "decision": "allow", "location_id": other })).await;
    let code = SecretString::from(back[0].1.as_str());
    let tokens = there.client.oauth().exchange_code(&there.app(), &code, None, None).await.unwrap().value;
    assert_eq!(tokens.location_id.unwrap().as_str(), other);
    let client = there.client.with_token(tokens.access_token);
    let failure = client.contacts().list(&ListQuery::new(there.location.as_str())).await.unwrap_err();
    assert!(matches!(failure.error, Error::WrongLocation { .. }), "{failure:?}");
}

#[tokio::test]
async fn a_wrong_secret_is_told_from_a_refused_token_and_uses_nothing_up() {
    let there = HighLevel::start().await;
    let tokens = there.tokens(&[Scope::CONTACTS_READONLY].into(), UserType::Location).await;
    let mut app = there.app();
    app.client_secret = SecretString::from("wrong");
    let failure = there.client.oauth().refresh(&app, &tokens.refresh_token, None).await.unwrap_err();
    assert!(matches!(failure.error, Error::InvalidClient { .. }), "{failure:?}");
    there.client.oauth().refresh(&there.app(), &tokens.refresh_token, None).await.unwrap();
}

#[tokio::test]
async fn a_companys_token_finds_its_locations_and_opens_them() {
    let there = HighLevel::start().await;
    let scopes = [Scope::OAUTH_READONLY, Scope::OAUTH_WRITE, Scope::CONTACTS_READONLY];
    let tokens = there.tokens(&scopes.into(), UserType::Company).await;
    assert_eq!((&tokens.user_type, &tokens.location_id), (&Some(UserType::Company), &None));
    assert_eq!(tokens.approved_locations.len(), 2);
    let company = tokens.company_id.unwrap();
    let client = there.client.with_token(tokens.access_token);
    let app = there.app().app_id();
    let mut pages = client.oauth().all_installed_locations(&company, &app);
    let page = pages.next().await.unwrap().unwrap().value;
    assert_eq!((page.count, page.locations.len(), page.locations[0].is_installed), (Some(2), 2, Some(true)));
    assert!(pages.next().await.is_none());
    let one = client.oauth().installed_locations(&company, &app, Some(1), Some(1)).await.unwrap().value;
    assert_eq!(one.locations[0].id, page.locations[1].id);

    let opened = client.oauth().location_token(&company, &page.locations[0].id).await.unwrap();
    assert!(!format!("{opened:?}").contains(opened.value.access_token.expose_secret()));
    assert_eq!(opened.value.location_id.unwrap().as_str(), there.location);
    let client = there.client.with_token(opened.value.access_token);
    client.contacts().list(&ListQuery::new(there.location.as_str())).await.unwrap();
}

#[tokio::test]
async fn every_way_in_which_a_refresh_can_get_lost_is_one_that_may_have_been_processed() {
    let there = HighLevel::start().await;
    for (fault, code) in [
        (json!({ "kind": "reset_after" }), "uncertain"),
        (json!({ "kind": "cut_answer" }), "uncertain"),
        (json!({ "kind": "delay", "ms": 4000 }), "uncertain"),
        (json!({ "kind": "malformed" }), "protocol"),
        (json!({ "kind": "status", "status": 502, "processed": true }), "unavailable"),
    ] {
        let tokens = there.tokens(&[Scope::CONTACTS_READONLY].into(), UserType::Location).await;
        let mut fault = fault;
        fault["path"] = json!("/oauth/token");
        there.fault(fault);
        let refresh = async || there.client.oauth().refresh(&there.app(), &tokens.refresh_token, None).await;
        let failure = refresh().await.unwrap_err();
        assert_eq!((failure.error.code(), failure.error.maybe_processed()), (code, true), "{failure:?}");
        let again = refresh().await.unwrap_err();
        assert!(matches!(again.error, Error::InvalidGrant { .. }), "{again:?}");
    }
}
