//! Renewing a pair: one at a time, on disk before it is used, and never in a loop.
//!
//! What became of a refresh token that was sent can be unknown: no answer came, or we were stopped before we could write it
//! down. No grace for a used refresh token is documented, and HighLevel may also never have got it: so it is sent once more,
//! and HighLevel's answer to that is final.

mod outcome;

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use ghl::oauth::{AppCredentials, UserType};
use ghl::{Answer, Failure};
use tokio::sync::OwnedMutexGuard;

use super::slot::{Attached, Slot};
use super::{Tokens, Unready, print_of};
use crate::clock::after;
use crate::connection::OauthClient;
use crate::grant::{Disconnected, FailedTurn, Grant, Holder, NewPair, RefreshTurn, Turn};
use crate::registry::{Live, token_timeout};
use outcome::{Outcome, of_error, read};

/// How much longer than the calls of a turn its lease holds.
const LEASE_MARGIN: Duration = Duration::from_secs(15);
/// How long whoever needs a token waits for a new pair: he holds a lane, whose lease must not run out.
const PATIENCE: Duration = Duration::from_secs(45);
/// The first and the longest pause between two looks at what another process does.
const LOOKS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// The first and the longest pause after a failure.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(15));
/// How often a new pair is offered to a database that does not take it, twice as long apart each time: about 25 s.
const SAVES: u32 = 8;

/// What one turn works with; it goes on even when whoever asked for it has gone.
struct Job {
    slot: Arc<Slot>,
    grant: Arc<Grant>,
    /// The old pair is of no use any more.
    must: bool,
    asker: Asker,
    turn: RefreshTurn,
}

/// What to ask HighLevel for tokens with.
pub(super) struct Asker {
    pub(super) client: ghl::Client,
    /// The client's secret and, for where HighLevel does not know that one (yet), the one before. A call that is refused for
    /// its secret uses nothing up.
    pub(super) apps: Vec<AppCredentials>,
}

impl Asker {
    pub(super) fn new(client: ghl::Client, oauth: &OauthClient) -> Self {
        let secrets = std::iter::once(&oauth.client_secret).chain(&oauth.previous_client_secret);
        let apps = secrets.map(|secret| AppCredentials {
            client_id: oauth.client_id.clone(),
            client_secret: secret.clone(),
        });
        Self { client, apps: apps.collect() }
    }
}

impl Tokens {
    /// Renews the pair `used`, unless somebody has done it by now; answers the grant as it is then. `must`: the pair is of no
    /// use any more; otherwise it goes on being used where renewing does not work now.
    pub(super) async fn refresh(
        &self,
        live: &Live,
        attached: &Attached,
        used: i64,
        must: bool,
    ) -> Result<Arc<Grant>, Unready> {
        let renewed = tokio::time::timeout(PATIENCE, self.wait_for_turn(live, attached, used, must)).await;
        renewed.unwrap_or_else(|_| {
            // It goes on by itself, and whoever waited holds a lane meanwhile.
            let why = "HighLevel takes long to renew the tokens".into();
            if must {
                Err(Unready::Later { at: after(self.now(), PAUSES.0), why })
            } else {
                Ok(attached.slot.grant())
            }
        })
    }

    async fn wait_for_turn(
        &self,
        live: &Live,
        attached: &Attached,
        used: i64,
        must: bool,
    ) -> Result<Arc<Grant>, Unready> {
        let slot = Arc::clone(&attached.slot);
        let guard = Arc::clone(&slot.turn).lock_owned().await;
        let grant = slot.grant();
        if grant.generation != used {
            return Ok(grant);
        }
        self.in_use(live, attached)?;
        let (Some(client), Some(oauth)) = (&live.ghl_tokens, &live.connection.ghl.oauth) else {
            return Err(self.not_connected(live, "`ghl.api_url` cannot be used"));
        };
        let now = self.now();
        let lease = token_timeout(self.inner.setup.call_timeout) * 2 + LEASE_MARGIN;
        let job = Job {
            turn: RefreshTurn {
                id: grant.id.clone(),
                generation: grant.generation,
                lease: rand::random(),
                until: after(now, lease),
                secret: print_of(live),
            },
            asker: Asker::new(client.clone(), oauth),
            slot,
            grant,
            must,
        };
        let tokens = self.clone();
        // Whoever waits may be given up (a shutdown, a request that is closed): an answer that holds the only good pair may not.
        let turn = self.inner.tasks.spawn(async move { tokens.take_turn(job, guard).await });
        let renewed = turn.await.unwrap_or_else(|_| {
            Err(Unready::Later {
                at: after(self.now(), PAUSES.0),
                why: "the bridge made a mistake while it renewed the tokens (its log tells more)".into(),
            })
        })?;
        renewed.ok_or_else(|| {
            self.inner.slots.forget(&live.connection.name);
            self.not_connected(live, "the connection is not connected to HighLevel any more")
        })
    }

