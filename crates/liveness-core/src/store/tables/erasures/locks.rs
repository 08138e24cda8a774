//! Locks of users who have failed too often. The policy places them, and an administrator lifts them.

use std::sync::Arc;

use super::eraser::{self, Eraser};
use super::order::{ErasureError, ErasureOrder};
use super::user::is_there;
use crate::Timestamp;
use crate::store::tables::trail::entries::{self, DueEntry};
use crate::store::tables::{attempts, user_lock};

/// Locks of users who have failed too often.
#[derive(Clone, Debug)]
pub struct Locks {
    eraser: Arc<Eraser>,
}

impl Locks {
    pub(crate) fn new(eraser: &Arc<Eraser>) -> Self {
        Self {
            eraser: Arc::clone(eraser),
        }
    }

    /// Forgets the failures of a user, so that nothing keeps them locked or waiting. Returns when: the time of the entry. A user
    /// who has not failed may be unlocked too, and the entry is written all the same. What they have recorded in the day still
    /// counts.
    ///
    /// `is_known` says that a directory other than [`Store::users`](crate::store::Store::users) has the user.
    ///
    /// # Errors
    ///
    /// [`ErasureError::NoSuchUser`] and [`ErasureError::Store`].
    pub async fn unlock(
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
                attempts::pardon(conn, user)?;
                let due = DueEntry {
                    entry: &order.entry_about(user),
                    recorded: None,
                };
                entries::insert_all(conn, writer, &[due])?;
                Ok(order.entry.at)
            })
        })
        .await
    }
}
