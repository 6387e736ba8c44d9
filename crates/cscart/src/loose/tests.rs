use serde::Serialize;
use serde_json::json;

use super::*;
use crate::{UserId, UserStatus};

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Sample {
    #[serde(default, deserialize_with = "opt_string")]
    text: Option<String>,
    #[serde(default, deserialize_with = "opt_letter")]
    letter: Option<UserStatus>,
    #[serde(default, deserialize_with = "opt_id", serialize_with = "id_or_zero")]
    id: Option<UserId>,
    #[serde(default, deserialize_with = "opt_u64")]
    count: Option<u64>,
    #[serde(default, deserialize_with = "bool")]
    flag: bool,
    #[serde(default, deserialize_with = "opt_time", serialize_with = "seconds")]
    at: Option<Timestamp>,
    #[serde(default, deserialize_with = "list")]
    numbers: Vec<u64>,
    #[serde(default, deserialize_with = "opt_strings")]
    tags: Option<Vec<String>>,
    #[serde(default, deserialize_with = "ids")]
    ids: Vec<UserId>,
    #[serde(default, deserialize_with = "map")]
    fields: BTreeMap<String, Value>,
}

fn sample(value: Value) -> Sample {
    serde_json::from_value(value).unwrap()
}

#[test]
fn all_that_php_writes_for_nothing_reads_as_nothing() {
    assert_eq!(sample(json!({})), Sample::default());
    for nothing in [json!(null), json!(""), json!("0"), json!(0), json!(false), json!([])] {
        let sample = sample(json!({
            "letter": nothing, "id": nothing, "flag": nothing, "at": nothing, "numbers": nothing, "ids": nothing,
            "fields": nothing,
        }));
        assert_eq!(sample, Sample::default(), "{nothing}");
    }
    for nothing in [json!(null), json!(false), json!([])] {
        assert_eq!(sample(json!({ "text": nothing, "count": nothing })), Sample::default(), "{nothing}");
    }
}

#[test]
fn an_empty_text_is_not_an_absent_one() {
    assert_eq!(sample(json!({ "text": "" })).text.as_deref(), Some(""));
    assert_eq!(sample(json!({ "text": "0" })).text.as_deref(), Some("0"));
}

#[test]
fn numbers_and_strings_read_alike() {
    let strings = sample(json!({
        "text": "5", "letter": "A", "id": "9", "count": "12", "flag": "1", "at": "1456917981", "tags": ["a", "7"],
        "ids": ["1", "2"],
    }));
    let numbers = sample(json!({
        "text": 5, "letter": "A", "id": 9, "count": 12.0, "flag": 1, "at": 1_456_917_981, "tags": ["a", null, 7],
        "ids": [1, "", 2],
    }));
    assert_eq!(strings, numbers);
    assert_eq!(strings.id, Some(UserId(9)));
    assert_eq!(strings.at.unwrap().to_string(), "2016-03-02T11:26:21Z");
    assert_eq!(strings.tags.unwrap(), ["a", "7"]);
}

#[test]
fn booleans_are_cs_carts_letters_too() {
    for yes in [json!("Y"), json!("y"), json!(true), json!("true"), json!(1), json!("1")] {
        assert!(sample(json!({ "flag": yes })).flag, "{yes}");
    }
    for no in
        [json!("N"), json!(false), json!("false"), json!(0), json!("0"), json!(""), json!({}), json!("?")]
    {
        assert!(!sample(json!({ "flag": no })).flag, "{no}");
    }
}

#[test]
fn an_id_that_cannot_be_read_is_not_taken_for_none() {
    for odd in [json!("x"), json!(-1), json!("1.5"), json!([1]), json!({})] {
        assert!(serde_json::from_value::<Sample>(json!({ "id": odd })).is_err(), "{odd}");
    }
    assert!(serde_json::from_value::<UserId>(json!("")).is_err());
}

#[test]
fn times_before_1970_and_iso_times_are_read() {
    assert_eq!(sample(json!({ "at": "-63158400" })).at.unwrap().to_string(), "1968-01-01T00:00:00Z");
    assert_eq!(sample(json!({ "at": "2016-03-02T11:26:21.5Z" })).at.unwrap().as_second(), 1_456_917_981);
    for odd in [json!("tomorrow"), json!("99999999999999"), json!("0000-00-00"), json!({})] {
        assert_eq!(sample(json!({ "at": odd })).at, None, "{odd}");
    }
}

#[test]
fn a_list_with_gaps_comes_as_a_map() {
    let sample = sample(json!({
        "numbers": { "3": 30, "5": 50 }, "tags": { "1": "a" }, "ids": { "2": "8" }, "fields": ["x"],
    }));
    assert_eq!(sample.numbers, [30, 50]);
    assert_eq!(sample.tags.unwrap(), ["a"]);
    assert_eq!(sample.ids, [UserId(8)]);
    assert_eq!(sample.fields, BTreeMap::from([("0".to_owned(), json!("x"))]));
    for odd in [json!("1,2"), json!(7), json!(true)] {
        assert!(serde_json::from_value::<Sample>(json!({ "numbers": odd })).is_err(), "{odd}");
    }
}

#[test]
fn no_tags_are_told_from_no_word_of_tags() {
    for empty in [json!([]), json!({})] {
        assert_eq!(sample(json!({ "tags": empty })).tags, Some(Vec::new()));
    }
    for unsaid in [json!(null), json!(""), json!("0"), json!(false)] {
        assert_eq!(sample(json!({ "tags": unsaid })).tags, None);
    }
}
