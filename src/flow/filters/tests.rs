use std::fmt::Write as _;

use minijinja::context;
use serde_json::json;

use crate::flow::expression::{Names, Template, tree};

/// Each filter: how it is written, what it does, an example and what that gives.
const TABLE: &[[&str; 4]] = &[
    [
        "phone(country)",
        "a phone number as E.164; the country is the customer's if none is given, else `settings.default_country`",
        "data.phone | phone('US')",
        "+12025550143",
    ],
    [
        "email",
        "an e-mail address, trimmed and in lower case",
        "' Ada@Example.com ' | email",
        "ada@example.com",
    ],
    [
        "country",
        "a country's two-letter code, from that, the three-letter one or the English name",
        "'Germany' | country",
        "DE",
    ],
    [
        "state(country)",
        "the code of a state that is known by its name; any other text stays",
        "'California' | state('US')",
        "CA",
    ],
    [
        "language(form)",
        "a language's code, or with `'name'` its English name",
        "'de_AT' | language('name')",
        "German",
    ],
    ["slug", "small letters, digits and hyphens: for tags", "'Tom &amp; Jerry' | slug", "tom-jerry"],
    ["plain", "only the words of HTML", "'<p>Rang <b>twice</b>.</p>' | plain", "Rang twice ."],
    ["entities", "HTML entities as characters; lines stay", "'Tom &amp; Jerry' | entities", "Tom & Jerry"],
    [
        "first_name",
        "of a name in one field what stands before the first blank",
        "'Ada King Lovelace' | first_name",
        "Ada",
    ],
    [
        "last_name",
        "the rest of it; `Lovelace, Ada` is understood",
        "'Ada King Lovelace' | last_name",
        "King Lovelace",
    ],
    ["limit(characters)", "the beginning of a text", "'Größe 42' | limit(3)", "Grö"],
    [
        "truncate_bytes(bytes)",
        "the beginning of a text, cut between characters",
        "'Größe 42' | truncate_bytes(3)",
        "Gr",
    ],
    [
        "money(currency)",
        "an amount with the decimals of its currency (two without one), from `1,234.50` and the like",
        "'1,234.5' | money('USD')",
        "1234.50",
    ],
    ["times(factor)", "a product; `*` is not taken", "data.total | times(2)", "246.9"],
    [
        "bool",
        "yes or no from `Y`, `N`, `1`, `0`, `true`, `false`, `on`, `off`; for conditions",
        "'Y' | bool",
        "True",
    ],
    [
        "date(format, zone)",
        "a time (seconds since 1970, ISO 8601) in the form of `strftime`, `%Y-%m-%d` if none is given; the zone is the connection's (`settings.time_zone`, else `time_zone`, else UTC) if none is given",
        "1764000000 | date('%d.%m.%Y %H:%M', 'Europe/Berlin')",
        "24.11.2025 17:00",
    ],
    [
        "add_days(days)",
        "so many days later; a day stays a day, a time becomes ISO 8601",
        "'2026-12-31' | add_days(1)",
        "2027-01-01",
    ],
    ["days_ago", "how many days before the event it was", "'2026-11-20' | days_ago", "4"],
    [
        "list(separator)",
        "a list: the parts of a text (at commas, if nothing is given), the items of a JSON list, or the values of an object",
        "'red, blue,red' | list | join('+')",
        "red+blue",
    ],
    ["join_lines", "the items of a list, one a line", "['a', 'b'] | join_lines | replace('\\n', '/')", "a/b"],
    ["items", "the products of an order, one a line", "data.products | items", "2 × Blue & white chair"],
    [
        "json",
        "as compact JSON, at most 64 KiB",
        "data.products['7'] | json",
        r#"{"amount":"2","product":"Blue &amp; white chair"}"#,
    ],
    [
        "render",
        "a text that is itself a template; one that is rendered renders no further",
        "settings.values.greeting | render",
        "Hello Ada",
    ],
];

