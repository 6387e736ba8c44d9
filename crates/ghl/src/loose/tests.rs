use super::*;

#[derive(Deserialize)]
struct Sample {
    #[serde(default, deserialize_with = "opt_string")]
    text: Option<String>,
    #[serde(default, deserialize_with = "opt_bool")]
    flag: Option<bool>,
    #[serde(default, deserialize_with = "opt_u64")]
    count: Option<u64>,
    #[serde(default, deserialize_with = "opt_time")]
    at: Option<Timestamp>,
    #[serde(default, deserialize_with = "strings")]
    tags: Vec<String>,
    #[serde(default, deserialize_with = "opt_id")]
    id: Option<crate::UserId>,
}

fn sample(json: &str) -> Sample {
    serde_json::from_str(json).unwrap()
}

#[test]
fn absent_and_null_read_alike() {
    for json in [
        "{}",
        r#"{"text":null,"flag":null,"count":null,"at":null,"tags":null,"id":null}"#,
        r#"{"id":"","at":""}"#,
    ] {
        let sample = sample(json);
        assert_eq!(sample.text, None);
        assert_eq!(sample.flag, None);
        assert_eq!(sample.count, None);
        assert_eq!(sample.at, None);
        assert!(sample.tags.is_empty());
        assert_eq!(sample.id, None);
    }
}

#[test]
fn numbers_and_strings_read_alike() {
    let a = sample(r#"{"text":5,"flag":"true","count":"12","tags":["a",null,7],"id":9}"#);
    assert_eq!(a.text.as_deref(), Some("5"));
    assert_eq!(a.flag, Some(true));
    assert_eq!(a.count, Some(12));
    assert_eq!(a.tags, ["a", "7"]);
    assert_eq!(a.id.unwrap().as_str(), "9");
    assert_eq!(sample(r#"{"count":12.0}"#).count, Some(12));
    assert_eq!(sample(r#"{"text":""}"#).text.as_deref(), Some(""));
}

#[test]
fn a_time_is_iso_or_epoch_seconds_or_milliseconds() {
    let expected: Timestamp = "2021-07-08T12:02:11Z".parse().unwrap();
    for at in [r#""2021-07-08T12:02:11.000Z""#, "1625745731", "1625745731000", r#""1625745731000""#] {
        assert_eq!(sample(&format!(r#"{{"at":{at}}}"#)).at, Some(expected), "{at}");
    }
    assert_eq!(sample(r#"{"at":"tomorrow"}"#).at, None);
}
