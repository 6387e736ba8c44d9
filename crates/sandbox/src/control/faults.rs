//! Faults: what goes wrong on purpose, for which requests, how often.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::problem::{ActError, only_known};

/// One fault, as `POST /_sandbox/faults` takes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fault {
    /// Only requests with this method; none: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Only paths that match; `*` stands for any characters, `/` among them. None: any path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How many matching requests to let pass first.
    #[serde(default)]
    pub skip: u64,
    /// How many requests to spoil; 0 for ever.
    #[serde(default = "once")]
    pub times: u64,
    /// Only requests whose raw body holds this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_contains: Option<String>,
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
}

fn once() -> u64 {
    1
}

fn yes() -> bool {
    true
}

/// The ways in which a request can go wrong.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// Another status than the right one.
    Status {
        /// The status to answer with.
        status: u16,
        /// Whether the request is carried out first.
        #[serde(default)]
        processed: bool,
        /// Headers to add, `Retry-After` for one.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, String>,
        /// A body of one's own; a string is sent as it is. None: what the real system says with this status.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<Value>,
    },
    /// A slow answer.
    Delay {
        /// How long, in milliseconds.
        ms: u64,
        /// Whether the request is carried out before the wait (a client that gives up leaves it done) or after it.
        #[serde(default = "yes")]
        processed: bool,
    },
    /// A TCP reset; nothing was carried out.
    ResetBefore,
    /// Carried out, then a TCP reset without an answer.
    ResetAfter,
    /// Carried out, status and half of the body sent, then the connection is closed.
    CutAnswer,
    /// Carried out and answered with its status, but the body is broken JSON.
    Malformed,
}

impl FaultKind {
    /// The name in `kind`, as the journal shows it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Status { .. } => "status",
            Self::Delay { .. } => "delay",
            Self::ResetBefore => "reset_before",
            Self::ResetAfter => "reset_after",
            Self::CutAnswer => "cut_answer",
            Self::Malformed => "malformed",
        }
    }
}

const KINDS: &[&str] = &["status", "delay", "reset_before", "reset_after", "cut_answer", "malformed"];
const COMMON: [&str; 6] = ["method", "path", "skip", "times", "body_contains", "kind"];

impl Fault {
    /// A fault of this kind for the next request, whatever it is.
    pub fn new(kind: FaultKind) -> Self {
        Self { method: None, path: None, skip: 0, times: 1, body_contains: None, kind }
    }

    /// Reads one fault or a list of them, refusing unknown keys by name.
    pub(crate) fn parse(value: Value) -> Result<Vec<Self>, ActError> {
        let list = match value {
            Value::Array(list) => list,
            one => vec![one],
        };
        list.into_iter().map(Self::parse_one).collect()
    }

    fn parse_one(value: Value) -> Result<Self, ActError> {
        let Value::Object(object) = &value else {
            return Err(ActError::new("a fault is an object with `kind`, or a list of such objects"));
        };
        let own: &[&str] = match object.get("kind").and_then(Value::as_str) {
            Some("status") => &["status", "processed", "headers", "body"],
            Some("delay") => &["ms", "processed"],
            Some("reset_before" | "reset_after" | "cut_answer" | "malformed") => &[],
            Some(other) => return Err(ActError::unknown("kind", other, KINDS)),
            None => return Err(ActError::new(format!("`kind` is missing. Allowed: {}", KINDS.join(", ")))),
        };
        only_known("key of a fault", object, &[&COMMON[..], own].concat())?;
        let fault: Self =
            serde_json::from_value(value).map_err(|error| ActError::new(format!("not a fault: {error}")))?;
        match &fault.kind {
            FaultKind::Status { status, .. } if !(200..=599).contains(status) => {
                Err(ActError::new(format!("`status` is {status}. Allowed: 200 to 599")))
            }
            _ => Ok(fault),
        }
    }

    fn matches(&self, method: &str, path: &str, body: &[u8]) -> bool {
        self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.path.as_deref().is_none_or(|glob| glob_matches(glob.as_bytes(), path.as_bytes()))
            && self.body_contains.as_deref().is_none_or(|text| {
                text.is_empty() || body.windows(text.len()).any(|window| window == text.as_bytes())
            })
    }
}

