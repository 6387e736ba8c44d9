//! What only a file can do wrong: another process, a full disk, another version's form.

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cartbridge::event::{EventId, NewEvent, Source, State};
use cartbridge::store::sqlite::{OpenError, Sqlite};
use cartbridge::store::{Error, EventFilter, Store, TimerStore as _};
use cartbridge::timer::Timer;
use cartbridge::vault::{Key, Vault};
use futures::future::join_all;

use super::given::{at, claimed, event, listed, read, shop, state, step, stored};
use super::timers::timer;

#[tokio::test]
async fn what_was_acknowledged_is_there_for_whoever_opens_the_file_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let vault = Vault::new(Key::generate());
    let first = Sqlite::open(&path, vault.clone()).unwrap();
    let id = stored(&first, event("msg_1", "customer:1")).await;
    let claim = claimed(&first, at(0)).await;
    first
        .begin_effect(&claim.lane, claim.head.seq, &step("contact"), "ghl.contact.create", None, at(0))
        .await
        .unwrap();
    // The first one is not closed: as after a kill, the file is all that there is.
    let copied = folder.path().join("copy.db");
    for ending in ["", "-wal"] {
        std::fs::copy(format!("{}{ending}", path.display()), format!("{}{ending}", copied.display()))
            .unwrap();
    }
    for path in [path, copied] {
        let second = Sqlite::open(&path, vault.clone()).unwrap();
        assert_eq!(state(&second, id).await, State::Working);
        assert_eq!(second.event(id).await.unwrap().unwrap().1.len(), 1);
        let again = second.append(event("msg_1", "customer:1"), at(0)).await.unwrap();
        assert_eq!((again.id, again.duplicate), (id, true));
    }
}

#[tokio::test]
async fn a_delivery_that_was_stored_and_not_looked_at_yet_is_known_to_whoever_opens_the_file_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let vault = Vault::new(Key::generate());
    let id = stored(&Sqlite::open(&path, vault.clone()).unwrap(), event("msg_1", "customer:1")).await;
    let next = Sqlite::open(&path, vault.clone()).unwrap();
    assert_eq!(next.known(&shop(), Source::Cscart, "msg_1").await.unwrap(), Some(id));
    let again = next.append(event("msg_1", "customer:1"), at(0)).await.unwrap();
    assert_eq!((again.id, again.duplicate), (id, true));
    assert_eq!(claimed(&next, at(0)).await.head.id, id);
    assert_eq!(next.known(&shop(), Source::Cscart, "msg_1").await.unwrap(), Some(id));
    let again = next.append(event("msg_1", "customer:1"), at(0)).await.unwrap();
    assert_eq!((again.id, again.duplicate), (id, true));
}

#[tokio::test]
async fn a_delivery_that_two_processes_have_stored_is_carried_out_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let vault = Vault::new(Key::generate());
    let [one, other] = [(); 2].map(|()| Sqlite::open(&path, vault.clone()).unwrap());
    let first = stored(&one, event("msg_1", "customer:1")).await;
    let second = stored(&other, event("msg_1", "customer:1")).await;
    let claim = claimed(&one, at(0)).await;
    assert_eq!((claim.head.id, claim.followers.len()), (first, 0));
    assert_eq!(state(&one, second).await, State::Ignored);
}

#[tokio::test]
async fn at_whatever_moment_the_process_is_killed_there_is_a_timer_or_its_event() {
    const TIMERS: usize = 60;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let vault = Vault::new(Key::generate());
    let store = Arc::new(Sqlite::open(&path, vault.clone()).unwrap());
    let timers: Vec<Timer> = (0..TIMERS).map(|n| timer(&format!("wait-{n}"), n as i64)).collect();
    for timer in &timers {
        store.put_timer(timer.clone()).await.unwrap();
    }
    let firing = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            for timer in timers {
                store.fire_timer(&timer, None, at(100)).await.unwrap().unwrap();
            }
        }
    });
    // A copy of the files is what is left after a kill at that moment.
    let mut seen_between = false;
    let mut last = false;
    for copy in 0.. {
        let copied = folder.path().join(format!("copy-{copy}.db"));
        for ending in ["", "-wal"] {
            std::fs::copy(format!("{}{ending}", path.display()), format!("{}{ending}", copied.display()))
                .unwrap();
        }
        let left = Sqlite::open(&copied, vault.clone()).unwrap();
        let timers = left.timers(None, TIMERS).await.unwrap();
        let events = left.events(&EventFilter::default(), None, TIMERS).await.unwrap().events;
        let mut ids: Vec<String> = timers.iter().map(|timer| timer.event(at(0)).source_id).collect();
        ids.extend(events.iter().map(|event| event.source_id.clone()));
        ids.sort();
        ids.dedup();
        assert_eq!((ids.len(), timers.len() + events.len()), (TIMERS, TIMERS), "in copy {copy}");
        seen_between |= !timers.is_empty() && !events.is_empty();
        if last {
            assert_eq!(timers, [], "all have fired");
            break;
        }
        last = firing.is_finished();
    }
    firing.await.unwrap();
    assert!(seen_between, "no copy was made while they fired");
}

