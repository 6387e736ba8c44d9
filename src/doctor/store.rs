//! The store's side: whether it is there, and takes the API key.

use cscart::{UserQuery, UserType};

use super::net::{Side, reach};
use super::{Chart, Examination, Finding, News};
use crate::clock::in_words;
use crate::connection::PollingMode;
use crate::polling::{SEES, cannot_see};
use crate::reason::{Code, Reason};
use crate::registry::Live;

const CHECKS: [&str; 3] = ["store: DNS", "store: TLS", "store: clock"];
const API: &str = "store: API";
const NEWS: &str = "store: news";

pub(super) async fn examine(chart: &mut Chart<'_>, examination: &Examination<'_>, live: &Live) {
    let store = &live.connection.cscart;
    if store.forbids_its_url() {
        let text = "`cscart.url` is plain http to another machine: use https://, or allow it with `cscart.allow_plain_http = true`";
        chart.note(CHECKS[0], &Finding::failed(Code::PlainHttp, text));
        chart.skip(&[CHECKS[1], CHECKS[2], API, NEWS], "the store may not be called this way");
        return;
    }
    let side = Side {
        who: "the store",
        key: "cscart.url",
        unreachable: Code::StoreUnreachable,
        checks: CHECKS,
        clock: if examination.news.polled && !examination.news.awaited {
            Err("the store is polled, and its times are put right by its own answers: its clock may differ")
        } else {
            Ok(())
        },
    };
    if !reach(chart, &side, &store.url, examination.clock).await {
        chart.skip(&[API, NEWS], "the store cannot be reached");
        return;
    }
    chart.check(API, api(live)).await;
    chart.check(NEWS, news(examination, live)).await;
}

/// How the bridge learns what happens in the store: from the add-on, or by asking.
async fn news(examination: &Examination<'_>, live: &Live) -> Finding {
    let News { polled, heard, .. } = examination.news;
    if !polled && heard {
        return Finding::Good("the store's add-on tells them".to_owned());
    }
    if !polled {
        let text = "the store's add-on was never heard, and the store is not polled";
        return Finding::Skipped(text.to_owned());
    }
    let last = match examination.house.store.last_read(&live.connection.name).await {
        Ok(Some(at)) => {
            let ago = examination.clock.now().duration_since(at).as_secs().max(0) as u64;
            format!("last read {} ago, at {at:.0}", in_words(ago))
        }
        Ok(None) => "not read yet: the running bridge does that".to_owned(),
        Err(error) => return Finding::Failed(Reason::from(&error)),
    };
    let why = match live.connection.cscart.polling {
        PollingMode::On => "as `cscart.polling` says",
        PollingMode::Auto | PollingMode::Off => "as long as its add-on was never heard",
    };
    Finding::Good(format!(
        "the store is polled, {why}; {last}. That sees {SEES}. It cannot see: {}",
        cannot_see(live.cscart.as_ref()).join(", ")
    ))
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
