use secrecy::ExposeSecret as _;

use super::*;

const SHOP: &str = r#"
listen = "127.0.0.1:9000"

[[connection]]
name = "my-shop"
[connection.ghl]
location_id = "ve9EPM428h8vShlRW1KT"
token = "pit-1"
[connection.cscart]
url = "https://shop.example.com"
webhook_secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
"#;

fn parse(text: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<Mistake>> {
    let variables: Vec<_> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Config::parse("cartbridge.toml", text, &variables)
}

#[test]
fn the_contracts_example_is_read() {
    let config = parse(SHOP, &[]).unwrap();
    assert_eq!(config.connection[0].name.as_str(), "my-shop");
    assert_eq!(config.connection[0].ghl.api_url, "https://services.leadconnectorhq.com");
    assert_eq!(config.public_url(), "http://127.0.0.1:9000");
}

#[test]
fn an_unknown_key_is_an_error_with_its_place_and_the_nearest_known_one() {
    let text = SHOP.replace("location_id", "loction_id");
    let problems = parse(&text, &[]).unwrap_err();
    assert_eq!(problems[0].position, Some((7, 1)));
    assert_eq!(problems[0].mend, "did you mean `location_id`?");
}

#[test]
fn broken_toml_is_an_error_with_its_place() {
    let problems = parse("listen = \n", &[]).unwrap_err();
    assert_eq!(problems[0].position.unwrap().0, 1);
}

#[test]
fn a_bom_and_windows_line_ends_are_read() {
    let text = format!("\u{feff}{}", SHOP.replace('\n', "\r\n"));
    parse(&text, &[]).unwrap();
}

#[test]
fn the_environment_overrides_the_file() {
    let config = parse(
        SHOP,
        &[
            ("CARTBRIDGE__LISTEN", "0.0.0.0:80"),
            ("CARTBRIDGE__ENGINE__MAX_TRIES", "3"),
            ("CARTBRIDGE__CONNECTION__MY_SHOP__GHL__TOKEN", "pit-2"),
        ],
    )
    .unwrap();
    assert_eq!(config.listen.port(), 80);
    assert_eq!(config.engine.max_tries, 3);
    assert_eq!(config.connection[0].ghl.token.as_ref().unwrap().expose_secret(), "pit-2");
}

#[test]
fn a_wrong_variable_is_named() {
    let problems = parse(SHOP, &[("CARTBRIDGE__ENGINE__MAX_TRYS", "3")]).unwrap_err();
    assert_eq!(problems[0].place, "CARTBRIDGE__ENGINE__MAX_TRYS");
    assert_eq!(problems[0].mend, "did you mean `max_tries`?");
}

#[test]
fn a_secret_may_stand_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "pit-from-file\n").unwrap();
    let text = SHOP.replace("token = \"pit-1\"", &format!("token_file = {:?}", file.display().to_string()));
    let config = parse(&text, &[]).unwrap();
    assert_eq!(config.connection[0].ghl.token.as_ref().unwrap().expose_secret(), "pit-from-file");
}

#[test]
fn every_contradiction_is_reported_and_no_secret_with_it() {
    let text = SHOP
        .replace("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "hunter2")
        .replace("https://shop", "ftp://shop")
        .replace("listen", "database = \"postgres://u:hunter2@host/db\"\nlisten");
    let problems = parse(&text, &[]).unwrap_err();
    assert_eq!(problems.len(), 3, "{problems:?}");
    let lines: Vec<_> = problems.iter().map(|problem| problem.position.map(|(line, _)| line)).collect();
    assert_eq!(lines, [Some(2), Some(12), Some(11)], "{problems:?}");
    assert!(!problems.iter().any(|problem| problem.to_string().contains("hunter2")));
}

#[test]
fn settings_that_no_event_could_be_carried_out_with_are_refused_by_line() {
    let told = |settings: &str| -> Vec<String> {
        let text = format!("{SHOP}[connection.settings]\n{settings}");
        let line = text.lines().count();
        let found = Config::parse("cartbridge.toml", &text, &[]).err().unwrap_or_default();
        assert!(found.iter().all(|it| it.position.is_some_and(|(at, _)| at == line)), "{found:#?}");
        found.iter().map(ToString::to_string).collect()
    };
    for (settings, what) in [
        ("default_country = \"Germany\"", "did you mean `DE`?"),
        ("default_country = \"Wonderland\"", "no two-letter code"),
        ("welcome_task = { title = \"{{ contact.email | uper }}\" }", "unknown filter"),
        ("welcome_task = { text = \"{{ contact.frist_name }}\" }", "did you mean `first_name`?"),
        ("welcome_task = { text = \"{{ stroe.url }}\" }", "did you mean `store`?"),
        ("welcome_task = { text = \"{{ contact.email\" }", "`settings.welcome_task.text`"),
    ] {
        let told = told(settings);
        assert!(told.len() == 1 && told[0].contains(what), "{settings}: {told:#?}");
    }
    for good in
        ["default_country = \"de\"", "welcome_task = { title = \"{{ today }}: {{ settings.values.word }}\" }"]
    {
        assert_eq!(told(good), [] as [String; 0]);
    }
}
