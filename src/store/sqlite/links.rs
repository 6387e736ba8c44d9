//! Links of customers, tasks and notes, and what was fetched for the store's page.

use async_trait::async_trait;
use rusqlite::{Connection as Pool, Row, params};

use super::{Sqlite, row};
use crate::connection::ConnectionName;
use crate::link::{Customer, ItemKind, ItemLink, Link};
use crate::store::{LinkChange, LinkStore, Result, View};

pub(super) fn link(pool: &Pool, connection: &ConnectionName, customer: &Customer) -> Result<Option<Link>> {
    let mut statement = pool.prepare_cached(
        "SELECT customer, contact_id, shadow, tags, state_at FROM links WHERE connection = ? AND customer = ?",
    )?;
    let mut rows = statement.query(params![connection.as_str(), customer.to_string()])?;
    rows.next()?.map(|found| read_link(found, connection)).transpose()
}

pub(super) fn of_contact(
    pool: &Pool,
    connection: &ConnectionName,
    contact: &ghl::ContactId,
) -> Result<Vec<Link>> {
    // By name: SQLite would rather read all links of the connection along the primary key.
    let mut statement = pool.prepare_cached(
        "SELECT customer, contact_id, shadow, tags, state_at FROM links INDEXED BY links_contact \
         WHERE connection = ? AND contact_id = ?",
    )?;
    let mut rows = statement.query(params![connection.as_str(), contact.as_str()])?;
    let mut links = Vec::new();
    while let Some(found) = rows.next()? {
        links.push(read_link(found, connection)?);
    }
    Ok(links)
}

pub(super) fn page(
    pool: &Pool,
    connection: &ConnectionName,
    after: Option<&Customer>,
    limit: usize,
) -> Result<Vec<Link>> {
    let mut statement = pool.prepare_cached(
        "SELECT customer, contact_id, shadow, tags, state_at FROM links WHERE connection = ? AND customer > ? \
         ORDER BY customer LIMIT ?",
    )?;
    let after = after.map(ToString::to_string).unwrap_or_default();
    let mut rows = statement.query(params![connection.as_str(), after, limit as i64])?;
    let mut links = Vec::new();
    while let Some(found) = rows.next()? {
        links.push(read_link(found, connection)?);
    }
    Ok(links)
}

fn read_link(found: &Row<'_>, connection: &ConnectionName) -> Result<Link> {
    Ok(Link {
        connection: connection.clone(),
        customer: row::parse_word("a link's customer", &found.get::<_, String>(0)?)?,
        contact_id: found.get::<_, String>(1)?.into(),
        shadow: row::json("a link's shadow", &found.get::<_, String>(2)?)?,
        tags: row::json("a link's tags", &found.get::<_, String>(3)?)?,
        state_at: row::time(found.get(4)?),
    })
}

pub(super) fn item(
    pool: &Pool,
    connection: &ConnectionName,
    kind: ItemKind,
    key: &str,
) -> Result<Option<ItemLink>> {
    let mut statement = pool.prepare_cached(
        "SELECT key, contact_id, remote_id, shadow, state_at FROM item_links \
         WHERE connection = ? AND kind = ? AND key = ?",
    )?;
    let mut rows = statement.query(params![connection.as_str(), kind.as_str(), key])?;
    rows.next()?.map(|found| read_item(found, connection, kind)).transpose()
}

pub(super) fn items_of_contact(
    pool: &Pool,
    connection: &ConnectionName,
    kind: ItemKind,
    contact: &ghl::ContactId,
) -> Result<Vec<ItemLink>> {
    // By name: for the order SQLite would rather read all tasks there are along the primary key.
    let mut statement = pool.prepare_cached(
        "SELECT key, contact_id, remote_id, shadow, state_at FROM item_links INDEXED BY item_links_contact \
         WHERE connection = ? AND contact_id = ? AND kind = ? ORDER BY key",
    )?;
    let mut rows = statement.query(params![connection.as_str(), contact.as_str(), kind.as_str()])?;
    let mut items = Vec::new();
    while let Some(found) = rows.next()? {
        items.push(read_item(found, connection, kind)?);
    }
    Ok(items)
}

fn read_item(found: &Row<'_>, connection: &ConnectionName, kind: ItemKind) -> Result<ItemLink> {
    Ok(ItemLink {
        connection: connection.clone(),
        kind,
        key: found.get(0)?,
        contact_id: found.get::<_, String>(1)?.into(),
        remote_id: found.get(2)?,
        shadow: row::json("the shadow of a task or note", &found.get::<_, String>(3)?)?,
        state_at: row::time(found.get(4)?),
    })
}

