//! Grants and connects: one renews at a time, the later pair stays, a state is good once.

use cartbridge::connection::ConnectionName;
use cartbridge::grant::{
    BegunConnect, Disconnected, FailedTurn, Grant, Holder, NewGrant, NewPair, NonceHash, Pair, RefreshTurn,
    SecretPrint, Turn,
};
use cartbridge::store::{Origin, Store};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::given::at;

fn name(text: &str) -> ConnectionName {
    text.parse().unwrap()
}

fn pair(token: &str, issued_at: Timestamp) -> NewPair {
    NewPair {
        pair: Pair { access_token: token.into(), refresh_token: format!("{token}-refresh").into() },
        scopes: None,
        issued_at,
        expires_at: at(86_400),
    }
}

async fn granted(store: &dyn Store, connections: &[&str], token: &str) -> Grant {
    let grant = NewGrant {
        client_id: "client".into(),
        holder: Holder::Location("location".into()),
        scopes: "contacts.readonly".parse().unwrap(),
        new: pair(token, at(0)),
    };
    let connections: Vec<_> = connections.iter().map(|text| name(text)).collect();
    store.put_grant(&connections, grant, at(1)).await.unwrap()
}

fn turn(grant: &Grant, lease: i64, until: Timestamp) -> RefreshTurn {
    let secret = SecretPrint([1; 16]);
    RefreshTurn { id: grant.id.clone(), generation: grant.generation, lease, until, secret }
}

fn why(refused_secret: Option<SecretPrint>) -> Disconnected {
    Disconnected { reason: "used up".into(), refused_secret }
}

pub(crate) async fn a_grant_reads_back_and_connections_share_it(store: &dyn Store) {
    granted(store, &["one", "other"], "first").await;
    for connection in ["one", "other"] {
        let read = store.grant_of(&name(connection)).await.unwrap().unwrap();
        assert_eq!(read.grant.pair.access_token.expose_secret(), "first");
        assert_eq!(read.grant.pair.refresh_token.expose_secret(), "first-refresh");
        assert_eq!(read.grant.scopes.to_string(), "contacts.readonly");
        assert_eq!((read.grant.generation, read.grant.disconnected, read.left), (1, None, None));
    }
    let again = granted(store, &["one"], "second").await;
    assert_eq!(again.generation, 2);
    let read = store.grant_of(&name("other")).await.unwrap().unwrap();
    assert_eq!(read.grant.pair.access_token.expose_secret(), "second", "there is one pair");
    assert_eq!(store.connections_of_grant(&again.id).await.unwrap(), [name("one"), name("other")]);
    assert!(store.grant_of(&name("nobody")).await.unwrap().is_none());
}

pub(crate) async fn a_pair_is_renewed_by_one_at_a_time(store: &dyn Store) {
    let grant = granted(store, &["one"], "first").await;
    let began = store.begin_refresh(&turn(&grant, 1, at(30)), at(0)).await.unwrap();
    assert!(matches!(began, Turn::Begun { cut_off_before: false, .. }), "{began:?}");
    let second = store.begin_refresh(&turn(&grant, 2, at(30)), at(29)).await.unwrap();
    assert!(matches!(second, Turn::UnderWay { until } if until == at(30)), "{second:?}");
    // The first has been away for longer than its lease holds: what became of its call is not known.
    let third = store.begin_refresh(&turn(&grant, 3, at(60)), at(31)).await.unwrap();
    assert!(matches!(third, Turn::Begun { cut_off_before: true, .. }), "{third:?}");
    let failed = |maybe_used| FailedTurn { why: "busy".into(), maybe_used, until: at(40) };
    store.fail_refresh(&turn(&grant, 1, at(30)), failed(false)).await.unwrap();
    let fourth = store.begin_refresh(&turn(&grant, 4, at(60)), at(41)).await.unwrap();
    assert!(matches!(fourth, Turn::UnderWay { .. }), "whose turn is over ends no other's: {fourth:?}");
    store.fail_refresh(&turn(&grant, 3, at(60)), failed(false)).await.unwrap();
    let early = store.begin_refresh(&turn(&grant, 5, at(60)), at(39)).await.unwrap();
    assert!(matches!(&early, Turn::Later { until, why } if *until == at(40) && why == "busy"), "{early:?}");
    let sixth = store.begin_refresh(&turn(&grant, 6, at(60)), at(41)).await.unwrap();
    assert!(matches!(sixth, Turn::Begun { cut_off_before: false, failures: 1 }), "{sixth:?}");
    // A new start of the only process ends all turns, and forgets nothing.
    store.release_leases(at(42)).await.unwrap();
    let seventh = store.begin_refresh(&turn(&grant, 7, at(60)), at(42)).await.unwrap();
    assert!(matches!(seventh, Turn::Begun { cut_off_before: true, .. }), "{seventh:?}");
}

pub(crate) async fn a_hundred_turns_at_once_are_one(store: &dyn Store) {
    let grant = granted(store, &["one"], "first").await;
    let turns: Vec<_> = (0..100).map(|lease| turn(&grant, lease, at(30))).collect();
    let began = futures::future::join_all(turns.iter().map(|turn| store.begin_refresh(turn, at(0)))).await;
    let began = began.iter().filter(|turn| matches!(turn, Ok(Turn::Begun { .. }))).count();
    assert_eq!(began, 1);
}

