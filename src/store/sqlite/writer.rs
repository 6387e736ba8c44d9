//! Grouped commits: one thread writes; whatever is waiting when it begins shares one transaction and one fsync.
//!
//! A job's answer is sent only after the commit that holds it. If any job of a group fails, the group is rolled back and
//! its jobs run again one by one, so that a failing one takes none with it. Jobs must therefore be safe to run twice.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use rusqlite::{Connection as Pool, Transaction, TransactionBehavior};
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
    /// Starts the thread; it ends when the writer is dropped and the queue is empty.
    pub(super) fn start(pool: Pool) -> Self {
        let (jobs, queue) = sync_channel(QUEUE);
        std::thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || serve(pool, &queue))
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

fn serve(mut pool: Pool, queue: &Receiver<Box<dyn Job>>) {
    let mut group = Vec::with_capacity(GROUP);
    while let Ok(first) = queue.recv() {
        group.push(first);
        while group.len() < GROUP
            && let Ok(job) = queue.try_recv()
        {
            group.push(job);
        }
        let together = commit(&mut pool, &mut group);
        if together.is_ok() || group.len() == 1 {
            group.drain(..).for_each(|job| job.answer(together.clone()));
        } else {
            for mut job in group.drain(..) {
                let alone = commit(&mut pool, std::slice::from_mut(&mut job));
                job.answer(alone);
            }
        }
    }
}

fn commit(pool: &mut Pool, group: &mut [Box<dyn Job>]) -> Result<()> {
    let tx = pool.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for job in group {
        job.run(&tx)?;
    }
    Ok(tx.commit()?)
}
