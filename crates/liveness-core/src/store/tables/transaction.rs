//! Writes one transaction for many callers at once, in few statements. A caller writes a record with its face, session,
//! idempotency key and audit entry, or users, or jobs, or only audit entries.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::attempts::{self, Attempt, Tallies};
use super::checks::find;
use super::checks::insert::{self, Inserted};
use super::dating::{self, Dated, Dating};
use super::due_report::DueReport;
use super::events::telling::{NewRecord, Telling};
use super::face_objects::PutFace;
use super::faces::TakenFace;
use super::issued_sessions::{self, issuing};
use super::job_change::JobChange;
use super::jobs::{adding, operating};
use super::judging::{self, Judged};
use super::policy_in_force::PolicyInForce;
use super::recording::{Recorded, Recording};
use super::trail::entries::{self, DueEntry, RecordedCheck};
use super::users::{changes, rows};
use super::write::{Session, Write, Written};
use super::{faces, look_limit, sessions, totals};
use crate::LivenessCheck;
use crate::store::engine::clock;
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::store::keys::FaceKeys;
use crate::store::queue::group_commit::GroupWrite;
use crate::trail::leaf::{Sha256, hex};

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
        dating::lock(conn, &users_of(tools, writes))?;
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

/// What was made of a recording, for its entry.
struct Made {
    canonical: Vec<u8>,
    face_digest: Option<Sha256>,
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

/// Records the new checks. Answers repeated calls with the record of the first call. Returns what was made of
/// the new records, at the places of their writes.
fn record(
    conn: &mut Connection<'_>,
    tools: &WriteTools,
    session: &mut Session,
    writes: &[Write],
    outcomes: &mut [Option<Outcome>],
) -> Result<Vec<Option<Made>>, StoreError> {
    let keys: Vec<_> = writes
        .iter()
        .filter_map(|write| write.recording()?.scoped_key())
        .collect();
    let known = find::under_keys(conn, &keys)?;
    let mut new = Vec::new();
    for (place, write) in writes.iter().enumerate() {
        let Some(recording) = write.recording() else { continue };
        match recording.scoped_key().and_then(|key| known.get(&key)) {
            None if write.prepared().is_some_and(|prepared| prepared.is_repetition) => {
                outcomes[place] = Some(Err(StoreError::unavailable("the record of the first call is gone")));
            }
            None => new.push((place, recording)),
            // A repeated call writes an audit entry of its own. When this entry is durable, so is the record of the
            // first call.
            Some((fingerprint, check)) => outcomes[place] = Some(replay(recording, fingerprint, check)),
        }
    }
    let (places, new): (Vec<_>, Vec<_>) = new.into_iter().unzip();
    let Dating { dated, is_listened_to } = dating::date(conn, new.into_iter())?;
    let due: Vec<_> = places
        .iter()
        .zip(&dated)
        .map(|(place, dated)| due_report(&writes[*place], *dated))
        .collect();
    let users = dated.iter().map(|dated| dated.check().user.id);
    let mut tallies = Tallies::load(conn, &tools.in_force, users)?;
    let outcomes_of_judging = judging::judge_each(conn, &tools.in_force, &mut tallies, &due)?;
    let mut judged = Vec::with_capacity(places.len());
    for (place, outcome) in places.into_iter().zip(outcomes_of_judging) {
        match outcome {
            Ok(report) => judged.push((place, report)),
            Err(refused) => outcomes[place] = Some(Err(refused)),
        }
    }
    let claimed = sessions::claim(conn, judged.iter().map(|(_, report)| &report.dated))?;
    let (own, others): (Vec<_>, Vec<_>) = judged
        .into_iter()
        .partition(|(_, report)| claimed.contains(report.dated.check().session_id.as_str()));
    for (place, _) in others {
        outcomes[place] = Some(Err(StoreError::SessionOfAnotherUser));
    }
    let recorded = own
        .iter()
        .map(|(_, report)| (Attempt::of(report.dated.check()), report.is_failure()));
    let locks = tallies.write(conn, recorded)?;
    let telling = if is_listened_to {
        let users = own.iter().map(|(_, report)| report.dated.check().user.id);
        Some(Telling::before(conn, &tools.in_force, users)?)
    } else {
        None
    };
    let due: Vec<_> = own
        .iter()
        .map(|(place, report)| {
            (
                report,
                writes[*place].prepared().and_then(|prepared| prepared.put.as_ref()),
            )
        })
        .collect();
    let recorded = add_checks(conn, tools, session.slot, &due)?;
    if let Some(telling) = telling {
        let records = own.iter().zip(&recorded).enumerate();
        let records = records.map(|(place, ((_, report), (inserted, _)))| NewRecord {
            check: &inserted.check,
            outcome: report.verdict.outcome,
            traceparent: report.dated.recording.traceparent.as_deref(),
            locks: locks.get(place).copied().unwrap_or(false),
        });
        session.publishes = telling.tell(conn, &tools.in_force, &records.collect::<Vec<_>>())?;
    }
    let mut made: Vec<Option<Made>> = writes.iter().map(|_| None).collect();
    for ((place, _), (inserted, face_digest)) in own.into_iter().zip(recorded) {
        made[place] = Some(Made {
            canonical: inserted.canonical,
            face_digest,
        });
        outcomes[place] = Some(Ok(Written::Recorded(Box::new(Recorded {
            check: inserted.check,
            is_replay: false,
        }))));
    }
    Ok(made)
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

/// The report of a write, to be judged.
fn due_report<'a>(write: &'a Write, dated: Dated<'a>) -> DueReport<'a> {
    let prepared = write.prepared();
    DueReport {
        dated,
        picture: prepared.and_then(|prepared| prepared.picture),
        image_digest: prepared.and_then(|prepared| prepared.image_digest.as_ref()),
    }
}

fn replay(recording: &Recording, fingerprint: &[u8], check: &LivenessCheck) -> Outcome {
    let is_same = recording
        .idempotency_key
        .as_ref()
        .is_some_and(|key| key.fingerprint() == fingerprint);
    if !is_same {
        return Err(StoreError::IdempotencyKeyReused);
    }
    Ok(Written::Recorded(Box::new(Recorded {
        check: check.clone(),
        is_replay: true,
    })))
}

/// Adds the records and their faces, and counts the records.
fn add_checks(
    conn: &mut Connection<'_>,
    tools: &WriteTools,
    slot: i32,
    due: &[(&Judged<'_>, Option<&PutFace>)],
) -> Result<Vec<(Inserted, Option<Sha256>)>, StoreError> {
    let judged: Vec<_> = due.iter().map(|(report, _)| *report).collect();
    let recorded = insert::insert(conn, &judged)?;
    let used = judged.iter().zip(&recorded);
    let used = used
        .filter_map(|(report, inserted)| Some((inserted.check.self_service_user_id, report.uses?, inserted.check.id)));
    issued_sessions::use_up(conn, used)?;
    let taken = due.iter().zip(&recorded).filter_map(|((report, put), inserted)| {
        let image = report.dated.check().image.as_ref()?;
        let check = &inserted.check;
        Some(TakenFace {
            check,
            image,
            put: *put,
        })
    });
    let kept = faces::keep(tools.face_keys.as_deref(), taken)?;
    faces::put(conn, &kept)?;
    let counted = judged
        .iter()
        .map(|report| (report.dated.check(), report.columns.outcome));
    totals::add(conn, slot, counted)?;
    let sealed = kept
        .iter()
        .filter_map(|face| Some((face.check.id, face.sealed_digest()?)));
    let sealed: HashMap<i64, Sha256> = sealed.collect();
    // Of a face in clear, the caller has made the digest already.
    let digest = |report: &Judged<'_>, id| {
        let in_clear = report.dated.recording.audit_entry.subject.face_digest;
        sealed.get(&id).copied().or(in_clear)
    };
    let digests: Vec<_> = judged
        .iter()
        .zip(&recorded)
        .map(|(report, inserted)| digest(report, inserted.check.id))
        .collect();
    Ok(recorded.into_iter().zip(digests).collect())
}
