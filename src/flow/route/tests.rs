use super::*;

const GOOD: &str = r#"
on = ["cscart.note.created"]
when = "data.note.user_id"

[[step]]
id = "note"
do = "ghl.note.save"
[step.with]
note_id = "{{ data.note.note_id }}"
body = "{{ data.note.body }}"
"#;

fn mistakes(text: &str) -> Vec<String> {
    let found = RouteSet::default().with("note.toml", text.as_bytes()).unwrap_err();
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn a_good_route_is_read() {
    let routes = RouteSet::default().with("note.toml", GOOD.as_bytes()).unwrap();
    assert!(routes.handles("cscart.note.created"));
    assert!(!routes.handles("cscart.note.updated"));
}

#[test]
fn a_route_that_is_switched_off_handles_nothing() {
    let routes =
        RouteSet::default().with("note.toml", format!("enabled = false\n{GOOD}").as_bytes()).unwrap();
    assert!(!routes.handles("cscart.note.created"));
}

#[test]
fn a_trigger_sets_off_each_of_its_routes_once_and_in_the_order_of_their_ids() {
    let twice = GOOD.replace("\"cscart.note.created\"", "\"cscart.note.created\", \"cscart.note.created\"");
    let files = [("b", twice.as_str()), ("a", GOOD), ("c", &format!("enabled = false\n{GOOD}"))];
    let add =
        |routes: RouteSet, (id, text): (&str, &str)| routes.with(&format!("{id}.toml"), text.as_bytes());
    let routes = files.into_iter().try_fold(RouteSet::default(), add).unwrap();
    let ids =
        |routes: &RouteSet| routes.of("cscart.note.created").map(|it| it.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&routes), ["a", "b"]);
    let choices = [("a".to_owned(), false), ("c".to_owned(), true)].into();
    assert_eq!(ids(&routes.with_choices(&choices)), ["b", "c"]);
}

#[test]
fn each_mistake_names_file_line_and_mend() {
    for (right, wrong, message) in [
        (
            "ghl.note.save",
            "ghl.note.sav",
            "note.toml:7:6: there is no operation `ghl.note.sav` — did you mean `ghl.note.save`?",
        ),
        (
            "cscart.note.created",
            "cscart.note.creatd",
            "note.toml:2:7: there is no trigger `cscart.note.creatd` — did you mean `cscart.note.created`?",
        ),
        (
            "note_id = \"{{ data",
            "note_id = \"{{ dta",
            "note.toml:9:11: there is no variable `dta`; did you mean `data`? — \
             see routes/README.md for what may stand between `{{` and `}}`",
        ),
        (
            "body = \"{{ data.note.body }}\"",
            "body = true",
            "note.toml:10:8: `body` must be text — write it so, or as an expression: \"{{ … }}\"",
        ),
        ("body =", "bdy =", "note.toml:10:1: `ghl.note.save` has no parameter `bdy` — did you mean `body`?"),
        (
            "id = \"note\"",
            "id = \"A note\"",
            "note.toml:6:6: `A note` cannot name a step — use a-z, 0-9 and `-` only",
        ),
        (
            "[step.with]",
            "[step.wth]",
            "note.toml:8:7: unknown field `wth`, expected one of `id`, `do`, `raw`, `if`, `for_each`, \
             `save_as`, `on_error`, `delay`, `delay_until`, `restart`, `with` — did you mean `with`?",
        ),
    ] {
        let found = mistakes(&GOOD.replace(right, wrong));
        assert!(found.iter().any(|found| found == message), "{found:#?}\nshould hold {message}");
    }
}

#[test]
fn a_missing_parameter_is_named() {
    let found = mistakes(&GOOD.replace("body = \"{{ data.note.body }}\"\n", ""));
    assert_eq!(
        found,
        ["note.toml:7:6: `ghl.note.save` needs `body` (text) — add `body = …` under `[step.with]`"]
    );
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = GOOD.replace("ghl.note.save", "ghl.note.sav").replace("when = \"data", "when = \"dta");
    assert_eq!(mistakes(&text).len(), 2);
}

const FLOW: &str = r#"on = ["cscart.order.created"]

[[step]]
id = "deal"
do = "ghl.opportunity.create"
save_as = "deal"
[step.with]
name = "Order {{ data.order.order_id }}"
pipelineId = "p1"
status = "open"

[[step]]
id = "tag"
do = "ghl.tags.add"
raw = true
for_each = "data.order.products"
if = "item.price | float > 5"
on_error = "continue"
delay = "3d"
restart = true
[step.with]
tags = ["{{ item.product }}", "{{ deal.id }}"]
"#;

#[test]
fn a_route_with_everything_is_read() {
    assert_eq!(RouteSet::default().with("flow.toml", FLOW.as_bytes()).unwrap().routes()[0].steps.len(), 2);
}

