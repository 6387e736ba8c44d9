//! Every call of the client against the sandbox, which was written from HighLevel's documents and knows nothing of it.

use std::time::Duration;

use ghl::{
    ContactUpdate, Duplicate, Error, ListQuery, MatchingField, NewContact, NewNote, NewTask, NoteUpdate,
    SearchQuery, TaskUpdate,
};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::world::HighLevel;

#[tokio::test]
async fn a_contact_is_made_read_changed_and_deleted() {
    let there = HighLevel::start().await;
    let contacts = there.client.contacts();
    let new = NewContact {
        phone: Some("+12025550143".into()),
        company_name: Some("Engines".into()),
        tags: vec!["VIP".into()],
        ..there.person("Ada@Example.com")
    };
    let made = contacts.create(&new).await.unwrap();
    assert_eq!(made.exchange.status, Some(201));
    assert_eq!(made.value.email.as_deref(), Some("ada@example.com"));
    assert_eq!(made.value.tags, ["vip"]);
    let id = made.value.id;
    let update = ContactUpdate { city: Some("Paris".into()), ..ContactUpdate::default() };
    assert_eq!(contacts.update(&id, &update).await.unwrap().value.city.as_deref(), Some("Paris"));
    let read = contacts.get(&id).await.unwrap().value;
    assert_eq!((read.city.as_deref(), read.first_name.as_deref()), (Some("Paris"), Some("Ada")));
    contacts.delete(&id).await.unwrap();
    assert!(matches!(contacts.get(&id).await.unwrap_err().error, Error::NotFound { .. }));
    assert!(matches!(contacts.update(&id, &update).await.unwrap_err().error, Error::NotFound { .. }));
    assert!(matches!(contacts.delete(&id).await.unwrap_err().error, Error::NotFound { .. }));
}

#[tokio::test]
async fn a_duplicate_names_the_contact_that_is_there() {
    let there = HighLevel::start().await;
    let id = there.contact("ada@example.com").await;
    let failure = there.client.contacts().create(&there.person("ADA@example.com")).await.unwrap_err();
    let Error::DuplicateContact { contact_id, matching_field, .. } = failure.error else {
        panic!("{failure:?}")
    };
    assert_eq!((contact_id, matching_field), (id.clone(), MatchingField::Email));
    let location = there.location.as_str().into();
    let contacts = there.client.contacts();
    let found = contacts.find_duplicate(&location, Duplicate::Email("ada@example.com")).await.unwrap().value;
    assert_eq!(found.unwrap().id, id);
    assert!(
        contacts.find_duplicate(&location, Duplicate::Number("+12025550143")).await.unwrap().value.is_none()
    );
}

#[tokio::test]
async fn an_upsert_says_whether_it_made_the_contact() {
    let there = HighLevel::start().await;
    let first = there.client.contacts().upsert(&there.person("ada@example.com")).await.unwrap().value;
    let second = there.client.contacts().upsert(&there.person("ada@example.com")).await.unwrap().value;
    assert_eq!((first.new, second.new), (Some(true), Some(false)));
    assert_eq!(first.contact.id, second.contact.id);
}

#[tokio::test]
async fn lists_and_searches_are_paged_to_the_end() {
    let there = HighLevel::start().await;
    for n in 0..250 {
        there.contact(&format!("person{n}@example.com")).await;
    }
    let mut listed = std::collections::HashSet::new();
    let mut pages = there.client.contacts().list_all(ListQuery::new(there.location.as_str()));
    while let Some(page) = pages.next().await {
        listed.extend(page.unwrap().value.contacts.into_iter().map(|contact| contact.id));
    }
    assert_eq!(listed.len(), 250);
    let mut found = std::collections::HashSet::new();
    let mut pages = there.client.contacts().search_all(SearchQuery::new(there.location.as_str()));
    while let Some(page) = pages.next().await {
        found.extend(page.unwrap().value.contacts.into_iter().map(|contact| contact.id));
    }
    assert_eq!(found, listed);
    let one = SearchQuery::new(there.location.as_str()).filter("email", "eq", "person7@example.com");
    assert_eq!(there.client.contacts().search(&one).await.unwrap().value.contacts.len(), 1);
}

#[tokio::test]
async fn tasks_go_their_whole_way() {
    let there = HighLevel::start().await;
    let contact = there.contact("ada@example.com").await;
    let tasks = there.client.tasks();
    let due: jiff::Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
    let made = tasks
        .create(&contact, &NewTask { body: Some("Ring".into()), ..NewTask::new("Say hello", due) })
        .await
        .unwrap();
    let id = made.value.id;
    let read = tasks.get(&contact, &id).await.unwrap().value;
    assert_eq!((read.title.as_deref(), read.due_date, read.completed), (Some("Say hello"), Some(due), false));
    let update = TaskUpdate { title: Some("Say good day".into()), ..TaskUpdate::default() };
    assert_eq!(
        tasks.update(&contact, &id, &update).await.unwrap().value.title.as_deref(),
        Some("Say good day")
    );
    assert!(tasks.set_completed(&contact, &id, true).await.unwrap().value.completed);
    assert_eq!(tasks.list(&contact).await.unwrap().value.len(), 1);
    tasks.delete(&contact, &id).await.unwrap();
    assert!(tasks.list(&contact).await.unwrap().value.is_empty());
    assert!(matches!(tasks.get(&contact, &id).await.unwrap_err().error, Error::NotFound { .. }));
}

