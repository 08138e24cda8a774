//! What erasures share: the connections, the keys of the faces, and the writer of their audit entries.

use std::sync::Arc;
use std::time::Duration;

use super::order::ErasureError;
use crate::faces::ObjectName;
use crate::store::engine::connection::Connection;
use crate::store::engine::connections::Connections;
use crate::store::engine::error::StoreError;
use crate::store::keys::FaceKeys;
use crate::store::tables::audited_transactions::AuditedTransactions;
use crate::store::tables::entry_writer::{EntryWriter, TrailLink};
use crate::store::tables::event_bell::EventBell;
use crate::store::tables::face_objects::FaceObjects;
use crate::store::tables::face_tools::FaceTools;

/// How long others may read a SQLite file before what was deleted stays in its log.
const PATIENCE: Duration = Duration::from_secs(2);

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

    /// Deletes the objects of faces whose erasure is durable. What stays opens for nobody, and is swept away.
    pub(super) fn delete_objects(&self, names: &[ObjectName]) {
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

    /// Empties the log of a SQLite file, which holds what was deleted.
    pub(super) fn forget_deleted(&self) {
        match self.connections.write_back(PATIENCE) {
            Ok(true) => {}
            Ok(false) => {
                log::warn!("somebody reads the database for a long time: erased faces stay in its -wal until they stop")
            }
            Err(error) => log::warn!("erased faces stay in the -wal of the database: {}", error.cause()),
        }
    }
}

/// Runs what blocks on a thread of the runtime. It goes on when the caller goes away.
pub(super) async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ErasureError> + Send + 'static,
) -> Result<T, ErasureError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(StoreError::outcome_unknown("an erasure panicked").into()))
}
