//! Limits on attempts, and quotas. A user who fails too often has to wait, and is locked in the end. A quota limits what a user
//! records in a day.
//!
//! The tallies of users are read, asked and written in the transaction of their records, which holds the locks of the users. So
//! there is never an attempt too many, on however many nodes. Nothing is read if the policy limits nothing.

mod limits;
mod rows;

use std::collections::{BTreeSet, HashMap};

pub(crate) use self::limits::is_on;
pub(crate) use self::rows::{forget, of_users, pardon};
use super::elapsed::{Event, Kind};
use super::policy_in_force::PolicyInForce;
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::{NewLivenessCheck, Refusal, Timestamp};

/// An attempt of a user: a report, or the start of a session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt {
    pub(crate) user: i64,
    /// By the clock of the node.
    pub(crate) at: Timestamp,
    /// The bytes of its image.
    pub(crate) bytes: u64,
}

impl Attempt {
    /// Not at the time of the record, which is never before the user's newest: a clock that was ahead once would keep the user
    /// waiting on another node.
    pub(crate) fn of(check: &NewLivenessCheck) -> Self {
        Self {
            user: check.user.id,
            at: check.created_at,
            bytes: check.image.as_ref().map_or(0, |image| image.bytes().len() as u64),
        }
    }
}

/// What a user has failed, and recorded in a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    pub(crate) failures_in_a_row: u32,
    pub(crate) failures_in_all: u32,
    /// Milliseconds since the epoch.
    pub(crate) last_failure_at: Option<i64>,
    /// When the first record of the day was, in milliseconds since the epoch.
    pub(crate) day_began_at: i64,
    pub(crate) records_today: u32,
    pub(crate) bytes_today: u64,
}

impl Tally {
    fn last_failure(&self, user: i64) -> Option<Event> {
        self.last_failure_at.map(|at| Event {
            user,
            kind: Kind::Failure,
            at,
            number: i32::try_from(self.failures_in_all).unwrap_or(i32::MAX),
        })
    }

    fn day(&self, user: i64) -> Event {
        Event {
            user,
            kind: Kind::Day,
            at: self.day_began_at,
            number: 0,
        }
    }
}

/// The tallies of the users of a transaction.
pub(crate) struct Tallies<'p> {
    in_force: &'p PolicyInForce,
    /// Whether anything is limited.
    is_on: bool,
    /// As the database has them.
    stored: HashMap<i64, Tally>,
    /// With what the transaction has judged so far.
    present: HashMap<i64, Tally>,
}

impl<'p> Tallies<'p> {
    /// Reads the tallies of users, in one statement. The locks of those whose tallies are written must be held.
    pub(crate) fn load(
        conn: &mut Connection<'_>,
        in_force: &'p PolicyInForce,
        users: impl Iterator<Item = i64>,
    ) -> Result<Self, StoreError> {
        let is_on = is_on(&in_force.policy);
        let users: BTreeSet<_> = users.filter(|_| is_on).collect();
        let users: Vec<_> = users.into_iter().collect();
        let stored = if users.is_empty() {
            HashMap::new()
        } else {
            of_users(conn, &users)?
        };
        Ok(Self {
            in_force,
            is_on,
            present: stored.clone(),
            stored,
        })
    }

    /// Refuses an attempt too many.
    ///
    /// A report that is bound to an issued session need not wait. No session is issued to somebody who waits, so it was issued
    /// before, and nobody has more of them than attempts. Who is locked is locked with a session too.
    ///
    /// # Errors
    ///
    /// [`StoreError::Refused`].
    pub(crate) fn admit(&self, attempt: Attempt, is_bound: bool) -> Result<(), StoreError> {
        if !self.is_on {
            return Ok(());
        }
        let tally = self.present.get(&attempt.user).copied().unwrap_or_default();
        self.refusal(tally, attempt, is_bound)
            .map_or(Ok(()), |refusal| Err(StoreError::Refused(refusal)))
    }