#[tokio::test]
async fn notes_go_their_whole_way() {
    let there = HighLevel::start().await;
    let contact = there.contact("ada@example.com").await;
    let notes = there.client.notes();
    let id = notes.create(&contact, &NewNote::new("Rang twice.")).await.unwrap().value.id;
    assert!(notes.get(&contact, &id).await.unwrap().value.body.unwrap().contains("Rang twice."));
    let update = NoteUpdate { body: Some("Rang thrice.".into()), ..NoteUpdate::default() };
    assert!(notes.update(&contact, &id, &update).await.unwrap().value.body.unwrap().contains("thrice"));
    assert_eq!(notes.list(&contact).await.unwrap().value.len(), 1);
    notes.delete(&contact, &id).await.unwrap();
    assert!(notes.list(&contact).await.unwrap().value.is_empty());
}

#[tokio::test]
async fn tags_are_added_and_removed_without_touching_others() {
    let there = HighLevel::start().await;
    let contact = there.contact("ada@example.com").await;
    there.client.tags().add(&contact, &["One", "two"]).await.unwrap();
    let left = there.client.tags().remove(&contact, &["ONE"]).await.unwrap().value;
    assert_eq!(left.tags, ["two"]);
    assert_eq!(there.client.contacts().get(&contact).await.unwrap().value.tags, ["two"]);
}

#[tokio::test]
async fn appointments_businesses_locations_and_users_are_read() {
    let there = HighLevel::start().await;
    let contact = there.contact("ada@example.com").await;
    let times = ("2026-11-25T12:00:00Z", "2026-11-25T13:00:00Z");
    there
        .act(json!({ "action": "appointment.create", "contact_id": contact.as_str(), "title": "Tea", "startTime": times.0, "endTime": times.1 }))
        .await;
    let appointments = there.client.contacts().appointments(&contact).await.unwrap().value;
    assert_eq!(appointments[0].title.as_deref(), Some("Tea"));
    let business = there.act(json!({ "action": "business.create", "name": "Engines" })).await;
    let business = business["business"]["id"].as_str().unwrap().into();
    let location = there.location.as_str().into();
    let of_it =
        there.client.contacts().list_of_business(&business, &location, Some(10), None).await.unwrap().value;
    assert!(of_it.contacts.is_empty());
    let read = there.client.locations().get(&location).await.unwrap().value;
    assert_eq!(read.settings.allow_duplicate_contact, Some(false));
    there.act(json!({ "action": "custom_field.create", "name": "Shoe size" })).await;
    let fields = there.client.locations().custom_fields(&location, None).await.unwrap().value;
    assert!(fields.iter().any(|field| field.name.as_deref() == Some("Shoe size")));
}

#[tokio::test]
async fn each_failure_says_what_may_be_done() {
    let there = HighLevel::start().await;
    let contacts = there.client.contacts();
    let create = |email: &'static str| {
        let new = there.person(email);
        async move { there_create(&contacts, &new).await }
    };
    async fn there_create(contacts: &ghl::Contacts<'_>, new: &NewContact) -> Error {
        contacts.create(new).await.unwrap_err().error
    }
    let post = |kind: Value| {
        let mut fault = json!({ "method": "POST", "path": "/contacts/" });
        fault.as_object_mut().unwrap().extend(kind.as_object().unwrap().clone());
        there.fault(fault);
    };
    post(json!({ "kind": "status", "status": 429, "headers": { "retry-after": "7" } }));
    let error = create("a@example.com").await;
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert!(matches!(error, Error::RateLimited { daily: false, .. }) && !error.maybe_processed());
    for (kind, code) in [
        (json!({ "kind": "status", "status": 502, "processed": true }), "unavailable"),
        (json!({ "kind": "reset_before" }), "uncertain"),
        (json!({ "kind": "reset_after" }), "uncertain"),
        (json!({ "kind": "cut_answer" }), "uncertain"),
        (json!({ "kind": "malformed" }), "protocol"),
        (json!({ "kind": "delay", "ms": 4000 }), "uncertain"),
    ] {
        post(kind.clone());
        // A name of its own for each: some of them are made.
        let new = there.person(&format!("{}@example.com", there.sandbox.ghl().journal().len()));
        let error = contacts.create(&new).await.unwrap_err().error;
        assert_eq!((error.code(), error.maybe_processed()), (code, true), "{kind}");
    }
    let wrong = NewContact { email: Some("no address".into()), ..NewContact::new(there.location.as_str()) };
    let Error::Invalid { fields, status, .. } = contacts.create(&wrong).await.unwrap_err().error else {
        panic!()
    };
    assert_eq!((fields, status), (vec!["email".to_owned()], 422));

    let other = there.client.with_token(SecretString::from("pit-nobody"));
    let error = other.contacts().create(&there.person("b@example.com")).await.unwrap_err().error;
    assert!(matches!(error, Error::Unauthorized { .. }), "{error:?}");
    there.sandbox.ghl().settings(json!({ "scopes": ["contacts.readonly"] })).unwrap();
    assert!(matches!(create("c@example.com").await, Error::MissingScope { .. }));
    let elsewhere = ListQuery::new("another-location-0000");
    let error = contacts.list(&elsewhere).await.unwrap_err().error;
    assert!(matches!(error, Error::WrongLocation { .. }), "{error:?}");
}
