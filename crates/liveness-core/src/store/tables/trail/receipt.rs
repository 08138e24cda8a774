//! What a receipt is made of: a record, the entry of its recording, and the proof that the entry is in the log.

use std::sync::atomic::Ordering;
use std::time::Duration;

use diesel::prelude::*;
use tokio::time::{sleep, timeout};

use super::Trail;
use super::integrator::of_tree;
use super::log::{self, StoredTiles};
use super::rows::EntryRow;
use crate::Timestamp;
use crate::store::engine::connection::{Connection, Purpose, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::judgment;
use crate::store::tables::schema::{liveness_audit_entries as entries, liveness_checks as checks};
use crate::store::tables::stored_check::StoredCheck;
use crate::trail::leaf::hex;
use crate::trail::{MacKey, SignedCheckpoint, TlogProof, TrailSigner, TrailVerifier, inclusion_proof};
use crate::verdict::VerdictOutcome;

/// The longest wait for a checkpoint that has the entry.
const PATIENCE: Duration = Duration::from_secs(3);
/// The time between two looks for it.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// Whether a record of a user is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum InLog {
    /// The user has no such record.
    NoRecord,
    /// The record is from before entries had the digest of their record.
    Unbound,
    /// The record is in the log, and this proves it.
    Proven(Box<RecordInLog>),
}

/// A record, the entry of its recording, and the proof that the entry is in the log. Digests are SHA-256 in lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordInLog {
    /// The record's number.
    pub id: i64,
    /// The SDK's session.
    pub session_id: String,
    /// Whether the SDK called it a success.
    pub is_successful: bool,
    /// The SDK's own verification, if it sent one.
    pub verification_result: Option<bool>,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// The verdict on it, and the version of the policy by which it was judged. `None` if it is from before records were judged.
    pub verdict: Option<(VerdictOutcome, String)>,
    /// The digest over the nonce and the user's id in decimal digits: `user` in the entry.
    pub user_sha256: String,
    /// The digest over the nonce and the bytes of the record.
    pub record_sha256: String,
    /// The digest of the face's bytes as they were kept, if there was a face.
    pub face_sha256: Option<String>,
    /// The nonce of both digests, in hex. `None` if the user was erased.
    pub nonce: Option<String>,
    /// The index of the entry in the log, from 0.
    pub index: u64,
    /// The bytes of the entry, which are JSON.
    pub entry: String,
    /// The text of a C2SP tlog-proof.
    pub proof: String,
}

impl Trail {
    /// Proves that a record of a user is in the log. Where no checkpoint has the entry yet, the keeper is asked to sign one
    /// at once, and this waits for it up to 3 s, without a thread or a connection.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if no checkpoint is signed within that time, such as where nobody keeps the trail.
    /// [`StoreError::Internal`] if the record or the entry is not the one that was signed: nothing is certified then.
    pub async fn record_in_log(&self, signer: &dyn TrailSigner, user: i64, id: i64) -> Result<InLog, StoreError> {
        let waiting = async {
            loop {
                if let Some(found) = self.look_for(signer, user, id).await? {
                    return Ok(found);
                }
                self.link.wants_checkpoint.store(true, Ordering::Relaxed);
                sleep(LOOK_INTERVAL).await;
            }
        };
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| {
            Err(StoreError::unavailable(format!(
                "the trail has not signed the entry of record {id} within {} s",
                PATIENCE.as_secs()
            )))
        })
    }

    async fn look_for(&self, signer: &dyn TrailSigner, user: i64, id: i64) -> Result<Option<InLog>, StoreError> {
        let log = signer.verifier().clone();
        let mac_key = signer.entry_mac_key().map_err(StoreError::internal)?;
        self.reads
            .read(move |conn| {
                let search = Search {
                    log: &log,
                    mac_key: &mac_key,
                    user,
                    id,
                };
                conn.transaction(Purpose::Read, |conn| search.run(conn))
            })
            .await
    }
}

struct Search<'a> {
    log: &'a TrailVerifier,
    mac_key: &'a MacKey,
    user: i64,
    id: i64,
}

