//! How an app comes into a location, and out of it again.

use std::collections::BTreeSet;

use serde_json::{Map, json};

use super::{
    place::Place,
    state::State,
    tokens::{Code, Consent, SCOPES},
};

/// Somebody lets the app in: a code, and the webhook `INSTALL` (AppInstall.md).
pub(crate) fn authorize(
    state: &mut State,
    place: Place,
    scopes: BTreeSet<String>,
    redirect_uri: Option<String>,
    now: i64,
) -> String {
    let locations: &[Place] = match place {
        Place::Location => &[Place::Location],
        Place::Other => &[Place::Other],
        Place::Company => &[Place::Location, Place::Other],
    };
    for location in locations {
        state.at(*location, |state| state.installed_at = Some(state.installed_at.unwrap_or(now)));
    }
    if place == Place::Company {
        // "For Agency Level App Install": no location and no user.
        state.emit_for_company("INSTALL", |_| Map::new());
    } else {
        state.at(place, |state| {
            // "For Location Level App Install if company is non whitelabeled".
            state.emit("INSTALL", |state| {
                let user = state.users.first().map(|user| user["id"].clone()).unwrap_or_default();
                Map::from_iter([
                    (String::from("userId"), user),
                    (String::from("isWhitelabelCompany"), json!(false)),
                    (String::from("whitelabelDetails"), json!({})),
                    (String::from("companyName"), state.location["name"].clone()),
                ])
            });
        });
    }
    let until = state.tokens.code_until(now);
    state.tokens.authorize(&mut state.ids, Code { consent: Consent { place, scopes }, redirect_uri, until })
}

/// Everything that OAuth handed out is void, and `UNINSTALL` is sent (AppUninstall.md): for the announced
/// location in any case, for the other one if it had the app.
pub(crate) fn uninstall(state: &mut State) {
    state.tokens.revoke();
    for place in [Place::Location, Place::Other] {
        state.at(place, |state| {
            let had = state.installed_at.take().is_some();
            if had || place == Place::Location {
                state.emit("UNINSTALL", |_| Map::new());
            }
        });
    }
}

/// The scopes that the app does not have in HighLevel's marketplace.
pub(crate) fn unknown_scope<'a>(mut scopes: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    scopes.find(|scope| !SCOPES.contains(scope))
}
