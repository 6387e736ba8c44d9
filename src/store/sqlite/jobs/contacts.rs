//! The location's contacts as a job has read them, and who of them a customer can be.

use rusqlite::{Connection as Pool, Params, Row, params};

use super::linked;
use crate::connection::ConnectionName;
use crate::jobs::JobId;
use crate::link::{Customer, Link};
use crate::store::Result;
use crate::store::jobs::{Candidates, KnownContact, Sought};
use crate::store::sqlite::{links, row};
use crate::sync::Field;

/// So many are looked at of those with one e-mail or phone: two are one too many already.
const FEW: i64 = 3;

/// So many are forgotten at a time: whoever else writes waits for it.
const FORGOTTEN: i64 = 2_000;

pub(super) fn put(tx: &Pool, job: JobId, contacts: &[KnownContact]) -> Result<()> {
    for contact in contacts {
        tx.prepare_cached(
            "INSERT INTO job_contacts (job, contact_id, email, phone, number, tags, fields, owner) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (job, contact_id) DO UPDATE SET email = excluded.email, \
             phone = excluded.phone, number = excluded.number, tags = excluded.tags, fields = excluded.fields, \
             owner = coalesce(excluded.owner, owner)",
        )?
        .execute(params![
            job.0.as_bytes(),
            contact.id,
            contact.fields.shown(&Field::Email),
            contact.fields.shown(&Field::Phone),
            contact.number,
            row::to_json("tags", &contact.tags)?,
            row::to_json("a contact", &contact.fields)?,
            contact.owner
        ])?;
    }
    Ok(())
}

pub(super) fn own(tx: &Pool, job: JobId, owners: &[(String, String)]) -> Result<()> {
    for (contact, owner) in owners {
        tx.prepare_cached("UPDATE job_contacts SET owner = ? WHERE job = ? AND contact_id = ?")?
            .execute(params![owner, job.0.as_bytes(), contact])?;
    }
    Ok(())
}

pub(super) fn candidates(
    pool: &Pool,
    job: JobId,
    connection: &ConnectionName,
    sought: &Sought,
) -> Result<Candidates> {
    let link = links::link(pool, connection, &sought.customer)?;
    let guest = match (&link, &sought.email) {
        (None, Some(email)) => links::link(pool, connection, &Customer::Guest(email.clone()))?,
        _ => None,
    };
    let contact = match link.as_ref().or(guest.as_ref()) {
        Some(Link { contact_id, .. }) => {
            let place = params![job.0.as_bytes(), contact_id.as_str()];
            find(pool, connection, "WHERE job = ? AND contact_id = ?", place)?.pop()
        }
        None => None,
    };
    let by = |column: &str, value: Option<&String>| match value {
        Some(value) => {
            // By name: SQLite would rather read all contacts of the job along the primary key.
            let condition =
                format!("INDEXED BY job_contacts_{column} WHERE job = ? AND {column} = ? LIMIT {FEW}");
            find(pool, connection, &condition, params![job.0.as_bytes(), value])
        }
        None => Ok(Vec::new()),
    };
    Ok(Candidates {
        by_number: by("number", sought.number.as_ref())?,
        by_email: by("email", sought.email.as_ref())?,
        by_phone: by("phone", sought.phone.as_ref())?,
        link,
        guest,
        contact,
    })
}

fn find(
    pool: &Pool,
    connection: &ConnectionName,
    condition: &str,
    values: impl Params,
) -> Result<Vec<KnownContact>> {
    let sql = format!("SELECT contact_id, tags, fields, owner, number FROM job_contacts {condition}");
    let mut statement = pool.prepare_cached(&sql)?;
    let mut rows = statement.query(values)?;
    let mut contacts = Vec::new();
    while let Some(found) = rows.next()? {
        contacts.push(read(pool, connection, found)?);
    }
    Ok(contacts)
}

fn read(pool: &Pool, connection: &ConnectionName, found: &Row<'_>) -> Result<KnownContact> {
    let id: String = found.get(0)?;
    Ok(KnownContact {
        linked: linked(pool, connection, &id)?,
        tags: row::json("a contact's tags", &found.get::<_, String>(1)?)?,
        fields: row::json("a contact", &found.get::<_, String>(2)?)?,
        owner: found.get(3)?,
        number: found.get(4)?,
        id,
    })
}

pub(super) fn leftovers(
    pool: &Pool,
    job: JobId,
    connection: &ConnectionName,
    after: &str,
    limit: usize,
) -> Result<Vec<KnownContact>> {
    let condition = "WHERE job = ? AND contact_id > ? AND owner IS NULL AND EXISTS (SELECT 1 FROM links \
         WHERE connection = ? AND links.contact_id = job_contacts.contact_id AND customer LIKE 'customer:%') \
         ORDER BY contact_id LIMIT ?";
    find(pool, connection, condition, params![job.0.as_bytes(), after, connection.as_str(), limit as i64])
}

pub(super) fn forget(tx: &Pool, job: JobId) -> Result<bool> {
    let gone = tx
        .prepare_cached(
            "DELETE FROM job_contacts WHERE job = ?1 AND contact_id IN \
             (SELECT contact_id FROM job_contacts WHERE job = ?1 LIMIT ?2)",
        )?
        .execute(params![job.0.as_bytes(), FORGOTTEN])?;
    Ok(gone as i64 == FORGOTTEN)
}
