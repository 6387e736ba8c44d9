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
