//! Writes one transaction for many callers at once, in few statements. A caller writes a record with its face, session,
//! idempotency key and audit entry, or users, or jobs, or only audit entries.

mod recording_checks;

use std::collections::HashSet;
use std::sync::Arc;

use self::recording_checks::{Made, record};
use super::attempts;
use super::issued_sessions::issuing;
use super::job_change::JobChange;
use super::jobs::{adding, operating};
use super::look_limit;
use super::policy_in_force::PolicyInForce;
use super::recording::Recording;
use super::trail::entries::{self, DueEntry, RecordedCheck};
use super::user_lock;
use super::users::{changes, rows};
use super::write::{Session, Write, Written};
use crate::store::engine::clock;
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::store::keys::FaceKeys;
use crate::store::queue::group_commit::GroupWrite;
use crate::trail::leaf::hex;

/// What the writes need besides a connection.
#[derive(Debug)]
pub(crate) struct WriteTools {
    /// The keys, if faces are sealed.
    pub(crate) face_keys: Option<Arc<FaceKeys>>,
    /// What reports are judged by.
    pub(crate) in_force: Arc<PolicyInForce>,
}

impl GroupWrite for Write {
    type Written = Written;
    type Session = Session;
    type Tools = WriteTools;

    /// The bytes of the face, which is the largest part of a write.
    fn bytes(&self) -> usize {
        self.recording()
            .and_then(|recording| recording.check.image.as_ref())
            .map_or(0, |image| image.bytes().len())
    }

    /// The session, the issued session, the idempotency key and the image of the write.
    fn subjects(&self) -> impl Iterator<Item = String> {
        let check = self.recording().map(|recording| &recording.check);
        let session = check.map(|check| check.session_id.as_str().to_owned());
        let issued = check.and_then(|check| Some(check.issued_session_id.as_ref()?.as_str().to_owned()));
        let issued = issued.filter(|issued| Some(issued) != session.as_ref());
        // A session id has no line feed, and a key begins with a digit. So neither equals another subject.
        let key = self
            .recording()
            .and_then(Recording::scoped_key)
            .map(|key| format!("\n{key}"));
        let digest = self.prepared().and_then(|prepared| prepared.image_digest);
        let image = digest.map(|digest| format!("\nimage {}", hex(&digest)));
        [session, issued, key, image].into_iter().flatten()
    }

    fn write_batch(
        conn: &mut Connection<'_>,
        tools: &WriteTools,
        session: &mut Session,
        writes: &[Self],
    ) -> Result<Vec<Outcome>, StoreError> {
        session.publishes = false;
        // First, because they wait for other transactions. What the users have recorded, and which of their sessions are used up,
        // does not change from here on.
        let looked = look_limit::decide(conn, writes.iter().map(Self::look))?;
        user_lock::lock(conn, &users_of(tools, writes))?;
        let mut outcomes: Vec<Option<Outcome>> = add_users(conn, writes)?;
        for (outcome, looked) in outcomes.iter_mut().zip(looked) {
            *outcome = looked.map(|looked| Ok(Written::Looked(looked))).or(outcome.take());
        }
        change_jobs(conn, writes, &mut outcomes)?;
        issuing::issue(conn, &tools.in_force, writes, &mut outcomes)?;
        let made = record(conn, tools, session, writes, &mut outcomes)?;
        let recorded: Vec<_> = outcomes
            .iter()
            .zip(made)
            .map(|(outcome, made)| recorded_check(outcome.as_ref(), made))
            .collect();
        let due: Vec<_> = writes
            .iter()
            .zip(&outcomes)
            .zip(&recorded)
            .filter(|((_, outcome), _)| leaves_entries(outcome.as_ref()))
            .flat_map(|((write, outcome), recorded)| {
                let due = |entry| DueEntry {
                    entry,
                    recorded: recorded.as_ref(),
                };
                let written = outcome.as_ref().and_then(|outcome| outcome.as_ref().ok());
                write.audit_entries(written).iter().map(due)
            })
            .collect();
        entries::insert_all(conn, &mut session.entries, &due)?;
        Ok(outcomes
            .into_iter()
            .map(|outcome| outcome.unwrap_or(Ok(Written::Done)))
            .collect())
    }
}

type Outcome = Result<Written, StoreError>;

/// Whether a write did what it is for. A user who was there before leaves no entry.
fn leaves_entries(outcome: Option<&Outcome>) -> bool {
    !matches!(outcome, Some(Err(_) | Ok(Written::User { is_new: false, .. })))
}

/// The record of a write, for its entry.
fn recorded_check(outcome: Option<&Outcome>, made: Option<Made>) -> Option<RecordedCheck> {
    let Some(Ok(Written::Recorded(recorded))) = outcome else {
        return None;
    };
    let (canonical, face_digest) = made.map_or((None, None), |made| (Some(made.canonical), made.face_digest));
    Some(RecordedCheck {
        id: recorded.check.id,
        canonical,
        face_digest,
    })
}

fn add_users(conn: &mut Connection<'_>, writes: &[Write]) -> Result<Vec<Option<Outcome>>, StoreError> {
    let mut wanted = HashSet::new();
    let user = |write: &Write| match write {
        Write::User(new) if wanted.insert(new.user.id) => Some((new.user.clone(), new.entry.at)),
        _ => None,
    };
    let new: Vec<_> = writes.iter().filter_map(user).collect();
    let (found, mut added) = rows::add(conn, &new)?;
    let mut outcomes = Vec::with_capacity(writes.len());
    for write in writes {
        outcomes.push(match write {
            Write::User(new) => {
                let id = new.user.id;
                let user = found.iter().find(|found| found.id == id).cloned();
                // The first write of a user is the one that added the user.
                let is_new = added.remove(&id);
                Some(Ok(Written::User { user, is_new }))
            }
            Write::Users(changed) => Some(changes::write(conn, changed)?.map(|()| Written::Done)),
            Write::Recording(_) | Write::AuditEntries(_) | Write::Look(_) | Write::Jobs(_) | Write::IssueSession(_) => {
                None
            }
        });
    }
    Ok(outcomes)
}

fn change_jobs(
    conn: &mut Connection<'_>,
    writes: &[Write],
    outcomes: &mut [Option<Outcome>],
) -> Result<(), StoreError> {
    for (write, outcome) in writes.iter().zip(outcomes) {
        let Write::Jobs(change) = write else { continue };
        let changed = match change {
            JobChange::Enqueue(jobs) => adding::enqueue(conn, jobs).map(|()| jobs.len() as u64)?,
            JobChange::Retry(id) => {
                let now = clock::now(conn)?;
                operating::retry(conn, *id, now)?.into()
            }
            JobChange::RetrySome(limit) => {
                let now = clock::now(conn)?;
                operating::retry_some(conn, *limit, now)?
            }
        };
        *outcome = Some(Ok(Written::Jobs(changed)));
    }
    Ok(())
}

/// The users who record, and where attempts end, those who start a session.
fn users_of(tools: &WriteTools, writes: &[Write]) -> Vec<i64> {
    let starts_count = attempts::is_on(&tools.in_force.policy);
    let user = |write: &Write| match write {
        Write::Recording(prepared) => Some(prepared.recording.check.user.id),
        Write::IssueSession(new) if starts_count => Some(new.self_service_user_id),
        _ => None,
    };
    writes.iter().filter_map(user).collect()
}
