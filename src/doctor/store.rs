//! The store's side: whether it is there, and takes the API key.

use cscart::{UserQuery, UserType};

use super::net::{Side, reach};
use super::{Chart, Examination, Finding};
use crate::connection::PollingMode;
use crate::polling::cannot_see;
use crate::reason::{Code, Reason};
use crate::registry::Live;

const SIDE: Side = Side {
    who: "the store",
    key: "cscart.url",
    unreachable: Code::StoreUnreachable,
    checks: ["store: DNS", "store: TLS", "store: clock"],
};
const API: &str = "store: API";
const NEWS: &str = "store: news";

pub(super) async fn examine(chart: &mut Chart<'_>, examination: &Examination<'_>, live: &Live) {
    let side = &live.connection.cscart;
    if side.forbids_its_url() {
        let text = "`cscart.url` is plain http to another machine: use https://, or allow it with `cscart.allow_plain_http = true`";
        chart.note(SIDE.checks[0], &Finding::failed(Code::PlainHttp, text));
        chart.skip(&[SIDE.checks[1], SIDE.checks[2], API, NEWS], "the store may not be called this way");
        return;
    }
    if !reach(chart, &SIDE, &side.url, examination.clock).await {
        chart.skip(&[API, NEWS], "the store cannot be reached");
        return;
    }
    chart.check(API, api(live)).await;
    chart.check(NEWS, news(examination, live)).await;
}

/// How the bridge learns what happens in the store: from the add-on, or by asking.
async fn news(examination: &Examination<'_>, live: &Live) -> Finding {
    let heard = match examination.house.store.addon_heard(&live.connection.name).await {
        Ok(heard) => heard,
        Err(error) => return Finding::Failed(Reason::from(&error)),
    };
    let side = &live.connection.cscart;
    let polled = match side.polling {
        PollingMode::On => true,
        PollingMode::Auto => !heard,
        PollingMode::Off => false,
    };
    match (polled && side.has_api(), heard) {
        (true, _) => Finding::Good(format!(
            "the store is polled{}; that cannot see: {}",
            if heard { "" } else { ", as its add-on was never heard" },
            cannot_see(live.cscart.as_ref()).join(", ")
        )),
        (false, true) => Finding::Good("the store's add-on tells them".to_owned()),
        (false, false) => {
            Finding::Skipped("the store's add-on was never heard, and the store is not polled".to_owned())
        }
    }
}

/// Whether the e-mail and the key are taken, and may read users: that is all the bridge does with them.
async fn api(live: &Live) -> Finding {
    let Some(store) = &live.cscart else {
        return Finding::warning(
            Code::StoreKeyMissing,
            "the connection has no `cscart.email` and `cscart.api_key`: a resync, and a note on a customer who is not known yet, \
             cannot ask the store",
        );
    };
    let version = match store.version().await {
        Ok(answer) => answer.value,
        Err(failure) => return Finding::Failed(Reason::from(&failure.error)),
    };
    let one = UserQuery { items_per_page: Some(1), ..UserQuery::new(UserType::Customer) };
    match store.users().list(&one).await {
        Ok(_) => Finding::Good(format!("version {version}; the key is taken, and customers can be read")),
        Err(failure) => Finding::Failed(Reason::from(&failure.error)),
    }
}
