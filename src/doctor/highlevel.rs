//! HighLevel's side: whether it is there, takes the token, allows what the routes need, and for which location.

use ghl::oauth::{Scope, Scopes};
use ghl::{Duplicate, Location};

use super::net::{Side, reach};
use super::{Chart, Examination, Finding};
use crate::reason::{Code, Reason};
use crate::registry::Live;
use crate::tokens::{Tokens, Unready};

const SIDE: Side = Side {
    who: "HighLevel",
    key: "ghl.api_url",
    unreachable: Code::HighlevelUnreachable,
    checks: ["HighLevel: DNS", "HighLevel: TLS", "HighLevel: clock"],
    clock: Ok(()),
};
const TOKEN: &str = "HighLevel: token";
const SCOPES: &str = "HighLevel: scopes";
const LOCATION: &str = "HighLevel: location";

/// Asked for to see whether contacts may be read: a domain in which nobody has an address (RFC 2606).
const NOBODY: &str = "nobody@example.com";

/// Why a call brought nothing.
enum Trouble {
    /// The token is good, and does not allow this call.
    Scope,
    /// Anything else.
    Other(Reason),
}

/// What the calls have shown.
struct Seen {
    location: Result<Location, Trouble>,
    contacts: Result<(), Trouble>,
}

pub(super) async fn examine(chart: &mut Chart<'_>, examination: &Examination<'_>, live: &Live) {
    let side = &live.connection.ghl;
    if side.forbids_its_url() {
        let text = "`ghl.api_url` is plain http to another machine: use https://, or allow it with `ghl.allow_plain_http = true`";
        chart.note(SIDE.checks[0], &Finding::failed(Code::PlainHttp, text));
        chart.skip(
            &[SIDE.checks[1], SIDE.checks[2], TOKEN, SCOPES, LOCATION],
            "HighLevel may not be called this way",
        );
        return;
    }
    if !reach(chart, &SIDE, &side.api_url, examination.clock).await {
        chart.skip(&[TOKEN, SCOPES, LOCATION], "HighLevel cannot be reached");
        return;
    }
    let mut seen = None;
    if !chart.check(TOKEN, token(examination, live, &mut seen)).await {
        chart.skip(&[SCOPES, LOCATION], "there is no token that HighLevel takes");
        return;
    }
    let Some(seen) = seen else { return };
    chart.check(SCOPES, scopes(examination, live, &seen)).await;
    chart.note(LOCATION, &location(live, &seen));
}

/// Whether HighLevel takes the token. Nothing is written: the location is read, and a contact that nobody has is asked for.
async fn token(examination: &Examination<'_>, live: &Live, seen: &mut Option<Seen>) -> Finding {
    let tokens = examination.tokens;
    let id = &live.connection.ghl.location_id;
    let Some(client) = &live.ghl else {
        return Finding::failed(Code::Configuration, "`ghl.api_url` cannot be used: write it as https://…");
    };
    let location = ask(tokens, live, client, async |ghl| ghl.locations().get(id).await).await;
    let contacts = ask(tokens, live, client, async |ghl| {
        ghl.contacts().find_duplicate(id, Duplicate::Email(NOBODY)).await
    })
    .await;
    let contacts = contacts.map(drop);
    if let (Err(Trouble::Other(reason)), Err(_)) = (&contacts, &location)
        && reason.code != Code::WrongLocation
    {
        return Finding::Failed(reason.clone());
    }
    *seen = Some(Seen { location, contacts });
    if live.connection.ghl.token.is_some() {
        return Finding::Good("HighLevel takes the Private Integration Token".to_owned());
    }
    match tokens.status(live).await {
        Ok(status) => Finding::Good(match status.refresh_at {
            Some(at) => format!("connected by OAuth; renewed by itself, next at {at:.0}"),
            None => "connected by OAuth".to_owned(),
        }),
        Err(error) => Finding::Failed(Reason::from(&error)),
    }
}

