//! API keys at the door. A handler that asks for `Allowed<Operate>` runs only for those who may operate.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use secrecy::SecretString;

use super::Shared;
use super::error::Problem;
use crate::access::{KeyHash, Role};
use crate::reason::Code;

/// The admin key from the environment, as its hash: it is kept nowhere in clear.
#[derive(Clone, Copy, Debug)]
pub struct AdminKey(pub Option<KeyHash>);

/// A right that a key must have.
pub trait Right: Send + Sync {
    /// The role that has it.
    const ROLE: Role;
}

/// To see.
#[derive(Debug)]
pub struct Read;
/// To replay and resync.
#[derive(Debug)]
pub struct Operate;
/// To change connections.
#[derive(Debug)]
pub struct Admin;

impl Right for Read {
    const ROLE: Role = Role::Read;
}
impl Right for Operate {
    const ROLE: Role = Role::Operate;
}
impl Right for Admin {
    const ROLE: Role = Role::Admin;
}

/// Proof that the caller has a right.
#[derive(Debug)]
pub struct Allowed<R>(PhantomData<R>);

impl<R: Right> FromRequestParts<Shared> for Allowed<R> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, Problem> {
        let key = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, key)| SecretString::from(key.trim()));
        let Some(key) = key else {
            return Err(unauthorized(
                "send an API key as `Authorization: Bearer <key>`; `cartbridge key add` makes one",
            ));
        };
        let hash = KeyHash::of(&key);
        let role = match state.admin_key.0 {
            Some(admin) if admin == hash => Role::Admin,
            _ => match state.store.key_by_hash(hash).await? {
                Some(key) => key.role,
                None => {
                    return Err(unauthorized(
                        "this API key is unknown or revoked; `cartbridge key list` shows the keys",
                    ));
                }
            },
        };
        if role < R::ROLE {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                Code::Forbidden,
                "The key does not allow this",
                format!("this needs a key with the role `{}`, and this one has `{role}`", R::ROLE),
            ));
        }
        Ok(Self(PhantomData))
    }
}

fn unauthorized(detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, Code::Unauthorized, "The API needs a key", detail)
}
