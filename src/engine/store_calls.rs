//! Calls to the store, for the operations that ask it.

use super::Engine;
use super::verdict::{self, Verdict};
use crate::reason::Code;
use crate::registry::Live;

/// Why a connection that was stored before its URLs were checked is not called.
pub(super) fn in_clear(url: &str, permission: &str) -> Verdict {
    let text = format!(
        "`{url}` is plain http to another machine: use https://, or allow it with `{permission} = true`"
    );
    Verdict::park(Code::PlainHttp, text)
}

/// The customer as the store's REST API shows him: the short form, without addresses.
pub(super) async fn fetch_user(engine: &Engine, live: &Live, id: u64) -> Result<cscart::User, Verdict> {
    asked(engine, store_client(live)?.users().get(id.into()).await)
}

/// The client of the store's REST API.
pub(super) fn store_client(live: &Live) -> Result<&cscart::Client, Verdict> {
    if live.connection.cscart.forbids_its_url() {
        return Err(in_clear("cscart.url", "cscart.allow_plain_http"));
    }
    live.cscart.as_ref().ok_or_else(|| {
        Verdict::park(
            Code::StoreKeyMissing,
            "the store cannot be asked: give the connection `cscart.email` and `cscart.api_key`",
        )
    })
}

/// What the store has answered, counted.
pub(super) fn asked<T>(engine: &Engine, answer: cscart::Result<T>) -> Result<T, Verdict> {
    let (exchange, outcome) = match answer {
        Ok(answer) => (answer.exchange, Ok(answer.value)),
        Err(failure) => (*failure.exchange, Err(failure.error)),
    };
    engine.monitor.call("cscart", exchange.status.unwrap_or(0), exchange.duration);
    outcome.map_err(|error| verdict::of_cscart(&error, engine.clock.now()))
}
