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
    let found = RouteSet::parse(vec![("note.toml".into(), text.into())]).unwrap_err();
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn a_good_route_is_read() {
    let routes = RouteSet::parse(vec![("note.toml".into(), GOOD.into())]).unwrap();
    assert!(routes.handles("cscart.note.created"));
    assert!(!routes.handles("cscart.note.updated"));
}

#[test]
fn a_route_that_is_switched_off_handles_nothing() {
    let routes = RouteSet::parse(vec![("note.toml".into(), format!("enabled = false\n{GOOD}"))]).unwrap();
    assert!(!routes.handles("cscart.note.created"));
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
            "note.toml:8:7: unknown field `wth`, expected one of `id`, `do`, `if`, `with` — did you mean `with`?",
        ),
    ] {
        let found = mistakes(&GOOD.replace(right, wrong));
        assert!(found.iter().any(|found| found == message), "{found:#?}\nshould hold {message}");
    }
}

#[test]
fn a_missing_parameter_is_named() {
    let found = mistakes(&GOOD.replace("body = \"{{ data.note.body }}\"\n", ""));
    assert_eq!(found, ["note.toml:7:6: `ghl.note.save` needs `body` — add `body = …` under `[step.with]`"]);
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = GOOD.replace("ghl.note.save", "ghl.note.sav").replace("when = \"data", "when = \"dta");
    assert_eq!(mistakes(&text).len(), 2);
}
