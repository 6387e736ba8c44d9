//! Operations of which the sandbox holds nothing: asked strictly, answered by the documents' example.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{World, send};

#[tokio::test]
async fn a_request_of_the_documented_form_gets_the_documented_answer_and_changes_nothing() {
    let world = World::start().await;
    let before = world.sandbox.ghl().state();
    let link =
        json!({ "locationId": world.location(), "name": "Shop", "redirectTo": "https://shop.example.com" });
    let (status, answer) = world.ghl(Method::POST, "/links/", link).await;
    assert_eq!((status, &answer["link"]["locationId"]), (201, &world.ghl["location_id"]), "{answer}");
    let entry = world.sandbox.ghl().journal().pop().unwrap();
    let effect = entry.effect.unwrap();
    assert_eq!((effect.kind.as_str(), effect.id.as_str()), ("none: form checked only", "ghl.link.create"));
    let mut after = world.sandbox.ghl().state();
    after["at"] = before["at"].clone();
    assert_eq!(after, before);
}

#[tokio::test]
async fn token_version_scope_location_and_form_are_judged_in_this_order() {
    let world = World::start().await;
    let links = format!("{}/links/", world.sandbox.ghl_url());
    assert_eq!(send(world.http.post(&links)).await.0, 401);
    let (status, answer) = world.ghl_older(Method::POST, "/links/", json!({})).await;
    assert_eq!((status, &answer["message"]), (401, &json!("version header is invalid.")));
    let wrong = json!({ "locationId": "elsewhere", "bogus": 1 });
    assert_eq!(world.ghl(Method::POST, "/links/", wrong).await.0, 403);
    let wrong = json!({ "locationId": world.location(), "bogus": 1, "name": 2 });
    let (status, answer) = world.ghl(Method::POST, "/links/", wrong).await;
    let complaints = [
        "property bogus should not exist",
        "name must be a string",
        "redirectTo should not be empty",
        "redirectTo must be a string",
    ];
    assert_eq!((status, &answer["message"]), (422, &json!(complaints)));
    let search = format!("/links/search?locationId={}&limit=ten", world.location());
    let (status, answer) = world.ghl_older(Method::GET, &search, Value::Null).await;
    let complaint = "limit must be a number conforming to the specified constraints";
    assert_eq!((status, &answer["message"]), (422, &json!([complaint])));
    world.sandbox.ghl().settings(json!({ "scopes": ["contacts.readonly"] })).unwrap();
    assert_eq!(world.ghl(Method::POST, "/links/", json!({})).await.0, 401);
    assert_eq!(world.ghl(Method::POST, "/links/elsewhere/x/y", json!({})).await.0, 404);
}

#[tokio::test]
async fn a_form_with_files_is_read_part_by_part() {
    let world = World::start().await;
    let upload = |parts: &[(&str, &str)]| {
        let mut body = String::new();
        for (name, value) in parts {
            let part = format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.push_str(&part);
        }
        let request = world.ghl_request(Method::POST, "/medias/upload-file");
        send(request.header("content-type", "multipart/form-data; boundary=b").body(body + "--b--\r\n"))
    };
    let (status, answer) = upload(&[("name", "logo.png"), ("file", "bytes"), ("hosted", "false")]).await;
    assert_eq!(status, 200, "{answer}");
    let (status, answer) = upload(&[("name", "logo.png"), ("hosted", "perhaps"), ("bogus", "1")]).await;
    assert_eq!(
        (status, &answer["message"]),
        (422, &json!(["property bogus should not exist", "hosted must be a boolean value"]))
    );
}

#[tokio::test]
async fn an_agencys_operation_wants_an_agencys_token() {
    let world = World::start().await;
    let new = json!({ "name": "Shoes", "companyId": world.ghl["company_id"] });
    let (status, answer) = world.ghl(Method::POST, "/locations/", new.clone()).await;
    assert_eq!((status, &answer["message"]), (401, &json!("The token is not authorized for this scope.")));
    let code = crate::oauth::code(&world, &["locations.write"], "Company").await;
    let by_code = [("grant_type", "authorization_code"), ("code", code.as_str())];
    let (_, tokens) = crate::oauth::token(&world, &by_code).await;
    let request = |body: &Value| {
        let url = format!("{}/locations/", world.sandbox.ghl_url());
        let request = world.http.post(url).bearer_auth(tokens["access_token"].as_str().unwrap());
        send(request.header("version", "2021-07-28").json(body))
    };
    let (status, made) = request(&new).await;
    assert_eq!((status, &made["companyId"]), (200, &world.ghl["company_id"]), "{made}");
    let (status, _) = request(&json!({ "name": "Shoes", "companyId": "another" })).await;
    assert_eq!(status, 403);
}
