//! Links of customers, tasks and notes, and what was fetched for the store's page.

use cartbridge::link::{Customer, ItemKind, ItemLink, Link};
use cartbridge::store::{LinkChange, Store, View};
use cartbridge::sync::Shadow;
use serde_json::json;

use super::given::{at, other_shop, same, shop};

/// The link of a customer of the first connection.
pub(super) fn link(customer: Customer, contact: &str) -> Link {
    let shadow = json!({ "cscart": { "email": "ada@example.com" }, "ghl": { "email": "ada@example.com", "city": "London" } });
    Link {
        connection: shop(),
        customer,
        contact_id: contact.to_owned().into(),
        shadow: serde_json::from_value::<Shadow>(shadow).unwrap(),
        tags: ["cs-cart".to_owned(), "customer".to_owned()].into(),
        state_at: at(1),
    }
}

fn item(kind: ItemKind, key: &str, contact: &str) -> ItemLink {
    ItemLink {
        connection: shop(),
        kind,
        key: key.into(),
        contact_id: contact.to_owned().into(),
        remote_id: format!("remote-{key}"),
        shadow: json!({ "body": "hello" }),
        state_at: at(1),
    }
}

async fn items(store: &dyn Store, kind: ItemKind, contact: &str) -> Vec<String> {
    let items = store.items_of_contact(&shop(), kind, &contact.to_owned().into()).await.unwrap();
    items.into_iter().map(|item| item.key).collect()
}

pub(crate) async fn a_link_reads_back_and_is_replaced(store: &dyn Store) {
    for customer in [Customer::User(42), Customer::Guest("ada@example.com".into())] {
        assert!(store.link(&shop(), &customer).await.unwrap().is_none());
        let first = link(customer.clone(), "c1");
        store.put_links(vec![LinkChange::Put(first.clone())]).await.unwrap();
        same(&store.link(&shop(), &customer).await.unwrap().unwrap(), &first);
        let changed =
            Link { tags: ["vip".to_owned()].into(), state_at: at(9), ..link(customer.clone(), "c2") };
        store.put_links(vec![LinkChange::Put(changed.clone())]).await.unwrap();
        same(&store.link(&shop(), &customer).await.unwrap().unwrap(), &changed);
        assert!(
            store.link(&other_shop(), &customer).await.unwrap().is_none(),
            "each connection has its own links"
        );
    }
}

pub(crate) async fn a_contact_knows_its_customers(store: &dyn Store) {
    let guest = link(Customer::Guest("ada@example.com".into()), "c1");
    let user = link(Customer::User(42), "c1");
    let elsewhere = Link { connection: other_shop(), ..link(Customer::User(42), "c1") };
    let changes = [guest, user, elsewhere, link(Customer::User(7), "c2")].map(LinkChange::Put);
    store.put_links(changes.into()).await.unwrap();
    let mut owners: Vec<String> = store
        .links_of_contact(&shop(), &"c1".to_owned().into())
        .await
        .unwrap()
        .into_iter()
        .map(|link| link.customer.to_string())
        .collect();
    owners.sort();
    assert_eq!(owners, ["customer:42", "guest:ada@example.com"]);
}

pub(crate) async fn an_item_reads_back_and_is_replaced(store: &dyn Store) {
    let note = item(ItemKind::Note, "7", "c1");
    let task = ItemLink { remote_id: "t1".into(), ..item(ItemKind::Task, "7", "c1") };
    store
        .put_links(vec![LinkChange::PutItem(note.clone()), LinkChange::PutItem(task.clone())])
        .await
        .unwrap();
    same(&store.item(&shop(), ItemKind::Note, "7").await.unwrap().unwrap(), &note);
    same(&store.item(&shop(), ItemKind::Task, "7").await.unwrap().unwrap(), &task);
    let changed =
        ItemLink { shadow: json!({ "body": "bye" }), state_at: at(9), ..item(ItemKind::Note, "7", "c2") };
    store.put_links(vec![LinkChange::PutItem(changed.clone())]).await.unwrap();
    same(&store.item(&shop(), ItemKind::Note, "7").await.unwrap().unwrap(), &changed);
    assert_eq!(items(store, ItemKind::Note, "c1").await, [""; 0]);
    assert_eq!(items(store, ItemKind::Note, "c2").await, ["7"]);
    assert_eq!(items(store, ItemKind::Task, "c1").await, ["7"]);
    assert!(store.item(&other_shop(), ItemKind::Note, "7").await.unwrap().is_none());
}

