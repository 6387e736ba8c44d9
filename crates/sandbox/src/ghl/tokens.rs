//! Bearer tokens: the private integration token, and what OAuth hands out.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::LazyLock,
    time::Duration,
};

use base64::Engine as _;
use serde_json::{Value, json};

use super::{
    place::Place,
    rate::{App, Budget},
};
use crate::ids::Ids;

/// Every scope of an operation in the catalogue: what the private integration token has unless a setting narrows it.
pub(crate) static SCOPES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let all = catalogue::operations().iter().flat_map(|operation| &operation.scopes);
    all.map(String::as_str).collect::<BTreeSet<_>>().into_iter().collect()
});

/// What somebody agreed to.
#[derive(Debug, Clone)]
pub(crate) struct Consent {
    pub(crate) place: Place,
    pub(crate) scopes: BTreeSet<String>,
}

/// What an access token allows.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    /// Which budget of the rate limit its requests use.
    pub(crate) budget: Budget,
    pub(crate) scopes: BTreeSet<String>,
    /// When it expires; None: never.
    pub(crate) expires: Option<i64>,
}

/// An authorization code. There is one app, so it is bound to that.
pub(crate) struct Code {
    pub(crate) consent: Consent,
    /// Where the browser brought it; None when no browser was there.
    pub(crate) redirect_uri: Option<String>,
    pub(crate) until: i64,
}

/// Every token and authorization code.
pub(crate) struct Tokens {
    pub(crate) pit: String,
    access: HashMap<String, Grant>,
    refresh: HashMap<String, (Consent, i64)>,
    codes: HashMap<String, Code>,
    used: HashSet<String>,
    refreshed: u64,
    pub(crate) lifetimes: Lifetimes,
}

/// How long things are good for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifetimes {
    /// 86,399 s as documented (oauth.json).
    pub(crate) access: Duration,
    /// A year as documented (oauth-Authorization.md).
    pub(crate) refresh: Duration,
    /// Ten minutes, the longest that RFC 6749 recommends; HighLevel's own is not documented.
    pub(crate) code: Duration,
}

/// A new pair.
pub(crate) struct Pair {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) consent: Consent,
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
            lifetimes: Lifetimes {
                access: Duration::from_secs(86_399),
                refresh: Duration::from_hours(365 * 24),
                code: Duration::from_mins(10),
            },
        };
        tokens.set_pit_scopes(SCOPES.iter().map(|scope| (*scope).to_owned()).collect());
        tokens
    }

    pub(crate) fn set_pit_scopes(&mut self, scopes: BTreeSet<String>) {
        let budget = Budget { app: App::Pit, place: Place::Location };
        self.access.insert(self.pit.clone(), Grant { budget, scopes, expires: None });
    }

    /// The grant behind a bearer token that is known and not expired.
    pub(crate) fn grant(&self, token: &str, now: i64) -> Option<&Grant> {
        self.access.get(token).filter(|grant| grant.expires.is_none_or(|at| now < at))
    }

    /// When a code that is made now ends.
    pub(crate) fn code_until(&self, now: i64) -> i64 {
        after(now, self.lifetimes.code)
    }

    /// A code as the browser would bring it back to the app; good once.
    pub(crate) fn authorize(&mut self, ids: &mut Ids, code: Code) -> String {
        let text = ids.alphanumeric(40);
        self.codes.insert(text.clone(), code);
        text
    }

    /// The first pair for a code; None for a code that is unknown, used, too old, or for another redirect URI. In
    /// any case it is used up.
    pub(crate) fn redeem(
        &mut self,
        ids: &mut Ids,
        now: i64,
        code: &str,
        redirect_uri: Option<&str>,
    ) -> Option<Pair> {
        let code = self.codes.remove(code).filter(|code| now < code.until)?;
        let same = match (&code.redirect_uri, redirect_uri) {
            (Some(bound), Some(given)) => bound == given,
            // `redirect_uri` is not required (oauth.json).
            (_, None) | (None, _) => true,
        };
        same.then(|| self.issue(ids, now, code.consent))
    }

    /// The next pair. A refresh token is good once, without any grace (ghl.md, OAuth).
    pub(crate) fn refresh(&mut self, ids: &mut Ids, now: i64, token: &str) -> Option<Pair> {
        let (consent, _) = self.refresh.remove(token).filter(|(_, until)| now < *until)?;
        self.used.insert(token.to_owned());
        self.refreshed += 1;
        Some(self.issue(ids, now, consent))
    }

    fn issue(&mut self, ids: &mut Ids, now: i64, consent: Consent) -> Pair {
        let access = self.issue_access(ids, now, consent.clone());
        let until = after(now, self.lifetimes.refresh);
        let claims = json!({ "iat": now / 1000, "authClass": consent.place.user_type(), "use": "refresh" });
        let refresh = jwt(ids, &claims);
        self.refresh.insert(refresh.clone(), (consent.clone(), until));
        Pair { access, refresh, consent }
    }

    /// An access token alone, as `POST /oauth/locationToken` gives it.
    pub(crate) fn issue_access(&mut self, ids: &mut Ids, now: i64, consent: Consent) -> String {
        let Consent { place, scopes } = consent;
        let expires = after(now, self.lifetimes.access);
        let claims = json!({ "iat": now / 1000, "exp": expires / 1000, "authClass": place.user_type() });
        let access = jwt(ids, &claims);
        let budget = Budget { app: App::OAuth, place };
        self.access.insert(access.clone(), Grant { budget, scopes, expires: Some(expires) });
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

fn after(now: i64, lifetime: Duration) -> i64 {
    now.saturating_add(i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX))
}

/// A token with the outward form of a JWT, as GHL's are. Its signature is chance: nobody but the issuer reads it.
fn jwt(ids: &mut Ids, claims: &Value) -> String {
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let header = engine.encode(r#"{"alg":"RS256","typ":"JWT"}"#);
    format!("{header}.{}.{}", engine.encode(claims.to_string()), ids.alphanumeric(86))
}