pub(super) fn change(tx: &Pool, change: &LinkChange) -> Result<()> {
    match change {
        LinkChange::Put(link) => {
            tx.prepare_cached(
                "INSERT INTO links (connection, customer, contact_id, shadow, tags, state_at) \
                 VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (connection, customer) DO UPDATE SET \
                 contact_id = excluded.contact_id, shadow = excluded.shadow, tags = excluded.tags, \
                 state_at = excluded.state_at",
            )?
            .execute(params![
                link.connection.as_str(),
                link.customer.to_string(),
                link.contact_id.as_str(),
                row::to_json("a shadow", &link.shadow)?,
                row::to_json("tags", &link.tags)?,
                link.state_at.as_millisecond()
            ])?;
        }
        LinkChange::Drop(connection, customer) => {
            let customer = customer.to_string();
            // While a guest turns into a registered customer, both have the contact: then it is not gone.
            tx.prepare_cached(
                "DELETE FROM item_links WHERE connection = ?1 \
                 AND contact_id = (SELECT contact_id FROM links WHERE connection = ?1 AND customer = ?2) \
                 AND NOT EXISTS (SELECT 1 FROM links WHERE connection = ?1 AND contact_id = item_links.contact_id \
                 AND customer <> ?2)",
            )?
            .execute(params![connection.as_str(), customer])?;
            for table in ["links", "views"] {
                tx.prepare_cached(&format!("DELETE FROM {table} WHERE connection = ? AND customer = ?"))?
                    .execute(params![connection.as_str(), customer])?;
            }
        }
        LinkChange::PutItem(item) => {
            tx.prepare_cached(
                "INSERT INTO item_links (connection, kind, key, contact_id, remote_id, shadow, state_at) \
                 VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (connection, kind, key) DO UPDATE SET \
                 contact_id = excluded.contact_id, remote_id = excluded.remote_id, shadow = excluded.shadow, \
                 state_at = excluded.state_at",
            )?
            .execute(params![
                item.connection.as_str(),
                item.kind.as_str(),
                item.key,
                item.contact_id.as_str(),
                item.remote_id,
                row::to_json("a shadow", &item.shadow)?,
                item.state_at.as_millisecond()
            ])?;
        }
        LinkChange::DropItem(connection, kind, key) => {
            tx.prepare_cached("DELETE FROM item_links WHERE connection = ? AND kind = ? AND key = ?")?
                .execute(params![connection.as_str(), kind.as_str(), key])?;
        }
    }
    Ok(())
}

pub(super) fn put_view(
    tx: &Pool,
    connection: &ConnectionName,
    customer: &Customer,
    view: &View,
) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO views (connection, customer, view, fetched_at) VALUES (?, ?, ?, ?) \
         ON CONFLICT (connection, customer) DO UPDATE SET view = excluded.view, fetched_at = excluded.fetched_at",
    )?
    .execute(params![
        connection.as_str(),
        customer.to_string(),
        row::to_json("a view", &view.view)?,
        view.fetched_at.as_millisecond()
    ])?;
    Ok(())
}

pub(super) fn view(pool: &Pool, connection: &ConnectionName, customer: &Customer) -> Result<Option<View>> {
    let mut statement =
        pool.prepare_cached("SELECT view, fetched_at FROM views WHERE connection = ? AND customer = ?")?;
    let mut rows = statement.query(params![connection.as_str(), customer.to_string()])?;
    let Some(found) = rows.next()? else { return Ok(None) };
    Ok(Some(View {
        view: row::json("a view", &found.get::<_, String>(0)?)?,
        fetched_at: row::time(found.get(1)?),
    }))
}

#[async_trait]
impl LinkStore for Sqlite {
    async fn link(&self, connection: &ConnectionName, customer: &Customer) -> Result<Option<Link>> {
        let (connection, customer) = (connection.clone(), customer.clone());
        self.readers.run(move |pool| link(pool, &connection, &customer)).await
    }

    async fn links_of_contact(
        &self,
        connection: &ConnectionName,
        contact: &ghl::ContactId,
    ) -> Result<Vec<Link>> {
        let (connection, contact) = (connection.clone(), contact.clone());
        self.readers.run(move |pool| of_contact(pool, &connection, &contact)).await
    }

    async fn links_page(
        &self,
        connection: &ConnectionName,
        after: Option<&Customer>,
        limit: usize,
    ) -> Result<Vec<Link>> {
        let (connection, after) = (connection.clone(), after.cloned());
        self.readers.run(move |pool| page(pool, &connection, after.as_ref(), limit)).await
    }

    async fn put_links(&self, changes: Vec<LinkChange>) -> Result<()> {
        self.writer.run(move |tx| changes.iter().try_for_each(|it| change(tx, it))).await
    }

    async fn item(&self, connection: &ConnectionName, kind: ItemKind, key: &str) -> Result<Option<ItemLink>> {
        let (connection, key) = (connection.clone(), key.to_owned());
        self.readers.run(move |pool| item(pool, &connection, kind, &key)).await
    }

    async fn items_of_contact(
        &self,
        connection: &ConnectionName,
        kind: ItemKind,
        contact: &ghl::ContactId,
    ) -> Result<Vec<ItemLink>> {
        let (connection, contact) = (connection.clone(), contact.clone());
        self.readers.run(move |pool| items_of_contact(pool, &connection, kind, &contact)).await
    }

    async fn put_view(&self, connection: &ConnectionName, customer: &Customer, view: View) -> Result<()> {
        let (connection, customer) = (connection.clone(), customer.clone());
        self.writer.run(move |tx| put_view(tx, &connection, &customer, &view)).await
    }

    async fn view(&self, connection: &ConnectionName, customer: &Customer) -> Result<Option<View>> {
        let (connection, customer) = (connection.clone(), customer.clone());
        self.readers.run(move |pool| view(pool, &connection, &customer)).await
    }
}
