//! What the add-on would have told, made of what the API gives. What it does not give stays unsaid.

use cscart::{Order, User};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::inbox::{Incoming, ShapeError};

/// What a customer is known by: what the API gives of him and a person can change.
pub(super) fn fingerprint(user: &User) -> String {
    let parts = [&user.email, &user.firstname, &user.lastname, &user.phone, &user.company];
    let parts: Vec<_> = parts.into_iter().map(Option::as_deref).collect();
    let text = json!([parts, user.status, user.user_type]).to_string();
    let digest: [u8; 32] = Sha256::digest(text).into();
    let (first, _) = digest.split_at(8);
    format!("{:016x}", first.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)))
}

/// Makes events of a store.
pub(super) struct Teller<'a> {
    /// The store's address.
    pub(super) url: &'a str,
    /// How far its clock is ahead.
    pub(super) ahead: SignedDuration,
    pub(super) now: Timestamp,
}

impl Teller<'_> {
    /// A customer, new or changed.
    pub(super) fn customer(&self, kind: &str, source_id: &str, user: &User) -> Result<Incoming, ShapeError> {
        let at = if kind == "customer.created" { user.timestamp } else { None };
        self.event(kind, source_id, at, json!({ "user": user, "guest": false }))
    }

    /// Somebody who ordered without registering: known by his order.
    pub(super) fn guest(&self, source_id: &str, order: &Order) -> Result<Incoming, ShapeError> {
        let order_value = json!(order);
        let mut user = json!({ "user_id": 0, "user_type": "C", "status": "A", "guest": true });
        let is_his = |name: &str| {
            name.starts_with("b_")
                || name.starts_with("s_")
                || matches!(
                    name,
                    "email" | "firstname" | "lastname" | "phone" | "company" | "lang_code" | "fields"
                )
        };
        for (name, value) in order_value.as_object().into_iter().flatten().filter(|(name, _)| is_his(name)) {
            user[name] = value.clone();
        }
        self.event("customer.created", source_id, order.timestamp, json!({ "user": user, "guest": true }))
    }

    /// An order; `previous_status` is empty where it is not known.
    pub(super) fn order(
        &self,
        kind: &str,
        source_id: &str,
        order: &Order,
        previous_status: &str,
    ) -> Result<Incoming, ShapeError> {
        let at = match kind {
            "order.created" => order.timestamp,
            _ => order.updated_at,
        };
        let mut order = json!(order);
        order["previous_status"] = json!(previous_status);
        if order.get("currency").is_none()
            && let Some(currency) = order.get("secondary_currency").cloned()
        {
            order["currency"] = currency;
        }
        self.event(kind, source_id, at, json!({ "order": order }))
    }

    /// `at` is by the store's clock; what happened cannot have happened later than now.
    fn event(
        &self,
        kind: &str,
        source_id: &str,
        at: Option<Timestamp>,
        data: Value,
    ) -> Result<Incoming, ShapeError> {
        let at = at.and_then(|at| at.checked_sub(self.ahead).ok()).unwrap_or(self.now).min(self.now);
        let body = json!({
            "type": kind,
            "timestamp": format!("{at:.0}"),
            "store": { "url": self.url, "polled": true },
            "data": data,
        });
        Incoming::from_cscart(source_id, body.to_string().into_bytes())
    }
}