pub(crate) async fn a_good_pair_is_kept_and_a_late_answer_changes_nothing(store: &dyn Store) {
    let grant = granted(store, &["one"], "first").await;
    store.begin_refresh(&turn(&grant, 1, at(30)), at(0)).await.unwrap();
    // Another was refused meanwhile, because this one has got the new pair: that one counts.
    let (gone, changed) = store.disconnect(&grant.id, 1, why(None)).await.unwrap().unwrap();
    assert!(changed && gone.disconnected.is_some());
    let saved = store.finish_refresh(&grant.id, 1, pair("second", at(2))).await.unwrap().unwrap();
    assert_eq!((saved.generation, saved.disconnected), (2, None));
    let kept = store.finish_refresh(&grant.id, 1, pair("late", at(2))).await.unwrap().unwrap();
    assert_eq!(kept.pair.access_token.expose_secret(), "second");
    let (kept, changed) = store.disconnect(&grant.id, 1, why(None)).await.unwrap().unwrap();
    assert!(!changed && kept.disconnected.is_none());
    let changed = store.begin_refresh(&turn(&grant, 2, at(30)), at(3)).await.unwrap();
    assert!(matches!(changed, Turn::Changed(newer) if newer.generation == 2));
}

pub(crate) async fn out_of_use_is_out_of_use_until_somebody_mends_it(store: &dyn Store) {
    let grant = granted(store, &["one"], "first").await;
    let mine = SecretPrint([1; 16]);
    store.disconnect(&grant.id, 1, why(Some(mine))).await.unwrap();
    let same = store.begin_refresh(&turn(&grant, 1, at(30)), at(0)).await.unwrap();
    assert!(matches!(same, Turn::Changed(_)), "the same secret is not tried again: {same:?}");
    let other = RefreshTurn { secret: SecretPrint([2; 16]), ..turn(&grant, 2, at(30)) };
    let other = store.begin_refresh(&other, at(0)).await.unwrap();
    assert!(matches!(other, Turn::Begun { cut_off_before: false, .. }), "another one is: {other:?}");
    store.disconnect(&grant.id, 1, why(None)).await.unwrap();
    let heads = store.grant_heads().await.unwrap();
    assert!(heads.len() == 1 && !heads[0].connected, "{heads:?}");
    assert!(granted(store, &["one"], "second").await.disconnected.is_none());

    assert!(!store.leave_grant(&name("one"), Some(at(0)), "old news").await.unwrap(), "allowed again since");
    assert!(store.leave_grant(&name("one"), Some(at(2)), "uninstalled").await.unwrap());
    let read = store.grant_of(&name("one")).await.unwrap().unwrap();
    assert_eq!(read.left.as_deref(), Some("uninstalled"));
    granted(store, &["one"], "third").await;
    assert!(store.grant_of(&name("one")).await.unwrap().unwrap().left.is_none());
}

pub(crate) async fn a_grant_goes_with_its_last_connection(store: &dyn Store) {
    for connection in ["one", "other"] {
        let definition = json!({
            "name": connection, "ghl": { "location_id": "location", "token": "pit-x" },
            "cscart": { "url": "https://shop.example.com", "webhook_secrets": [] },
        });
        let connection = serde_json::from_value(definition).unwrap();
        store.put_connection(&connection, Origin::Api, at(0)).await.unwrap();
    }
    let grant = granted(store, &["one", "other"], "first").await;
    store.remove_connection(&name("one")).await.unwrap();
    assert_eq!(store.connections_of_grant(&grant.id).await.unwrap(), [name("other")]);
    store.remove_connection(&name("other")).await.unwrap();
    assert!(store.finish_refresh(&grant.id, 1, pair("late", at(2))).await.unwrap().is_none());
    assert!(store.grant_heads().await.unwrap().is_empty());
}

fn connect(number: usize, expires_at: Timestamp) -> BegunConnect {
    BegunConnect {
        state: NonceHash::of(&format!("state {number}")),
        browser: NonceHash::of("browser"),
        connection: name("one"),
        client_id: "client".into(),
        scopes: "contacts.readonly".parse().unwrap(),
        redirect_uri: "https://bridge.example.com/connect/callback".into(),
        expires_at,
    }
}

pub(crate) async fn a_begun_connect_is_taken_once_and_only_while_it_is_fresh(store: &dyn Store) {
    store.begin_connect(connect(1, at(600)), at(0)).await.unwrap();
    let state = NonceHash::of("state 1");
    let taken = futures::future::join_all((0..50).map(|_| store.take_connect(state, at(1)))).await;
    assert_eq!(taken.into_iter().filter(|taken| taken.as_ref().unwrap().is_some()).count(), 1);
    store.begin_connect(connect(2, at(600)), at(0)).await.unwrap();
    assert!(store.take_connect(NonceHash::of("state 2"), at(600)).await.unwrap().is_none());
    assert!(store.take_connect(NonceHash::of("no state"), at(1)).await.unwrap().is_none());
}

pub(crate) async fn of_very_many_begun_connects_the_newest_are_kept(store: &dyn Store) {
    for number in 0..1010 {
        store.begin_connect(connect(number, at(600 + number as i64)), at(0)).await.unwrap();
    }
    assert!(store.take_connect(NonceHash::of("state 9"), at(1)).await.unwrap().is_none());
    assert!(store.take_connect(NonceHash::of("state 10"), at(1)).await.unwrap().is_some());
    assert!(store.take_connect(NonceHash::of("state 1009"), at(1)).await.unwrap().is_some());
}