/// Makes a call as the bridge does: with a token that is renewed when its time has come, or once when HighLevel refuses it.
async fn ask<T>(
    tokens: &Tokens,
    live: &Live,
    client: &ghl::Client,
    call: impl AsyncFn(&ghl::Client) -> ghl::Result<T>,
) -> Result<T, Trouble> {
    let unready = |unready: Unready| Trouble::Other(Reason::from(&unready));
    let bearer = tokens.bearer(live).await.map_err(unready)?;
    let mut answer = call(&client.with_token(bearer.token.clone())).await;
    if let Err(failure) = &answer
        && matches!(failure.error, ghl::Error::Unauthorized { .. })
    {
        let newer = tokens.after_401(live, &bearer).await.map_err(unready)?;
        answer = call(&client.with_token(newer.token.clone())).await;
    }
    match answer {
        Ok(answer) => Ok(answer.value),
        Err(failure) => Err(match &failure.error {
            ghl::Error::MissingScope { .. } => Trouble::Scope,
            ghl::Error::Unauthorized { .. } => unready(tokens.refused(live)),
            error => Trouble::Other(Reason::from(error)),
        }),
    }
}

/// Whether the token allows what the routes need.
async fn scopes(examination: &Examination<'_>, live: &Live, seen: &Seen) -> Finding {
    let tokens = examination.tokens;
    if let Err(Trouble::Other(reason)) = &seen.contacts {
        return match reason.code {
            Code::WrongLocation => {
                Finding::Skipped("for another location nothing can be said about it".to_owned())
            }
            _ => Finding::Failed(reason.clone()),
        };
    }
    let status = match tokens.status(live).await {
        Ok(status) => status,
        Err(error) => return Finding::Failed(Reason::from(&error)),
    };
    let needed = tokens.needed(live);
    let mut refused = Scopes::new();
    if matches!(seen.contacts, Err(Trouble::Scope)) {
        refused = refused.union(&[Scope::CONTACTS_READONLY].into());
    }
    if matches!(seen.location, Err(Trouble::Scope)) && needed.contains(&Scope::LOCATIONS_READONLY) {
        refused = refused.union(&[Scope::LOCATIONS_READONLY].into());
    }
    let missing = status.missing.union(&refused);
    if !missing.is_empty() {
        return Finding::failed(Code::NeedsScope, tokens.lack(live, &missing));
    }
    Finding::Good(match status.granted {
        Some(granted) => format!("all that the routes need ({needed}); allowed: {granted}"),
        None => format!(
            "contacts can be read; the routes need {needed}. HighLevel does not tell what a Private Integration Token allows, and \
             nothing is written to find out"
        ),
    })
}

/// Whether the token is for this location.
fn location(live: &Live, seen: &Seen) -> Finding {
    let id = &live.connection.ghl.location_id;
    let failed = |reason: &Reason| {
        if reason.code == Code::GoneInHighlevel {
            let text = format!("HighLevel knows no location {id}: correct `ghl.location_id`");
            return Finding::failed(Code::WrongLocation, text);
        }
        Finding::Failed(reason.clone())
    };
    match (&seen.location, &seen.contacts) {
        (Ok(location), _) => {
            let duplicates = match location.settings.allow_duplicate_contact {
                Some(true) => "allowed",
                Some(false) => "not allowed",
                None => "not told",
            };
            let name = location.name.as_deref().unwrap_or("without a name");
            Finding::Good(format!("{id} ({name}); duplicate contacts: {duplicates}"))
        }
        (Err(Trouble::Other(reason)), _) | (_, Err(Trouble::Other(reason))) => failed(reason),
        (Err(Trouble::Scope), Ok(())) => Finding::Good(format!(
            "the token is for {id}; without the scope locations.readonly it is not known whether duplicate contacts are allowed"
        )),
        (Err(Trouble::Scope), Err(Trouble::Scope)) => {
            Finding::Skipped("the token allows nothing that would tell".to_owned())
        }
    }
}
