//! The store's side: whether it is there, and takes the API key.

use cscart::{UserQuery, UserType};

use super::net::{Side, reach};
use super::{Chart, Examination, Finding};
use crate::reason::{Code, Reason};
use crate::registry::Live;

const SIDE: Side = Side {
    who: "the store",
    key: "cscart.url",
    unreachable: Code::StoreUnreachable,
    checks: ["store: DNS", "store: TLS", "store: clock"],
};
const API: &str = "store: API";

pub(super) async fn examine(chart: &mut Chart<'_>, examination: &Examination<'_>, live: &Live) {
    let side = &live.connection.cscart;
    if side.forbids_its_url() {
        let text = "`cscart.url` is plain http to another machine: use https://, or allow it with `cscart.allow_plain_http = true`";
        chart.note(SIDE.checks[0], &Finding::failed(Code::PlainHttp, text));
        chart.skip(&[SIDE.checks[1], SIDE.checks[2], API], "the store may not be called this way");
        return;
    }
    if !reach(chart, &SIDE, &side.url, examination.clock).await {
        chart.skip(&[API], "the store cannot be reached");
        return;
    }
    chart.check(API, api(live)).await;
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
