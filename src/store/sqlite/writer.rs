//! Grouped commits: one thread writes; whatever is waiting when it begins shares one transaction and one fsync.
//!
//! A job's answer is sent only after the commit that holds it. If any job of a group fails or panics, the group is rolled
//! back and its jobs run again one by one, so that a failing one takes none with it. Jobs must therefore be safe to run
//! twice. If the database cannot be had at all, everybody who waits is told so after one timeout, not after one each.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use rusqlite::{Connection as Pool, Transaction, TransactionBehavior};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::store::{Error, Result};

/// More jobs than this in one transaction only make the first of them wait.
const GROUP: usize = 256;
/// Jobs that may wait. More means that the disk does not keep up: better to refuse than to pile up.
const QUEUE: usize = 8192;

trait Job: Send {
    fn run(&mut self, tx: &Transaction<'_>) -> Result<()>;
    fn answer(self: Box<Self>, committed: Result<()>);
}

struct Call<F, T> {
    work: F,
    value: Option<T>,
    reply: oneshot::Sender<Result<T>>,
}

impl<F, T> Job for Call<F, T>
where
    F: FnMut(&Transaction<'_>) -> Result<T> + Send,
    T: Send,
{
    fn run(&mut self, tx: &Transaction<'_>) -> Result<()> {
        self.value = Some((self.work)(tx)?);
        Ok(())
    }

    fn answer(self: Box<Self>, committed: Result<()>) {
        let answer = match (committed, self.value) {
            (Ok(()), Some(value)) => Ok(value),
            (Ok(()), None) => Err(Error::Busy),
            (Err(error), _) => Err(error),
        };
        // Whoever asked may be gone; what was written stays written.
        drop(self.reply.send(answer));
    }
}

/// The thread that writes.
pub(super) struct Writer {
    jobs: SyncSender<Box<dyn Job>>,
}

impl Writer {
    /// Starts the thread, inside a runtime; it ends when the writer is dropped and the queue is empty. `ended` is told after each transaction
    /// whether it was committed, before anybody is answered.
    pub(super) fn start(pool: Pool, ended: impl Fn(bool) + Send + 'static) -> Self {
        let (jobs, queue) = sync_channel(QUEUE);
        let runtime = Handle::current();
        std::thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || serve(pool, &queue, &ended, &runtime))
            .expect("a thread can be started");
        Self { jobs }
    }

    /// Runs `work` inside a transaction and answers after the commit.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        match self.jobs.try_send(Box::new(Call { work, value: None, reply })) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => return Err(Error::Busy),
        }
        answer.await.unwrap_or(Err(Error::Busy))
    }
}

fn serve(mut pool: Pool, queue: &Receiver<Box<dyn Job>>, ended: &dyn Fn(bool), runtime: &Handle) {
    while let Ok(first) = queue.recv() {
        let mut group = Vec::with_capacity(GROUP);
        group.push(first);
        while group.len() < GROUP
            && let Ok(job) = queue.try_recv()
        {
            group.push(job);
        }
        let together = commit(&mut pool, &mut group);
        ended(together.is_ok());
        if matches!(together, Err(Error::Busy)) {
            // What came in meanwhile has waited as well; another round would only add to it.
            group.extend(queue.try_iter());
        } else if together.is_err() && group.len() > 1 {
            for mut job in group {
                let alone = commit(&mut pool, std::slice::from_mut(&mut job));
                ended(alone.is_ok());
                job.answer(alone);
            }
            continue;
        }
        // By a task: waking many from there is cheaper than waking each from another thread.
        runtime.spawn(async move {
            for job in group {
                job.answer(together.clone());
            }
        });
    }
}

fn commit(pool: &mut Pool, group: &mut [Box<dyn Job>]) -> Result<()> {
    let tx = pool.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for job in group {
        catch_unwind(AssertUnwindSafe(|| job.run(&tx)))
            .unwrap_or_else(|_| Err(Error::Unavailable(Arc::new(Panicked))))?;
    }
    Ok(tx.commit()?)
}

/// A job has panicked; the panic hook has logged where. It must not end the thread that all others need.
#[derive(Debug, thiserror::Error)]
#[error("writing to the database failed by a mistake of Cartbridge")]
struct Panicked;

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(tx: &Pool) -> Result<i64> {
        Ok(tx.query_row("SELECT count(*) FROM t", [], |row| row.get(0))?)
    }

    #[tokio::test]
    async fn a_job_that_panics_or_fails_takes_no_other_with_it() {
        let pool = Pool::open_in_memory().unwrap();
        pool.execute_batch("CREATE TABLE t (n INTEGER)").unwrap();
        let writer = Writer::start(pool, |_| ());
        let insert = || writer.run(|tx| Ok(tx.execute("INSERT INTO t VALUES (1)", []).map(drop)?));
        let panics = writer.run(|tx| -> Result<()> {
            tx.execute("INSERT INTO t VALUES (2)", [])?;
            panic!("as a test wants it");
        });
        let fails = writer.run(|tx| -> Result<()> {
            tx.execute("INSERT INTO t VALUES (3)", [])?;
            Err(Error::Conflict("as a test wants it".into()))
        });
        // All are queued before the first is answered, so that they share a group (or follow each other: as good).
        let (one, two, three, four, five) = tokio::join!(insert(), panics, insert(), fails, insert());
        assert!(one.is_ok() && three.is_ok() && five.is_ok());
        assert!(matches!(two, Err(Error::Unavailable(_))), "{two:?}");
        assert!(matches!(four, Err(Error::Conflict(_))), "{four:?}");
        assert_eq!(writer.run(|tx| rows(tx)).await.unwrap(), 3);
    }

    #[tokio::test]
    async fn a_full_database_refuses_what_does_not_fit_and_nothing_else() {
        let pool = Pool::open_in_memory().unwrap();
        pool.execute_batch("CREATE TABLE t (n); PRAGMA max_page_count = 20").unwrap();
        let writer = Writer::start(pool, |_| ());
        let insert = |bytes: i64| {
            writer.run(move |tx| Ok(tx.execute("INSERT INTO t VALUES (zeroblob(?))", [bytes]).map(drop)?))
        };
        let (small, large, also_small) = tokio::join!(insert(10), insert(1_000_000), insert(10));
        assert!(small.is_ok() && also_small.is_ok());
        assert!(matches!(large, Err(Error::Unavailable(_))), "{large:?}");
        assert_eq!(writer.run(|tx| rows(tx)).await.unwrap(), 2);
    }
}