    /// None: the grant is gone.
    async fn take_turn(
        &self,
        mut job: Job,
        _guard: OwnedMutexGuard<()>,
    ) -> Result<Option<Arc<Grant>>, Unready> {
        let unsaved = job.slot.unsaved.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((generation, new)) = unsaved
            && generation == job.grant.generation
        {
            return self.save(&job, new).await;
        }
        let (cut_off_before, failures) = match self.begin_turn(&mut job).await? {
            Some(Turn::Begun { cut_off_before, failures }) => (cut_off_before, failures),
            Some(Turn::Changed(grant)) => return Ok(Some(job.slot.show(*grant))),
            Some(Turn::Gone) => return Ok(None),
            // The pair in use is still good.
            Some(Turn::UnderWay { .. } | Turn::Later { .. }) | None => return Ok(Some(job.grant)),
        };
        let asked_at = self.now();
        let user_type = match &job.grant.holder {
            Holder::Location(_) => UserType::Location,
            Holder::Company(_) => UserType::Company,
        };
        let refresh_token = &job.grant.pair.refresh_token;
        let mut answer = Err(ghl::Error::Unsendable { reason: "there is no client secret".into() });
        for app in &job.asker.apps {
            let oauth = job.asker.client.oauth();
            answer = self.counted(oauth.refresh(app, refresh_token, Some(user_type.clone())).await);
            if !matches!(answer, Err(ghl::Error::InvalidClient { .. })) {
                break;
            }
        }
        let outcome = match answer {
            Ok(set) => read(&job.grant, set, asked_at),
            Err(error) => of_error(&error, cut_off_before),
        };
        match outcome {
            Outcome::New(new) => self.save(&job, *new).await,
            Outcome::Over(why) => self.out_of_use(&job, why).await,
            Outcome::Failed { why, maybe_used, retry_after } => {
                let maybe_used = maybe_used || cut_off_before;
                self.failed(&job, why, maybe_used, pause(failures, retry_after)).await
            }
        }
    }

    /// Begins the turn. Where another process is at it, whoever must have a new pair waits for that; none: he need not.
    async fn begin_turn(&self, job: &mut Job) -> Result<Option<Turn>, Unready> {
        let give_up = after(self.now(), PATIENCE);
        let length = job.turn.until.duration_since(self.now());
        let mut look = LOOKS.0;
        loop {
            let now = self.now();
            job.turn.until = now.saturating_add(length).unwrap_or(now);
            match self.store().begin_refresh(&job.turn, now).await? {
                Turn::UnderWay { until } if job.must && now < give_up => {
                    let left = Duration::try_from(until.duration_since(now)).unwrap_or_default();
                    tokio::time::sleep(look.min(left.max(Duration::from_millis(1)))).await;
                    look = (look * 2).min(LOOKS.1);
                }
                Turn::UnderWay { until } if job.must => {
                    let why = "another process has been renewing the tokens for long".into();
                    return Err(Unready::Later { at: until, why });
                }
                Turn::Later { until, why } if job.must => return Err(Unready::Later { at: until, why }),
                Turn::UnderWay { until } | Turn::Later { until, .. } => {
                    job.slot.wait_until(until);
                    return Ok(None);
                }
                turn @ (Turn::Begun { .. } | Turn::Changed(_) | Turn::Gone) => return Ok(Some(turn)),
            }
        }
    }

