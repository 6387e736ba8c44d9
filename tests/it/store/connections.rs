//! Connections, and where they are defined.

use cartbridge::connection::Connection;
use cartbridge::event::State;
use cartbridge::store::{Error, Origin, Store};

use super::given::{at, connection, event, shop, state, stored};

/// Names and origins of all connections.
async fn all(store: &dyn Store) -> Vec<(String, Origin)> {
    let stored = store.connections().await.unwrap().readable;
    stored.into_iter().map(|stored| (stored.connection.name.to_string(), stored.origin)).collect()
}

async fn put(store: &dyn Store, connection: &Connection, origin: Origin) -> Result<(), Error> {
    store.put_connection(connection, origin, at(0)).await
}

pub(crate) async fn a_connection_reads_back_with_its_secrets(store: &dyn Store) {
    let given = connection("my-shop");
    put(store, &given, Origin::Api).await.unwrap();
    put(store, &connection("b-shop"), Origin::File).await.unwrap();
    assert_eq!(
        all(store).await,
        [("b-shop".into(), Origin::File), ("my-shop".into(), Origin::Api)],
        "by name"
    );
    let kept = store.connections().await.unwrap().readable.pop().unwrap().connection;
    assert_eq!(kept.to_stored(), given.to_stored());
    assert_eq!(kept.to_stored()["ghl"]["token"], "pit-my-shop");

    let mut changed = connection("my-shop");
    changed.ghl.token = None;
    changed.ghl.oauth = None;
    changed.cscart.webhook_secrets.truncate(1);
    put(store, &changed, Origin::Api).await.unwrap();
    let kept = store.connections().await.unwrap().readable.pop().unwrap().connection;
    assert_eq!(kept.to_stored(), changed.to_stored());
}

pub(crate) async fn what_the_file_defines_only_the_file_changes(store: &dyn Store) {
    put(store, &connection("my-shop"), Origin::File).await.unwrap();
    assert!(matches!(put(store, &connection("my-shop"), Origin::Api).await, Err(Error::Conflict(_))));
    assert!(matches!(store.remove_connection(&shop()).await, Err(Error::Conflict(_))));
    assert_eq!(all(store).await, [("my-shop".into(), Origin::File)]);
    put(store, &connection("my-shop"), Origin::File).await.unwrap();
}

pub(crate) async fn a_connection_that_left_the_file_is_dropped_and_its_events_stay(store: &dyn Store) {
    for name in ["my-shop", "b-shop"] {
        put(store, &connection(name), Origin::File).await.unwrap();
    }
    put(store, &connection("by-hand"), Origin::Api).await.unwrap();
    let id = stored(store, event("msg_1", "customer:1")).await;
    store.retain_file_connections(&["b-shop".parse().unwrap()]).await.unwrap();
    assert_eq!(all(store).await, [("b-shop".into(), Origin::File), ("by-hand".into(), Origin::Api)]);
    assert_eq!(state(store, id).await, State::Pending);
    store.remove_connection(&"by-hand".parse().unwrap()).await.unwrap();
    assert_eq!(all(store).await, [("b-shop".into(), Origin::File)]);
}

pub(crate) async fn the_file_takes_over_a_connection_of_its_name(store: &dyn Store) {
    put(store, &connection("my-shop"), Origin::Api).await.unwrap();
    put(store, &connection("my-shop"), Origin::File).await.unwrap();
    assert_eq!(all(store).await, [("my-shop".into(), Origin::File)]);
}

pub(crate) async fn an_unknown_connection_cannot_be_removed(store: &dyn Store) {
    assert!(matches!(store.remove_connection(&shop()).await, Err(Error::NotFound(_))));
}
