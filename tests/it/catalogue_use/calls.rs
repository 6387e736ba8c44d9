//! Every action is called at the sandbox, through the bridge's client, with requests that the catalogue writes. The sandbox judges
//! them by a check of its own.

use catalogue::{Kind, Operation, Request, RequestBody, operations};
use serde_json::{Value, json};

use super::place::{Place, send};

/// What the sandbox says of a request whose form is all that it looked at.
const FORM_ONLY: &str = "none: form checked only";

#[tokio::test]
async fn every_action_succeeds_with_all_inputs_and_with_the_required_ones() {
    let mut at = Place::start().await;
    let (mut untouched, mut failed) = (false, Vec::new());
    for it in operations() {
        for only_required in [true, false] {
            if !untouched {
                at.refill().await;
            }
            let mut inputs = at.inputs(it, only_required);
            let client = at.client_for(it, &mut inputs).await;
            let request = it.request(&inputs).unwrap_or_else(|mistakes| panic!("{}: {mistakes:?}", it.name));
            if let Err(failure) = send(&client, request).await {
                failed.push(format!("{}: {:?} for {inputs}", it.name, failure.error));
            }
            let effect = at.sandbox.ghl().journal().pop().unwrap().effect;
            untouched = effect.as_ref().is_none_or(|effect| effect.kind == FORM_ONLY);
            if let Some(effect) = effect.filter(|effect| effect.kind == FORM_ONLY) {
                assert_eq!(effect.id, it.name);
                let simulated =
                    ["contacts", "businesses", "workflows", "campaigns"].contains(&it.document.as_str());
                assert!(!simulated, "{}", it.name);
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
    at.sandbox.shutdown().await;
}

#[tokio::test]
async fn whatever_is_not_of_the_documented_form_is_refused() {
    let mut at = Place::start().await;
    at.refill().await;
    let mut refused = 0;
    for it in operations() {
        let mut inputs = at.inputs(it, true);
        let client = at.client_for(it, &mut inputs).await;
        let good = it.request(&inputs).unwrap();
        for (what, wrong) in wrong_forms(it, &good) {
            let outcome = send(&client, wrong).await;
            let Err(failure) = outcome else { panic!("{}: {what} is taken", it.name) };
            // A list without its location is refused as another location's (n8n's issue 11353).
            let status = if what == "no `locationId`" && it.document != "businesses" {
                &[422, 403][..]
            } else {
                &[422]
            };
            assert!(status.contains(&failure.exchange.status.unwrap()), "{}: {what}: {failure:?}", it.name);
            refused += 1;
        }
    }
    assert!(refused > operations().len(), "{refused}");
    at.sandbox.shutdown().await;
}

/// A request without each of the things that it needs, with each text as a number, and with a field that nobody knows.
fn wrong_forms(it: &Operation, good: &Request) -> Vec<(String, Request)> {
    let mut wrong = Vec::new();
    let changed = |change: &dyn Fn(&mut Request)| {
        let mut request = good.clone();
        change(&mut request);
        request
    };
    for field in it.in_query.iter().filter(|field| field.required) {
        let without = changed(&|request| request.query.retain(|(name, _)| *name != field.name));
        wrong.push((format!("no `{}`", field.name), without));
    }
    let Some(Kind::Fields(fields)) = it.body.as_ref().map(|body| &body.kind) else { return wrong };
    for field in fields.iter().filter(|field| field.required && it.name != "ghl.oauth.token") {
        let without = changed(&|request| match &mut request.body {
            Some(RequestBody::Json(Value::Object(body))) => {
                body.remove(&field.name);
            }
            Some(RequestBody::Form(fields)) => fields.retain(|(name, _)| *name != field.name),
            Some(RequestBody::Files(parts)) => parts.retain(|(name, _)| *name != field.name),
            _ => {}
        });
        wrong.push((format!("no `{}`", field.name), without));
    }
    if !matches!(good.body, Some(RequestBody::Json(_))) {
        return wrong;
    }
    let with = |name: &str, value: Value| {
        changed(&|request| {
            if let Some(RequestBody::Json(body)) = &mut request.body {
                body[name] = value.clone();
            }
        })
    };
    for field in fields.iter().filter(|field| field.kind == Kind::Text) {
        wrong.push((format!("a number for `{}`", field.name), with(&field.name, json!(1))));
    }
    wrong.push(("an unknown field".to_owned(), with("bogus", json!(1))));
    wrong
}
