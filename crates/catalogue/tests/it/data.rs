//! The data as they are compiled in.

use std::collections::BTreeSet;

use catalogue::{Method, Operation, Repeat, Source, operations, triggers};

const OPERATIONS: &str = include_str!("../../data/operations.jsonl");
const TRIGGERS: &str = include_str!("../../data/triggers.jsonl");
const STORE: &str = include_str!("../../data/store.jsonl");

#[test]
fn every_line_can_be_read() {
    assert_eq!(operations().len(), OPERATIONS.lines().count());
    assert_eq!(triggers().len(), TRIGGERS.lines().count() + STORE.lines().count());
    for line in OPERATIONS.lines() {
        let operation: Operation = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_string(&operation).unwrap(), line, "nothing of it is lost");
    }
}

#[test]
fn there_is_more_than_was_asked_for() {
    assert!(operations().len() + triggers().len() >= 126);
    let documents: BTreeSet<&str> = operations().iter().map(|it| it.document.as_str()).collect();
    let wanted = [
        "businesses",
        "calendars",
        "campaigns",
        "contacts",
        "conversations",
        "custom-fields",
        "invoices",
        "locations",
        "opportunities",
        "products",
        "users",
        "workflows",
    ];
    assert!(wanted.iter().all(|it| documents.contains(it)), "{documents:?}");
}

#[test]
fn names_are_plain_sorted_and_unique() {
    let plain = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let names: Vec<&str> = operations().iter().map(|it| it.name.as_str()).collect();
    assert!(names.is_sorted_by(|a, b| a < b), "sorted, and none twice");
    for name in names
        .iter()
        .copied()
        .chain(triggers().iter().map(|it| it.name.as_str()).filter(|name| name.matches('.').count() == 2))
    {
        let words: Vec<&str> = name.split('.').collect();
        assert!(words.len() == 3 && words.iter().all(|word| plain(word)), "{name}");
    }
    let distinct: BTreeSet<&str> = triggers().iter().map(|it| it.name.as_str()).collect();
    assert_eq!(distinct.len(), triggers().len());
    for name in [
        "ghl.contact.create",
        "ghl.opportunity.upsert",
        "ghl.task.create",
        "ghl.note.create",
        "ghl.tags.add",
        "ghl.message.send",
    ] {
        assert!(catalogue::operation(name).is_some(), "{name}");
    }
    assert!(catalogue::operation("ghl.contact.creat").is_none());
}

#[test]
fn no_operation_has_one_input_twice() {
    for operation in operations() {
        let inputs = operation.inputs();
        let distinct: BTreeSet<&str> = inputs.iter().map(|it| it.field.name.as_str()).collect();
        assert_eq!(distinct.len(), inputs.len(), "{}", operation.name);
    }
}

#[test]
fn what_is_sent_twice_follows_the_method() {
    for it in operations() {
        let fits = match (it.method, it.repeat) {
            // The numbers of invoices and estimates are given out by `GET`.
            (Method::Get, repeat) => repeat == Repeat::Read || it.name.ends_with(".generate_number"),
            (Method::Post, _) => true,
            (_, repeat) => repeat == Repeat::Idempotent,
        };
        assert!(fits, "{} is {:?}", it.name, it.repeat);
        let makes = it.method == Method::Post && it.name.ends_with(".create");
        assert!(!makes || it.repeat == Repeat::Create, "{} makes a thing", it.name);
    }
    assert_eq!(catalogue::operation("ghl.opportunity.upsert").unwrap().repeat, Repeat::Idempotent);
    assert_eq!(catalogue::operation("ghl.contact.search").unwrap().repeat, Repeat::Read);
    assert_eq!(catalogue::operation("ghl.message.send").unwrap().repeat, Repeat::Action);
}

#[test]
fn every_trigger_says_when_it_happens_and_highlevels_have_samples() {
    for trigger in triggers() {
        assert!(!trigger.title.is_empty(), "{}", trigger.name);
        assert_eq!(
            catalogue::sample(&trigger.name).is_some(),
            trigger.source == Source::Ghl,
            "{}",
            trigger.name
        );
    }
}

#[test]
fn a_search_needs_every_word_whatever_its_case() {
    let (operations, triggers) = catalogue::search("contact Create");
    assert!(operations.iter().any(|it| it.name == "ghl.contact.create"));
    assert!(triggers.iter().any(|it| it.name == "ghl.contact.created"));
    assert!(operations.iter().all(|it| it.name != "ghl.contact.get"));
    let (none, neither) = catalogue::search("no such thing");
    assert!(none.is_empty() && neither.is_empty());
    assert_eq!(catalogue::search(" ").0.len(), catalogue::operations().len());
}

#[test]
fn every_operation_has_an_answer_with_a_successful_status() {
    for operation in operations() {
        let answer = catalogue::answer(&operation.name).unwrap_or_else(|| panic!("{}", operation.name));
        assert!((200..300).contains(&answer.status), "{}", operation.name);
        assert!(!(answer.either && operation.agency), "{}", operation.name);
    }
    let made = catalogue::answer("ghl.opportunity.create").unwrap();
    assert_eq!((made.status, &made.example["opportunity"]["status"]), (201, &serde_json::json!("open")));
}
