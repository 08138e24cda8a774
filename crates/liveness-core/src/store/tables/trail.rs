//! The audit trail, as the store offers it.

pub(crate) mod about;
pub(crate) mod bound;
pub(crate) mod entries;
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
pub(crate) mod verified_erasures;
pub(crate) mod verified_records;
pub(crate) mod witnessing;

use std::path::Path;
use std::sync::Arc;

use self::filter::{TrailFilter, TrailPageRequest};
use self::find::TrailPage;
use self::integrator::Integrator;
use self::keeper::TrailKeeper;
use self::looks::FaceLook;
use self::verification::Verifier;
use self::verified::{TrailPart, TrailVerification};
use super::entry_writer::{EntryTrust, TrailLink};
use super::look_limit::{LimitedLook, LookLimit, Looked};
use super::write::{Write, Writer, Written};
use crate::AuditEntry;
use crate::store::engine::connection::Connection;
use crate::store::engine::connections::Connections;
use crate::store::engine::error::{OpenError, StoreError};
use crate::store::engine::migrations::has_table;
use crate::store::queue::read_pool::ReadPool;
use crate::trail::{MacKey, TrailKey};

/// The audit trail. Entries are added and read, never changed.
#[derive(Clone, Debug)]
pub struct Trail {
    connections: Arc<Connections>,
    reads: Arc<ReadPool>,
    writer: Arc<Writer>,
    link: Arc<TrailLink>,
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
        }
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
    pub fn sign_entries(&self, key: &TrailKey) -> Result<(), OpenError> {
        let mac_key = mac_key(key)?;
        let _ = self.link.key.set(mac_key);
        Ok(())
    }

    /// Starts the thread that puts entries into the log and signs its checkpoints. One for each process is enough, and of
    /// several processes one at a time works. Entries are signed from now on, see [`sign_entries`](Self::sign_entries).
    ///
    /// `accepts_unsigned` says that entries count that were written without the key, such as those of
    /// [`insert_audit_entry`](crate::store::insert_audit_entry). Otherwise they are findings.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if the thread cannot be started.
    pub fn keep(&self, key: impl Into<Arc<TrailKey>>, accepts_unsigned: bool) -> Result<TrailKeeper, OpenError> {
        let key = key.into();
        self.sign_entries(&key)?;
        let trust = EntryTrust {
            key: mac_key(&key)?,
            accepts_unsigned,
        };
        let integrator = Integrator::new(key, trust);
        TrailKeeper::start(&self.connections, &self.link, integrator)
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
    /// taken away or put in. Blocks. Others may write meanwhile. `progress` hears how many entries of how many are done.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]. What is wrong with the trail is not an error, but a finding.
    pub fn verify(
        &self,
        key: &TrailKey,
        accepts_unsigned: bool,
        part: TrailPart,
        progress: impl FnMut(u64, u64),
    ) -> Result<TrailVerification, StoreError> {
        let trust = EntryTrust {
            key: key.entry_mac_key().map_err(StoreError::internal)?,
            accepts_unsigned,
        };
        Verifier::new(&self.connections, key, &trust).verify(part, progress)
    }

    /// Writes the log of the newest checkpoint into an empty folder, in the form of C2SP tlog-tiles. Returns how many entries
    /// it has. Blocks.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if there is no checkpoint, an entry was changed or taken away, or a file cannot be written.
    pub fn export(&self, key: &TrailKey, folder: &Path, progress: impl FnMut(u64, u64)) -> Result<u64, OpenError> {
        export::export(&self.connections, key, &mac_key(key)?, folder, progress)
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

fn mac_key(key: &TrailKey) -> Result<MacKey, OpenError> {
    key.entry_mac_key()
        .map_err(|error| OpenError::new(format!("cannot use the key of the trail: {error}")))
}
