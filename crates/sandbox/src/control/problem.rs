//! Why a control call was refused, and the answer that says so.

use serde_json::{Value, json};

/// A control call that cannot be carried out: which field, and what is allowed there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct ActError {
    detail: String,
}

impl ActError {
    /// An error with a sentence that names the field and what it may be.
    pub(crate) fn new(detail: impl Into<String>) -> Self {
        Self { detail: detail.into() }
    }

    /// `name` is not one of `allowed`; the nearest one is named first.
    pub(crate) fn unknown(what: &str, name: &str, allowed: &[&str]) -> Self {
        let nearest = allowed
            .iter()
            .map(|candidate| (strsim::jaro_winkler(name, candidate), *candidate))
            .filter(|(likeness, _)| *likeness > 0.7)
            .max_by(|left, right| left.0.total_cmp(&right.0))
            .map_or_else(String::new, |(_, candidate)| format!("; did you mean `{candidate}`?"));
        Self::new(format!("unknown {what} `{name}`{nearest} Allowed: {}", allowed.join(", ")))
    }

    /// The problem document of the answer (RFC 9457).
    pub(crate) fn document(&self) -> Value {
        json!({ "title": "Bad control request", "status": 400, "detail": self.detail })
    }
}

/// Refuses the first key of `object` that is not in `allowed`.
pub(crate) fn only_known(
    what: &str,
    object: &serde_json::Map<String, Value>,
    allowed: &[&str],
) -> Result<(), ActError> {
    match object.keys().find(|key| !allowed.contains(&key.as_str())) {
        Some(key) => Err(ActError::unknown(what, key, allowed)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest_one() {
        let error = ActError::unknown("setting", "serch_lag_ms", &["deliver_to", "search_lag_ms"]);
        assert!(error.to_string().contains("did you mean `search_lag_ms`?"), "{error}");
        assert!(!ActError::unknown("setting", "zzz", &["deliver_to"]).to_string().contains("did you mean"));
    }
}
