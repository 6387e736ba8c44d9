//! What a store can, learned from its answers: the API does not tell the version of CS-Cart, nor the edition.

use std::sync::OnceLock;

use crate::{Answer, Client, Error, Failure, ListQuery, OrderQuery, Result};

/// The two products that share the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edition {
    /// CS-Cart, also called Store Builder and Ultimate: storefronts.
    Ultimate,
    /// Multi-Vendor: vendors.
    MultiVendor,
}

/// What is known of a store; `None` where no answer has shown it yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// Which edition it is.
    pub edition: Option<Edition>,
    /// Whether it lists orders by when they were changed (`updated_at_from`: 4.13 and later).
    pub orders_by_change: Option<bool>,
}

/// What a client has learned; its clones share it.
#[derive(Debug, Default)]
pub(crate) struct Learned {
    edition: OnceLock<Edition>,
    orders_by_change: OnceLock<bool>,
}

impl Learned {
    pub(crate) fn so_far(&self) -> Capabilities {
        Capabilities {
            edition: self.edition.get().copied(),
            orders_by_change: self.orders_by_change.get().copied(),
        }
    }

    pub(crate) fn edition_is(&self, edition: Edition) {
        // When another call was first, it found the same.
        let _ = self.edition.set(edition);
    }
}

impl Client {
    /// Which edition the store is: the one has vendors, the other storefronts. One call or two; afterwards none.
    /// [`Error::Absent`]: it shows neither.
    pub async fn edition(&self) -> Result<Edition> {
        if let Some(edition) = self.capabilities().edition {
            return Ok(Answer { value: edition, exchange: crate::Exchange::default() });
        }
        let one = ListQuery { items_per_page: Some(1), ..ListQuery::default() };
        match self.vendors().list(&one).await {
            Ok(answer) => Ok(answer.map(|_| Edition::MultiVendor)),
            Err(Failure { error: Error::Absent { .. }, .. }) => {
                self.stores().list(&one).await.map(|answer| answer.map(|_| Edition::Ultimate))
            }
            Err(failure) => Err(failure),
        }
    }

    /// Whether the store lists orders by when they were changed. An older one ignores the filter and lists all, so it is asked
    /// for the orders that were changed in 2100. `None`: it has no orders yet, so nobody can tell. One call or two; afterwards
    /// none.
    pub async fn lists_orders_by_change(&self) -> Result<Option<bool>> {
        if let Some(known) = self.capabilities().orders_by_change {
            return Ok(Answer { value: Some(known), exchange: crate::Exchange::default() });
        }
        let all = OrderQuery { items_per_page: Some(1), ..OrderQuery::default() };
        // 2100-01-01.
        let far = jiff::Timestamp::from_second(4_102_444_800).unwrap_or(jiff::Timestamp::MAX);
        let none = OrderQuery { updated_from: Some(far), ..all.clone() };
        let filtered = self.orders().list(&none).await?;
        if !filtered.value.items.is_empty() {
            let _ = self.learned().orders_by_change.set(false);
            return Ok(filtered.map(|_| Some(false)));
        }
        let unfiltered = self.orders().list(&all).await?;
        let heeds = (!unfiltered.value.items.is_empty()).then_some(true);
        if let Some(heeds) = heeds {
            let _ = self.learned().orders_by_change.set(heeds);
        }
        Ok(unfiltered.map(|_| heeds))
    }
}
