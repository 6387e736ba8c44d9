//! Answers to calls for tokens, byte by byte: those that the sandbox never gives.

use std::time::Duration;

use ghl::{
    Answer, Client, Error, Failure,
    oauth::{AppCredentials, TokenSet, UserType},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};

const SECRET: &str = "very/secret+value";
const REFRESH: &str = "refresh/token.one";
const PAIR: &str = r#"{"access_token":"access.token.two","refresh_token":"refresh.token.two"}"#;

/// Takes one request, sends these bytes, and closes the connection unless told to hold it.
async fn server(bytes: String, hold: bool) -> (Client, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = String::new();
        let mut chunk = [0; 4096];
        while !whole(&request) {
            let count = stream.read(&mut chunk).await.unwrap();
            request.push_str(std::str::from_utf8(&chunk[..count]).unwrap());
        }
        stream.write_all(bytes.as_bytes()).await.unwrap();
        if hold {
            // Until the client gives up.
            let _ = stream.read(&mut chunk).await;
        }
        request
    });
    let client = Client::builder().base_url(url).timeout(Duration::from_millis(300)).build().unwrap();
    (client, asked)
}

fn whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length = head.to_lowercase().lines().find_map(|it| it.strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

fn answer(status: u16, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn app() -> AppCredentials {
    AppCredentials { client_id: "id".into(), client_secret: SecretString::from(SECRET) }
}

async fn refresh(client: &Client) -> Result<Answer<TokenSet>, Failure> {
    let token = SecretString::from(REFRESH);
    client.oauth().refresh(&app(), &token, Some(UserType::Location)).await
}

async fn refused(status: u16, body: &str) -> Failure {
    let (client, _) = server(answer(status, "", body), false).await;
    refresh(&client).await.unwrap_err()
}

/// Everything that a log could be given.
fn printed(failure: &Failure) -> String {
    let mut text = format!("{failure} {failure:?}");
    let mut source = std::error::Error::source(failure);
    while let Some(error) = source {
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

#[tokio::test]
async fn the_request_is_a_form_without_a_bearer_token() {
    let (client, asked) = server(answer(200, "", PAIR), false).await;
    refresh(&client.with_token(SecretString::from("old"))).await.unwrap();
    let request = asked.await.unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /oauth/token HTTP/1.1"), "{head}");
    let head = head.to_lowercase();
    assert!(head.contains("content-type: application/x-www-form-urlencoded"), "{head}");
    assert!(!head.contains("authorization:"), "{head}");
    assert_eq!(
        body,
        "client_id=id&client_secret=very%2Fsecret%2Bvalue&grant_type=refresh_token&user_type=Location&refresh_token=refresh%2Ftoken.one"
    );
}

#[tokio::test]
async fn casing_and_charset_of_headers_do_not_matter() {
    for headers in [
        "",
        "CONTENT-TYPE: APPLICATION/JSON; Charset=UTF-8\r\n",
        "content-type: text/plain\r\n",
        "X-RATELIMIT-REMAINING: 9\r\n",
    ] {
        let (client, _) = server(answer(200, headers, PAIR), false).await;
        let tokens = refresh(&client).await.unwrap();
        assert_eq!(tokens.value.access_token.expose_secret(), "access.token.two");
        assert!(!headers.starts_with('X') || tokens.exchange.rate_limit.remaining == Some(9));
    }
}

#[tokio::test]
async fn half_a_pair_is_no_pair() {
    for (body, place) in [
        (r#"{"access_token":"a"}"#, "refresh_token"),
        (r#"{"refresh_token":"r"}"#, "access_token"),
        ("{}", "access_token"),
        ("", "."),
        ("null", "."),
        (r#""access.token.two""#, "."),
        (r#"{"access_token":"access.token.two","refresh_to"#, "."),
        ("<html>Welcome</html>", "."),
    ] {
        let failure = refused(200, body).await;
        let Error::Protocol { status: 200, path, .. } = &failure.error else { panic!("{body}: {failure:?}") };
        assert_eq!(path, place, "{body}");
        assert!(failure.error.maybe_processed(), "the refresh token may be used up");
        assert!(!printed(&failure).contains("token.two"), "{failure:?}");
    }
}

#[tokio::test]
async fn each_form_of_a_refusal_is_understood() {
    for (status, body, code) in [
        (400, r#"{"error":"invalid_grant","error_description":"Invalid grant"}"#, "invalid_grant"),
        (401, r#"{"error":"invalid_grant"}"#, "invalid_grant"),
        (400, r#"{"statusCode":400,"message":"Invalid grant: refresh token is invalid"}"#, "invalid_grant"),
        (401, r#"{"error":"invalid_client","error_description":"no"}"#, "invalid_client"),
        (422, r#"{"statusCode":422,"message":["grant_type must be a valid enum value"]}"#, "invalid"),
        (401, r#"{"statusCode":401,"message":"Unauthorized"}"#, "unauthorized"),
        (429, r#"{"statusCode":429,"message":"Too Many Requests"}"#, "rate_limited"),
        (503, "<html>Unavailable</html>", "unavailable"),
    ] {
        let failure = refused(status, body).await;
        assert_eq!(failure.error.code(), code, "{status} {body}");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_end_in_time_is_uncertain() {
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"access_token\":";
    for (bytes, hold) in [(half, true), (half, false), ("", true), ("", false), ("HTTP/1.1 40", true)] {
        let (client, _) = server(bytes.to_owned(), hold).await;
        let failure = refresh(&client).await.unwrap_err();
        assert!(matches!(failure.error, Error::Uncertain { .. }), "{bytes}, {hold}: {failure:?}");
        assert!(failure.error.maybe_processed());
    }
}

#[tokio::test]
async fn no_exchange_and_no_error_shows_a_token_or_a_secret() {
    let (client, _) = server(answer(200, "", PAIR), false).await;
    let answer = refresh(&client).await.unwrap();
    let shown = format!("{answer:?}");
    assert!(!shown.contains("token.two") && !shown.contains("token.one"), "{shown}");
    assert!(!shown.contains(SECRET), "{shown}");
    assert_eq!(answer.exchange.response_body.as_deref(), Some("[redacted]"));
    assert_eq!(answer.exchange.request_body.unwrap()["grant_type"], "refresh_token");

    let quoting =
        format!(r#"{{"error":"invalid_grant","error_description":"{REFRESH} of {SECRET} is void"}}"#);
    let odd = r#"{"statusCode":500,"message":"later","tokens":{"access_token":"access.token.two"}}"#;
    let encoded = "<p>client_secret=very%2Fsecret%2Bvalue&refresh_token=refresh%2Ftoken.one</p>";
    let cut = "HTTP/1.1 401 X\r\nContent-Length: 500\r\n\r\n{\"message\":\"access.token.two";
    for bytes in [
        self::answer(400, "", &quoting),
        self::answer(500, "", odd),
        self::answer(401, "", encoded),
        cut.to_owned(),
    ] {
        let (client, _) = server(bytes.clone(), false).await;
        let shown = printed(&refresh(&client).await.unwrap_err());
        for secret in ["token.one", "token.two", SECRET, "very%2Fsecret"] {
            assert!(!shown.contains(secret), "{secret} of {bytes}: {shown}");
        }
    }
    assert!(refused(400, &quoting).await.error.to_string().contains("[redacted] of [redacted] is void"));
}
