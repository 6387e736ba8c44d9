//! How the REST API says no: `{"message", "status"}` (CS-Cart 4.20, `app/Tygh/Api/Response.php`).

use serde_json::json;

use crate::serve::answer::Answer;

/// An answer that is not a success.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    detail: String,
}

impl Refusal {
    /// `detail` is put behind the status' own words; it is a translatable text: nobody may rely on it.
    pub(super) fn new(status: u16, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into() }
    }

    /// 404 for an id that is not there.
    pub(super) fn not_found() -> Self {
        Self::new(404, "")
    }

    /// 404 for a path that names no entity.
    pub(super) fn no_object() -> Self {
        Self::new(404, "object not found")
    }

    /// 400 for a field that must be there.
    pub(super) fn required(field: &str) -> Self {
        Self::new(400, format!("Required field is missing: {field}"))
    }

    pub(super) fn answer(&self) -> Answer {
        let words = match self.status {
            401 => "Unauthorized",
            status => hyper::StatusCode::from_u16(status)
                .ok()
                .and_then(|it| it.canonical_reason())
                .unwrap_or("Error"),
        };
        let message = match self.detail.as_str() {
            "" => words.to_owned(),
            detail => format!("{words}: {detail}"),
        };
        let mut answer = Answer::json(self.status, &json!({ "message": message, "status": self.status }));
        if self.status == 401 {
            answer.header("www-authenticate", "Basic realm=\"User email/API key\"");
        }
        answer
    }
}