impl Search<'_> {
    /// `None` while no checkpoint has the entry.
    fn run(&self, conn: &mut Connection<'_>) -> Result<Option<InLog>, StoreError> {
        let Some(check) = self.record(conn)? else {
            return Ok(Some(InLog::NoRecord));
        };
        if check.id <= log::head(conn)?.last_unbound_check_id {
            return Ok(Some(InLog::Unbound));
        }
        let binding = self.entries(conn)?;
        if binding.is_empty() {
            return Err(self.broken("no audit entry tells of its recording"));
        }
        let is_erased = |entry: &EntryRow| entry.nonces().is_some_and(|nonces| nonces.of_user().is_none());
        if binding.iter().any(is_erased) && !binding.iter().any(|entry| says(entry, &check)) {
            return Err(self.broken("it was changed since its user was erased"));
        }
        for entry in binding {
            if let Some(index) = index_of(conn, &entry)? {
                let proven = self.prove(conn, &check, &entry, index)?;
                return Ok(proven.map(|proven| InLog::Proven(Box::new(proven))));
            }
        }
        Ok(None)
    }

    fn record(&self, conn: &mut Connection<'_>) -> Result<Option<StoredCheck>, StoreError> {
        Ok(on_either!(conn, |conn| checks::table
            .filter(checks::id.eq(self.id).and(checks::self_service_user_id.eq(self.user)))
            .select(StoredCheck::as_select())
            .first(*conn)
            .optional())?)
    }

    /// The entries that bind the record. There is one, unless somebody has put in others.
    fn entries(&self, conn: &mut Connection<'_>) -> Result<Vec<EntryRow>, StoreError> {
        let is_citus = conn.is_citus();
        let user = self.user;
        Ok(on_either!(conn, |conn| {
            let mut query = entries::table
                .filter(entries::liveness_check_id.eq(self.id))
                .filter(entries::record_digest.is_not_null())
                .order(entries::id)
                .select(EntryRow::as_select())
                .into_boxed();
            if is_citus {
                // With the user, Citus knows the shard.
                query = query.filter(entries::self_service_user_id.eq(user));
            }
            query.load(*conn)
        })?)
    }

    /// The proof for the newest checkpoint. `None` if that does not have the entry yet.
    fn prove(
        &self,
        conn: &mut Connection<'_>,
        check: &StoredCheck,
        entry: &EntryRow,
        index: u64,
    ) -> Result<Option<RecordInLog>, StoreError> {
        let Some(newest) = log::newest_checkpoint(conn)? else {
            return Ok(None);
        };
        let signed = SignedCheckpoint::open(&newest.note, self.log).map_err(StoreError::internal)?;
        let size = signed.checkpoint().size;
        if size <= index {
            return Ok(None);
        }
        let leaf = entry.leaf(self.mac_key).map_err(|problem| self.broken(&problem))?;
        let proof = TlogProof {
            extra: None,
            index,
            hashes: inclusion_proof(&mut StoredTiles(conn), index, size).map_err(of_tree)?,
            checkpoint: newest.note,
        };
        proof
            .verify(&leaf, self.log)
            .map_err(|problem| self.broken(&problem.to_string()))?;
        self.certified(check, entry, leaf, proof).map(Some)
    }

    /// What is certified of the record, if it is still the one that its entry binds.
    fn certified(
        &self,
        check: &StoredCheck,
        entry: &EntryRow,
        leaf: Vec<u8>,
        proof: TlogProof,
    ) -> Result<RecordInLog, StoreError> {
        let nonces = entry.nonces().ok_or_else(|| self.broken("its entry has no nonces"))?;
        let bound = entry.record_digest.as_deref().unwrap_or_default();
        let digest = nonces.record_digest(&check.canonical());
        if digest.is_some_and(|digest| digest != *bound) {
            return Err(self.broken("it was changed since it was recorded"));
        }
        Ok(RecordInLog {
            id: check.id,
            session_id: check.session_id.clone(),
            is_successful: check.is_successful,
            verification_result: check.verification_result,
            created_at: Timestamp::from_unix_millis(check.created_at)
                .ok_or_else(|| self.broken("its time is out of range"))?,
            verdict: verdict_of(check)?,
            user_sha256: nonces.user_digest(self.user),
            record_sha256: hex(bound),
            face_sha256: entry.face_digest.as_deref().map(hex),
            nonce: nonces.of_user(),
            index: proof.index,
            entry: String::from_utf8(leaf).map_err(StoreError::internal)?,
            proof: proof.to_string(),
        })
    }

    fn broken(&self, problem: &str) -> StoreError {
        StoreError::internal(format!(
            "record {} has no receipt: {problem}; `trail verify` names all that is wrong",
            self.id
        ))
    }
}

fn verdict_of(check: &StoredCheck) -> Result<Option<(VerdictOutcome, String)>, StoreError> {
    let judged = check.judgment.verdict.zip(check.judgment.policy.as_deref());
    let verdict = judged.map(|(number, policy)| Ok((judgment::outcome(number)?, hex(policy))));
    verdict.transpose()
}

/// Whether an entry says that the record is this one.
fn says(entry: &EntryRow, check: &StoredCheck) -> bool {
    let digest = entry
        .nonces()
        .and_then(|nonces| nonces.record_digest(&check.canonical()));
    digest.is_some_and(|digest| entry.record_digest.as_deref() == Some(&digest[..]))
}

/// The index of an entry in the log, if it is there.
fn index_of(conn: &mut Connection<'_>, entry: &EntryRow) -> Result<Option<u64>, StoreError> {
    let writer = entry.writer.as_deref().unwrap_or(log::NO_WRITER);
    let count = entry.count();
    let run = log::run_of(conn, writer, count)?;
    run.map(|run| u64::try_from(run.index_of(count)).map_err(StoreError::internal))
        .transpose()
}
