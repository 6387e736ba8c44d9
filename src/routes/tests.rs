use super::*;

#[test]
fn a_connection_that_chooses_otherwise_has_other_routes_from_the_next_event_on() {
    let routes = Routes::load(None).unwrap().now();
    let [one, other] = ["one-shop", "other-shop"].map(|name| name.parse::<ConnectionName>().unwrap());
    let without = |id: &str| BTreeMap::from([(id.to_owned(), false)]);
    let handles = |name, choices: &BTreeMap<String, bool>| {
        let set = routes.chosen(name, choices);
        ["cscart.order.created", "cscart.note.deleted"].map(|trigger| set.handles(trigger))
    };
    assert_eq!(handles(&one, &without("order-to-tags")), [false, true]);
    assert_eq!(handles(&one, &without("order-to-tags")), [false, true]);
    assert_eq!(handles(&other, &without("note-deleted")), [true, false]);
    assert_eq!(handles(&one, &without("note-deleted")), [true, false]);
    assert_eq!(handles(&one, &BTreeMap::new()), [true, true]);
}

/// Elsewhere they may be one file.
#[cfg(target_os = "linux")]
#[test]
fn two_files_for_one_route_are_both_named_and_neither_takes_the_place_of_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let route = "on = [\"cscart.note.created\"]\n";
    let of_shop = folder.path().join("my-shop");
    std::fs::create_dir(&of_shop).unwrap();
    for name in ["Tag.toml", "tag.toml", "my-shop/tag.toml", "my-shop/TAG.toml", "Note-Deleted.toml"] {
        std::fs::write(folder.path().join(name), route).unwrap();
    }
    let Err(LoadError::Mistakes(mistakes)) = Routes::load(Some(folder.path())) else {
        panic!("they are taken")
    };
    let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    let pairs = [
        ("Tag.toml", "tag.toml"),
        ("my-shop/TAG.toml", "my-shop/tag.toml"),
        ("Note-Deleted.toml", "note-deleted.toml"),
    ];
    for (one, other) in pairs {
        let said =
            format!("{other}: `{one}` and `{other}` are one route by their names — rename one of them");
        assert!(told.contains(&said), "{said} in {told:#?}");
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_a_device_and_an_endless_file_are_refused_and_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.toml");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("zero.toml")).unwrap();
    std::fs::create_dir(folder.path().join("folder.toml")).unwrap();
    // Sparse: whoever read it to its end would need a terabyte of memory.
    let long = std::fs::File::create(folder.path().join("long.toml")).unwrap();
    long.set_len(1 << 40).unwrap();
    let Err(LoadError::Mistakes(mistakes)) = Routes::load(Some(folder.path())) else {
        panic!("they are taken")
    };
    let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    for (name, why) in [
        ("pipe.toml", "no file"),
        ("zero.toml", "no file"),
        ("folder.toml", "no file"),
        ("long.toml", "1024 KiB, the most for a route"),
    ] {
        assert!(told.iter().any(|told| told.starts_with(name) && told.contains(why)), "{name} in {told:#?}");
    }
}

#[test]
fn what_editors_leave_behind_is_no_route() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(".git")).unwrap();
    for name in [".hidden.toml", "._tag.toml", ".#tag.toml", ".git/tag.toml"] {
        std::fs::write(folder.path().join(name), "no route").unwrap();
    }
    let routes = Routes::load(Some(folder.path())).unwrap();
    assert_eq!(routes.count(), Routes::load(None).unwrap().count());
    assert_eq!(routes.overlooked(&[]), []);
}

#[test]
fn what_is_overlooked_is_told_with_what_it_may_be_meant_as() {
    let folder = tempfile::tempdir().unwrap();
    for inner in ["my-shop", "my-shpo", "tests", "empty"] {
        std::fs::create_dir(folder.path().join(inner)).unwrap();
    }
    let route = "on = [\"cscart.note.created\"]\n[[step]]\nid = \"tag\"\ndo = \"ghl.tags.add\"\nwith = { tags = [\"a\"] }\n";
    for name in ["my-shop/one.toml", "my-shop/two.Toml", "my-shpo/three.toml", "tests/four.toml", "five.TOML"]
    {
        std::fs::write(folder.path().join(name), route).unwrap();
    }
    let routes = Routes::load(Some(folder.path())).unwrap();
    let overlooked = routes.overlooked(&["my-shop".parse().unwrap()]);
    let told: Vec<String> = overlooked.iter().map(ToString::to_string).collect();
    let in_capitals =
        "it is not read: the name of a route ends with `.toml` — write the end of its name in small letters";
    assert_eq!(
        told,
        [
            format!("five.TOML: {in_capitals}"),
            format!("my-shop/two.Toml: {in_capitals}"),
            "my-shpo/: routes in a folder are for the connection of its name, and there is none — did you mean `my-shop`?"
                .to_owned(),
        ]
    );
}