    fn refusal(&self, tally: Tally, attempt: Attempt, is_bound: bool) -> Option<Refusal> {
        let PolicyInForce { policy, elapsed, .. } = self.in_force;
        if limits::is_locked(policy.attempts(), tally) {
            let other_way = policy.attempts().other_way.clone();
            return Some(Refusal::Locked { other_way });
        }
        if let (false, Some(failure)) = (is_bound, tally.last_failure(attempt.user)) {
            let since = elapsed.since(failure, attempt.at);
            if let Some(retry_after) = limits::wait(policy.attempts(), tally, since) {
                elapsed.remember(failure, attempt.at);
                return Some(Refusal::TooManyFailures { retry_after });
            }
        }
        let day = tally.day(attempt.user);
        let since = elapsed.since(day, attempt.at);
        let retry_after = limits::quota(policy.quota(), tally, since, attempt.bytes)?;
        elapsed.remember(day, attempt.at);
        Some(Refusal::Quota { retry_after })
    }

    /// Counts an attempt for those that follow in this transaction.
    pub(crate) fn count(&mut self, attempt: Attempt, is_failure: bool) {
        if self.is_on {
            let tally = self.present.get(&attempt.user).copied().unwrap_or_default();
            let counted = self.with(tally, attempt, is_failure);
            self.present.insert(attempt.user, counted);
        }
    }

    /// The tally with one more record.
    fn with(&self, tally: Tally, attempt: Attempt, is_failure: bool) -> Tally {
        let judged = limits::judged(tally, attempt, is_failure);
        if !limits::has_quota(self.in_force.policy.quota()) {
            return judged;
        }
        let since = self.in_force.elapsed.since(tally.day(attempt.user), attempt.at);
        limits::recorded(judged, attempt, since)
    }

    /// Writes what was recorded, in one statement. It may be less than was counted. A tally that stays as it is is not written:
    /// that of who passes, where there is no quota. Returns for each whether it locks its user, or nothing if nothing is limited.
    pub(crate) fn write(
        &self,
        conn: &mut Connection<'_>,
        recorded: impl Iterator<Item = (Attempt, bool)>,
    ) -> Result<Vec<bool>, StoreError> {
        if !self.is_on {
            return Ok(Vec::new());
        }
        let attempts = self.in_force.policy.attempts();
        let (mut changed, mut locks) = (HashMap::new(), Vec::new());
        for (attempt, is_failure) in recorded {
            let user = attempt.user;
            let known = changed.get(&user).or_else(|| self.stored.get(&user));
            let before = known.copied().unwrap_or_default();
            let after = self.with(before, attempt, is_failure);
            self.remember(before, after, attempt);
            locks.push(!limits::is_locked(attempts, before) && limits::is_locked(attempts, after));
            changed.insert(user, after);
        }
        changed.retain(|user, after| *after != self.stored.get(user).copied().unwrap_or_default());
        rows::put(conn, &changed)?;
        Ok(locks)
    }

    /// Remembers what keeps the user waiting from now on.
    fn remember(&self, before: Tally, after: Tally, attempt: Attempt) {
        let PolicyInForce { policy, elapsed, .. } = self.in_force;
        if let (true, Some(failure)) = (
            after.failures_in_all > before.failures_in_all,
            after.last_failure(attempt.user),
        ) {
            elapsed.restart(
                failure,
                limits::delay(policy.attempts(), after.failures_in_a_row).is_some(),
            );
        }
        if !limits::has_quota(policy.quota()) {
            return;
        }
        let day = after.day(attempt.user);
        if after.records_today == 1 {
            elapsed.restart(day, false);
        }
        if limits::is_used_up(policy.quota(), after) {
            elapsed.remember(day, attempt.at);
        }
    }

    /// Whether a user may start a session: how many more failures they have before a wait or the lock if so, `None` if nothing ends
    /// attempts. A start must wait like an unbound report, and is not allowed to somebody whose quota is used up.
    ///
    /// # Errors
    ///
    /// [`StoreError::Refused`].
    pub(crate) fn admit_start(&self, user: i64, at: Timestamp) -> Result<Option<u32>, StoreError> {
        self.admit(Attempt { user, at, bytes: 0 }, false)?;
        let tally = self.present.get(&user).copied().unwrap_or_default();
        Ok(limits::left(self.in_force.policy.attempts(), tally))
    }
}
