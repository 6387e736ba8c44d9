//! A client that knows nothing of this sandbox: the crate `ghl-sdk`, written against the real system.

use std::{sync::Arc, time::SystemTime};

use ghl_sdk::{
    Error, Ghl,
    auth::{Auth, MemoryTokenStore, OAuthConfig, TokenSet, TokenStore as _, UserType},
    contacts::{CreateContact, UpdateContact},
};
use serde_json::json;

use crate::world::World;

fn text(value: &serde_json::Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn it_creates_reads_updates_lists_and_deletes_contacts() {
    let world = World::start().await;
    let ghl = Ghl::builder().base_url(world.sandbox.ghl_url());
    let ghl = ghl.private_integration_token(text(&world.ghl["token"])).max_retries(0).build().unwrap();
    let contact = CreateContact {
        location_id: world.location().to_owned(),
        email: Some("Ada@Example.com".into()),
        phone: Some("(205) 555-0123".into()),
        first_name: Some("Ada".into()),
        tags: vec!["Newsletter".into()],
        ..CreateContact::default()
    };
    let made = ghl.contacts().create(contact.clone()).await.unwrap();
    assert_eq!(
        (made.email.as_deref(), made.phone.as_deref()),
        (Some("ada@example.com"), Some("+12055550123"))
    );
    assert_eq!(made.tags, ["newsletter"]);
    let Err(Error::Api { status, message, .. }) = ghl.contacts().create(contact).await else {
        panic!("a duplicate")
    };
    assert_eq!((status.as_u16(), message.contains("duplicated")), (400, true));
    let update = UpdateContact { last_name: Some("Lovelace".into()), ..UpdateContact::default() };
    let updated = ghl.contacts().update(&made.id, update).await.unwrap();
    assert_eq!(
        (updated.last_name.as_deref(), updated.first_name.as_deref()),
        (Some("Lovelace"), Some("Ada"))
    );
    for number in 0..4 {
        world.create(json!({ "email": format!("n{number}@example.com") })).await;
    }
    let list = ghl.contacts().list(world.location()).limit(3);
    let first = list.page().await.unwrap();
    let meta = first.meta.unwrap();
    assert_eq!((first.contacts.len(), meta.total), (3, Some(5)));
    let rest = list.start_after_id(meta.start_after_id.unwrap()).page().await.unwrap();
    assert_eq!(rest.contacts.iter().filter(|it| it.id == made.id).count(), 1);
    assert_eq!(rest.contacts.len(), 2);
    let location = ghl.locations().get(world.location()).await.unwrap();
    assert_eq!(location.company_id.as_deref(), world.ghl["company_id"].as_str());
    ghl.contacts().delete(&made.id).await.unwrap();
    assert!(matches!(ghl.contacts().get(&made.id).await, Err(Error::Api { .. })));
    assert!(world.sandbox.ghl().journal().iter().all(|it| it.status != Some(422)));
}

#[tokio::test]
async fn it_refreshes_its_tokens_and_opens_a_location_with_a_companys_token() {
    let world = World::start().await;
    let action = json!({ "action": "oauth.authorize", "user_type": "Company", "scopes": ["oauth.write", "contacts.readonly"] });
    let code = text(&world.sandbox.ghl().act(action).await.unwrap()["code"]);
    let form = [
        ("client_id", text(&world.ghl["client_id"])),
        ("client_secret", text(&world.ghl["client_secret"])),
        ("grant_type", "authorization_code".to_owned()),
        ("code", code),
    ];
    let url = format!("{}/oauth/token", world.sandbox.ghl_url());
    let (_, first) = crate::world::send(world.http.post(url).form(&form)).await;
    let old =
        TokenSet::new(text(&first["access_token"]), text(&first["refresh_token"]), SystemTime::UNIX_EPOCH);
    let store = Arc::new(MemoryTokenStore::new(old));
    let app = OAuthConfig::new(form[0].1.clone(), form[1].1.clone(), UserType::Company);
    let company = Ghl::builder()
        .base_url(world.sandbox.ghl_url())
        .auth(Auth::oauth(app, store.clone()))
        .build()
        .unwrap();
    let location =
        company.as_location(world.ghl["company_id"].as_str().unwrap(), world.location()).await.unwrap();
    assert_eq!(location.contacts().list(world.location()).page().await.unwrap().contacts.len(), 0);
    let new = store.load().await.unwrap().unwrap();
    assert_ne!(new.refresh_token(), first["refresh_token"].as_str().unwrap());
}
