//! Routes have tests, and an owner's own routes can have some.

use std::path::Path;

use crate::program::{Desk, text};

/// A folder of routes with one of them and its test.
fn folder(desk: &Desk, test: &str) {
    let tests = desk.folder.path().join("flows/tests");
    std::fs::create_dir_all(&tests).unwrap();
    let route = "on = [\"cscart.order.created\"]\nwhen = \"data.order.total | float > 500\"\n\
                 [[step]]\nid = \"contact\"\ndo = \"ghl.contact.ensure\"\n[step.with]\ntags = [\"big spender\"]\n\
                 [[step]]\nid = \"call\"\ndo = \"ghl.task.create\"\ndelay = \"2 days\"\n[step.with]\ntitle = \"Call\"\n";
    std::fs::write(desk.folder.path().join("flows/big-spender.toml"), route).unwrap();
    // Otherwise the built-in one makes the contact.
    std::fs::write(
        desk.folder.path().join("flows/order-to-tags.toml"),
        "enabled = false\non = [\"cscart.order.created\"]\n",
    )
    .unwrap();
    std::fs::write(tests.join("big-spender.toml"), test).unwrap();
}

const GOOD: &str = r#"
[[test]]
name = "whoever spends much is called after two days"
event = { type = "order.created", data = { order = { order_id = 9, email = "ada@example.com", total = "501" } } }
[[test.expect]]
call = "POST /contacts/"
body = { tags = ["big spender"] }
[[test.expect]]
call = "POST /contacts/{contact}/tasks"
after = "2 days"
body = { title = "Call" }

[[test]]
name = "whoever does not is left in peace"
expect_skipped = ["big-spender"]
event = { type = "order.created", data = { order = { order_id = 9, email = "ada@example.com", total = "499" } } }
"#;

#[tokio::test]
async fn every_built_in_route_has_tests_and_they_hold() {
    let desk = Desk::new("");
    let told = desk.ok(&["test-routes"]).await;
    assert!(told.contains(", 0 of them failed."), "{told}");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("routes");
    let mut tests = String::new();
    for file in std::fs::read_dir(root.join("tests")).unwrap() {
        tests.push_str(&std::fs::read_to_string(file.unwrap().path()).unwrap());
    }
    for route in std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()) {
        // A test begins with an event, and the clock's are none that anybody sends: `templates::customers` tests that one.
        if route.ends_with("birthday.toml") {
            continue;
        }
        let Some(route) = route.file_name().unwrap().to_str().unwrap().strip_suffix(".toml") else {
            continue;
        };
        assert!(
            tests.contains(&format!("{route}/")) || tests.contains(&format!("\"{route}\"")),
            "no test names {route}"
        );
    }
}

#[tokio::test]
async fn the_routes_of_a_folder_are_tested_with_its_tests() {
    let desk = Desk::new("");
    folder(&desk, GOOD);
    let told = desk.ok(&["test-routes", "flows"]).await;
    assert!(told.contains("✓ whoever spends much is called after two days"), "{told}");
    std::fs::write(desk.folder.path().join("cartbridge.toml"), "routes_dir = \"flows\"").unwrap();
    let told = desk.ok(&["test-routes"]).await;
    assert!(told.contains("✓ whoever does not is left in peace"), "{told}");
}

#[tokio::test]
async fn a_test_that_does_not_hold_is_told_with_every_difference() {
    let desk = Desk::new("");
    let wrong = GOOD
        .replace("after = \"2 days\"", "after = \"3 days\"")
        .replace("title = \"Call\"", "title = \"Ring\"")
        .replace("total = \"499\"", "total = \"600\"");
    folder(&desk, &wrong);
    let output = desk.run(&["test-routes", "flows"]).await;
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stdout);
    for line in [
        "✗ whoever spends much is called after two days  flows/tests/big-spender.toml:3",
        "call 2, POST /contacts/{contact}/tasks: it should come 3 days after the event, and comes 2 days after",
        "call 2, POST /contacts/{contact}/tasks: body.title should be \"Ring\", and is \"Call\"",
        "call 1 should not be: POST /contacts/",
        "`big-spender` should be skipped, and is not",
        "2 of them failed.",
    ] {
        assert!(told.contains(line), "{line} is missing:\n{told}");
    }
}

#[tokio::test]
async fn mistakes_in_a_test_name_file_line_and_mend() {
    let desk = Desk::new("");
    for (right, wrong, told) in [
        (
            "name = \"whoever spends",
            "nme = \"whoever spends",
            "flows/tests/big-spender.toml:3:1: unknown field `nme`",
        ),
        (
            "order.created\", data",
            "order.creatd\", data",
            "flows/tests/big-spender.toml:4:9: there is no event `order.creatd`: did you mean `order.created`?",
        ),
        (
            "call = \"POST /contacts/\"",
            "call = \"contacts\"",
            "flows/tests/big-spender.toml:6:8: `contacts` is no call — write method and path",
        ),
        (
            "after = \"2 days\"",
            "after = \"soon\"",
            "flows/tests/big-spender.toml:10:9: `soon` is no length of time",
        ),
        (
            "[\"big-spender\"]",
            "[\"big-spendr\"]",
            ":15:19: there is no route `big-spendr` — did you mean `big-spender`?",
        ),
        ("expect_skipped", "expect_state = \"finished\"\nexpect_skipped", "`finished` is not a state"),
        ("expect_skipped", "settings = { welcome_tsk = 1 }\nexpect_skipped", "did you mean `welcome_task`?"),
        (
            "expect_skipped",
            "event_file = \"none.json\"\nexpect_skipped",
            "give either `event` or `event_file`",
        ),
    ] {
        folder(&desk, &GOOD.replacen(right, wrong, 1));
        let output = desk.run(&["test-routes", "flows"]).await;
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        assert!(text(&output.stderr).contains(told), "{told} is missing:\n{}", text(&output.stderr));
    }
}

#[tokio::test]
async fn an_event_can_stand_in_a_file_of_its_own() {
    let desk = Desk::new("");
    let event = r#"{ "type": "order.created", "data": { "order": { "order_id": 9, "email": "ada@example.com", "total": "499" } } }"#;
    let test = "[[test]]\nname = \"left in peace\"\nexpect_skipped = [\"big-spender\"]\nevent_file = \"small.json\"\n";
    folder(&desk, test);
    std::fs::write(desk.folder.path().join("flows/tests/small.json"), event).unwrap();
    let told = desk.ok(&["test-routes", "flows"]).await;
    assert!(told.contains("✓ left in peace"), "{told}");
}