pub(crate) async fn a_dropped_link_takes_along_what_hung_on_its_contact(store: &dyn Store) {
    let (ada, ben) = (Customer::User(1), Customer::User(2));
    let changes = vec![
        LinkChange::Put(link(ada.clone(), "c1")),
        LinkChange::PutItem(item(ItemKind::Note, "7", "c1")),
        LinkChange::PutItem(item(ItemKind::Task, "customer:1/welcome-task", "c1")),
        LinkChange::Put(link(ben.clone(), "c2")),
        LinkChange::PutItem(item(ItemKind::Note, "8", "c2")),
    ];
    store.put_links(changes).await.unwrap();
    for customer in [&ada, &ben] {
        store.put_view(&shop(), customer, View { view: json!({}), fetched_at: at(1) }).await.unwrap();
    }
    store.put_links(vec![LinkChange::Drop(shop(), ada.clone())]).await.unwrap();
    assert!(store.link(&shop(), &ada).await.unwrap().is_none());
    assert_eq!(items(store, ItemKind::Note, "c1").await, [""; 0]);
    assert_eq!(items(store, ItemKind::Task, "c1").await, [""; 0]);
    assert!(store.view(&shop(), &ada).await.unwrap().is_none(), "nobody is shown a contact that is gone");
    assert!(store.link(&shop(), &ben).await.unwrap().is_some());
    assert_eq!(items(store, ItemKind::Note, "c2").await, ["8"]);
    assert!(store.view(&shop(), &ben).await.unwrap().is_some());
    // And again: nothing is there to be dropped.
    store.put_links(vec![LinkChange::Drop(shop(), ada)]).await.unwrap();
}

pub(crate) async fn a_dropped_guest_leaves_the_contact_to_the_customer(store: &dyn Store) {
    let guest = Customer::Guest("ada@example.com".into());
    let changes = vec![
        LinkChange::Put(link(guest.clone(), "c1")),
        LinkChange::PutItem(item(ItemKind::Note, "7", "c1")),
        LinkChange::Put(link(Customer::User(42), "c1")),
        LinkChange::Drop(shop(), guest.clone()),
    ];
    store.put_links(changes).await.unwrap();
    assert!(store.link(&shop(), &guest).await.unwrap().is_none());
    assert!(store.link(&shop(), &Customer::User(42)).await.unwrap().is_some());
    assert_eq!(
        items(store, ItemKind::Note, "c1").await,
        ["7"],
        "the contact is still there, and so is its note"
    );
}

pub(crate) async fn a_dropped_item_is_gone_alone(store: &dyn Store) {
    let changes = ["7", "8"].map(|key| LinkChange::PutItem(item(ItemKind::Note, key, "c1")));
    store.put_links(changes.into()).await.unwrap();
    store.put_links(vec![LinkChange::DropItem(shop(), ItemKind::Note, "7".into())]).await.unwrap();
    store.put_links(vec![LinkChange::DropItem(shop(), ItemKind::Task, "8".into())]).await.unwrap();
    assert_eq!(items(store, ItemKind::Note, "c1").await, ["8"]);
}

pub(crate) async fn a_view_reads_back_and_is_replaced(store: &dyn Store) {
    let customer = Customer::User(42);
    assert!(store.view(&shop(), &customer).await.unwrap().is_none());
    for second in [1, 2] {
        let view = View { view: json!({ "contact": { "id": second } }), fetched_at: at(second) };
        store.put_view(&shop(), &customer, view.clone()).await.unwrap();
        same(&store.view(&shop(), &customer).await.unwrap().unwrap(), &view);
    }
    assert!(store.view(&other_shop(), &customer).await.unwrap().is_none());
}

pub(crate) async fn links_are_paged_through_by_their_customers(store: &dyn Store) {
    let customers = [1, 2, 10, 30].map(Customer::User).into_iter().chain([Customer::Guest("a@b.c".into())]);
    let customers: Vec<Customer> = customers.collect();
    let links = customers.iter().map(|customer| LinkChange::Put(link(customer.clone(), "c1"))).collect();
    store.put_links(links).await.unwrap();
    let elsewhere = Link { connection: other_shop(), ..link(Customer::User(7), "c1") };
    store.put_links(vec![LinkChange::Put(elsewhere)]).await.unwrap();
    let mut met = Vec::new();
    let mut after = None;
    loop {
        let page = store.links_page(&shop(), after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 2);
        after = Some(last.customer.clone());
        met.extend(page.into_iter().map(|link| link.customer));
    }
    met.sort();
    assert_eq!(met, customers, "each once, and nobody of another connection");
}