#[test]
fn each_mistake_in_a_flow_names_file_line_and_mend() {
    for (right, wrong, message) in [
        (
            "pipelineId",
            "pipelineID",
            "flow.toml:9:1: `ghl.opportunity.create` has no parameter `pipelineID` — did you mean `pipelineId`?",
        ),
        (
            "pipelineId = \"p1\"\n",
            "",
            "flow.toml:5:6: `ghl.opportunity.create` needs `pipelineId` (text) — add `pipelineId = …` under `[step.with]`",
        ),
        (
            "\"open\"",
            "\"opened\"",
            "flow.toml:10:10: `status` must be one of `open`, `won`, `lost`, `abandoned`, `all`, and is `opened` — write it so, \
             or as an expression: \"{{ … }}\"",
        ),
        (
            "\"p1\"",
            "7",
            "flow.toml:9:14: `pipelineId` must be text, and is a number — write it so, or as an expression: \"{{ … }}\"",
        ),
        (
            "Order {{ data",
            "Order {{ deal",
            "flow.toml:8:8: `deal` is not known yet: step `deal` saves it, and does not come before — \
             see routes/README.md for what may stand between `{{` and `}}`",
        ),
        (
            "for_each = \"data.order.products\"\n",
            "",
            "flow.toml:16:6: there is no variable `item`: only a step with `for_each` has it — \
             write a condition such as `data.user.status == 'A'`",
        ),
        (
            "\"continue\"",
            "\"contnue\"",
            "flow.toml:18:12: `on_error` cannot be `contnue` — did you mean `continue`?",
        ),
        (
            "\"3d\"",
            "\"3 dys\"",
            "flow.toml:19:9: `3 dys` is no length of time: write one such as \"3d\", \"90 minutes\" or \"1h 30m\", or an \
             expression that gives one or seconds — see routes/README.md on waiting",
        ),
        (
            "delay = \"3d\"\n",
            "",
            "flow.toml:19:11: `restart` is about a wait, and the step has none — add `delay`, or remove it",
        ),
        (
            "save_as = \"deal\"",
            "save_as = \"contact\"",
            "flow.toml:6:11: `contact` has a meaning already — save it under another name",
        ),
        (
            "save_as = \"deal\"",
            "save_as = \"A deal\"",
            "flow.toml:6:11: `A deal` cannot name a variable — use a-z, 0-9 and `_`, and begin with a letter",
        ),
        (
            "\"ghl.tags.add\"",
            "\"ghl.tags.set\"",
            "flow.toml:15:7: `ghl.tags.set` is the bridge's own and no plain call of HighLevel's — remove `raw`",
        ),
        (
            "[step.with]\ntags",
            "delay_until = \"2026-12-24\"\n[step.with]\ntags",
            "flow.toml:21:15: a step has `delay` or `delay_until`, not both — remove one of them",
        ),
    ] {
        let text = FLOW.replace(right, wrong);
        assert_ne!(text, FLOW, "{right} is not there");
        let found = RouteSet::default().with("flow.toml", text.as_bytes()).unwrap_err();
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(found.iter().any(|found| found == message), "{found:#?}\nshould hold {message}");
    }
}

#[test]
fn a_route_that_can_do_nothing_is_refused() {
    let found = mistakes("on = [\"cscart.note.created\"]\n");
    assert_eq!(found, ["note.toml: the route has no step, and does nothing — add a `[[step]]`"]);
    // What switches a built-in route off needs none.
    let off = "enabled = false\non = [\"cscart.note.created\"]\n";
    RouteSet::default().with("note.toml", off.as_bytes()).unwrap();
}

#[test]
fn a_schedule_without_customers_does_nothing_for_one() {
    let route = |on: &str, step: &str| {
        let text = format!("on = [{on}]\nevery = \"1d\"\n\n[[step]]\nid = \"x\"\n{step}");
        match RouteSet::default().with("daily.toml", text.as_bytes()) {
            Ok(_) => Vec::new(),
            Err(found) => found.iter().map(ToString::to_string).collect(),
        }
    };
    let tag = "do = \"ghl.tags.add\"\nwith = { tags = [\"a\"] }\n";
    assert_eq!(
        route("\"schedule\"", tag),
        [
            "daily.toml:6:6: `ghl.tags.add` needs a customer, and none belongs to `schedule` — run the route on \
          \"schedule.customer\": for each customer for whom `when` holds"
        ]
    );
    assert_eq!(route("\"schedule.customer\"", tag), [] as [String; 0]);
    let note = |contact: &str| format!("do = \"ghl.note.create\"\nwith = {{ body = \"x\"{contact} }}\n");
    assert_eq!(route("\"schedule\"", &note("")).len(), 1);
    assert_eq!(route("\"schedule\"", &note(", contactId = \"c1\"")), [] as [String; 0]);
}

