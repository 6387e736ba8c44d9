//! Who is who on both sides: links of customers, tasks and notes, and what was fetched for the store's page.

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

use super::Result;
use crate::connection::ConnectionName;
use crate::link::{Customer, ItemKind, ItemLink, Link};

/// A customer as the store's page shows him.
#[derive(Debug, Clone)]
pub struct View {
    /// Contact, tasks and the welcome task, as HighLevel gave them.
    pub view: Value,
    /// When they were fetched.
    pub fetched_at: Timestamp,
}

/// A change of links, written in the same transaction as the effect that made it.
#[derive(Debug, Clone)]
pub enum LinkChange {
    /// Make or change the link of a customer.
    Put(Link),
    /// The contact is gone: forget the link of a customer and of what hung on that contact.
    Drop(ConnectionName, Customer),
    /// Make or change the link of a task or note.
    PutItem(ItemLink),
    /// Forget the link of a task or note.
    DropItem(ConnectionName, ItemKind, String),
}

/// What is kept of links. All methods are safe to repeat.
#[async_trait]
pub trait LinkStore: Send + Sync {
    /// The link of a customer.
    async fn link(&self, connection: &ConnectionName, customer: &Customer) -> Result<Option<Link>>;
    /// The links of a contact: more than one only while a guest turns into a registered customer.
    async fn links_of_contact(
        &self,
        connection: &ConnectionName,
        contact: &ghl::ContactId,
    ) -> Result<Vec<Link>>;
    /// The links of a connection, by their customers' names: those after `after`, from the first one without it.
    async fn links_page(
        &self,
        connection: &ConnectionName,
        after: Option<&Customer>,
        limit: usize,
    ) -> Result<Vec<Link>>;
    /// Writes links outside of an event: made by hand.
    async fn put_links(&self, changes: Vec<LinkChange>) -> Result<()>;
    /// The link of a task or note.
    async fn item(&self, connection: &ConnectionName, kind: ItemKind, key: &str) -> Result<Option<ItemLink>>;
    /// All links of tasks, or of notes, on a contact.
    async fn items_of_contact(
        &self,
        connection: &ConnectionName,
        kind: ItemKind,
        contact: &ghl::ContactId,
    ) -> Result<Vec<ItemLink>>;
    /// Keeps what the store's page about a customer shows.
    async fn put_view(&self, connection: &ConnectionName, customer: &Customer, view: View) -> Result<()>;
    /// What the store's page about a customer shows.
    async fn view(&self, connection: &ConnectionName, customer: &Customer) -> Result<Option<View>>;
}
