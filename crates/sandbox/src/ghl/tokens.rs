//! Bearer tokens: the private integration token, and what OAuth hands out.

use std::collections::{BTreeSet, HashMap, HashSet};

use base64::Engine as _;
use serde_json::{Value, json};

use crate::ids::Ids;

/// Every scope of an operation that the sandbox serves, and the others that the bridge's documentation names: what
/// the private integration token has unless a setting narrows it.
pub(crate) const SCOPES: &[&str] = &[
    "businesses.readonly",
    "businesses.write",
    "calendars/events.readonly",
    "contacts.readonly",
    "contacts.write",
    "locations.readonly",
    "locations/customFields.readonly",
    "locations/customFields.write",
    "locations/tags.readonly",
    "locations/tags.write",
    "locations/tasks.readonly",
    "oauth.readonly",
    "oauth.write",
    "opportunities.readonly",
    "opportunities.write",
    "users.readonly",
    "workflows.readonly",
];

/// Whom a token speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Location,
    Company,
}

impl Level {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Location => "Location",
            Self::Company => "Company",
        }
    }
}

/// What an access token allows.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    /// Which budget of the rate limit its requests use: `pit` or `app`.
    pub(crate) app: &'static str,
    pub(crate) level: Level,
    pub(crate) scopes: BTreeSet<String>,
    /// When it expires; None: never.
    pub(crate) expires: Option<i64>,
}

/// Every token and authorization code.
pub(crate) struct Tokens {
    pub(crate) pit: String,
    access: HashMap<String, Grant>,
    refresh: HashMap<String, (Level, BTreeSet<String>)>,
    codes: HashMap<String, (Level, BTreeSet<String>)>,
    used: HashSet<String>,
    refreshed: u64,
    /// How long an access token is good for; 86,399 seconds as documented.
    pub(crate) lifetime_s: u64,
}

/// A new pair.
pub(crate) struct Pair {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) level: Level,
    pub(crate) scopes: BTreeSet<String>,
}

impl Tokens {
    pub(crate) fn new(pit: String) -> Self {
        let mut tokens = Self {
            pit,
            access: HashMap::new(),
            refresh: HashMap::new(),
            codes: HashMap::new(),
            used: HashSet::new(),
            refreshed: 0,
            lifetime_s: 86_399,
        };
        tokens.set_pit_scopes(SCOPES.iter().map(|scope| (*scope).to_owned()).collect());
        tokens
    }

    pub(crate) fn set_pit_scopes(&mut self, scopes: BTreeSet<String>) {
        let grant = Grant { app: "pit", level: Level::Location, scopes, expires: None };
        self.access.insert(self.pit.clone(), grant);
    }

    /// The grant behind a bearer token that is known and not expired.
    pub(crate) fn grant(&self, token: &str, now: i64) -> Option<&Grant> {
        self.access.get(token).filter(|grant| grant.expires.is_none_or(|at| now < at))
    }

    /// A code as the browser would bring it back to the app; good once.
    pub(crate) fn authorize(&mut self, ids: &mut Ids, level: Level, scopes: BTreeSet<String>) -> String {
        let code = ids.alphanumeric(40);
        self.codes.insert(code.clone(), (level, scopes));
        code
    }

    /// The first pair for a code; None for a code that is unknown or used.
    pub(crate) fn redeem(&mut self, ids: &mut Ids, now: i64, code: &str) -> Option<Pair> {
        let (level, scopes) = self.codes.remove(code)?;
        Some(self.issue(ids, now, level, scopes))
    }

    /// The next pair. A refresh token is good once, without any grace (ghl.md, OAuth).
    pub(crate) fn refresh(&mut self, ids: &mut Ids, now: i64, token: &str) -> Option<Pair> {
        let (level, scopes) = self.refresh.remove(token)?;
        self.used.insert(token.to_owned());
        self.refreshed += 1;
        Some(self.issue(ids, now, level, scopes))
    }

    fn issue(&mut self, ids: &mut Ids, now: i64, level: Level, scopes: BTreeSet<String>) -> Pair {
        let access = self.issue_access(ids, now, level, scopes.clone());
        let refresh = jwt(ids, &json!({ "iat": now / 1000, "authClass": level.name(), "use": "refresh" }));
        self.refresh.insert(refresh.clone(), (level, scopes.clone()));
        Pair { access, refresh, level, scopes }
    }

    /// An access token alone, as `POST /oauth/locationToken` gives it.
    pub(crate) fn issue_access(
        &mut self,
        ids: &mut Ids,
        now: i64,
        level: Level,
        scopes: BTreeSet<String>,
    ) -> String {
        let expires = now + self.lifetime_s as i64 * 1000;
        let access =
            jwt(ids, &json!({ "iat": now / 1000, "exp": expires / 1000, "authClass": level.name() }));
        self.access.insert(access.clone(), Grant { app: "app", level, scopes, expires: Some(expires) });
        access
    }

    /// Every OAuth access token ends now; refresh tokens stay good.
    pub(crate) fn expire(&mut self, now: i64) {
        for grant in self.access.values_mut().filter(|grant| grant.expires.is_some()) {
            grant.expires = Some(now);
        }
    }

    /// Everything that OAuth handed out is void, as after an uninstall.
    pub(crate) fn revoke(&mut self) {
        self.access.retain(|_, grant| grant.expires.is_none());
        self.refresh.clear();
        self.codes.clear();
    }

    /// Counts for the state: never the tokens themselves.
    pub(crate) fn counts(&self, now: i64) -> Value {
        let live = |grant: &&Grant| grant.expires.is_some_and(|at| now < at);
        json!({
            "access": self.access.values().filter(live).count(),
            "refresh": self.refresh.len(),
            "codes": self.codes.len(),
            "refreshed": self.refreshed,
            "used_refresh_tokens": self.used.len(),
            "pit_scopes": self.access.get(&self.pit).map(|grant| &grant.scopes),
        })
    }
}

/// A token with the outward form of a JWT, as GHL's are. Its signature is chance: nobody but the issuer reads it.
fn jwt(ids: &mut Ids, claims: &Value) -> String {
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let header = engine.encode(r#"{"alg":"RS256","typ":"JWT"}"#);
    format!("{header}.{}.{}", engine.encode(claims.to_string()), ids.alphanumeric(86))
}
