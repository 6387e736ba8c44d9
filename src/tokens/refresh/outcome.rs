//! What came of asking for a new pair.

use std::time::Duration;

use ghl::oauth::TokenSet;
use jiff::Timestamp;

use crate::grant::{Disconnected, Grant, Holder, NewPair, Pair, SecretPrint};

/// What a turn came to.
pub(super) enum Outcome {
    New(Box<NewPair>),
    /// A person has to do something. The print stands for whichever secret was sent.
    Over(Disconnected),
    Failed {
        why: String,
        maybe_used: bool,
        retry_after: Option<Duration>,
    },
}

/// A pair as HighLevel has answered it, if it is for whom the one before was.
pub(super) fn read(grant: &Grant, set: TokenSet, asked_at: Timestamp) -> Outcome {
    if let (Holder::Location(ours), Some(theirs)) = (&grant.holder, &set.location_id)
        && ours != theirs
    {
        return Outcome::Over(Disconnected {
            reason: format!(
                "HighLevel has answered with tokens for another location ({theirs}) instead of {ours}"
            ),
            refused_secret: None,
        });
    }
    let expires_at = set.expires_at(asked_at);
    Outcome::New(Box::new(NewPair {
        pair: Pair { access_token: set.access_token, refresh_token: set.refresh_token },
        scopes: set.scopes,
        issued_at: asked_at,
        expires_at,
    }))
}

/// What an answer without a pair means. `cut_off_before`: this refresh token was sent before, with no answer on record.
pub(super) fn of_error(error: &ghl::Error, cut_off_before: bool) -> Outcome {
    use ghl::Error;
    let over = |reason: String| Outcome::Over(Disconnected { reason, refused_secret: None });
    let failed = |maybe_used, retry_after| Outcome::Failed {
        why: format!("the tokens cannot be renewed at the moment: {error}"),
        maybe_used,
        retry_after,
    };
    match error {
        Error::InvalidGrant { .. } | Error::Invalid { .. } | Error::Unauthorized { .. } if cut_off_before => {
            over(format!(
                "renewing the tokens was cut off before the new ones arrived, and HighLevel takes each refresh token only once \
                 ({error})"
            ))
        }
        Error::InvalidGrant { .. } | Error::Invalid { .. } | Error::Unauthorized { .. } => over(format!(
            "HighLevel does not renew the tokens ({error}): the app was uninstalled, the tokens were renewed elsewhere (by \
             another copy of this database, or since it was backed up), or they are more than a year old"
        )),
        Error::InvalidClient { message } => Outcome::Over(Disconnected {
            reason: format!(
                "HighLevel refuses the client id or secret ({message}): correct `ghl.oauth.client_secret` of the connection; \
                 nothing else is lost"
            ),
            refused_secret: Some(SecretPrint([0; 16])),
        }),
        // Answered, and not with what was promised: what it was is lost, and once more shows whether that stays so.
        Error::Protocol { .. } if cut_off_before => over(format!(
            "HighLevel has answered without usable tokens ({error}), and takes each refresh token only once"
        )),
        Error::RateLimited { retry_after, .. } => failed(false, *retry_after),
        Error::Unavailable { retry_after, .. } => failed(error.maybe_processed(), *retry_after),
        _ => failed(error.maybe_processed(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_highlevel_says_clearly_puts_tokens_out_of_use() {
        let over = |error, cut_off| matches!(of_error(&error, cut_off), Outcome::Over(_));
        let words = || String::from("words");
        assert!(over(ghl::Error::InvalidGrant { message: words() }, false));
        assert!(over(ghl::Error::InvalidClient { message: words() }, false));
        assert!(!over(ghl::Error::Unavailable { status: 503, retry_after: None }, true));
        assert!(!over(ghl::Error::RateLimited { retry_after: None, daily: false }, true));
        assert!(!over(ghl::Error::Refused { status: 403, message: words() }, true), "a firewall's, perhaps");
        let unread = || ghl::Error::Protocol { status: 200, path: ".".into(), source: "x".into() };
        assert!(!over(unread(), false) && over(unread(), true), "once more, and no more");
    }
}
