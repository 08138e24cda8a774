//! What one transaction writes: of each command its record, image, session, idempotency key and audit entry; users that
//! are new; audit entries of their own. Many callers' at once, in few statements.

use super::connection::Connection;
use super::error::StoreError;
use super::{audit_entries, checks, counts, images, sessions, users};
use crate::{AuditEntry, IdempotencyKey, LivenessCheck, NewLivenessCheck, Timestamp, User};

pub(super) use super::counts::slots;

/// What a command writes, all of it or nothing.
#[derive(Debug)]
pub struct Recording {
    /// The record.
    pub check: NewLivenessCheck,
    /// The trace of it.
    pub audit_entry: AuditEntry,
    /// The command's name, which an idempotency key belongs to.
    pub command: &'static str,
    /// The key under which the client may repeat it.
    pub idempotency_key: Option<IdempotencyKey>,
}

impl Recording {
    /// The key as it stands in the record: it is the user's and the command's own.
    pub(super) fn scoped_key(&self) -> Option<String> {
        let key = self.idempotency_key.as_ref()?;
        Some(format!("{} {} {}", self.check.user.id, self.command, key.key()))
    }
}

/// What was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The record; on a replay, that of the first call.
    pub check: LivenessCheck,
    /// Whether this call repeated an earlier one and added no record.
    pub is_replay: bool,
}

/// One caller's part of a transaction.
#[derive(Debug)]
pub(super) enum Write {
    Recording(Box<Recording>),
    AuditEntries(Vec<AuditEntry>),
    /// Is added unless it is there.
    User(User, Timestamp),
    /// Are added or changed.
    Users(Vec<User>, Timestamp),
}

/// What became of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Written {
    /// Something that nothing comes back of.
    Done,
    Recorded(Box<Recorded>),
    User(Option<User>),
}

impl Write {
    /// Bytes of the image, which are most of what a write weighs.
    pub(super) fn image_bytes(&self) -> usize {
        self.recording()
            .and_then(|recording| recording.check.image.as_ref())
            .map_or(0, |image| image.bytes().len())
    }

    /// What no other write of the same transaction may be about.
    pub(super) fn subjects(&self) -> impl Iterator<Item = String> {
        let session = self
            .recording()
            .map(|recording| recording.check.session_id.as_str().to_owned());
        // A session's name has no line feed.
        let key = self
            .recording()
            .and_then(Recording::scoped_key)
            .map(|key| format!("\n{key}"));
        session.into_iter().chain(key)
    }

    fn recording(&self) -> Option<&Recording> {
        match self {
            Self::Recording(recording) => Some(recording),
            Self::AuditEntries(_) | Self::User(..) | Self::Users(..) => None,
        }
    }

    fn audit_entries(&self) -> &[AuditEntry] {
        match self {
            Self::Recording(recording) => std::slice::from_ref(&recording.audit_entry),
            Self::AuditEntries(entries) => entries,
            Self::User(..) | Self::Users(..) => &[],
        }
    }
}

type Outcome = Result<Written, StoreError>;

/// Writes all that can be written, and tells of each how it went: what is refused is refused alone.
///
/// No two writes have a session or an idempotency key in common.
pub(super) fn write(conn: &mut Connection<'_>, slot: i32, writes: &[Write]) -> Result<Vec<Outcome>, StoreError> {
    let mut outcomes: Vec<Option<Outcome>> = add_users(conn, writes)?;
    record(conn, slot, writes, &mut outcomes)?;
    let entries: Vec<_> = writes
        .iter()
        .zip(&outcomes)
        .filter(|(_, outcome)| !matches!(outcome, Some(Err(_))))
        .flat_map(|(write, _)| write.audit_entries())
        .collect();
    audit_entries::insert_all(conn, &entries)?;
    Ok(outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap_or(Ok(Written::Done)))
        .collect())
}

fn add_users(conn: &mut Connection<'_>, writes: &[Write]) -> Result<Vec<Option<Outcome>>, StoreError> {
    let user = |write: &Write| match write {
        Write::User(user, now) => Some((user.clone(), *now)),
        Write::Recording(_) | Write::AuditEntries(_) | Write::Users(..) => None,
    };
    let new: Vec<_> = writes.iter().filter_map(user).collect();
    let found = users::add(conn, &new)?;
    for write in writes {
        if let Write::Users(users, now) = write {
            let users: Vec<_> = users.iter().map(|user| (user.clone(), *now)).collect();
            users::put(conn, &users)?;
        }
    }
    let outcome = |write: &Write| {
        user(write).map(|(user, _)| Ok(Written::User(found.iter().find(|found| found.id == user.id).cloned())))
    };
    Ok(writes.iter().map(outcome).collect())
}

/// Records what is new, and finds what is repeated.
fn record(
    conn: &mut Connection<'_>,
    slot: i32,
    writes: &[Write],
    outcomes: &mut [Option<Outcome>],
) -> Result<(), StoreError> {
    let keys: Vec<_> = writes
        .iter()
        .filter_map(|write| write.recording()?.scoped_key())
        .collect();
    let known = checks::under_keys(conn, &keys)?;
    let mut new = Vec::new();
    for (place, write) in writes.iter().enumerate() {
        let Some(recording) = write.recording() else { continue };
        match recording.scoped_key().and_then(|key| known.get(&key)) {
            None => new.push((place, recording)),
            // Its audit entry is written: the repetition is durable, and what it repeats before it, when it is answered.
            Some((fingerprint, check)) => outcomes[place] = Some(replay(recording, fingerprint, check)),
        }
    }
    let claimed = sessions::claim(conn, new.iter().map(|(_, recording)| &recording.check))?;
    let (own, others): (Vec<_>, Vec<_>) = new
        .into_iter()
        .partition(|(_, recording)| claimed.contains(recording.check.session_id.as_str()));
    for (place, _) in others {
        outcomes[place] = Some(Err(StoreError::SessionOfAnotherUser));
    }
    let recordings: Vec<_> = own.iter().map(|(_, recording)| *recording).collect();
    let recorded = insert(conn, slot, &recordings)?;
    for ((place, _), check) in own.into_iter().zip(recorded) {
        outcomes[place] = Some(Ok(Written::Recorded(Box::new(Recorded {
            check,
            is_replay: false,
        }))));
    }
    Ok(())
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

/// The records, each with its image and counted.
fn insert(conn: &mut Connection<'_>, slot: i32, recordings: &[&Recording]) -> Result<Vec<LivenessCheck>, StoreError> {
    let recorded = checks::insert(conn, recordings)?;
    let faces = recordings.iter().zip(&recorded);
    let faces = faces.filter_map(|(recording, check)| Some((check.id, recording.check.image.as_ref()?)));
    images::put(conn, faces)?;
    counts::add(conn, slot, recordings.iter().map(|recording| &recording.check.user))?;
    Ok(recorded)
}