#[tokio::test]
async fn a_database_that_another_process_holds_is_busy_and_nothing_is_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let store = Arc::new(Sqlite::open(&path, Vault::new(Key::generate())).unwrap());
    let before = stored(&*store, event("msg_0", "customer:0")).await;
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();

    let started = Instant::now();
    // Many at once: the last of them must not wait for the timeouts of all the others.
    let appends =
        join_all((1..=50).map(|number| {
            store.append(event(&format!("msg_{number}"), &format!("customer:{number}")), at(0))
        }));
    let (appends, ping) = tokio::join!(appends, store.ping());
    assert!(appends.iter().all(|answer| matches!(answer, Err(Error::Busy))), "{appends:?}");
    assert!(matches!(ping, Err(Error::Busy)), "{ping:?}");
    assert!(started.elapsed() < Duration::from_secs(8), "after {:?}", started.elapsed());
    assert_eq!(read(&*store, before).await.source_id, "msg_0", "reading goes on");

    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(listed(&*store, &EventFilter::default()).await, [before]);
    stored(&*store, event("msg_1", "customer:1")).await;
    store.ping().await.unwrap();
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let vault = Vault::new(Key::generate());
    drop(Sqlite::open(&path, vault.clone()).unwrap());
    let file = rusqlite::Connection::open(&path).unwrap();
    file.pragma_update(None, "user_version", 99).unwrap();
    let refused = Sqlite::open(&path, vault).err().unwrap();
    assert!(matches!(refused, OpenError::Newer(_)), "{refused:?}");
    let message = refused.to_string();
    assert!(message.contains("newer version of Cartbridge") && message.contains("test.db"), "{message}");
    let version: i64 = file.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 99);
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let text = "not a database, but a file that somebody needs. ".repeat(50);
    std::fs::write(&path, &text).unwrap();
    let refused = Sqlite::open(&path, Vault::new(Key::generate())).err().unwrap();
    assert!(matches!(refused, OpenError::Open(..)), "{refused:?}");
    assert!(refused.to_string().contains("notes.txt"), "{refused}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

/// Set for the process that works on a full disk: the folder that is one.
const FULL_DISK: &str = "CARTBRIDGE_TEST_FULL_DISK";

#[test]
fn a_full_disk_is_an_error_and_nothing_is_acknowledged() {
    // A disk of 1 MiB, in a mount namespace of its own: it ends with the process, however that ends.
    let folder = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=1m tmpfs \"$CARTBRIDGE_TEST_FULL_DISK\" || exit 77; exec \"$0\" --exact \
                  store::sqlite::on_a_full_disk --ignored --nocapture";
    let child = std::process::Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
        .arg(std::env::current_exe().unwrap())
        .env(FULL_DISK, folder.path())
        .output();
    match child {
        Ok(output) if output.status.success() => {
            let told = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(told.contains("1 passed"), "{told}");
        }
        Ok(output) if output.status.code() == Some(101) => {
            panic!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        }
        other => eprintln!("SKIPPED: a disk of its own cannot be made here (unshare, mount): {other:?}"),
    }
}

#[tokio::test]
#[ignore = "runs on a full disk, which its neighbour makes"]
async fn on_a_full_disk() {
    let Some(folder) = std::env::var_os(FULL_DISK) else { return };
    let folder = std::path::PathBuf::from(folder);
    let store = Sqlite::open(&folder.join("test.db"), Vault::new(Key::generate())).unwrap();
    store.ping().await.unwrap();
    // What others have on this disk.
    let others = folder.join("others");
    std::fs::write(&others, vec![0; 300_000]).unwrap();
    let mut acknowledged = fill(&store, 20_000).await;
    // To the last byte, so that nothing at all can be written.
    let mut file = std::fs::OpenOptions::new().append(true).open(&others).unwrap();
    while file.write_all(&[0; 512]).is_ok() {}
    drop(file);
    acknowledged.extend(fill(&store, 10).await);
    let mut pings = 0;
    let told = loop {
        match store.ping().await {
            Ok(()) => pings += 1,
            Err(error) => break error,
        }
        assert!(pings < 100, "whoever asks whether it can be written is told the truth");
    };
    assert!(matches!(told, Error::Unavailable(_)), "{told:?}");
    let mut found = listed(&store, &EventFilter::default()).await;
    found.reverse();
    assert_eq!(found, acknowledged);

    std::fs::remove_file(&others).unwrap();
    store.ping().await.unwrap();
    stored(&store, event("small", "small")).await;
}

/// Stores events with payloads of a size until one is refused; answers those that were acknowledged.
async fn fill(store: &dyn Store, size: usize) -> Vec<EventId> {
    let mut acknowledged = Vec::new();
    loop {
        let source_id = format!("{size} {}", acknowledged.len());
        let new = NewEvent { payload: vec![b'x'; size], ..event(&source_id, &source_id) };
        match store.append(new, at(0)).await {
            Ok(appended) => acknowledged.push(appended.id),
            Err(error) => {
                assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
                return acknowledged;
            }
        }
        assert!(acknowledged.len() < 200, "the disk is never full");
    }
}

#[tokio::test]
async fn nobody_else_on_the_machine_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("private.db");
    let store = Sqlite::open(&path, Vault::new(Key::generate())).unwrap();
    stored(&store, event("msg_1", "customer:1")).await;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", entry.file_name());
    }
}