#[test]
fn what_a_variable_never_has_is_refused_with_what_was_meant() {
    for (wrong, what) in [
        ("contact.frist_name == 'A'", "`contact` has no `frist_name`; did you mean `first_name`?"),
        ("event.tpye == 'A'", "`event` has no `tpye`; did you mean `type`?"),
        ("connection.title", "`connection` has no `title`; use one of name"),
        ("settings.valeus.a", "`settings` has no `valeus`; did you mean `values`?"),
    ] {
        let found = mistakes(&GOOD.replace("when = \"data.note.user_id", &format!("when = \"{wrong}")));
        assert!(found[0].starts_with(&format!("note.toml:3:8: {what} — ")), "{found:#?}");
        let found = mistakes(&GOOD.replace("{{ data.note.body }}", &format!("so: {{{{ {wrong} }}}}")));
        assert!(found[0].starts_with(&format!("note.toml:10:8: {what} — ")), "{found:#?}");
    }
    let right = "contact.id and event.id and contact.date_of_birth[5:] and settings.values.any.thing";
    let text = GOOD.replace("when = \"data.note.user_id", &format!("when = \"{right}"));
    RouteSet::default().with("note.toml", text.as_bytes()).unwrap();
}

#[test]
fn what_other_languages_write_is_told_with_what_is_written_here() {
    for (right, wrong, what) in [
        ("\"data.note.user_id\"", "\"{{ data.note.user_id }}\"", "no braces here: write `data.note.user_id`"),
        ("\"data.note.user_id\"", "\"data.note.user_id = 'a=b'\"", "; compare with `==` — "),
        ("\"data.note.user_id\"", "\"data.note.user_id && contact.id\"", "; write `and` for `&&` — "),
        ("\"data.note.user_id\"", "\"data.note.user_id || contact.id\"", "; write `or` for `||` — "),
        (
            "\"data.note.user_id\"",
            "\"data.total | mony\"",
            "did you mean `money`? docs/filters.md lists them",
        ),
        ("data.note.body }}", "data.note.body | uper }}", "did you mean `upper`? docs/filters.md lists them"),
        ("[\"cscart.note.created\"]", "\"cscart.note.created\"", "write `on = [\"cscart.note.created\"]`"),
    ] {
        let found = mistakes(&GOOD.replace(right, wrong));
        assert!(found.len() == 1 && found[0].contains(what), "{found:#?}\nshould hold {what}");
    }
    // What is right in quotes is no hint.
    let found = mistakes(&GOOD.replace("\"data.note.user_id\"", "\"data.note.body == '&& = ||' +\""));
    assert!(!found[0].contains("; write") && !found[0].contains("; compare"), "{found:#?}");
}

#[test]
fn a_mark_at_the_beginning_and_other_line_ends_do_not_matter() {
    let text = format!("\u{feff}{}", GOOD.replace('\n', "\r\n"));
    RouteSet::default().with("note.toml", text.as_bytes()).unwrap();
    let found = mistakes(&text.replace("ghl.note.save", "ghl.note.sav"));
    assert!(found[0].starts_with("note.toml:7:6: there is no operation"), "{found:?}");
}

#[test]
fn a_file_that_is_no_text_or_far_too_long_is_told_by_place() {
    let mut content = GOOD.as_bytes().to_vec();
    content[20] = 0xff;
    let parse = |content: Vec<u8>| RouteSet::default().with("note.toml", &content).unwrap_err();
    assert_eq!(
        parse(content)[0].to_string(),
        "note.toml:2:20: it is not UTF-8 from byte 20 on — save it as UTF-8 in the editor"
    );
    let long = format!("description = '{}'\n{GOOD}", "x".repeat(10 * 1024 * 1024));
    assert!(parse(long.into())[0].to_string().contains("1024 KiB, the most for a route"));
}

#[test]
fn what_a_plain_call_needs_is_known_for_the_token() {
    let routes = RouteSet::default().with("flow.toml", FLOW.as_bytes()).unwrap();
    assert_eq!(routes.needs()[0].scopes().to_string(), "contacts.write opportunities.write");
}

proptest::proptest! {
    #[test]
    fn no_file_makes_it_panic(content in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let _ = RouteSet::default().with("note.toml", &content);
    }

    #[test]
    fn no_change_of_a_byte_makes_it_panic(at in 0..FLOW.len(), byte in 0u8..128) {
        let mut content = FLOW.as_bytes().to_vec();
        content[at] = byte;
        let _ = RouteSet::default().with("flow.toml", &content);
    }
}
