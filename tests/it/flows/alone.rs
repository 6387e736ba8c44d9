//! Each flow fails alone.

use serde_json::{Value, json};

use super::{Flow, effects, pairs, route};
use crate::app::QUICK;

/// A flow that makes one note.
fn noting(body: &str) -> String {
    route(
        "cscart.ping",
        &format!("[[step]]\nid = \"note\"\ndo = \"ghl.note.create\"\nwith = {{ body = \"{body}\" }}\n"),
    )
}

fn reason(event: &Value) -> &str {
    event["state_reason"].as_str().unwrap()
}

#[tokio::test]
async fn a_mistake_in_one_flow_keeps_no_other_from_running_and_a_replay_does_only_what_is_missing() {
    let wrong = format!(
        "{}[[step]]\nid = \"sum\"\nif = \"data.sum | float > 5\"\ndo = \"ghl.note.create\"\nwith = {{ body = \"sum\" }}\n",
        noting("first")
    );
    let files = [("a.toml", noting("before")), ("b.toml", wrong.clone()), ("c.toml", noting("after"))];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let mut flow = Flow::spawn_files(&files, QUICK).await;
    let id = flow.ping(json!({ "sum": "much" })).await;
    let event = flow.app.until_state(&id, "dead").await;
    assert_eq!(event["state_code"], "route-mistake");
    assert!(reason(&event).starts_with("route `b`, step `sum`: "), "{}", reason(&event));
    assert_eq!(flow.notes(), ["after", "before"], "nothing of the flow with the mistake, all of the others");

    let (status, report) = flow.app.api("POST", "/api/dry-run", Some(json!({ "event_id": id }))).await;
    assert_eq!(status, 200, "{report}");
    let phase = &report["phases"][0];
    let routes: Vec<&Value> = phase["steps"].as_array().unwrap().iter().map(|step| &step["route"]).collect();
    assert_eq!((&phase["state"], routes), (&json!("dead"), vec![&json!("a"), &json!("c")]), "{report:#}");

    flow.mend("b.toml", &wrong.replace("data.sum | float > 5", "data.sum")).await;
    let id = flow.app.replay(&event).await;
    flow.app.until_state(&id, "done").await;
    assert_eq!(flow.notes(), ["after", "before", "first", "sum"]);
    flow.app.may_have_dead_letters = true;
    flow.app.end().await;
}

#[tokio::test]
async fn a_mistake_names_the_key_and_the_expression() {
    let step = "[[step]]\nid = \"note\"\ndo = \"ghl.note.create\"\n";
    for (steps, told) in [
        (
            format!("when = \"data.sum | float > 5\"\n{step}with = {{ body = \"x\" }}\n"),
            "route `flow`: `when`: invalid operation: invalid float literal, in `data.sum | float > 5`. Mend the route",
        ),
        (
            format!("{step}if = \"data.sum | float > 5\"\nwith = {{ body = \"x\" }}\n"),
            "route `flow`, step `note`: `if`: invalid operation: invalid float literal, in `data.sum | float > 5`. Mend",
        ),
        (
            format!("{step}with = {{ body = \"Sum: {{{{ data.sum | float }}}}\" }}\n"),
            "route `flow`, step `note`: `with.body`: invalid operation: invalid float literal, in `Sum: {{ data.sum | float }}`. Mend",
        ),
        (
            format!("{step}with = {{ body = \"{{{{ {}data.sum | float }}}}\" }}\n", "1 + ".repeat(30)),
            "in `1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + …`. Mend",
        ),
    ] {
        let mut flow = Flow::spawn(&steps).await;
        let id = flow.ping(json!({ "sum": "much" })).await;
        let event = flow.app.until_state(&id, "dead").await;
        assert!(reason(&event).contains(told), "{}", reason(&event));
        flow.app.may_have_dead_letters = true;
        flow.app.end().await;
    }
}

#[tokio::test]
async fn what_highlevel_refuses_in_one_flow_keeps_no_other_from_running() {
    let refused = route(
        "cscart.ping",
        "[[step]]\nid = \"gone\"\ndo = \"ghl.note.delete\"\nraw = true\nwith = { id = \"nosuchnote0000000000\" }\n\
         [[step]]\nid = \"never\"\ndo = \"ghl.note.create\"\nwith = { body = \"never\" }\n",
    );
    let mut flow = Flow::spawn_files(&[("a.toml", &refused), ("b.toml", &noting("after"))], QUICK).await;
    let id = flow.ping(json!({})).await;
    let event = flow.app.until_state(&id, "dead").await;
    assert_eq!(event["state_code"], "gone-in-highlevel");
    assert_eq!(effects(&event), pairs([("gone", "failed"), ("note", "done")]));
    assert_eq!(flow.notes(), ["after"]);
    flow.app.may_have_dead_letters = true;
    flow.app.end().await;
}
