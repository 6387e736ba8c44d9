//! Jobs: their rows, and the steps that move them on.

mod contacts;
mod items;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection as Pool, Row, params};

use super::{Sqlite, inbox, links, locked, row};
use crate::connection::ConnectionName;
use crate::jobs::{Item, Job, JobId, JobState, Progress};
use crate::store::jobs::{Candidates, Chunk, JobStore, KnownContact, Sought, Step};
use crate::store::{Error, Result};

/// The columns that [`read`] reads, in its order.
const JOB: &str = "id, connection, kind, options, state, reason, place, progress, created_at, started_at, resumed_at, \
     resumed_done, finished_at, resumed_calls";

fn read(found: &Row<'_>) -> Result<Job> {
    let time = |column| Ok::<_, Error>(found.get::<_, Option<i64>>(column)?.map(row::time));
    Ok(Job {
        id: id_of(found.get(0)?),
        connection: row::parse("a job's connection", &found.get::<_, String>(1)?)?,
        kind: row::parse_word("a job's kind", &found.get::<_, String>(2)?)?,
        options: row::json("a job's options", &found.get::<_, String>(3)?)?,
        state: row::parse_word("a job's state", &found.get::<_, String>(4)?)?,
        reason: found.get(5)?,
        place: row::json("a job's place", &found.get::<_, String>(6)?)?,
        progress: row::json("a job's progress", &found.get::<_, String>(7)?)?,
        created_at: row::time(found.get(8)?),
        started_at: time(9)?,
        resumed_at: time(10)?,
        resumed_done: found.get::<_, i64>(11)? as u64,
        finished_at: time(12)?,
        resumed_calls: found.get::<_, i64>(13)? as u64,
    })
}

fn id_of(bytes: [u8; 16]) -> JobId {
    JobId(uuid::Uuid::from_bytes(bytes))
}

fn list(pool: &Pool, sql: &str, values: impl rusqlite::Params) -> Result<Vec<Job>> {
    let mut statement = pool.prepare_cached(&format!("SELECT {JOB} FROM jobs {sql}"))?;
    let mut rows = statement.query(values)?;
    let mut jobs = Vec::new();
    while let Some(found) = rows.next()? {
        jobs.push(read(found)?);
    }
    Ok(jobs)
}

fn one(pool: &Pool, id: JobId) -> Result<Option<Job>> {
    Ok(list(pool, "WHERE id = ?", [id.0.as_bytes()])?.pop())
}

fn needed(pool: &Pool, id: JobId) -> Result<Job> {
    one(pool, id)?.ok_or_else(|| Error::NotFound(format!("job {id}")))
}

fn add(tx: &Pool, job: &Job) -> Result<()> {
    tx.prepare_cached(
        "INSERT OR IGNORE INTO jobs (id, connection, kind, options, state, reason, place, progress, created_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        job.id.0.as_bytes(),
        job.connection.as_str(),
        job.kind.as_str(),
        row::to_json("a job's options", &job.options)?,
        job.state.as_str(),
        job.reason,
        row::to_json("a job's place", &job.place)?,
        row::to_json("a job's progress", &job.progress)?,
        job.created_at.as_millisecond()
    ])?;
    Ok(())
}

/// One of each connection: the one that runs, else the oldest that waits.
fn to_run(pool: &Pool) -> Result<Vec<Job>> {
    let waiting = list(
        pool,
        "WHERE state IN ('queued', 'running', 'paused') AND state <> 'paused' ORDER BY connection, state = 'queued', id",
        [],
    )?;
    let mut jobs: Vec<Job> = Vec::new();
    for job in waiting {
        if jobs.last().is_none_or(|last| last.connection != job.connection) {
            jobs.push(job);
        }
    }
    Ok(jobs)
}

