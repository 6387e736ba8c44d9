use minijinja::context;
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn template(text: &str) -> Result<Template, String> {
    Template::parse(&toml::Value::String(text.to_owned()), &Names::default())
}

fn text_of(source: &str, variables: &Value) -> String {
    template(source).unwrap().render(variables).unwrap().to_string()
}

#[test]
fn a_lone_expression_keeps_its_type() {
    let variables = context! { data => tree(&json!({ "tags": ["a", "b"] })), settings => context! { order_tags => vec!["c"] } };
    let tags = template("{{ data.tags + settings.order_tags }}").unwrap().render(&variables).unwrap();
    assert_eq!(tags.try_iter().unwrap().map(|tag| tag.to_string()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(text_of("{{ data.tags[0] }} and {{ data.user.missing.deeper }}", &variables), "a and ");
    assert_eq!(
        text_of("{{ data.tags[-1] }}{{ 'a' in data.tags }}{{ data.tags == ['a', 'b'] }}", &variables),
        "bTrueTrue"
    );
}

#[test]
fn an_unknown_variable_or_filter_is_found_when_the_route_is_read() {
    assert!(template("{{ contct.email }}").unwrap_err().contains("did you mean `contact`?"));
    assert!(template("{{ contact.email | shout }}").is_err());
    assert!(template("{{ contact.email").is_err());
    for gone in
        ["{{ contact.email | safe }}", "{{ debug() }}", "{{ namespace(a=1) }}", "{{ [1] | batch(1) }}"]
    {
        assert!(template(gone).is_err(), "{gone}");
    }
}

#[test]
fn a_list_or_a_table_may_have_expressions_in_it() {
    let value: toml::Table =
        "x = [{ id = 'a', value = '{{ data.total }}' }, 'no {{ data.id }}']".parse().unwrap();
    let template = Template::parse(&value["x"], &Names::default()).unwrap();
    assert_eq!(template.looks_at(), ["data.total", "data.id"]);
    let variables = context! { data => context! { total => 5, id => 7 } };
    let json = serde_json::to_value(template.render(&variables).unwrap()).unwrap();
    assert_eq!(json, serde_json::json!([{ "id": "a", "value": 5 }, "no 7"]));
}

#[test]
fn what_is_saved_later_is_told_from_what_is_never_saved() {
    let names = Names { all_saved: vec![("deal".into(), "make-deal".into())], ..Names::default() };
    let parse = |names: &Names| Formula::parse("deal.id", names).map(|formula| formula.looks_at);
    assert_eq!(
        parse(&names).unwrap_err(),
        "`deal` is not known yet: step `make-deal` saves it, and does not come before"
    );
    assert_eq!(parse(&Names { saved: vec!["deal".into()], ..names }).unwrap(), ["deal.id"]);
    let item = Formula::parse("item.id", &Names::default()).unwrap_err();
    assert_eq!(item, "there is no variable `item`: only a step with `for_each` has it");
}

#[test]
fn a_text_that_is_far_too_long_is_refused() {
    let variables = context! { data => context! { body => "x".repeat(1024 * 1024 + 1) } };
    for text in ["{{ data.body }}", "a {{ data.body }}"] {
        let error = template(text).unwrap().render(&variables).unwrap_err();
        assert!(error.contains("1024 KiB") || error.contains("cut what it looks at"), "{error}");
    }
}

#[test]
fn the_longest_note_that_a_store_takes_passes_whole() {
    let note = "🛒".repeat(70_000);
    let variables = context! { data => tree(&json!({ "note": { "body": note } })) };
    assert_eq!(text_of("{{ data.note.body }}", &variables), note);
}

#[test]
fn a_setting_may_be_a_template_and_none_renders_itself() {
    let settings = context! { title => "Hello {{ contact.name }}", again => "{{ contact.name | render }}" };
    let variables =
        context! { settings => context! { values => settings }, contact => context! { name => "Ada" } };
    assert_eq!(text_of("{{ settings.values.title | render }}", &variables), "Hello Ada");
    let error = template("{{ settings.values.again | render }}").unwrap().render(&variables).unwrap_err();
    assert!(error.contains("render"), "{error}");
    let five = "{{ settings.values.title | render }}".repeat(5);
    assert!(
        template(&five).unwrap().render(&variables).is_err(),
        "each costs a fifth of what a template may spend"
    );
}

#[test]
fn a_template_that_never_ends_is_stopped() {
    let endless = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
    let error = template(endless).unwrap().render(&context! {}).unwrap_err();
    assert!(error.contains("does too much"), "{error}");
}

#[test]
fn a_text_that_grows_is_stopped() {
    let variables = context! { data => tree(&json!({ "text": "x".repeat(100_000) })) };
    let source = "{% for a in range(9999) %}{{ data.text | replace('x', 'yyyyyyyyyy') }}{% endfor %}";
    assert!(template(source).unwrap().render(&variables).unwrap_err().contains("does too much"));
    let source = format!("{{{{ {} }}}}", ["data.text"; 40].join(" ~ "));
    assert!(template(&source).unwrap().render(&variables).unwrap_err().contains("does too much"));
    let source = "{{ data.text }}".repeat(11);
    assert!(template(&source).unwrap().render(&variables).unwrap_err().contains("1024 KiB"));
}

#[test]
fn a_field_of_ten_megabytes_is_no_trouble() {
    let data = tree(
        &json!({ "huge": "x".repeat(10_000_000), "list": vec![json!({ "a": "b" }); 200_000], "name": "Ada" }),
    );
    let variables = context! { data => data };
    assert_eq!(text_of("{{ data.name }}{% if data.huge %}!{% endif %}", &variables), "Ada!");
    for source in [
        "{{ data.huge }}",
        "{{ data.huge | upper | trim }}",
        "{{ data.list }}",
        "{{ data.list | json }}",
        "{{ data | string | length }} {{ data ~ data ~ data }} {{ [data, data] == [data, data] }}",
        "{% for a in data.list %}{{ a in data.list }}{{ data.list | join }}{% endfor %}",
        "{% for a in data.list %}{{ data == data or data.list == [a] }}{{ data.huge == data.huge }}{% endfor %}",
        "{{ data.huge | phone }}",
        "{{ data.huge | plain }}",
    ] {
        // Done or stopped, but at once and within the bounds.
        if let Ok(value) = template(source).unwrap().render(&variables) {
            assert!(value.as_str().is_none_or(|text| text.len() <= 1024 * 1024), "{source}");
        }
    }
}

#[test]
fn a_message_stays_short_whatever_it_quotes() {
    let variables =
        context! { data => tree(&json!({ "long": "x".repeat(400), "huge": "x".repeat(10_000) })) };
    for source in
        ["{{ data.long | date }}", "{{ data.huge | bool }}", "{{ data.huge / 2 }}", "{{ data.huge | money }}"]
    {
        let error = template(source).unwrap().render(&variables).unwrap_err();
        assert!(error.len() < 600, "{error}");
    }
}

/// Sources of the whole grammar, nested, with every filter: what an author could write, and worse.
fn source() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("data.text"),
        Just("data.list"),
        Just("data"),
        Just("data.number"),
        Just("contact.email"),
        Just("settings"),
        Just("a"),
        Just("loop"),
        Just("range(500)"),
        Just("'x,y'"),
        Just("7"),
        Just("0.5"),
        Just("none"),
        Just("[data.list, 1]"),
        Just("{'k': data}"),
        Just("-1"),
        Just("99999999999999999999"),
    ]
    .prop_map(str::to_owned);
    let filter = proptest::sample::select(
        [
            "phone",
            "phone('US')",
            "email",
            "country",
            "state('US')",
            "slug",
            "money('JPY')",
            "date('%Y', 'UTC')",
            "date('%999d')",
            "days_ago",
            "add_days(9999999)",
            "plain",
            "entities",
            "first_name",
            "last_name",
            "truncate_bytes(3)",
            "limit(2)",
            "bool",
            "list",
            "list('')",
            "join_lines",
            "json",
            "language",
            "items",
            "times(1000000)",
            "render",
            "replace('x', data.text)",
            "join(data.text)",
            "upper",
            "title",
            "reverse",
            "sort",
            "length",
            "map('upper')",
            "map(attribute='a')",
            "select",
            "selectattr('a')",
            "first",
            "last",
            "sum",
            "string",
            "format(9, 9)",
            "split('')",
            "lines",
            "dictsort",
            "round(9)",
            "int",
            "default(data)",
            "min",
            "max",
            "trim('x')",
            "attr('list')",
            "list | list",
            "abs",
            "float",
        ]
        .as_slice(),
    )
    .prop_map(str::to_owned);
    let expression = word.prop_recursive(6, 48, 4, move |inner| {
        prop_oneof![
            (inner.clone(), proptest::collection::vec(filter.clone(), 1..5))
                .prop_map(|(a, f)| format!("({a}) | {}", f.join(" | "))),
            (
                inner.clone(),
                proptest::sample::select(
                    ["+", "-", "~", "/", "//", "%", "==", "<", "in", "and", "or", "*", "**", "is in"]
                        .as_slice()
                ),
                inner.clone()
            )
                .prop_map(|(a, o, b)| format!("({a} {o} {b})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a} if {b} else {c})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}, {a}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})[{b}]")),
            inner.clone().prop_map(|a| format!("({a})[1:99999999]")),
        ]
    });
    let tag = expression.prop_map(|it| format!("{{{{ {it} }}}}"));
    tag.clone().prop_recursive(5, 40, 4, move |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} text {b}")),
            (tag.clone(), inner.clone())
                .prop_map(|(e, a)| format!("{{% for a in {} %}}{a}{{% endfor %}}", bare(&e))),
            (tag.clone(), inner.clone(), inner.clone())
                .prop_map(|(e, a, b)| format!("{{% if {} %}}{a}{{% else %}}{b}{{% endif %}}", bare(&e))),
            inner.clone().prop_map(|a| format!(
                "{{% for a in data.list %}}{{% for b in range(999) %}}{a}{{% endfor %}}{{% endfor %}}"
            )),
            (tag.clone(), inner.clone()).prop_map(|(e, a)| format!("{{% set a = {} %}}{a}", bare(&e))),
            inner.prop_map(|a| a.repeat(3)),
        ]
    })
}