/// `*` matches any run of characters, everything else itself.
fn glob_matches(glob: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        if glob.get(at) == Some(&b'*') {
            star = Some((at, from));
            at += 1;
        } else if glob.get(at) == Some(&text[from]) {
            at += 1;
            from += 1;
        } else if let Some((star_at, star_from)) = star {
            star = Some((star_at, star_from + 1));
            at = star_at + 1;
            from = star_from + 1;
        } else {
            return false;
        }
    }
    glob[at..].iter().all(|byte| *byte == b'*')
}

/// A fault that waits, with how often it struck: what `GET /_sandbox/faults` lists.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Waiting {
    #[serde(flatten)]
    fault: Fault,
    hits: u64,
}

/// The faults of one system.
#[derive(Default)]
pub(crate) struct Faults {
    /// Lets a request without any fault in the list pass without the lock.
    count: AtomicUsize,
    waiting: Mutex<Vec<Waiting>>,
}

impl Faults {
    pub(crate) fn add(&self, fault: Fault) {
        let mut waiting = self.waiting();
        waiting.push(Waiting { fault, hits: 0 });
        self.count.store(waiting.len(), Ordering::Release);
    }

    pub(crate) fn clear(&self) {
        let mut waiting = self.waiting();
        waiting.clear();
        self.count.store(0, Ordering::Release);
    }

    pub(crate) fn list(&self) -> Vec<Waiting> {
        self.waiting().clone()
    }

    /// The first fault that strikes this request; those that only let it pass count it.
    pub(crate) fn strike(&self, method: &str, path: &str, body: &[u8]) -> Option<FaultKind> {
        if self.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut waiting = self.waiting();
        let mut struck = None;
        for (index, entry) in waiting.iter_mut().enumerate() {
            if !entry.fault.matches(method, path, body) {
                continue;
            }
            if entry.fault.skip > 0 {
                entry.fault.skip -= 1;
                continue;
            }
            entry.hits += 1;
            struck = Some((index, entry.fault.kind.clone()));
            break;
        }
        let (index, kind) = struck?;
        if waiting[index].fault.times != 0 && waiting[index].hits >= waiting[index].fault.times {
            waiting.remove(index);
            self.count.store(waiting.len(), Ordering::Release);
        }
        Some(kind)
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(value: Value) -> Faults {
        let faults = Faults::default();
        Fault::parse(value).unwrap().into_iter().for_each(|fault| faults.add(fault));
        faults
    }

    #[test]
    fn a_star_matches_across_slashes() {
        assert!(glob_matches(b"/contacts/*", b"/contacts/abc/notes"));
        assert!(glob_matches(b"/contacts/*/notes", b"/contacts/abc/notes"));
        assert!(glob_matches(b"*", b"/"));
        assert!(!glob_matches(b"/contacts/*/notes", b"/contacts/abc/tasks"));
        assert!(!glob_matches(b"/contacts/", b"/contacts/abc"));
    }

    #[test]
    fn a_fault_lets_the_skipped_pass_and_strikes_as_often_as_told() {
        let faults = faults(json!({ "kind": "reset_after", "skip": 1, "times": 2, "method": "post" }));
        let strikes: Vec<bool> = (0..4).map(|_| faults.strike("POST", "/x", b"").is_some()).collect();
        assert_eq!(strikes, [false, true, true, false]);
        assert!(faults.list().is_empty());
    }

    #[test]
    fn a_fault_for_ever_stays_and_counts_its_hits() {
        let faults =
            faults(json!({ "kind": "status", "status": 503, "times": 0, "body_contains": "needle" }));
        assert!(faults.strike("POST", "/x", b"hay").is_none());
        assert!(faults.strike("POST", "/x", b"a needle").is_some());
        assert_eq!(serde_json::to_value(faults.list()).unwrap()[0]["hits"], 1);
    }

    #[test]
    fn a_misspelt_key_is_refused_with_the_right_one() {
        let error = Fault::parse(json!({ "kind": "delay", "msec": 5 })).unwrap_err().to_string();
        assert!(error.contains("msec") && error.contains("ms"), "{error}");
        assert!(
            Fault::parse(json!({ "kind": "reset_afer" })).unwrap_err().to_string().contains("reset_after")
        );
    }
}
