//! The audit trail, as the store offers it.

pub(crate) mod about;
pub(crate) mod bound;
pub(crate) mod entries;
pub(crate) mod erased_records;
pub(crate) mod export;
pub(crate) mod filter;
pub(crate) mod find;
pub(crate) mod integrator;
pub(crate) mod keeper;
pub(crate) mod log;
pub(crate) mod looks;
pub(crate) mod matching;
pub(crate) mod places;
pub(crate) mod receipt;
pub(crate) mod rows;
pub(crate) mod verification;
pub(crate) mod verified;
mod verified_decisions;
pub(crate) mod verified_erasures;
pub(crate) mod verified_holds;
pub(crate) mod verified_lists;
pub(crate) mod verified_objects;
pub(crate) mod verified_records;
mod verified_user_erasures;
pub(crate) mod witnessing;

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use self::filter::{TrailFilter, TrailPageRequest};
use self::find::TrailPage;
use self::integrator::Integrator;
use self::keeper::TrailKeeper;
use self::looks::FaceLook;
use self::verification::{Sources, Verifier};
use self::verified::{TrailPart, TrailVerification};
use super::entry_writer::{EntryTrust, TrailLink};
use super::face_objects::FaceObjects;
use super::look_limit::{LimitedLook, LookLimit, Looked};
use super::write::{Write, Writer, Written};
use crate::store::engine::connection::Connection;
use crate::store::engine::connections::Connections;
use crate::store::engine::error::{OpenError, StoreError};
use crate::store::engine::migrations::has_table;
use crate::store::queue::read_pool::ReadPool;
use crate::trail::{MacKey, ReceiptError, SignerError, TrailSigner, sign_receipt};
use crate::{AuditEntry, Clock, SystemClock};

/// The audit trail. Entries are added and read, never changed.
#[derive(Clone, Debug)]
pub struct Trail {
    connections: Arc<Connections>,
    reads: Arc<ReadPool>,
    writer: Arc<Writer>,
    link: Arc<TrailLink>,
    objects: Option<Arc<FaceObjects>>,
}

impl Trail {
    pub(crate) fn new(
        connections: &Arc<Connections>,
        reads: &Arc<ReadPool>,
        writer: &Arc<Writer>,
        link: Arc<TrailLink>,
    ) -> Self {
        Self {
            connections: Arc::clone(connections),
            reads: Arc::clone(reads),
            writer: Arc::clone(writer),
            link,
            objects: None,
        }
    }

    /// The same with the place of the faces that are not in the database.
    pub(crate) fn with_objects(mut self, objects: Option<&Arc<FaceObjects>>) -> Self {
        self.objects = objects.cloned();
        self
    }

    /// What its writers share.
    pub(crate) fn link(&self) -> Arc<TrailLink> {
        Arc::clone(&self.link)
    }

    /// Sets the key by which entries show that they were written by who has it. Every process that writes entries needs it.
    /// A second call with another key does nothing.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if the library of cryptography fails.
    pub fn sign_entries(&self, signer: &dyn TrailSigner) -> Result<(), OpenError> {
        let mac_key = mac_key(signer)?;
        let _ = self.link.key.set(mac_key);
        Ok(())
    }

    /// Starts the thread that puts entries into the log and signs its checkpoints. One for each process is enough, and of
    /// several processes one at a time works. Entries are signed from now on, see [`sign_entries`](Self::sign_entries).
    ///
    /// `accepts_unsigned` says that entries count that were written without the key, such as those of
    /// [`insert_audit_entry`](crate::store::insert_audit_entry). Otherwise they are findings.
    ///
    /// The signer is a [`TrailKey`](crate::trail::TrailKey), a signer of your own, or an [`Arc`] of one. While it fails, entries
    /// are put into the log without a checkpoint, and [`TrailState::unsigned`](crate::store::TrailState::unsigned) says why.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if the thread cannot be started.
    pub fn keep(&self, signer: impl TrailSigner + 'static, accepts_unsigned: bool) -> Result<TrailKeeper, OpenError> {
        self.keep_by(signer, accepts_unsigned, Arc::new(SystemClock))
    }

    /// The same with a clock of your own. A checkpoint is signed 10 s after the one before it where the log has grown, and 10
    /// minutes after it where it has not.
    ///
    /// # Errors
    ///
    /// As [`keep`](Self::keep).
    pub fn keep_by(
        &self,
        signer: impl TrailSigner + 'static,
        accepts_unsigned: bool,
        clock: Arc<dyn Clock>,
    ) -> Result<TrailKeeper, OpenError> {
        self.sign_entries(&signer)?;
        let trust = EntryTrust {
            key: mac_key(&signer)?,
            accepts_unsigned,
        };
        let integrator = Integrator::new(Arc::new(signer), trust);
        TrailKeeper::start(&self.connections, &self.link, integrator, clock)
    }

