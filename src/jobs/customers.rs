//! The store's customers, a page at a time and by their ids: the order that stays the same while customers are added.

use cscart::{OrderQuery, SortOrder, User, UserQuery, UserSort, UserType};
use jiff::Timestamp;

use super::calls::{Caller, Hands, Trouble};
use super::{Item, Job, Outcome, Place, Progress};
use crate::store::jobs::{Chunk, Step};

/// How many customers are read with one call to the store.
pub(super) const PAGE: u64 = 100;

/// Customers to be compared, and where it goes on behind them.
pub(super) struct Page {
    /// By their ids, each greater than the last one compared.
    pub(super) users: Vec<(u64, User)>,
    /// Those of whom the store does not know any more.
    pub(super) unknown: Vec<u64>,
    /// Where it goes on; none: these were the last.
    pub(super) next: Option<Place>,
    /// When the store was asked: what it says may have been so then.
    pub(super) at: Timestamp,
    /// How many there are.
    pub(super) total: Option<u64>,
}

/// How many customers the store has: one call.
pub(super) async fn count(caller: &Caller<'_>) -> Result<Option<u64>, Trouble> {
    let query = UserQuery { items_per_page: Some(1), ..UserQuery::new(UserType::Customer) };
    let page = caller.store(async |store| store.users().list(&query).await).await?;
    Ok(page.total_items.or_else(|| page.page.is_none().then_some(page.items.len() as u64)))
}

/// The next customers of the whole store.
pub(super) async fn next(
    caller: &Caller<'_>,
    page: u64,
    last: u64,
    total: Option<u64>,
) -> Result<Page, Trouble> {
    let at = caller.clock.now();
    let query =
        UserQuery { page: Some(page), items_per_page: Some(PAGE), ..UserQuery::new(UserType::Customer) };
    let read = caller.store(async |store| store.users().list(&query).await).await?;
    let now = read.total_items;
    let nothing = |next| Page { users: Vec::new(), unknown: Vec::new(), next, at, total: now };
    if let (Some(before), Some(now)) = (total, now)
        && now < before
        && page > 1
    {
        // Some were deleted, so the others have moved forward: over the end of the page before, perhaps.
        let back = (before - now).div_ceil(PAGE);
        let page = page.saturating_sub(back).max(1);
        return Ok(nothing(Some(Place::Customers { page, last, total: Some(now) })));
    }
    // A page past the end is the last page again (`db_get_valid_page` in CS-Cart).
    if read.page.is_some_and(|number| number < page) {
        return Ok(nothing(None));
    }
    let is_last = read.is_last();
    let mut users: Vec<(u64, User)> =
        read.items.into_iter().filter_map(|user| Some((user.user_id?.0, user))).collect();
    users.retain(|(id, _)| *id > last);
    users.sort_by_key(|(id, _)| *id);
    users.dedup_by_key(|(id, _)| *id);
    // A store that repeats a page and does not say how many there are would never end.
    let repeats = users.is_empty() && now.is_none();
    let last = users.last().map_or(last, |(id, _)| *id);
    let next = (!is_last && !repeats).then_some(Place::Customers { page: page + 1, last, total: now });
    Ok(Page { users, unknown: Vec::new(), next, at, total: now })
}

/// The next of the customers who were chosen.
pub(super) async fn chosen(hands: &Hands<'_>, job: &Job, last: u64) -> Result<Page, Trouble> {
    let at = hands.caller.clock.now();
    let ids = hands.store.pending_of_job(job.id, last, PAGE as usize / 2).await?;
    let Some(end) = ids.last().copied() else {
        return Ok(Page { users: Vec::new(), unknown: Vec::new(), next: None, at, total: None });
    };
    let query = UserQuery {
        user_ids: ids.iter().map(|id| (*id).into()).collect(),
        page: Some(1),
        items_per_page: Some(PAGE),
        ..UserQuery::new(UserType::Customer)
    };
    let read = hands.caller.store(async |store| store.users().list(&query).await).await?;
    let mut users: Vec<(u64, User)> =
        read.items.into_iter().filter_map(|user| Some((user.user_id?.0, user))).collect();
    users.retain(|(id, _)| ids.contains(id));
    users.sort_by_key(|(id, _)| *id);
    users.dedup_by_key(|(id, _)| *id);
    let unknown = ids.iter().filter(|id| !users.iter().any(|(known, _)| known == *id)).copied().collect();
    let next = Some(Place::Customers { page: 1, last: end, total: None });
    Ok(Page { users, unknown, next, at, total: None })
}