fn render(expression: &str) -> Result<String, String> {
    let data = json!({
        "phone": "(202) 555-0143", "total": "123.45", "products": { "7": { "product": "Blue &amp; white chair", "amount": "2" } },
    });
    let variables = context! {
        data => tree(&data),
        contact => context! { first_name => "Ada", country => "DE" },
        settings => context! { values => context! { greeting => "Hello {{ contact.first_name }}" }, time_zone => "Asia/Tokyo" },
        event => context! { occurred_at => "2026-11-24T12:00:00Z" },
    };
    let template =
        Template::parse(&toml::Value::String(format!("{{{{ {expression} }}}}")), &Names::default())?;
    template.render(&variables).map(|value| value.to_string())
}

#[test]
fn every_filter_does_what_its_line_in_the_documentation_says() {
    for [usage, _, example, gives] in TABLE {
        assert_eq!(render(example).as_deref(), Ok(*gives), "{usage}: {example}");
    }
}

#[test]
fn the_documentation_lists_every_filter() {
    let mut table = String::from("| filter | gives | example | result |\n|---|---|---|---|\n");
    for [usage, does, example, gives] in TABLE {
        let example = example.replace('|', "\\|");
        let _ = writeln!(table, "| `{usage}` | {does} | `{example}` | `{gives}` |");
    }
    let page = include_str!("../../../docs/filters.md");
    assert!(page.contains(&table), "docs/filters.md must hold this table:\n\n{table}");
    let source = include_str!("../filters.rs").split("add_filter(\"").skip(1);
    let own = source.filter_map(|rest| rest.split('"').next()).filter(|name| *name != "tojson");
    for name in own {
        let listed = TABLE.iter().any(|[usage, ..]| usage.split('(').next() == Some(name));
        assert!(listed, "`{name}` is not in the table");
    }
}

#[test]
fn nothing_in_is_nothing_out() {
    for [usage, ..] in TABLE {
        let name = usage.split('(').next().unwrap();
        if name == "render" {
            continue;
        }
        let call = match name {
            "limit" | "truncate_bytes" | "times" | "add_days" => format!("{name}(1)"),
            _ => name.to_owned(),
        };
        let expected = match name {
            "bool" => "False",
            "list" => "[]",
            "json" => "null",
            _ => "",
        };
        assert_eq!(render(&format!("data.nothing | {call}")).as_deref(), Ok(expected), "{name}");
    }
}

#[test]
fn an_error_names_the_filter_the_value_and_what_is_wrong() {
    for (expression, parts) in [
        ("'ask me' | phone('US')", ["`phone` of `ask me`", "no phone number of US"]),
        ("'ada' | email", ["`email` of `ada`", "not an e-mail"]),
        ("'Wonderland' | country", ["`country` of `Wonderland`", "ISO 3166"]),
        ("'much' | money", ["`money` of `much`", "not a number"]),
        ("'maybe' | bool", ["`bool` of `maybe`", "neither yes nor no"]),
        ("'soon' | date", ["`date` of `soon`", "2026-11-24"]),
        ("'2026-11-24' | date('%Y', 'Mars')", ["`date` of `Mars`", "Europe/Berlin"]),
        ("'2026-11-24' | add_days(99999999)", ["`add_days` of", "no date"]),
        ("data.products | phone", ["`phone` of `a map`", "not text"]),
        ("'x' | items", ["`items` of `x`", "neither a list nor an object"]),
        ("'de' | language('flag')", ["`language` of `de`", "`code` or a `name`"]),
    ] {
        let error = render(expression).unwrap_err();
        assert!(parts.iter().all(|part| error.contains(part)), "{expression}: {error}");
    }
}

#[test]
fn a_phone_and_a_date_know_the_customers_country_and_the_connections_time_zone() {
    assert_eq!(render("'030 901820' | phone").as_deref(), Ok("+4930901820"));
    assert_eq!(render("1764000000 | date").as_deref(), Ok("2025-11-25"));
}
