//! What erasures share: the connections, the keys of the faces, and the writer of their audit entries.

use std::sync::Arc;
use std::time::Duration;

use super::order::ErasureError;
use crate::faces::ObjectName;
use crate::jobs::{EMPTY_LOG, NewJob};
use crate::store::engine::connection::{Connection, Purpose};
use crate::store::engine::connections::Connections;
use crate::store::engine::error::StoreError;
use crate::store::keys::FaceKeys;
use crate::store::queue::spans::{STORE_WRITE, Span};
use crate::store::tables::audited_transactions::AuditedTransactions;
use crate::store::tables::entry_writer::{EntryWriter, TrailLink};
use crate::store::tables::event_bell::EventBell;
use crate::store::tables::face_objects::FaceObjects;
use crate::store::tables::face_tools::FaceTools;
use crate::store::tables::jobs::adding;

/// How long others may read a SQLite file before what was deleted stays in its log.
const PATIENCE: Duration = Duration::from_secs(2);
/// The key of the job that empties the log: one is enough.
const THE_LOG: &str = "log";

/// Erases, one transaction after the other.
#[derive(Debug)]
pub(crate) struct Eraser {
    connections: Arc<Connections>,
    pub(super) keys: Option<Arc<FaceKeys>>,
    objects: Option<Arc<FaceObjects>>,
    pub(super) link: Arc<TrailLink>,
    transactions: AuditedTransactions,
}

impl Eraser {
    pub(crate) fn new(
        connections: &Arc<Connections>,
        face_tools: &FaceTools,
        (link, bell): (&Arc<TrailLink>, &EventBell),
    ) -> Self {
        Self {
            connections: Arc::clone(connections),
            keys: face_tools.keys().cloned(),
            objects: face_tools.objects.clone(),
            link: Arc::clone(link),
            transactions: AuditedTransactions::new(connections, (link, bell)).overwriting_what_is_deleted(),
        }
    }

    /// Runs a transaction. An operation that refuses has written nothing.
    pub(super) fn transaction<T>(
        &self,
        mut operation: impl FnMut(&mut Connection<'_>, &mut EntryWriter) -> Result<T, ErasureError>,
    ) -> Result<T, ErasureError> {
        let done = self.transactions.run(|conn, writer| match operation(conn, writer) {
            Ok(done) => Ok(Ok(done)),
            Err(ErasureError::Store(error)) => Err(error),
            Err(refusal) => Ok(Err(refusal)),
        });
        done?
    }

    /// Reads.
    pub(super) fn read<T>(
        &self,
        operation: impl FnMut(&mut Connection<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.connections.read(operation)
    }

    /// Takes away what else there is of faces whose erasure is durable: their objects, and what the logs of SQLite files have of them.
    pub(super) fn clear_away(&self, objects: &[ObjectName], had_clear_faces: bool) {
        self.delete_objects(objects);
        if had_clear_faces || self.keys.as_ref().is_some_and(|keys| keys.log_is_due()) {
            self.forget_deleted();
        }
    }

    /// Deletes objects. What stays opens for nobody, and is swept away.
    fn delete_objects(&self, names: &[ObjectName]) {
        for name in names {
            let deleted = match &self.objects {
                Some(objects) => objects.delete(name).map_err(|error| error.cause()),
                None => Err("this program does not know the place of the faces".to_owned()),
            };
            if let Err(cause) = deleted {
                log::warn!("the object {name} of an erased face, which nobody can open, is not deleted yet: {cause}");
            }
        }
    }

    /// Empties the logs of SQLite files, which hold what was deleted. If somebody keeps them from being emptied, a job does it later.
    fn forget_deleted(&self) {
        let problem = match self.empty_log() {
            Ok(true) => return,
            Ok(false) => "somebody reads the database for a long time".to_owned(),
            Err(error) => error.cause(),
        };
        let later = NewJob::of(EMPTY_LOG).with_key(THE_LOG);
        let kept = self.connections.write(|conn| {
            conn.transaction(Purpose::Write, |conn| {
                adding::enqueue(conn, std::slice::from_ref(&later))
            })
        });
        match kept {
            Ok(()) => log::warn!("erased faces stay in the -wal of the database until it is emptied: {problem}"),
            Err(error) => log::error!(
                "erased faces stay in the -wal of the database, and no job will empty it: {problem}; {}",
                error.cause()
            ),
        }
    }

    /// Empties the logs of the database and of the key store, where they are SQLite files. Returns false if somebody who reads one of
    /// them keeps it from being emptied. Blocks.
    pub(super) fn empty_log(&self) -> Result<bool, StoreError> {
        let is_empty = self.connections.write_back(PATIENCE)?.is_empty;
        let keys_are = match &self.keys {
            Some(keys) => keys.empty_log(PATIENCE)?,
            None => true,
        };
        Ok(is_empty && keys_are)
    }
}

/// Runs what blocks on a thread of the runtime. It goes on when the caller goes away.
pub(super) async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ErasureError> + Send + 'static,
) -> Result<T, ErasureError> {
    let span = Span::begin(STORE_WRITE);
    let origin = span.origin();
    let done = tokio::task::spawn_blocking(move || origin.carry(work)).await;
    done.unwrap_or_else(|_| Err(StoreError::outcome_unknown("an erasure panicked").into()))
}
