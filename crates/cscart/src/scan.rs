//! All things of a kind by their ids, none missed although things come and go meanwhile.

use std::fmt;

use serde::de::DeserializeOwned;

use crate::{
    Answer, Client, Failure, Page, Result,
    client::Call,
    decode::Misfit,
    page::{self, Numbers},
};

/// How far a scan has come; kept, it lets another go on from here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The greatest id that was given; 0 at the beginning.
    pub after: u64,
    /// How many rows came up to there: where the next page is looked for. It need not be right any more.
    pub rows: u64,
}

/// A scan of a whole list in the order of the ids.
///
/// A page is a window of the list as it is at that moment. What is deleted meanwhile moves the rest forward, past the end of
/// the page before. Therefore each page begins a little **before** the end of the one before it, and counts only if it begins
/// with an id that is known already: then whatever follows the last known id is on it. Otherwise the scan steps back. The
/// overlap costs no call of its own: the size of the page is chosen so that one of its multiples falls just short of where the
/// scan stands. What is added meanwhile has a greater id, and comes at the end.
pub struct Scan<'a, T> {
    client: &'a Client,
    key: &'static str,
    /// Sorted by id, without page and size.
    call: Call,
    id: fn(&T) -> Option<u64>,
    size: u64,
    cursor: Cursor,
    /// How many exchanges in a row have brought nothing new and no end.
    idle: u32,
    done: bool,
}

/// So many exchanges may bring nothing: stepping back to the beginning of a list of any length takes fewer.
const MOST_IDLE: u32 = 70;

impl<'a, T: DeserializeOwned> Scan<'a, T> {
    pub(crate) fn new(
        client: &'a Client,
        key: &'static str,
        call: Call,
        size: Option<u64>,
        id: fn(&T) -> Option<u64>,
    ) -> Self {
        let size = size.unwrap_or(100).max(4);
        Self { client, key, call, id, size, cursor: Cursor::default(), idle: 0, done: false }
    }

    /// Goes on from where another has ended.
    #[must_use]
    pub fn from(mut self, cursor: Cursor) -> Self {
        self.cursor = cursor;
        self
    }

    /// How far it has come.
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// The next items, each once; `None` when there are no more. After an error the same can be asked for again.
    pub async fn next(&mut self) -> Option<Result<Page<T>>> {
        while !self.done {
            match self.step().await {
                Ok(None) => {}
                Ok(Some(answer)) => return Some(Ok(answer)),
                Err(failure) => return Some(Err(failure)),
            }
        }
        None
    }

    /// One exchange; `None` when there was nothing new on the page.
    async fn step(&mut self) -> std::result::Result<Option<Answer<Page<T>>>, Failure> {
        let (size, number) = window(self.cursor.rows, self.size);
        let call = self.call.clone().query("items_per_page", size).query("page", number);
        let answer = page::get_with::<T>(self.client, self.key, call, Numbers::AreThere).await?;
        let ((mut page, _), exchange) = (answer.value, answer.exchange);
        let ids = match self.ids(&page).and_then(|ids| self.not_idle().map(|()| ids)) {
            Ok(ids) => ids,
            Err(misfit) => {
                let status = exchange.status.unwrap_or_default();
                return Err(Failure::new(misfit.into_error(status), exchange));
            }
        };
        // What the store says goes: it may allow smaller pages only, and past the end it gives the last one.
        let given = page.items_per_page.unwrap_or(size).max(1);
        if given < size {
            self.size = given.max(2);
        }
        let given_number = page.page.unwrap_or(number).max(1);
        let begins = (given_number - 1).saturating_mul(given);
        let joins = begins == 0 || ids.first().is_some_and(|first| *first <= self.cursor.after);
        if !joins {
            // Halfway back: at the latest at the beginning it joins.
            self.cursor.rows = begins.min(self.cursor.rows) / 2;
            return Ok(None);
        }
        let ends = begins.saturating_add(ids.len() as u64);
        self.done = ids.is_empty()
            || given_number < number && given >= size
            || page.total_items.map_or((ids.len() as u64) < given, |total| ends >= total);
        self.cursor.rows = ends;
        let after = self.cursor.after;
        self.cursor.after = ids.last().copied().unwrap_or(after).max(after);
        let mut place = ids.iter();
        page.items.retain(|_| place.next().is_some_and(|id| *id > after));
        if page.items.is_empty() {
            return Ok(None);
        }
        self.idle = 0;
        Ok(Some(Answer { value: page, exchange }))
    }

    /// Counts an exchange, and gives up on a list that does not go on.
    fn not_idle(&mut self) -> std::result::Result<(), Misfit> {
        self.idle += 1;
        if self.idle <= MOST_IDLE {
            return Ok(());
        }
        self.idle = 0;
        Err(Misfit::new("params.page", "the pages do not lead on through the list"))
    }

    /// The ids, which must rise.
    fn ids(&self, page: &Page<T>) -> std::result::Result<Vec<u64>, Misfit> {
        let key = self.key;
        let mut ids = Vec::with_capacity(page.items.len());
        for (place, item) in page.items.iter().enumerate() {
            let id = (self.id)(item).ok_or_else(|| Misfit::new(format!("{key}[{place}]"), "it has no id"))?;
            if ids.last().is_some_and(|before| *before >= id) {
                return Err(Misfit::new(
                    format!("{key}[{place}]"),
                    "the list is not sorted by id, as was asked for",
                ));
            }
            ids.push(id);
        }
        Ok(ids)
    }
}

/// The size and number of a page that begins before `rows` and ends after it, as far as possible; at most `most` large.
fn window(rows: u64, most: u64) -> (u64, u64) {
    if rows == 0 {
        return (most, 1);
    }
    // `rows % size` rows overlap; a size that divides `rows` would overlap by none, so it counts as no progress at all.
    let gain = |size: &u64| match rows % size {
        0 => 0,
        overlap => size - overlap,
    };
    let best = (most / 2..=most).max_by_key(gain).unwrap_or(most);
    // Where all of them divide it, the next larger one that does not; there is one, at the latest `rows + 1`.
    let size = (best..).find(|size| rows % size != 0).unwrap_or(best);
    (size, rows / size + 1)
}

impl<T> fmt::Debug for Scan<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan").field("key", &self.key).field("cursor", &self.cursor).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::window;

    #[test]
    fn every_page_but_the_first_begins_before_the_end_of_the_one_before_it_and_ends_after_it() {
        for most in [4, 5, 7, 10, 50, 100] {
            for rows in 1..3_000 {
                let (size, number) = window(rows, most);
                let (begins, ends) = ((number - 1) * size, number * size);
                assert!(begins < rows && rows < ends, "{rows} rows, pages of {most}: {begins}..{ends}");
                assert!(size <= most + 8);
            }
        }
    }

    #[test]
    fn the_overlap_is_small() {
        let (mut rows, mut calls) = (0, 0);
        while rows < 10_000 {
            let (size, number) = window(rows, 100);
            rows = number * size;
            calls += 1;
        }
        assert!(calls <= 115, "{calls} calls for what 100 would do without overlap");
    }
}