    /// The newest checkpoint: a signed note. None before the first one. The schema need not be up to date. Blocks.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the database cannot be asked.
    pub fn newest_checkpoint(&self) -> Result<Option<String>, OpenError> {
        self.connections.inspect(|conn| {
            if !has_table(conn, "liveness_trail_checkpoints")? {
                return Ok(None);
            }
            Ok(log::newest_checkpoint(conn)?.map(|checkpoint| checkpoint.note))
        })
    }

    /// Recomputes a part of the trail from the database, and names every row of entries, records and faces that was changed,
    /// taken away or put in. So it does with each object that holds a face. Blocks. Others may write meanwhile. `progress` hears how
    /// many entries of how many are done. Nothing is signed.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], also when a place of faces is out of reach. [`StoreError::Internal`] when faces are in a place
    /// that this store does not know. What is wrong with the trail is not an error, but a finding.
    pub fn verify(
        &self,
        signer: &dyn TrailSigner,
        accepts_unsigned: bool,
        part: TrailPart,
        progress: impl FnMut(u64, u64),
    ) -> Result<TrailVerification, StoreError> {
        let trust = EntryTrust {
            key: signer.entry_mac_key().map_err(StoreError::internal)?,
            accepts_unsigned,
        };
        let sources = Sources {
            connections: &self.connections,
            objects: self.objects.as_deref(),
        };
        Verifier::new(sources, signer.verifier(), &trust).verify(part, progress)
    }

    /// Writes the log of the newest checkpoint into an empty folder, in the form of C2SP tlog-tiles. Returns how many entries
    /// it has. Blocks.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if there is no checkpoint, an entry was changed or taken away, or a file cannot be written.
    pub fn export(
        &self,
        signer: &dyn TrailSigner,
        folder: &Path,
        progress: impl FnMut(u64, u64),
    ) -> Result<u64, OpenError> {
        let keys = (signer.verifier(), &mac_key(signer)?);
        export::export(&self.connections, keys, folder, progress)
    }

    /// Signs a receipt: a compact JWS over the JSON of its claims. The signer is asked on a thread that may block.
    ///
    /// # Errors
    ///
    /// [`ReceiptError`].
    pub async fn sign_receipt(
        &self,
        signer: &Arc<dyn TrailSigner>,
        claims: &impl Serialize,
    ) -> Result<String, ReceiptError> {
        let (signer, claims) = (Arc::clone(signer), serde_json::value::to_raw_value(claims)?);
        let signing = tokio::task::spawn_blocking(move || sign_receipt(&signer, &claims));
        signing.await.unwrap_or_else(|_| {
            let (problem, mend) = ("the signer has panicked", "see its message on standard error");
            Err(ReceiptError::Signer(SignerError {
                problem: problem.to_owned(),
                mend: mend.to_owned(),
            }))
        })
    }

    /// Writes an entry. It is durable when this returns.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the entry was not written. [`StoreError::OutcomeUnknown`] when it may have been
    /// written or not.
    pub async fn append(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.append_all(vec![entry]).await
    }

    /// Writes entries in one transaction. They are durable when this returns.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append). Either all entries are written, or none.
    pub async fn append_all(&self, entries: Vec<AuditEntry>) -> Result<(), StoreError> {
        self.writer.write(Write::AuditEntries(entries)).await.map(drop)
    }

    /// Writes the entry of a look at a face, if its principal has looked at fewer faces than the limit in the 24 hours before.
    /// Otherwise the entry says that the look was refused. It is durable when this returns.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append).
    pub async fn append_look(&self, entry: AuditEntry, limit: LookLimit) -> Result<Looked, StoreError> {
        let look = LimitedLook::new(entry, limit);
        match self.writer.write(Write::Look(Box::new(look))).await? {
            Written::Looked(looked) => Ok(looked),
            other => Err(other.unexpected()),
        }
    }

    /// The newest entries, at most `limit`, newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn newest(&self, limit: i64) -> Result<Vec<AuditEntry>, StoreError> {
        self.reads.read(move |conn| entries::newest(conn, limit)).await
    }

    /// Entries that match, newest first. Returns `None` if there is no entry with the id `page.before`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn search(&self, filter: TrailFilter, page: TrailPageRequest) -> Result<Option<TrailPage>, StoreError> {
        self.reads.read(move |conn| find::search(conn, &filter, page)).await
    }

    /// The looks at the faces of these records of one user, newest first. `messages` are those that show faces.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn looks(
        &self,
        self_service_user_id: i64,
        check_ids: Vec<i64>,
        messages: &'static [&'static str],
    ) -> Result<Vec<FaceLook>, StoreError> {
        let looks = move |conn: &mut Connection<'_>| looks::of(conn, self_service_user_id, &check_ids, messages);
        self.reads.read(looks).await
    }
}

fn mac_key(signer: &dyn TrailSigner) -> Result<MacKey, OpenError> {
    signer
        .entry_mac_key()
        .map_err(|error| OpenError::new(format!("cannot use the key of the trail: {error}")))
}
