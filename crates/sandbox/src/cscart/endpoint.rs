//! The signed calls of the add-on: `POST /index.php?dispatch=cartbridge_api.call` (the add-on's `Endpoint.php` and `Calls.php`).

mod actions;

use hyper::{
    Method,
    header::{CONTENT_TYPE, HeaderValue},
};
use serde_json::{Map, Value, json};

use super::{sign::signature, state::State};
use crate::serve::{
    answer::{Answer, json_type},
    request::Request,
};

/// How far the two clocks may differ, in seconds.
const TOLERANCE: i64 = 300;
const LONGEST_ID: usize = 256;
const LONGEST_BODY: usize = 1024 * 1024;

/// A call that is refused: the status and what is wrong.
pub(super) struct Problem(u16, String);

impl Problem {
    fn new(status: u16, detail: impl Into<String>) -> Self {
        Self(status, detail.into())
    }
}

/// What an id was answered with, so that a repetition gets the same.
#[derive(Debug, Clone)]
pub(super) struct Done {
    body: Vec<u8>,
    answer: Value,
}

/// Whether a request is for the endpoint.
pub(super) fn is_meant(request: &Request) -> bool {
    request.path == "/index.php" && request.parameter("dispatch") == Some("cartbridge_api.call")
}

pub(super) fn answer(state: &mut State, secret: &[u8; 32], request: &Request) -> Answer {
    match call(state, secret, request) {
        Ok(body) => {
            let mut answer = Answer::json(200, &body);
            answer.headers = vec![json_type()];
            answer
        }
        Err(Problem(status, detail)) => {
            let body = json!({ "type": "about:blank", "title": "The call was refused", "status": status, "detail": detail });
            let mut answer = Answer::json(status, &body);
            answer.headers = vec![(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))];
            answer
        }
    }
}

fn call(state: &mut State, secret: &[u8; 32], request: &Request) -> Result<Value, Problem> {
    if request.method != Method::POST {
        return Err(Problem::new(405, "this takes a POST"));
    }
    let id = verify(state, secret, request)?;
    let call = match serde_json::from_slice::<Value>(&request.raw) {
        Ok(Value::Object(call)) => call,
        // PHP does not tell a list from an object; without `action` it is refused all the same.
        Ok(Value::Array(_)) => Map::new(),
        Ok(_) => return Err(Problem::new(400, "the body is not the expected JSON: it is not an object")),
        Err(_) => return Err(Problem::new(400, "the body is not the expected JSON: Syntax error")),
    };
    if let Some(done) = state.calls.get(&id) {
        if done.body != request.raw {
            return Err(Problem::new(409, "another call had this id already"));
        }
        return Ok(done.answer.clone());
    }
    let answer = actions::act(state, &call)?;
    state.calls.insert(id, Done { body: request.raw.to_vec(), answer: answer.clone() });
    Ok(answer)
}

fn verify(state: &State, secret: &[u8; 32], request: &Request) -> Result<String, Problem> {
    if request.raw.len() > LONGEST_BODY {
        return Err(Problem::new(413, "the body is longer than 1 MiB"));
    }
    let id = request.header("webhook-id").unwrap_or_default();
    if id.is_empty() || id.len() > LONGEST_ID {
        return Err(Problem::new(401, "the header webhook-id is missing, empty or too long"));
    }
    let timestamp = request.header("webhook-timestamp").unwrap_or_default();
    let digits = (1..=12).contains(&timestamp.len()) && timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: i64 = timestamp
        .parse()
        .ok()
        .filter(|_| digits)
        .ok_or_else(|| Problem::new(401, "the header webhook-timestamp is not a number of seconds"))?;
    let wanted = signature(secret, id, seconds, &request.raw);
    let given = request.header("webhook-signature").unwrap_or_default();
    if !given.split(' ').any(|one| one == wanted) || seconds.to_string() != timestamp {
        return Err(Problem::new(401, "no signature fits the call"));
    }
    if (state.world.now_ms() / 1000 - seconds).abs() > TOLERANCE {
        return Err(Problem::new(401, "the call was signed at another time than this server has"));
    }
    Ok(id.to_owned())
}
