//! What is kept of jobs: where each goes on, what became of each customer, and the location's contacts while one runs.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;
use crate::connection::ConnectionName;
use crate::event::NewEvent;
use crate::jobs::{Item, Job, JobId, JobState, Place, Progress};
use crate::link::{Customer, Link};
use crate::sync::Canonical;

/// A contact as a job has read it.
#[derive(Debug, Clone)]
pub struct KnownContact {
    /// Its id.
    pub id: String,
    /// Its e-mail and phone, and whatever else is known of it.
    pub fields: Canonical,
    /// The store's number of the customer, as a custom field shows it.
    pub number: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// The customer whom the job has found it to be.
    pub owner: Option<String>,
    /// The customers who are linked with it. Filled in where contacts are looked up.
    pub linked: Vec<Link>,
}

/// A customer whose contact is looked for.
#[derive(Debug, Clone)]
pub struct Sought {
    /// Who.
    pub customer: Customer,
    /// His number in the store, where he is looked for by it.
    pub number: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The phone number.
    pub phone: Option<String>,
}

/// What is known of a customer's contact.
#[derive(Debug, Clone, Default)]
pub struct Candidates {
    /// The customer's link.
    pub link: Option<Link>,
    /// The link of the guest with the customer's e-mail.
    pub guest: Option<Link>,
    /// The contact of either link, if the job has read it.
    pub contact: Option<KnownContact>,
    /// Those with his number.
    pub by_number: Vec<KnownContact>,
    /// Those with the e-mail.
    pub by_email: Vec<KnownContact>,
    /// Those with the phone.
    pub by_phone: Vec<KnownContact>,
}

/// A link to be written, unless it has changed since it was read.
#[derive(Debug, Clone)]
pub struct NewLink {
    /// What is written; none: the link is dropped, for its contact is gone.
    pub link: Option<Link>,
    /// The link that was read; none: there was none.
    pub read: Option<Link>,
}

/// What a job has found out about some customers: written together, so that it goes on behind them and never repeats them.
#[derive(Debug, Clone, Default)]
pub struct Chunk {
    /// What became of them.
    pub items: Vec<Item>,
    /// The events to be filed for those that are open.
    pub events: Vec<NewEvent>,
    /// The links that are written. A guest's link that a customer has taken over is dropped.
    pub links: Vec<NewLink>,
    /// Contacts that were looked up, or are going to be made.
    pub contacts: Vec<KnownContact>,
    /// Which contact (id) which customer is.
    pub owners: Vec<(String, String)>,
}

/// What a step of a job has done, and where it goes on.
#[derive(Debug, Clone)]
pub struct Step {
    /// Where it goes on.
    pub place: Place,
    /// What is added to the progress.
    pub progress: Progress,
}

/// What is kept of jobs. All methods are safe to repeat, but for [`JobStore::job_step`], whose caller is the only one at work on
/// the job.
#[async_trait]
pub trait JobStore: Send + Sync + 'static {
    /// Adds a job.
    async fn add_job(&self, job: &Job) -> Result<()>;
    /// One job.
    async fn job(&self, id: JobId) -> Result<Option<Job>>;
    /// The newest jobs, of one connection or of all.
    async fn jobs(&self, connection: Option<&ConnectionName>, limit: usize) -> Result<Vec<Job>>;
    /// The jobs that run and those that are to run next: one of each connection.
    async fn jobs_to_run(&self) -> Result<Vec<Job>>;
    /// Changes the state of a job that is in one of these ([`super::Error::Conflict`] otherwise); answers it as it is then.
    async fn move_job(
        &self,
        id: JobId,
        from: &[JobState],
        to: JobState,
        reason: Option<String>,
        now: Timestamp,
    ) -> Result<Job>;
    /// Says why a running job does not go on at the moment; none: it does.
    async fn note_job(&self, id: JobId, reason: Option<String>) -> Result<()>;
    /// Writes down a step of a job, with what it has found out, in one transaction; `false`: it does not run any more, and
    /// nothing was written.
    async fn job_step(&self, id: JobId, step: Step, chunk: Chunk) -> Result<bool>;
    /// Takes over what has become of the events of a job; answers how many are still under way.
    async fn resolve_job(&self, id: JobId) -> Result<u64>;
    /// What is known of the contacts of some customers, in their order.
    async fn job_candidates(
        &self,
        id: JobId,
        connection: &ConnectionName,
        sought: Vec<Sought>,
    ) -> Result<Vec<Candidates>>;
    /// The customers after `last` that are to be looked at.
    async fn pending_of_job(&self, id: JobId, last: u64, limit: usize) -> Result<Vec<u64>>;
    /// The customers of a connection of which events have come in since then.
    async fn customers_with_events(&self, connection: &ConnectionName, since: Timestamp) -> Result<Vec<u64>>;
    /// Contacts after this one that the job has read, that no customer is, and that a customer is linked with.
    async fn leftovers_of_job(
        &self,
        id: JobId,
        connection: &ConnectionName,
        after: &str,
        limit: usize,
    ) -> Result<Vec<KnownContact>>;
    /// Forgets some of the contacts that a job has read; answers whether there are more.
    async fn forget_contacts(&self, id: JobId) -> Result<bool>;
    /// What became of a job's customers, by their ids, from behind `after` on.
    async fn job_items(&self, id: JobId, after: Option<(u64, String)>, limit: usize) -> Result<Vec<Item>>;
    /// How many customers of a connection are linked.
    async fn count_links(&self, connection: &ConnectionName) -> Result<u64>;
}
