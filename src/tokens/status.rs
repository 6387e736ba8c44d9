//! What people see of it: whether a connection works, and what it may do.

use ghl::oauth::{Operation, Scope, Scopes};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Tokens, Unready};
use crate::connection::ConnectionName;
use crate::flow::Need;
use crate::grant::Holder;
use crate::registry::Live;
use crate::store;

/// Whether a connection can work with HighLevel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// It has a token.
    Connected,
    /// It may read and not write.
    ReadOnly,
    /// It had a token; a person has to do something.
    Disconnected,
    /// Nobody has connected it yet.
    NotConnected,
}

impl ConnectionState {
    /// The word in the API and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::ReadOnly => "read_only",
            Self::Disconnected => "disconnected",
            Self::NotConnected => "not_connected",
        }
    }

    /// Whether calls can go out.
    pub fn works(self) -> bool {
        matches!(self, Self::Connected | Self::ReadOnly)
    }
}

/// How a connection stands with HighLevel.
#[derive(Debug, Clone)]
pub struct Status {
    /// In a word.
    pub state: ConnectionState,
    /// Why, and what to do.
    pub reason: Option<String>,
    /// What the token allows; none: not known, as of a Private Integration Token.
    pub granted: Option<Scopes>,
    /// What the routes need and the token does not allow, as far as it is known.
    pub missing: Scopes,
    /// When the pair is renewed next.
    pub refresh_at: Option<Timestamp>,
    /// When a person allowed it last.
    pub connected_at: Option<Timestamp>,
}

impl Tokens {
    /// What each route of a connection that runs needs.
    pub fn needs(&self, live: &Live) -> Vec<Need> {
        self.inner.setup.routes.of_connection(&live.connection).needs()
    }

    /// Everything that the routes of a connection need.
    pub fn needed(&self, live: &Live) -> Scopes {
        all(&self.needs(live))
    }

    /// The same of a connection that may not be in use yet.
    pub fn needed_by(&self, name: &ConnectionName) -> Scopes {
        all(&self.inner.setup.routes.of(name).needs())
    }

    /// How a connection stands.
    pub async fn status(&self, live: &Live) -> store::Result<Status> {
        let mut status = Status {
            state: ConnectionState::Connected,
            reason: None,
            granted: None,
            missing: self.inner.denials.of(&live.connection.name),
            refresh_at: None,
            connected_at: None,
        };
        if live.connection.ghl.token.is_none()
            && let Ok(attached) = self.attached(live).await
        {
            let grant = attached.slot.grant();
            let granted = match grant.holder {
                Holder::Location(_) => grant.scopes.clone(),
                Holder::Company(_) => {
                    attached.slot.location(live.location()).scopes().unwrap_or_else(|| grant.scopes.clone())
                }
            };
            status.missing = status.missing.union(&granted.missing(&self.needed(live)));
            status.granted = Some(granted);
            status.refresh_at = Some(grant.refresh_at());
            status.connected_at = Some(grant.connected_at);
        }
        match self.check(live).await {
            Ok(()) => {}
            Err(Unready::Store(error)) => return Err(error),
            Err(unready) => {
                status.state = match unready {
                    Unready::NotConnected { .. } => ConnectionState::NotConnected,
                    _ => ConnectionState::Disconnected,
                };
                status.reason = Some(unready.to_string());
                return Ok(status);
            }
        }
        if status.missing.contains(&Scope::CONTACTS_WRITE) {
            status.state = ConnectionState::ReadOnly;
        }
        if !status.missing.is_empty() {
            status.reason = Some(self.lack(live, &status.missing));
        }
        Ok(status)
    }

    /// What of `needed` a connection's token does not allow, as far as it is known.
    pub async fn missing(&self, live: &Live, needed: &Scopes) -> Result<Scopes, Unready> {
        let denied = self.inner.denials.among(&live.connection.name, needed);
        if live.connection.ghl.token.is_some() {
            return Ok(denied);
        }
        let attached = self.attached(live).await?;
        let grant = attached.slot.grant();
        let granted = match grant.holder {
            Holder::Location(_) => Some(grant.scopes.clone()),
            Holder::Company(_) => attached.slot.location(live.location()).scopes(),
        };
        Ok(match granted {
            Some(granted) => denied.union(&granted.missing(needed)),
            None => denied,
        })
    }

