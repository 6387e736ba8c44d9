use serde_json::json;

use super::*;
use crate::connection::Settings;
use crate::flow::{Continued, Operation};
use crate::sync::{Canonical, Field};

/// An event of a route `welcome` with this text.
struct Given {
    routes: RouteSet,
    data: Json,
    contact_id: Option<&'static str>,
    continued: Option<Continued>,
}

fn given(text: &str, data: Json) -> Given {
    let routes = RouteSet::default().with("welcome.toml", text.as_bytes());
    let routes = routes.unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
    Given { routes, data, contact_id: None, continued: None }
}

impl Given {
    fn try_run(&self) -> Result<Run<'_>, PlanError> {
        let contact: Canonical = [(Field::FirstName, "Ada".to_owned())].into_iter().collect();
        self.routes.begin(&Context {
            trigger: if self.continued.is_some() { "schedule.continued" } else { "cscart.customer.created" },
            event_id: "e1".into(),
            occurred_at: "2026-11-24T12:00:00Z".parse().unwrap(),
            connection: &"my-shop".parse().unwrap(),
            settings: &Settings::default(),
            store: &json!({ "url": "https://shop.example.com" }),
            data: &self.data,
            contact: &contact,
            today: jiff::civil::date(2026, 11, 24),
            contact_id: self.contact_id,
            continued: self.continued.as_ref(),
        })
    }

    fn run(&self) -> Run<'_> {
        self.try_run().unwrap()
    }
}

fn key(step: &str) -> StepKey {
    StepKey { route: "welcome".into(), step: step.into() }
}

/// What comes, in short: the steps' keys, `-` before what is skipped, until nothing can come without a result.
fn comes(run: &mut Run<'_>) -> Vec<String> {
    let mut found = Vec::new();
    loop {
        match run.next().unwrap() {
            Next::Step(step) => found.push(step.key.step),
            Next::Skipped(skipped) => found.push(format!("-{}", skipped.step.unwrap_or_default())),
            Next::Delay(delay) => found.push(delay.key.step),
            Next::Waits => {
                found.push("waits".into());
                return found;
            }
            Next::End => {
                found.push("end".into());
                return found;
            }
        }
    }
}

fn inputs(next: Next) -> Json {
    match next {
        Next::Step(PlannedStep { operation: Operation::Call { inputs, .. }, .. }) => inputs,
        other => panic!("{other:?} is no plain call"),
    }
}

const WELCOME: &str = r#"
    on = ["cscart.customer.created"]
    when = "data.user.user_type != 'A'"
    [[step]]
    id = "task"
    do = "ghl.task.create"
    if = "settings.welcome_task.enabled"
    with = { title = "{{ settings.welcome_task.title | render }}", due_in_days = "{{ settings.welcome_task.due_in_days }}", once_per_customer = true }
"#;

#[test]
fn values_are_rendered_and_due_dates_count_from_when_it_happened() {
    let given = given(WELCOME, json!({ "user": { "user_type": "C" } }));
    let mut run = given.run();
    let expected = Operation::CreateTask {
        title: "Welcome Ada".into(),
        body: None,
        due_date: "2026-11-25T12:00:00Z".parse().unwrap(),
        assigned_to: None,
        once_per_customer: true,
    };
    let Next::Step(step) = run.next().unwrap() else { panic!() };
    assert_eq!((step.operation, step.on_error), (expected, OnError::Stop));
    assert_eq!(run.next().unwrap(), Next::End, "the last step is known before it is done");
}

#[test]
fn a_condition_that_does_not_hold_is_told_with_what_it_looked_at() {
    let given = given(WELCOME, json!({ "user": { "user_type": "A" } }));
    let expected = Skipped {
        route: "welcome".into(),
        step: None,
        why: "the route's condition does not hold".into(),
        condition: Some("data.user.user_type != 'A'".into()),
        looked_at: [("data.user.user_type".to_owned(), json!("A"))].into(),
    };
    assert_eq!(given.run().next().unwrap(), Next::Skipped(expected));
}

#[test]
fn a_value_of_the_wrong_type_names_route_and_step() {
    let text = WELCOME.replace("{{ settings.welcome_task.due_in_days }}", "{{ store.url }}");
    let error = given(&text, json!({ "user": {} })).run().next().unwrap_err().to_string();
    assert!(
        error.starts_with("route `welcome`, step `task`: `due_in_days` must be a whole number"),
        "{error}"
    );
}

const CHAIN: &str = r#"
    on = ["cscart.customer.created"]
    [[step]]
    id = "find"
    do = "ghl.contact.search_duplicate"
    save_as = "found"
    with = { email = "{{ data.email }}" }
    [[step]]
    id = "other"
    do = "ghl.contact.get"
    with = { contactId = "c1" }
    [[step]]
    id = "note"
    if = "found.contact"
    do = "ghl.note.create"
    with = { contactId = "{{ found.contact.id }}", body = "Found." }
