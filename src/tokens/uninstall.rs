//! Uninstalled in HighLevel: a webhook says so before a call would.

use ghl::CompanyId;
use jiff::Timestamp;

use super::Tokens;
use crate::connection::ConnectionName;
use crate::grant::Holder;
use crate::registry::Registry;
use crate::store;

impl Tokens {
    /// HighLevel says that the app was uninstalled: these connections use their grants no longer, unless they were connected
    /// again since `at`. Events are parked; nothing is asked any more.
    pub async fn uninstalled(
        &self,
        registry: &Registry,
        connections: &[ConnectionName],
        app_id: Option<&str>,
        at: Option<Timestamp>,
    ) -> store::Result<()> {
        for name in connections {
            let is_this_app = registry.get(name).is_some_and(|live| {
                live.connection.ghl.token.is_none()
                    && live.connection.ghl.oauth.as_ref().is_some_and(|oauth| {
                        app_id.is_none_or(|id| oauth.client_id.split('-').next() == Some(id))
                    })
            });
            if !is_this_app {
                continue;
            }
            let why = "the app was uninstalled in HighLevel";
            if self.store().leave_grant(name, at, why).await? {
                tracing::error!(connection = %name, "connection {name} is disconnected from HighLevel: {why}");
                self.inner.slots.forget(name);
            }
        }
        Ok(())
    }

    /// The connections that use a company's grant.
    pub async fn of_company(&self, company: &CompanyId) -> store::Result<Vec<ConnectionName>> {
        let heads = self.store().grant_heads().await?;
        let of_company = |name: &ConnectionName| {
            self.inner.slots.get(name).is_some_and(
                |attached| matches!(&attached.slot.grant().holder, Holder::Company(id) if id == company),
            )
        };
        let mut names = Vec::new();
        for head in heads {
            if self.inner.slots.get(&head.connection).is_none()
                && let Some(granted) = self.store().grant_of(&head.connection).await?
            {
                self.inner.slots.attach(&head.connection, granted);
            }
            if of_company(&head.connection) {
                names.push(head.connection);
            }
        }
        Ok(names)
    }
}