fn bare(tag: &str) -> &str {
    tag.trim_start_matches("{{").trim_end_matches("}}")
}

fn hostile() -> Value {
    let data = json!({
        "text": "{{ data.text | render }}<a".repeat(50), "list": vec![json!({ "a": "x", "b": [1, 2] }); 300], "number": "1,234.50",
    });
    context! {
        data => tree(&data), contact => context! { email => "ada@example.com" }, settings => context! { time_zone => "UTC" },
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,40}") {
        if let Ok(template) = template(&text) {
            let _ = template.render(&context! {});
        }
    }

    #[test]
    fn no_template_takes_long_or_gives_much(source in source()) {
        let started = std::time::Instant::now();
        match template(&source).and_then(|template| template.render(&hostile())) {
            Ok(value) => {
                let text = value.to_string();
                prop_assert!(text.len() <= 4 * 1024 * 1024, "{} bytes of {source}", text.len());
            }
            Err(why) => prop_assert!(why.len() <= MAX_MESSAGE + 10, "{why}"),
        }
        // A hundred times what the worst of them takes, so that a busy machine proves nothing wrong.
        prop_assert!(started.elapsed().as_secs() < 20, "{:?} for {source}", started.elapsed());
    }
}

/// On half of the stack that a worker has: what the scan lets through does not come near its end.
#[test]
fn the_longest_chains_that_are_taken_fit_on_a_small_stack() {
    let nested =
        |open: &str, inside: &str, close: &str| format!("{}{inside}{}", open.repeat(15), close.repeat(15));
    let elifs = format!("{{% if data %}}{}{{% endif %}}", "{% elif data %}x".repeat(32));
    let chains = ["| d ", ".b", "[0]", " ~ data", " and data", " + 1", " if data else data"].map(|link| {
        let times = 195 / link.split(' ').filter(|part| !part.is_empty()).count().max(link.len().min(3));
        format!("{{{{ data{} }}}}", link.repeat(times))
    });
    let deepest = nested("{% if data %}", &(chains.concat() + &elifs), "{% endif %}");
    let brackets = format!("{{{{ {} }}}}", nested("[", &format!("data{}", "|d".repeat(80)), "]"));
    let nots = format!("{{{{ {}data }}}}", "not ".repeat(190));
    let ran = std::thread::Builder::new().stack_size(1024 * 1024).spawn(move || {
        for source in [deepest, brackets, nots] {
            let _ = template(&source).map(|template| template.render(&hostile()));
        }
    });
    ran.unwrap().join().unwrap();
}
