//! What a job will cost, before it begins.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::calls::{Caller, Trouble};
use super::{JobKind, Options, PAGE_SIZE, custom_fields, customers, scan};
use crate::clock::Clock;
use crate::connection::GhlSide;
use crate::monitor::Monitor;
use crate::registry::Live;
use crate::store::{self, Store};
use crate::tokens::Tokens;

/// How long a window of HighLevel's rate limit is, as documented ("OAuth 2.0: Authorization", rate limits).
pub(super) const WINDOW: Duration = Duration::from_secs(10);
/// How many requests one allows, as documented.
pub const ALLOWED: u32 = 100;

/// How many of these are meant for the bridge, by a connection of its own.
pub fn allowed(side: &GhlSide) -> u32 {
    side.requests_per_window.unwrap_or(ALLOWED).clamp(1, ALLOWED)
}

/// What a job will cost, as far as it can be told before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Estimate {
    /// How many customers are looked at.
    pub customers: u64,
    /// How many contacts the location has.
    pub contacts: u64,
    /// How many of the store's customers are linked with a contact already.
    pub linked: u64,
    /// How many calls to HighLevel it should take: pages and custom fields to read, and one for each customer who is not linked.
    pub calls: u64,
    /// How many it can take, if every customer has changed.
    pub calls_at_most: u64,
    /// How long that should take, in seconds, if nothing else uses the rate limit.
    pub seconds: u64,
    /// How long it can take.
    pub seconds_at_most: u64,
}

/// What is asked for.
pub struct Asked<'a> {
    /// The connection.
    pub live: &'a Live,
    /// What kind of job.
    pub kind: JobKind,
    /// What was chosen.
    pub options: Options,
}

/// Asks both sides how many there are (one call each), and reckons. An error is a sentence: the job would meet with the same.
pub async fn estimate(
    store: &dyn Store,
    tokens: &Tokens,
    clock: &Clock,
    monitor: &Monitor,
    asked: Asked<'_>,
) -> Result<Estimate, String> {
    let told = |trouble| match trouble {
        Trouble::Wait { why, .. } | Trouble::Retry(why) | Trouble::Fatal(why) => why.text,
        Trouble::Store(error) => store::in_full(&error),
    };
    let Asked { live, kind, options } = asked;
    let name = &live.connection.name;
    let caller = Caller::new(live, tokens, clock, monitor);
    let contacts = scan::count(&caller).await.map_err(told)?.unwrap_or_default();
    let all = customers::count(&caller).await.map_err(told)?.unwrap_or_default();
    let linked = store.count_links(name).await.map_err(|error| store::in_full(&error))?;
    let customers = match (options.since, options.sample) {
        (Some(since), _) => {
            let found = store.customers_with_events(name, since).await;
            found.map_err(|error| store::in_full(&error))?.len() as u64
        }
        (None, Some(sample)) => all.min(u64::from(sample)),
        (None, None) => all,
    };
    let sends = kind != JobKind::Verify && !options.dry_run;
    let definitions = u64::from(custom_fields::fills_any(live));
    let (calls, calls_at_most) = if options.is_partial() {
        let first = 2 + definitions;
        (first + customers, first + customers * if sends { 2 } else { 1 })
    } else {
        let pages =
            contacts.div_ceil(u64::from(options.page_size.unwrap_or(PAGE_SIZE))).max(1) + 1 + definitions;
        let fresh = customers.saturating_sub(linked);
        if sends { (pages + fresh, pages + customers) } else { (pages, pages) }
    };
    let window = u64::from(allowed(&live.connection.ghl));
    let seconds = |calls: u64| (calls * WINDOW.as_secs()).div_ceil(window);
    Ok(Estimate {
        customers,
        contacts,
        linked,
        calls,
        calls_at_most,
        seconds: seconds(calls),
        seconds_at_most: seconds(calls_at_most),
    })
}
