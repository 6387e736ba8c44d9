//! One request, before it has a host and a key.

use reqwest::{Method, Url};
use serde::Serialize;
use serde_json::Value;

use crate::Error;

/// What is to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Beneath the API's root, beginning with a slash.
    path: String,
    query: Vec<(String, String)>,
    pub(crate) body: Option<Value>,
}

/// The two places under which a store may have its API (`.htaccess` of CS-Cart 4.20.1; the documentation,
/// `developer_guide/api/index.rst`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    /// `/api/users/3`, where the web server rewrites it.
    Rewritten,
    /// `/api.php?_d=users/3&ajax_custom=1`, which needs no rewriting.
    Script,
}

impl Call {
    pub(crate) fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), query: Vec::new(), body: None }
    }

    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    pub(crate) fn put(path: impl Into<String>) -> Self {
        Self::new(Method::PUT, path)
    }

    pub(crate) fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    pub(crate) fn query(mut self, name: &str, value: impl ToString) -> Self {
        self.query.push((name.to_owned(), value.to_string()));
        self
    }

    pub(crate) fn opt_query(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// A list, in PHP's way: `status[]=P&status[]=C`.
    pub(crate) fn query_list(mut self, name: &str, values: impl IntoIterator<Item = impl ToString>) -> Self {
        for value in values {
            self = self.query(&format!("{name}[]"), value);
        }
        self
    }

    pub(crate) fn json(mut self, body: &impl Serialize) -> Self {
        // Our bodies are structures with string keys: they always have a JSON form.
        self.body = Some(serde_json::to_value(body).expect("a request body has a JSON form"));
        self
    }

    /// The URL, or why there cannot be one.
    pub(crate) fn url(&self, base: &Url, root: Root) -> Result<Url, Error> {
        let Some(path) = self.path.strip_prefix('/').filter(|path| is_plain(path)) else {
            let reason = format!(
                "the path `{}` is not made of a slash, names and numbers, as CS-Cart's paths are",
                self.path
            );
            return Err(Error::Unsendable { reason });
        };
        // It is a switch inside of CS-Cart's own functions: given from outside it breaks the list (`fn_get_users`).
        if self.query.iter().any(|(name, _)| name == "get_conditions") {
            return Err(Error::Unsendable {
                reason: "`get_conditions` must not be sent to a store".to_owned(),
            });
        }
        let mut url = base.clone();
        let folder = base.path().trim_end_matches('/');
        match root {
            Root::Rewritten => url.set_path(&format!("{folder}/api/{path}")),
            Root::Script => {
                url.set_path(&format!("{folder}/api.php"));
                url.query_pairs_mut().append_pair("_d", path).append_pair("ajax_custom", "1");
            }
        }
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Ok(url)
    }

    /// The body as it may be shown: without keys and passwords.
    pub(crate) fn shown_body(&self) -> Option<Value> {
        let mut body = self.body.clone()?;
        redact(&mut body);
        Some(body)
    }
}

/// Names and numbers only: nothing that would have to be encoded, which the two roots do differently,
/// and no `..` that leaves the API.
fn is_plain(path: &str) -> bool {
    !path.is_empty()
        && path.split('/').all(|segment| !matches!(segment, "." | ".."))
        && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_-.".contains(&byte))
}

fn redact(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if matches!(key.as_str(), "api_key" | "raw_api_key" | "password" | "password1" | "password2")
                {
                    *value = Value::from("[redacted]");
                } else {
                    redact(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn url(call: &Call, base: &str, root: Root) -> Result<String, Error> {
        call.url(&base.parse().unwrap(), root).map(String::from)
    }

    #[test]
    fn both_roots_keep_the_folder_of_the_store() {
        let call = Call::get("/users/3").query("email", "a+b@x.test");
        for base in ["https://x.test/shop", "https://x.test/shop/"] {
            assert_eq!(
                url(&call, base, Root::Rewritten).unwrap(),
                "https://x.test/shop/api/users/3?email=a%2Bb%40x.test"
            );
            assert_eq!(
                url(&call, base, Root::Script).unwrap(),
                "https://x.test/shop/api.php?_d=users%2F3&ajax_custom=1&email=a%2Bb%40x.test"
            );
        }
        assert_eq!(
            url(&Call::get("/version"), "https://x.test", Root::Rewritten).unwrap(),
            "https://x.test/api/version"
        );
    }

    #[test]
    fn a_path_cannot_leave_the_api() {
        for path in [
            "",
            "/",
            "users",
            "/../admin.php",
            "/users/./3",
            "/users?x=1",
            "/users/a b",
            "/users/%2e%2e",
            "/é",
        ] {
            for root in [Root::Rewritten, Root::Script] {
                let refused = url(&Call::get(path), "https://x.test", root);
                assert!(matches!(refused, Err(Error::Unsendable { .. })), "{path}");
            }
        }
        assert!(url(&Call::get("/stores/1/users/"), "https://x.test", Root::Rewritten).is_ok());
    }

    #[test]
    fn keys_and_passwords_are_not_shown() {
        let call = Call::put("/users/3").json(&json!({
            "email": "a@x.test", "password": "hunter2", "more": [{ "raw_api_key": "hunter2" }],
        }));
        let shown = call.shown_body().unwrap();
        assert!(!shown.to_string().contains("hunter2"));
        assert_eq!(shown["email"], "a@x.test");
        assert!(call.body.unwrap().to_string().contains("hunter2"), "it is sent all the same");
    }
}