/// Chooses some of the customers: one page of them.
pub(super) async fn choose(hands: &Hands<'_>, job: &Job, page: u64) -> Result<(Step, Chunk), Trouble> {
    let (ids, over) = match (job.options.since, job.options.sample) {
        (Some(since), _) => of_late(hands, job, since, page).await?,
        (None, sample) => sampled(hands, job, u64::from(sample.unwrap_or(1)), page).await?,
    };
    let items: Vec<Item> = ids.into_iter().map(|id| Item::of_customer(id, Outcome::Pending)).collect();
    let place = if over {
        Place::Customers { page: 1, last: 0, total: None }
    } else {
        Place::Choosing { page: page + 1 }
    };
    Ok((Step { place, progress: Progress::default() }, Chunk { items, ..Chunk::default() }))
}

/// Those with events since then, those with orders, and those who have registered. Who has changed something else since is known only
/// where all are compared: the store cannot be asked for it.
async fn of_late(
    hands: &Hands<'_>,
    job: &Job,
    since: Timestamp,
    page: u64,
) -> Result<(Vec<u64>, bool), Trouble> {
    let mut ids = match page {
        1 => hands.store.customers_with_events(&job.connection, since).await?,
        _ => Vec::new(),
    };
    let query = OrderQuery { updated_from: Some(since), page: Some(page), ..OrderQuery::default() };
    let read = hands.caller.store(async |store| store.orders().list(&query).await).await?;
    let no_more_orders = read.is_last() || read.page.is_some_and(|number| number < page);
    ids.extend(read.items.iter().filter_map(|order| order.user_id).map(u64::from));
    let query = UserQuery {
        sort_by: UserSort::Registered,
        sort_order: SortOrder::Descending,
        page: Some(page),
        items_per_page: Some(PAGE),
        ..UserQuery::new(UserType::Customer)
    };
    let read = hands.caller.store(async |store| store.users().list(&query).await).await?;
    let is_old = |user: &User| user.timestamp.is_some_and(|at| at.as_second() < since.as_second());
    let no_more_users =
        read.is_last() || read.page.is_some_and(|number| number < page) || read.items.iter().any(is_old);
    let new = read.items.iter().filter(|user| !is_old(user));
    ids.extend(new.filter_map(|user| user.user_id).map(u64::from));
    ids.sort_unstable();
    ids.dedup();
    Ok((ids, no_more_orders && no_more_users))
}

/// Some of all, spread over the whole store by chance.
async fn sampled(hands: &Hands<'_>, job: &Job, sample: u64, part: u64) -> Result<(Vec<u64>, bool), Trouble> {
    /// So many neighbours are taken with one call.
    const TOGETHER: u64 = 20;
    let all = job.progress.customers.unwrap_or_default().max(1);
    let sample = sample.min(all);
    let parts = sample.div_ceil(TOGETHER);
    let pages = all.div_ceil(sample.min(TOGETHER));
    // Pages of the same size, or the last one might have a single customer.
    let size = all.div_ceil(pages);
    let first = (part - 1) * pages / parts + 1;
    let page = rand::random_range(first..(part * pages / parts + 1).max(first + 1));
    let query =
        UserQuery { page: Some(page), items_per_page: Some(size), ..UserQuery::new(UserType::Customer) };
    let read = hands.caller.store(async |store| store.users().list(&query).await).await?;
    let mut ids: Vec<u64> = read.items.iter().filter_map(|user| Some(user.user_id?.0)).collect();
    ids.truncate((sample - (part - 1) * TOGETHER).min(TOGETHER) as usize);
    Ok((ids, part >= parts))
}
