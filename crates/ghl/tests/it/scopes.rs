//! The table of scopes against HighLevel's documents, and against the sandbox, which enforces them.

use ghl::{
    Client, ContactUpdate, CustomFieldModel, Duplicate, Error, Failure, ListQuery, NewCustomField, NewNote,
    NewTask, NoteUpdate, SearchQuery, TaskUpdate,
    oauth::{Operation, Scope, Scopes, UserType},
};

use crate::world::HighLevel;

/// `security` of the operations in HighLevel's OpenAPI documents; the file says which.
const DOCUMENTED: &str = include_str!("../fixtures/scopes.txt");

#[test]
fn each_operation_needs_the_scope_that_the_documents_name() {
    let documented: Vec<(&str, &str, &str)> = DOCUMENTED
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let mut words = line.split(' ');
            (words.next().unwrap(), words.next().unwrap(), words.next().unwrap())
        })
        .collect();
    for operation in Operation::ALL {
        let documented = documented.iter().find(|it| (it.0, it.1) == (operation.method(), operation.path()));
        let (_, _, scope) = documented.unwrap_or_else(|| panic!("{operation:?} is not documented"));
        assert_eq!(operation.scope().as_str(), *scope, "{operation:?}");
    }
}

#[tokio::test]
async fn each_call_passes_with_its_own_scope_alone_and_is_refused_without_it() {
    let there = HighLevel::start().await;
    let all: Scopes = Operation::ALL.iter().map(|operation| operation.scope()).collect();
    for operation in Operation::ALL {
        let scope = operation.scope();
        let alone = Scopes::from([scope.clone()]);
        let without: Scopes = all.iter().filter(|other| **other != scope).cloned().collect();
        for (scopes, passes) in [(alone, true), (without, false)] {
            let tokens = there.tokens(&scopes, taker(&scope)).await;
            let client = there.client.with_token(tokens.access_token);
            let since = there.sandbox.ghl().journal().last().map_or(0, |entry| entry.seq);
            let refused = matches!(
                call(*operation, &client, &there).await,
                Err(Failure { error: Error::MissingScope { .. }, .. })
            );
            assert_eq!(!refused, passes, "{operation:?} with `{scopes}`");
            let entry = there.sandbox.ghl().journal_since(since).pop().unwrap();
            assert_eq!(entry.method, operation.method(), "{operation:?}");
            assert_eq!(entry.path.split('/').count(), operation.path().split('/').count(), "{operation:?}");
        }
    }
}

fn taker(scope: &Scope) -> UserType {
    if scope.as_str().starts_with("oauth.") { UserType::Company } else { UserType::Location }
}

/// Makes the call, of things that need not be there.
async fn call(operation: Operation, client: &Client, there: &HighLevel) -> Result<(), Failure> {
    let (contacts, tasks, notes) = (client.contacts(), client.tasks(), client.notes());
    let location = there.location.as_str().into();
    let (contact, task, note) = ("none".into(), "none".into(), "none".into());
    let (company, app) = (there.announced("company_id").into(), there.app().app_id());
    let due = jiff::Timestamp::UNIX_EPOCH;
    match operation {
        Operation::ContactList => contacts.list(&ListQuery::new(there.location.as_str())).await.map(drop),
        Operation::ContactCreate => contacts.create(&there.person("c@example.com")).await.map(drop),
        Operation::ContactUpsert => contacts.upsert(&there.person("u@example.com")).await.map(drop),
        Operation::ContactSearch => {
            contacts.search(&SearchQuery::new(there.location.as_str())).await.map(drop)
        }
        Operation::ContactFindDuplicate => {
            contacts.find_duplicate(&location, Duplicate::Email("a@example.com")).await.map(drop)
        }
        Operation::ContactListOfBusiness => {
            contacts.list_of_business(&"none".into(), &location, None, None).await.map(drop)
        }
        Operation::ContactGet => contacts.get(&contact).await.map(drop),
        Operation::ContactUpdate => contacts.update(&contact, &ContactUpdate::default()).await.map(drop),
        Operation::ContactDelete => contacts.delete(&contact).await.map(drop),
        Operation::ContactAppointments => contacts.appointments(&contact).await.map(drop),
        Operation::TaskList => tasks.list(&contact).await.map(drop),
        Operation::TaskCreate => tasks.create(&contact, &NewTask::new("x", due)).await.map(drop),
        Operation::TaskGet => tasks.get(&contact, &task).await.map(drop),
        Operation::TaskUpdate => tasks.update(&contact, &task, &TaskUpdate::default()).await.map(drop),
        Operation::TaskDelete => tasks.delete(&contact, &task).await.map(drop),
        Operation::TaskSetCompleted => tasks.set_completed(&contact, &task, true).await.map(drop),
        Operation::NoteList => notes.list(&contact).await.map(drop),
        Operation::NoteCreate => notes.create(&contact, &NewNote::new("x")).await.map(drop),
        Operation::NoteGet => notes.get(&contact, &note).await.map(drop),
        Operation::NoteUpdate => notes.update(&contact, &note, &NoteUpdate::default()).await.map(drop),
        Operation::NoteDelete => notes.delete(&contact, &note).await.map(drop),
        Operation::TagsAdd => client.tags().add(&contact, &["x"]).await.map(drop),
        Operation::TagsRemove => client.tags().remove(&contact, &["x"]).await.map(drop),
        Operation::LocationGet => client.locations().get(&location).await.map(drop),
        Operation::CustomFields => {
            client.locations().custom_fields(&location, Some(CustomFieldModel::Contact)).await.map(drop)
        }
        Operation::CustomFieldCreate => {
            let field = NewCustomField::of_contacts("VIP level", "TEXT");
            client.locations().create_custom_field(&location, &field).await.map(drop)
        }
        Operation::UserList => client.users().list(&location).await.map(drop),
        Operation::LocationToken => client.oauth().location_token(&company, &location).await.map(drop),
        Operation::InstalledLocations => {
            client.oauth().installed_locations(&company, &app, None, None).await.map(drop)
        }
        other => panic!("{other:?} is not called here yet"),
    }
}