"#;

fn chain() -> String {
    let name = catalogue::operations()
        .iter()
        .find(|it| it.path == "/contacts/search/duplicate")
        .map(|it| it.name.clone())
        .unwrap();
    CHAIN.replace("ghl.contact.search_duplicate", &name)
}

#[test]
fn what_needs_a_result_comes_when_the_result_is_there() {
    let given = given(&chain(), json!({ "email": "ada@example.com" }));
    let mut run = given.run();
    assert_eq!(comes(&mut run), ["find", "other", "waits"]);
    run.done(&key("find"), &json!({ "contact": { "id": "c9" } }));
    assert_eq!(inputs(run.next().unwrap()), json!({ "contactId": "c9", "body": "Found." }));
    assert_eq!(run.next().unwrap(), Next::End);
}

#[test]
fn a_result_rules_out_a_step() {
    let given = given(&chain(), json!({}));
    let mut run = given.run();
    run.done(&key("find"), &json!({ "contact": null }));
    assert_eq!(comes(&mut run), ["other", "-note", "end"], "what is done does not come again");
}

#[test]
fn a_contact_that_is_only_made_is_waited_for() {
    let text = r#"
        on = ["cscart.customer.created"]
        [[step]]
        id = "contact"
        do = "ghl.contact.ensure"
        [[step]]
        id = "task"
        do = "ghl.task.create"
        with = { title = "No link in it" }
        [[step]]
        id = "note"
        do = "ghl.note.create"
        raw = true
        with = { body = "See {{ contact.id }} of {{ contact.first_name }}" }
    "#;
    let given = given(text, json!({}));
    let mut run = given.run();
    assert_eq!(comes(&mut run), ["contact", "task", "waits"]);
    run.linked(Some("c1"));
    run.done(&key("contact"), &json!({}));
    assert_eq!(inputs(run.next().unwrap()), json!({ "body": "See c1 of Ada" }));
}

const EACH: &str = r#"
    on = ["cscart.customer.created"]
    [[step]]
    id = "tag"
    do = "ghl.note.create"
    raw = true
    for_each = "data.products"
    if = "item.price > 5"
    save_as = "notes"
    with = { body = "{{ index }}: {{ item.name }}" }
    [[step]]
    id = "all"
    do = "ghl.note.create"
    raw = true
    with = { body = "{{ notes | length }} of which {{ notes[0].id }}, {{ notes[1] }}" }
"#;

#[test]
fn a_step_runs_for_each_item_and_gives_a_list() {
    let data = json!({ "products": [{ "name": "a", "price": 9 }, { "name": "b", "price": 1 }, { "name": "c", "price": 7 }] });
    let given = given(EACH, data);
    let mut run = given.run();
    assert_eq!(inputs(run.next().unwrap()), json!({ "body": "0: a" }));
    let Next::Skipped(skipped) = run.next().unwrap() else { panic!() };
    assert_eq!((skipped.step.as_deref(), &skipped.looked_at["item.price"]), (Some("tag[1]"), &json!(1)));
    assert_eq!(inputs(run.next().unwrap()), json!({ "body": "2: c" }));
    assert_eq!(run.next().unwrap(), Next::Waits);
    run.done(&key("tag[2]"), &json!({ "id": "n2" }));
    assert_eq!(run.next().unwrap(), Next::Waits);
    run.done(&key("tag[0]"), &json!({ "id": "n0" }));
    assert_eq!(inputs(run.next().unwrap()), json!({ "body": "3 of which n0, None" }));
    assert_eq!(run.next().unwrap(), Next::End);
}

#[test]
fn items_that_are_done_do_not_come_again() {
    let given = given(EACH, json!({ "products": [{ "price": 9 }, { "price": 9 }, { "price": 9 }] }));
    let mut run = given.run();
    for done in ["tag[0]", "tag[1]"] {
        run.done(&key(done), &json!({ "id": done }));
    }
    assert_eq!(comes(&mut run), ["tag[2]", "waits"]);
}

#[test]
fn an_empty_list_is_told_and_a_long_one_is_refused() {
    for data in [json!({}), json!({ "products": [] })] {
        let given = given(EACH, data);
        let mut run = given.run();
        let Next::Skipped(skipped) = run.next().unwrap() else { panic!() };
        assert_eq!((skipped.why.as_str(), skipped.step.as_deref()), ("the list is empty", Some("tag")));
        assert_eq!(inputs(run.next().unwrap())["body"], "0 of which , ");
    }
    let many: Vec<Json> = (0..101).map(|_| json!({ "price": 9 })).collect();
    let error = given(EACH, json!({ "products": many })).run().next().unwrap_err().to_string();
    assert_eq!(
        error,
        "route `welcome`, step `tag`: `for_each`: `data.products` gives 101 items, and 100 are the most: narrow it, as in \
         `(data.products)[:100]`"
    );
    let error = given(EACH, json!({ "products": "all" })).run().next().unwrap_err().to_string();
    assert!(error.contains("gives a string and must give a list"), "{error}");
}

