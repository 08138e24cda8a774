//! Transactions that are not collected with others, each with audit entries: erasures, and decisions by people.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::entry_writer::{EntryWriter, TrailLink};
use super::event_bell::EventBell;
use crate::store::engine::connection::{Connection, Purpose};
use crate::store::engine::connections::Connections;
use crate::store::engine::error::StoreError;
use crate::store::queue::group_commit::WriterSession as _;

/// How many times a transaction is tried when transactions of other nodes interrupt it.
const ATTEMPTS: u32 = 5;

/// What a transaction has done, or why it has refused. One that refuses has written nothing.
type Outcome<T, R> = Result<Result<T, R>, StoreError>;

/// Runs transactions, one after the other, with a writer of entries of their own.
#[derive(Debug)]
pub(crate) struct AuditedTransactions {
    connections: Arc<Connections>,
    entries: Mutex<EntryWriter>,
    /// Some of them publish events.
    bell: EventBell,
    overwrites_what_is_deleted: bool,
}

impl AuditedTransactions {
    pub(crate) fn new(connections: &Arc<Connections>, (link, bell): (&Arc<TrailLink>, &EventBell)) -> Self {
        Self {
            connections: Arc::clone(connections),
            entries: Mutex::new(EntryWriter::new(Arc::clone(link))),
            bell: bell.clone(),
            overwrites_what_is_deleted: false,
        }
    }

    /// On SQLite, what is deleted is overwritten with zeros, and is not left in free pages.
    pub(crate) fn overwriting_what_is_deleted(self) -> Self {
        Self {
            overwrites_what_is_deleted: true,
            ..self
        }
    }

    /// Runs a transaction. Blocks.
    pub(crate) fn run<T, R>(
        &self,
        mut operation: impl FnMut(&mut Connection<'_>, &mut EntryWriter) -> Outcome<T, R>,
    ) -> Outcome<T, R> {
        // After a panic, the next transaction begins with what is durable.
        let mut writer = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let mut attempt = 1;
        loop {
            match self.attempt(&mut writer, &mut operation) {
                Err(error) if attempt < ATTEMPTS && error.is_worth_repeating() => {
                    thread::sleep(Duration::from_millis(u64::from(attempt * 5)));
                    attempt += 1;
                }
                done => return done,
            }
        }
    }

    fn attempt<T, R>(
        &self,
        writer: &mut EntryWriter,
        operation: &mut impl FnMut(&mut Connection<'_>, &mut EntryWriter) -> Outcome<T, R>,
    ) -> Outcome<T, R> {
        let done = self.connections.write(|conn| {
            writer.rolled_back();
            if let (Connection::Sqlite(_), true) = (&mut *conn, self.overwrites_what_is_deleted) {
                conn.execute("PRAGMA secure_delete = ON")?;
            }
            conn.transaction(Purpose::Write, |conn| operation(conn, writer))
        });
        match &done {
            Ok(_) => {
                writer.committed();
                self.bell.ring();
            }
            Err(StoreError::OutcomeUnknown(_)) => writer.is_unknown(),
            Err(_) => writer.rolled_back(),
        }
        done
    }
}