    /// Writes a new pair to the disk; only then can anybody see it. As long as that fails it is kept in memory, because there
    /// is no other.
    async fn save(&self, job: &Job, new: NewPair) -> Result<Option<Arc<Grant>>, Unready> {
        let keep = |unsaved| *job.slot.unsaved.lock().unwrap_or_else(PoisonError::into_inner) = unsaved;
        let (id, generation) = (&job.grant.id, job.grant.generation);
        let mut wait = Duration::from_millis(100);
        let mut tries = 0;
        let saved = loop {
            match self.store().finish_refresh(id, generation, new.clone()).await {
                Ok(saved) => break saved,
                Err(error) => {
                    tries += 1;
                    if tries == SAVES {
                        keep(Some((generation, new)));
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            "new tokens of {id} cannot be written to the database; they are kept in memory: make room, or do not \
                             stop the bridge before it can write again"
                        );
                        let why = format!("new tokens cannot be written down: {error}");
                        return Err(Unready::Later { at: after(self.now(), PAUSES.0), why });
                    }
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                }
            }
        };
        keep(None);
        let Some(saved) = saved else { return Ok(None) };
        self.inner.setup.monitor.refreshed("renewed");
        tracing::info!("the tokens of {id} are renewed; the next time is before {}", saved.refresh_at());
        // Parked events may wait for what there is now.
        let may_go_on = job.grant.disconnected.is_some() || saved.scopes != job.grant.scopes;
        let shown = job.slot.show(saved);
        if may_go_on {
            self.go_on(&self.store().connections_of_grant(id).await?).await?;
        }
        Ok(Some(shown))
    }

    /// HighLevel has refused for good.
    async fn out_of_use(&self, job: &Job, why: Disconnected) -> Result<Option<Arc<Grant>>, Unready> {
        let (id, reason) = (&job.grant.id, why.reason.clone());
        let why = Disconnected { refused_secret: why.refused_secret.map(|_| job.turn.secret), ..why };
        let Some((grant, changed)) = self.store().disconnect(id, job.grant.generation, why).await? else {
            return Ok(None);
        };
        if changed {
            self.inner.setup.monitor.refreshed("refused");
            for connection in self.store().connections_of_grant(id).await? {
                tracing::error!(connection = %connection, "connection {connection} is disconnected from HighLevel: {reason}");
            }
        }
        Ok(Some(job.slot.show(grant)))
    }

    async fn failed(
        &self,
        job: &Job,
        why: String,
        maybe_used: bool,
        pause: Duration,
    ) -> Result<Option<Arc<Grant>>, Unready> {
        self.inner.setup.monitor.refreshed("failed");
        tracing::warn!("the tokens of {} could not be renewed: {why}", job.grant.id);
        let until = after(self.now(), pause);
        let failed = FailedTurn { why: why.clone(), maybe_used, until };
        self.store().fail_refresh(&job.turn, failed).await?;
        job.slot.wait_until(until);
        if job.must { Err(Unready::Later { at: until, why }) } else { Ok(Some(Arc::clone(&job.grant))) }
    }

    /// An answer, counted.
    pub(super) fn counted<T>(&self, answer: Result<Answer<T>, Failure>) -> Result<T, ghl::Error> {
        let (exchange, value) = match answer {
            Ok(answer) => (answer.exchange, Ok(answer.value)),
            Err(failure) => (*failure.exchange, Err(failure.error)),
        };
        self.inner.setup.monitor.call("ghl", exchange.status.unwrap_or(0), exchange.duration);
        value
    }
}

/// How long to wait after so many failures in a row. What HighLevel asks for wins.
fn pause(failures: u32, retry_after: Option<Duration>) -> Duration {
    let grown = PAUSES.0.saturating_mul(1 << failures.min(16)).min(PAUSES.1);
    // Up to a fifth more, so that what failed together is not repeated together.
    let jittered = grown + grown / 5 * u32::from(rand::random::<u8>()) / 255;
    retry_after.unwrap_or(jittered).clamp(Duration::from_millis(100), Duration::from_hours(24))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_what_highlevel_asks_for_wins() {
        let mut last = Duration::ZERO;
        for failures in 0..10 {
            let pause = pause(failures, None);
            assert!(pause >= PAUSES.0 && pause <= PAUSES.1 * 6 / 5 && pause > last.mul_f32(0.8), "{pause:?}");
            last = pause;
        }
        assert_eq!(pause(3, Some(Duration::from_hours(1))), Duration::from_hours(1));
        assert!(pause(u32::MAX, None) >= PAUSES.1);
    }
}
