use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::file::{self, Readers};
use super::*;

#[test]
fn what_was_sealed_opens_only_with_its_key_in_its_place_and_unchanged() {
    let vault = Vault::new(Key::generate());
    let sealed = vault.seal(vault.first(), "connections/one", b"pit-secret").unwrap();
    assert_eq!(vault.open("connections/one", &sealed).unwrap().as_slice(), b"pit-secret");
    assert!(matches!(vault.open("connections/two", &sealed), Err(Error::Damaged)));
    let stranger = Vault::new(Key::generate());
    assert!(
        matches!(stranger.open("connections/one", &sealed), Err(Error::WrongKey(id, None)) if id == vault.first())
    );
    for byte in vault.first().as_bytes().len()..sealed.len() {
        let mut changed = sealed.clone();
        changed[byte] ^= 1;
        assert!(matches!(vault.open("connections/one", &changed), Err(Error::Damaged)), "{byte}");
    }
    for length in 0..sealed.len() {
        assert!(vault.open("connections/one", &sealed[..length]).is_err());
    }
}

#[test]
fn the_same_text_is_never_sealed_alike() {
    let vault = Vault::new(Key::generate());
    let seal = || vault.seal(vault.first(), "here", b"text").unwrap();
    assert_ne!(seal(), seal());
}

fn key_text() -> String {
    Ring::of(Key::generate()).to_text().trim().to_owned()
}

fn written(folder: &Path, text: &str, mode: u32) -> PathBuf {
    let path = folder.join("key");
    drop(std::fs::remove_file(&path));
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn keys_stand_on_lines_or_between_commas_and_the_first_seals() {
    let (new, old) = (key_text(), key_text());
    let first = Ring::parse(&new, "").unwrap().first().id();
    let unpadded = new.trim_end_matches('=');
    for text in [format!("{new},{old}"), format!("{new}\n{old}\n"), format!(" {unpadded} ,\r\n {old}\r\n")] {
        let ring = Ring::parse(&text, "").unwrap();
        assert_eq!((ring.len(), ring.first().id()), (2, first), "{text:?}");
    }
}

#[test]
fn a_key_that_is_none_is_told_so_and_never_shown() {
    for (text, told) in [
        ("", "holds no key"),
        ("\n, \n", "holds no key"),
        ("c2hvcnQtc2VjcmV0", "key 1 in CARTBRIDGE_KEY has 12 bytes"),
        ("not!a!key", "key 1 in CARTBRIDGE_KEY is not base64"),
        (&format!("{},{}", key_text(), "ab".repeat(32)), "key 2 in CARTBRIDGE_KEY has 48 bytes"),
    ] {
        let refused = Source::choose(Some(text), None, None, Path::new("db")).unwrap_err();
        let message = format!("{refused} {refused:?}");
        assert!(message.contains(told) && message.contains("openssl rand -base64 32"), "{message}");
        assert!(text.len() < 5 || !message.contains(text), "{message}");
    }
}

#[test]
fn the_environment_comes_before_the_configuration_and_not_twice() {
    let key = key_text();
    let choose = |variable, file| Source::choose(variable, file, Some(Path::new("/c")), Path::new("a/db"));
    assert_eq!(choose(Some(&key), None).unwrap().to_string(), "CARTBRIDGE_KEY");
    assert_eq!(choose(None, Some("/e")).unwrap().to_string(), "the key file /e");
    assert_eq!(choose(None, None).unwrap().to_string(), "the key file /c");
    let beside = Source::choose(None, None, None, Path::new("a/db")).unwrap();
    assert_eq!(beside.to_string(), "the key file a/db.key");
    assert!(matches!(choose(Some(&key), Some("/e")), Err(KeyError::Both)));
}

#[test]
fn a_key_file_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for mode in [0o644, 0o640, 0o604, 0o660, 0o602, 0o620, 0o601] {
        let path = written(folder.path(), &key_text(), mode);
        for readers in [Readers::Owner, Readers::TrustedGroup] {
            let refused = file::read(&path, readers).unwrap_err();
            assert!(matches!(refused, KeyError::Open { .. }), "{refused:?}");
            let advice = format!("(mode {mode:04o}): run `chmod 600 {}`", path.display());
            assert!(refused.to_string().contains(&advice), "{refused}");
        }
    }
    for mode in [0o600, 0o400] {
        file::read(&written(folder.path(), &key_text(), mode), Readers::Owner).unwrap();
    }
}

#[test]
fn a_key_file_is_made_once_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let source = || Source::choose(None, None, None, &folder.path().join("db")).unwrap();
    assert!(matches!(Vault::load(source()), Err(KeyError::Gone(_))));
    let made: Vec<KeyId> = std::thread::scope(|scope| {
        let makers: Vec<_> =
            (0..8).map(|_| scope.spawn(|| Vault::load_or_make(source()).unwrap().first())).collect();
        makers.into_iter().map(|maker| maker.join().unwrap()).collect()
    });
    assert!(made.iter().all(|id| *id == made[0]), "all have the same key: {made:?}");
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(files[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_file_that_somebody_has_named_is_never_made() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    let source = Source::choose(None, file.to_str(), None, Path::new("db")).unwrap();
    let refused = Vault::load_or_make(source).unwrap_err();
    assert!(matches!(refused, KeyError::NotThere { .. }), "{refused:?}");
    assert!(!file.exists());
}

#[test]
fn other_keys_are_written_under_the_same_permissions_through_a_link_and_over_what_was_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), &key_text(), 0o400);
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    std::fs::write(folder.path().join("key.new"), "half of a k").unwrap();
    let ring = file::read(&path, Readers::Owner).unwrap().with_first(Key::generate());
    file::replace(&link, &ring).unwrap();
    assert!(link.is_symlink());
    assert_eq!(file::read(&path, Readers::Owner).unwrap().first().id(), ring.first().id());
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o400);
    assert!(!folder.path().join("key.new").exists());
}

#[test]
fn a_key_that_a_rotation_has_made_is_found_by_whoever_runs_already() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), &key_text(), 0o600);
    let vault = || Vault::load(Source::choose(None, path.to_str(), None, Path::new("db")).unwrap()).unwrap();
    let (running, rotating) = (vault(), vault());
    let old = running.first();
    let before = running.seal(old, "here", b"before").unwrap();
    let new = rotating.begin_rotation(old).unwrap();
    rotating.end_rotation(new).unwrap();
    let after = rotating.seal(new, "here", b"after").unwrap();
    assert_eq!(running.open("here", &after).unwrap().as_slice(), b"after");
    assert_eq!(running.seal(new, "here", b"x").unwrap()[..8], new.as_bytes()[..]);
    assert_eq!(running.open("here", &before).unwrap().as_slice(), b"before", "until it ends");
    assert!(matches!(vault().open("here", &before), Err(Error::WrongKey(..))));
}

#[test]
fn nothing_of_a_key_can_be_printed() {
    let text = key_text();
    let source = Source::choose(Some(&text), None, None, Path::new("db")).unwrap();
    let vault = Vault::load(source).unwrap();
    let printed = format!("{vault:?} {:#?}", vault.source());
    assert!(printed.contains("[redacted]") && !printed.contains(&text), "{printed}");
}
