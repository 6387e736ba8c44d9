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