fn move_on(
    tx: &Pool,
    id: JobId,
    from: &[JobState],
    to: JobState,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<Job> {
    let job = needed(tx, id)?;
    if !from.contains(&job.state) {
        return Err(Error::Conflict(format!("job {id} is {}, so it cannot become {to}", job.state)));
    }
    let now_ms = now.as_millisecond();
    tx.prepare_cached("UPDATE jobs SET state = ?, reason = ? WHERE id = ?")?.execute(params![
        to.as_str(),
        reason,
        id.0.as_bytes()
    ])?;
    if to == JobState::Running {
        tx.prepare_cached(
            "UPDATE jobs SET started_at = coalesce(started_at, ?1), resumed_at = ?1, resumed_done = ?2, resumed_calls = ?3 \
             WHERE id = ?4",
        )?
        .execute(params![
            now_ms,
            job.progress.done() as i64,
            job.progress.calls as i64,
            id.0.as_bytes()
        ])?;
    }
    tx.prepare_cached("UPDATE jobs SET finished_at = ? WHERE id = ?")?
        .execute(params![to.is_over().then_some(now_ms), id.0.as_bytes()])?;
    needed(tx, id)
}

fn save_progress(tx: &Pool, id: JobId, progress: &Progress) -> Result<()> {
    tx.prepare_cached("UPDATE jobs SET progress = ? WHERE id = ?")?
        .execute(params![row::to_json("a job's progress", progress)?, id.0.as_bytes()])?;
    Ok(())
}

#[async_trait]
impl JobStore for Sqlite {
    async fn add_job(&self, job: &Job) -> Result<()> {
        let job = job.clone();
        self.writer.run(move |tx| add(tx, &job)).await
    }

    async fn job(&self, id: JobId) -> Result<Option<Job>> {
        self.readers.run(move |pool| one(pool, id)).await
    }

    async fn jobs(&self, connection: Option<&ConnectionName>, limit: usize) -> Result<Vec<Job>> {
        let connection = connection.map(|name| name.as_str().to_owned());
        self.readers
            .run(move |pool| {
                let sql = "WHERE ?1 IS NULL OR connection = ?1 ORDER BY id DESC LIMIT ?2";
                list(pool, sql, params![connection, limit as i64])
            })
            .await
    }

    async fn jobs_to_run(&self) -> Result<Vec<Job>> {
        self.readers.run(to_run).await
    }

    async fn move_job(
        &self,
        id: JobId,
        from: &[JobState],
        to: JobState,
        reason: Option<String>,
        now: Timestamp,
    ) -> Result<Job> {
        let from = from.to_vec();
        self.writer.run(move |tx| move_on(tx, id, &from, to, reason.as_deref(), now)).await
    }

    async fn note_job(&self, id: JobId, reason: Option<String>) -> Result<()> {
        self.writer
            .run(move |tx| {
                tx.prepare_cached("UPDATE jobs SET reason = ? WHERE id = ? AND state = 'running'")?
                    .execute(params![reason, id.0.as_bytes()])?;
                Ok(())
            })
            .await
    }

    async fn job_step(&self, id: JobId, step: Step, chunk: Chunk) -> Result<bool> {
        let arrivals = std::sync::Arc::clone(&self.arrivals);
        self.writer
            .run(move |tx| {
                let mut job = needed(tx, id)?;
                if job.state != JobState::Running {
                    return Ok(false);
                }
                for event in &chunk.events {
                    inbox::append(tx, &mut locked(&arrivals), event, event.received_at)?;
                }
                for new in &chunk.links {
                    items::put_link(tx, new)?;
                }
                contacts::put(tx, id, &chunk.contacts)?;
                contacts::own(tx, id, &chunk.owners)?;
                job.progress.add(&step.progress);
                for (outcome, by) in items::put(tx, id, &chunk.items)? {
                    job.progress.outcomes.count(outcome, by);
                }
                save_progress(tx, id, &job.progress)?;
                tx.prepare_cached("UPDATE jobs SET place = ? WHERE id = ?")?
                    .execute(params![row::to_json("a job's place", &step.place)?, id.0.as_bytes()])?;
                Ok(true)
            })
            .await
    }

    async fn resolve_job(&self, id: JobId) -> Result<u64> {
        self.writer
            .run(move |tx| {
                let mut job = needed(tx, id)?;
                let found = items::resolve(tx, id)?;
                if found != Progress::default() {
                    job.progress.add(&found);
                    save_progress(tx, id, &job.progress)?;
                }
                items::open(tx, id)
            })
            .await
    }

    async fn job_candidates(
        &self,
        id: JobId,
        connection: &ConnectionName,
        sought: Vec<Sought>,
    ) -> Result<Vec<Candidates>> {
        let connection = connection.clone();
        self.readers
            .run(move |pool| {
                sought.iter().map(|sought| contacts::candidates(pool, id, &connection, sought)).collect()
            })
            .await
    }

    async fn pending_of_job(&self, id: JobId, last: u64, limit: usize) -> Result<Vec<u64>> {
        self.readers.run(move |pool| items::pending(pool, id, last, limit)).await
    }

    async fn customers_with_events(&self, connection: &ConnectionName, since: Timestamp) -> Result<Vec<u64>> {
        let connection = connection.clone();
        self.readers.run(move |pool| items::with_events(pool, &connection, since)).await
    }

    async fn leftovers_of_job(
        &self,
        id: JobId,
        connection: &ConnectionName,
        after: &str,
        limit: usize,
    ) -> Result<Vec<KnownContact>> {
        let (connection, after) = (connection.clone(), after.to_owned());
        self.readers.run(move |pool| contacts::leftovers(pool, id, &connection, &after, limit)).await
    }

    async fn forget_contacts(&self, id: JobId) -> Result<bool> {
        self.writer.run(move |tx| contacts::forget(tx, id)).await
    }

    async fn job_items(&self, id: JobId, after: Option<(u64, String)>, limit: usize) -> Result<Vec<Item>> {
        self.readers.run(move |pool| items::page(pool, id, after.as_ref(), limit)).await
    }

    async fn count_links(&self, connection: &ConnectionName) -> Result<u64> {
        let connection = connection.clone();
        self.readers
            .run(move |pool| {
                let count: i64 = pool
                    .prepare_cached(
                        "SELECT count(*) FROM links WHERE connection = ? AND customer LIKE 'customer:%'",
                    )?
                    .query_row([connection.as_str()], |row| row.get(0))?;
                Ok(count as u64)
            })
            .await
    }
}

/// The links of a contact, for the files below.
fn linked(pool: &Pool, connection: &ConnectionName, contact: &str) -> Result<Vec<crate::link::Link>> {
    links::of_contact(pool, connection, &ghl::ContactId::from(contact.to_owned()))
}
