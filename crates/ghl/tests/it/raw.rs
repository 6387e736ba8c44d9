//! Calls of any operation: forms and files, and what is refused before anything is sent.

use ghl::{Client, Error, Method, RawBody, RawCall, RawPart};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};

use crate::world::HighLevel;

/// Takes one request, answers 204, and tells what was asked.
async fn server() -> (Client, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        let mut chunk = [0; 4096];
        while !whole(&String::from_utf8_lossy(&request)) {
            let count = stream.read(&mut chunk).await.unwrap();
            request.extend_from_slice(&chunk[..count]);
        }
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        String::from_utf8(request).unwrap()
    });
    let client = Client::builder().base_url(url).token(SecretString::from("pit-secret-1")).build().unwrap();
    (client, asked)
}

fn whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length = head.to_lowercase().lines().find_map(|it| it.strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

#[tokio::test]
async fn a_form_with_files_has_its_parts_in_order_and_each_file_its_name_and_type() {
    let (client, asked) = server().await;
    let body = RawBody::Files(vec![
        ("name".into(), RawPart::Text("Logo".into())),
        ("file".into(), RawPart::File { name: "logo.png".into(), bytes: b"bytes".to_vec() }),
    ]);
    let call = RawCall {
        query: vec![("type".into(), "a b".into()), ("type".into(), "c".into())],
        body,
        version: Some("2021-04-15".into()),
        ..RawCall::new(Method::POST, "/medias/upload-file")
    };
    let answer = client.call(call).await.unwrap();
    assert_eq!(answer.value, Value::Null);
    assert_eq!(answer.exchange.request_body, Some(json!({ "name": "Logo", "file": "logo.png: 5 bytes" })));
    let asked = asked.await.unwrap();
    assert!(asked.starts_with("POST /medias/upload-file?type=a+b&type=c HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("version: 2021-04-15\r\n"), "{asked}");
    assert!(asked.contains("authorization: Bearer pit-secret-1\r\n"), "{asked}");
    let (name, file) = (asked.find("name=\"name\"").unwrap(), asked.find("filename=\"logo.png\"").unwrap());
    assert!(name < file && asked.contains("Content-Type: image/png\r\n\r\nbytes\r\n"), "{asked}");
}

#[tokio::test]
async fn a_form_is_sent_as_it_is_and_shown_without_the_secrets_of_a_call_for_tokens() {
    let (client, asked) = server().await;
    let fields = [
        ("client_id", "id"),
        ("client_secret", "very/secret"),
        ("refresh_token", "r.one"),
        ("x", "1"),
        ("x", "2"),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let body = RawBody::Form(fields.to_vec());
    let call = RawCall { body, ..RawCall::new(Method::POST, "/oauth/token") };
    assert!(!format!("{call:?}").contains("secret"));
    let answer = client.call(call).await.unwrap();
    let shown = json!({ "client_id": "id", "client_secret": "[redacted]", "refresh_token": "[redacted]", "x": ["1", "2"] });
    assert_eq!(answer.exchange.request_body, Some(shown));
    let asked = asked.await.unwrap();
    assert!(
        asked.ends_with("client_id=id&client_secret=very%2Fsecret&refresh_token=r.one&x=1&x=2"),
        "{asked}"
    );
    assert!(!asked.contains("pit-secret-1"), "a call for tokens goes without one: {asked}");
}

#[tokio::test]
async fn errors_limits_and_exchange_are_those_of_the_typed_calls() {
    let there = HighLevel::start().await;
    let id = there.contact("ada@example.com").await;
    let path = format!("/contacts/{id}");
    let read = there.client.call(RawCall::new(Method::GET, path.as_str())).await.unwrap();
    assert_eq!(read.value["contact"]["email"], "ada@example.com");
    assert_eq!((read.exchange.status, read.exchange.path.as_str()), (Some(200), path.as_str()));
    assert!(read.exchange.rate_limit.remaining.is_some());
    let body = RawBody::Json(json!({ "locationId": there.location, "email": "ada@example.com" }));
    let again = RawCall { body, ..RawCall::new(Method::POST, "/contacts/") };
    let error = there.client.call(again).await.unwrap_err().error;
    assert!(matches!(error, Error::DuplicateContact { contact_id, .. } if contact_id == id));
    let gone = there.client.call(RawCall::new(Method::GET, "/contacts/nobody")).await.unwrap_err().error;
    assert!(matches!(gone, Error::NotFound { .. }), "{gone:?}");
}

#[tokio::test]
async fn a_path_that_could_mean_another_operation_is_not_sent() {
    let there = HighLevel::start().await;
    for path in ["contacts", "//evil.test/", "/contacts//tasks", "/contacts/../oauth/token", "/contacts?x=1"]
    {
        let failure = there.client.call(RawCall::new(Method::DELETE, path)).await.unwrap_err();
        assert!(matches!(failure.error, Error::Unsendable { .. }), "{path}: {failure:?}");
    }
    assert!(there.sandbox.ghl().journal().is_empty());
}