const WAIT: &str = r#"
    on = ["cscart.customer.created"]
    [[step]]
    id = "first"
    do = "ghl.note.create"
    raw = true
    save_as = "first"
    with = { body = "One" }
    [[step]]
    id = "second"
    do = "ghl.note.create"
    raw = true
    delay = "{{ data.days }} days"
    with = { body = "Two, after {{ first.id }}, of {{ event.type }}" }
    [[step]]
    id = "third"
    do = "ghl.task.create"
    with = { title = "Three" }
"#;

#[test]
fn the_rest_of_a_route_waits_and_goes_on_with_what_was_saved() {
    let mut given = given(WAIT, json!({ "days": 3 }));
    let mut run = given.run();
    assert_eq!(comes(&mut run), ["first", "waits"], "what was saved is taken along");
    run.done(&key("first"), &json!({ "id": "n1" }));
    let expected = PlannedDelay {
        key: key("second.delay"),
        step: "second".into(),
        wait: Wait::For(jiff::SignedDuration::from_hours(72)),
        restart: false,
        saved: [("first".to_owned(), json!({ "id": "n1" }))].into(),
    };
    assert_eq!(run.next().unwrap(), Next::Delay(expected));
    assert_eq!(run.next().unwrap(), Next::Waits, "whether it waits is not known yet");
    run.done(&key("second.delay"), &PlannedDelay::waits("2026-11-27T12:00:00Z".parse().unwrap()));
    assert_eq!(run.next().unwrap(), Next::End);

    given.continued = Some(Continued {
        event: "e0".into(),
        trigger: "cscart.customer.created".into(),
        occurred_at: "2026-11-21T12:00:00Z".parse().unwrap(),
        route: "welcome".into(),
        step: "second".into(),
        saved: [("first".to_owned(), json!({ "id": "n1" }))].into(),
    });
    let mut run = given.run();
    assert_eq!(inputs(run.next().unwrap())["body"], "Two, after n1, of cscart.customer.created");
    assert_eq!(comes(&mut run), ["third", "end"]);
}

#[test]
fn a_wait_that_is_over_holds_nothing_up() {
    let given = given(WAIT, json!({ "days": 0 }));
    let mut run = given.run();
    run.done(&key("first"), &json!({ "id": "n1" }));
    assert_eq!(comes(&mut run), ["second.delay", "waits"]);
    run.done(&key("second.delay"), &PlannedDelay::is_over("2026-11-24T12:00:00Z".parse().unwrap()));
    assert_eq!(comes(&mut run), ["second", "third", "end"]);
}

#[test]
fn a_route_that_changed_while_it_waited_is_told() {
    let mut given = given(WAIT, json!({}));
    let mut continued = Continued {
        event: "e0".into(),
        trigger: "cscart.customer.created".into(),
        occurred_at: "2026-11-21T12:00:00Z".parse().unwrap(),
        route: "welcome".into(),
        step: "gone".into(),
        saved: BTreeMap::new(),
    };
    given.continued = Some(continued.clone());
    assert_eq!(
        given.try_run().err().unwrap().to_string(),
        "route `welcome`, step `gone`: it has waited, and the route has no such step any more"
    );
    continued.route = "other".into();
    given.continued = Some(continued);
    assert!(given.try_run().err().unwrap().to_string().contains("no such route any more"));
}

proptest::proptest! {
    /// Whenever the results come, and however often it begins anew, the same steps come with the same values.
    #[test]
    fn the_same_results_give_the_same_sequence(prices in proptest::collection::vec(0..10u32, 0..8), cut in 0..10usize) {
        let products: Vec<Json> = prices.iter().map(|price| json!({ "name": price, "price": price })).collect();
        let given = given(EACH, json!({ "products": products }));
        let result = |key: &StepKey| json!({ "id": key.step });
        let drive = |mut run: Run<'_>, stop: usize| {
            let mut steps = Vec::new();
            let mut open = Vec::new();
            loop {
                match run.next().unwrap() {
                    Next::Step(step) => {
                        open.push(step.key.clone());
                        steps.push(step);
                    }
                    Next::Waits => open.drain(..).for_each(|key| run.done(&key, &result(&key))),
                    Next::End => return steps,
                    Next::Skipped(_) | Next::Delay(_) => {}
                }
                if steps.len() == stop {
                    return steps;
                }
            }
        };
        let whole = drive(given.run(), usize::MAX);
        let first = drive(given.run(), cut.max(1));
        let mut again = given.run();
        for step in &first {
            again.done(&step.key, &result(&step.key));
        }
        let mut both = first;
        if both.len() < whole.len() {
            both.extend(drive(again, usize::MAX));
        }
        proptest::prop_assert_eq!(both, whole);
    }
}