    /// The sentence that says what is missing and what to do.
    pub fn lack(&self, live: &Live, missing: &Scopes) -> String {
        let name = &live.connection.name;
        let noun = if missing.len() == 1 { "scope" } else { "scopes" };
        if live.connection.ghl.token.is_some() {
            format!(
                "needs {noun} {missing}: add it to the Private Integration's scopes in HighLevel; it is noticed within 15 minutes, \
                 or at once when the event is replayed"
            )
        } else {
            format!(
                "needs {noun} {missing}: allow it at {}?scopes=needed; what waits then goes on by itself",
                self.connect_url(name)
            )
        }
    }

    /// HighLevel has refused a call for lack of a scope; answers which, as far as that is documented.
    pub fn denied(&self, live: &Live, method: &str, path: &str) -> Option<Scope> {
        let scope = scope_of(method, path)?;
        self.inner.denials.refused(&live.connection.name, scope.clone(), self.now());
        Some(scope)
    }

    /// HighLevel has taken a call: a scope that was missing for it is there by now, and what waits for it may go on.
    pub async fn allowed(&self, live: &Live, method: &str, path: &str) -> store::Result<()> {
        let name = &live.connection.name;
        if self.inner.denials.of(name).is_empty() {
            return Ok(());
        }
        if let Some(scope) = scope_of(method, path)
            && self.inner.denials.allowed(name, &scope)
        {
            tracing::info!(connection = %name, "connection {name} may do what needs the scope {scope} by now");
            self.store().unpark(name, self.now()).await?;
            self.inner.setup.wake.notify_one();
        }
        Ok(())
    }

    /// A person asks for another try: what was refused is not known any more.
    pub fn forget_denials(&self) {
        self.inner.denials.forget_all();
    }
}

fn all(needs: &[Need]) -> Scopes {
    needs.iter().fold(Scopes::new(), |all, need| all.union(&need.scopes()))
}

/// The scope that a call needs ("OAuth 2.0: Scopes"), by its method and path.
fn scope_of(method: &str, path: &str) -> Option<Scope> {
    let asked = segments(path);
    let of_client = Operation::ALL.iter().find(|it| it.method() == method && fits(it.path(), &asked));
    if let Some(operation) = of_client {
        return Some(operation.scope());
    }
    let of_catalogue =
        catalogue::operations().iter().find(|it| it.method.as_str() == method && fits(&it.path, &asked));
    of_catalogue?.scopes.first()?.parse().ok()
}

fn segments(path: &str) -> Vec<&str> {
    path.split('?').next().unwrap_or_default().split('/').filter(|part| !part.is_empty()).collect()
}

/// Whether a path is one of a known form, with names in braces.
fn fits(known: &str, asked: &[&str]) -> bool {
    let known = segments(known);
    known.len() == asked.len()
        && known.iter().zip(asked).all(|(known, asked)| known.starts_with('{') || known == asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_names_its_scope() {
        for (method, path, scope) in [
            ("POST", "/contacts/", Scope::CONTACTS_WRITE),
            ("GET", "/contacts/search/duplicate?email=x", Scope::CONTACTS_READONLY),
            ("GET", "/contacts/abc/tasks/def", Scope::CONTACTS_READONLY),
            ("DELETE", "/contacts/abc/tags", Scope::CONTACTS_WRITE),
            ("GET", "/locations/abc/customFields", Scope::CUSTOM_FIELDS_READONLY),
        ] {
            assert_eq!(scope_of(method, path), Some(scope), "{method} {path}");
        }
        // One that only a plain call of a route makes.
        let scope = scope_of("POST", "/contacts/abc/workflow/def");
        assert_eq!(scope, Some(Scope::CONTACTS_WRITE));
        assert_eq!(scope_of("PATCH", "/contacts/abc"), None);
    }
}
