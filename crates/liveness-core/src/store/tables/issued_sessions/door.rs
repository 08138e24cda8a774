//! The sessions that the server issues, as the store offers them.

use std::sync::Arc;
use std::time::Duration;

use super::unused;
use crate::policy;
use crate::store::engine::connection::Purpose;
use crate::store::engine::connections::Connections;
use crate::store::engine::error::StoreError;
use crate::store::tables::new_session::NewSession;
use crate::store::tables::write::{Write, Writer, Written};
use crate::verdict::IssuedSession;
use crate::{AuditEntry, Timestamp};

/// For how long a report of an unused session is told that it has expired. After that, it was never issued.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// The sessions that the server issues. A report that names one is [bound](crate::verdict::SessionBinding) to it when it is
/// [recorded](crate::store::Checks::record).
#[derive(Clone, Debug)]
pub struct IssuedSessions {
    connections: Arc<Connections>,
    writer: Arc<Writer>,
    policy: Arc<policy::Session>,
}

/// A session that was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartedSession {
    /// The session.
    pub session: IssuedSession,
    /// How many more attempts may fail before the user has to wait or is locked. `None` if nothing limits them.
    pub attempts_left: Option<u32>,
}

impl IssuedSessions {
    pub(crate) fn new(connections: &Arc<Connections>, writer: &Arc<Writer>, policy: &policy::Session) -> Self {
        Self {
            connections: Arc::clone(connections),
            writer: Arc::clone(writer),
            policy: Arc::new(policy.clone()),
        }
    }

    /// Issues a session to a user, and writes the audit entry of it, in one transaction. The session is issued at the time of the
    /// entry. Its id and its challenges come from the system's random source. Both are durable when this returns.
    ///
    /// A user may have many sessions at once, but where attempts end, no more than attempts are left: the oldest then expire. One
    /// that is issued stays as it is when the policy changes.
    ///
    /// # Errors
    ///
    /// [`StoreError::Refused`] if the policy refuses it. [`StoreError::Unavailable`]: nothing was issued.
    /// [`StoreError::OutcomeUnknown`] when the commit itself failed. Then nobody knows the id of the session, if there is one.
    pub async fn start(&self, self_service_user_id: i64, entry: AuditEntry) -> Result<StartedSession, StoreError> {
        let new = NewSession::draw(self_service_user_id, &self.policy, entry)?;
        let session = new.session.clone();
        match self.writer.write(Write::IssueSession(Box::new(new))).await? {
            Written::SessionIssued { attempts_left } => Ok(StartedSession { session, attempts_left }),
            other => Err(other.unexpected()),
        }
    }

    /// Deletes the sessions that nobody used and that have expired a day ago or earlier, a few hundred in one transaction, until
    /// `should_stop` says so. Returns how many. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]: another sweep goes on.
    pub fn sweep(&self, now: Timestamp, mut should_stop: impl FnMut() -> bool) -> Result<u64, StoreError> {
        let kept = i64::try_from(KEPT.as_millis()).unwrap_or(i64::MAX);
        let before = now.plus_millis(-kept).unix_millis();
        let (mut from, mut swept) = (i64::MIN, 0);
        while !should_stop() {
            let Some(to) = self.connections.read(|conn| unused::next(conn, from, before))? else {
                break;
            };
            let deleted = self
                .connections
                .write(|conn| conn.transaction(Purpose::Write, |conn| unused::delete(conn, from, to)))?;
            swept += deleted as u64;
            from = to.saturating_add(1);
        }
        Ok(swept)
    }
}
