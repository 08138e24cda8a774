//! Legal holds: while one is placed on a user, nothing of the user is erased.

use std::sync::Arc;

use super::eraser::{self, Eraser};
use super::order::{ErasureError, ErasureOrder};
use super::user::is_there;
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::store::tables::entry_writer::EntryWriter;
use crate::store::tables::erasure_rows;
use crate::store::tables::trail::entries::{self, DueEntry};
use crate::store::tables::user_lock;
use crate::{HoldChange, Timestamp};

/// Legal holds.
#[derive(Clone, Debug)]
pub struct Holds {
    eraser: Arc<Eraser>,
}

impl Holds {
    pub(crate) fn new(eraser: &Arc<Eraser>) -> Self {
        Self {
            eraser: Arc::clone(eraser),
        }
    }

    /// Places a hold on a user. Returns since when it is there: the time of the entry.
    ///
    /// `is_known` says that a directory other than [`Store::users`](crate::store::Store::users) has the user.
    ///
    /// # Errors
    ///
    /// [`ErasureError::Held`] if there is a hold already, [`ErasureError::Erased`] if the erasure of the user has begun and
    /// is not done, [`ErasureError::NoSuchUser`] and [`ErasureError::Store`].
    pub async fn place(
        &self,
        self_service_user_id: i64,
        is_known: bool,
        order: ErasureOrder,
    ) -> Result<Timestamp, ErasureError> {
        let (eraser, user) = (Arc::clone(&self.eraser), self_service_user_id);
        eraser::on_a_thread(move || {
            eraser.transaction(|conn, writer| {
                user_lock::lock(conn, &[user])?;
                if !is_known && !is_there(conn, user)? {
                    return Err(ErasureError::NoSuchUser);
                }
                if erasure_rows::held_since(conn, user)?.is_some() {
                    return Err(ErasureError::Held);
                }
                if erasure_rows::user(conn, user)?.is_some_and(|erasure| erasure.done_at.is_none()) {
                    return Err(ErasureError::Erased);
                }
                let since = order.entry.at;
                erasure_rows::add_hold(conn, user, since, &order.entry.principal, order.reason.as_str())?;
                write_entry(conn, writer, (user, HoldChange::Placed), &order)?;
                Ok(since)
            })
        })
        .await
    }

    /// Lifts the hold on a user. Returns when.
    ///
    /// # Errors
    ///
    /// [`ErasureError::NotHeld`] if there is none, and [`ErasureError::Store`].
    pub async fn lift(&self, self_service_user_id: i64, order: ErasureOrder) -> Result<Timestamp, ErasureError> {
        let (eraser, user) = (Arc::clone(&self.eraser), self_service_user_id);
        eraser::on_a_thread(move || {
            eraser.transaction(|conn, writer| {
                user_lock::lock(conn, &[user])?;
                if erasure_rows::held_since(conn, user)?.is_none() {
                    return Err(ErasureError::NotHeld);
                }
                erasure_rows::remove_hold(conn, user)?;
                write_entry(conn, writer, (user, HoldChange::Lifted), &order)?;
                Ok(order.entry.at)
            })
        })
        .await
    }
}

fn write_entry(
    conn: &mut Connection<'_>,
    writer: &mut EntryWriter,
    (user, change): (i64, HoldChange),
    order: &ErasureOrder,
) -> Result<(), StoreError> {
    let mut entry = order.entry_about(user);
    entry.subject.shown.hold = Some(change);
    let due = DueEntry {
        entry: &entry,
        recorded: None,
    };
    entries::insert_all(conn, writer, &[due])
}
