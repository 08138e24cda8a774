//! What the directory says of the users of a batch, and who may have which `UserId`.
//!
//! A `UserId` that has records behind it is not handed to another person: a token with it would pass by the checks of
//! somebody else.

use std::collections::{HashMap, HashSet};

use liveness_core::store::{Store, StoreError};
use liveness_core::{Claims, User, UserReference};

use super::row::RowError;

/// The users of a batch as they are before it.
pub(super) struct Directory {
    by_id: HashMap<i64, User>,
    by_user_id: HashMap<String, User>,
    with_records: HashSet<i64>,
}

impl Directory {
    /// The users with these ids, as far as they are known.
    pub(super) async fn of(store: &Store, ids: Vec<i64>) -> Result<Self, StoreError> {
        let known = store.users().find(ids).await?;
        Ok(Self {
            by_id: known.into_iter().map(|user| (user.id, user)).collect(),
            by_user_id: HashMap::new(),
            with_records: HashSet::new(),
        })
    }

    /// Finds who has the `UserId`s that these users shall have, and which of all who would lose or change theirs have
    /// records.
    pub(super) async fn look_up(&mut self, store: &Store, users: &[(u64, User)]) -> Result<(), StoreError> {
        let wanted = users.iter().map(|(_, user)| user.user_id.clone()).collect();
        let holders = store.users().find_by_user_ids(wanted).await?;
        self.by_user_id = holders.into_iter().map(|user| (user.user_id.clone(), user)).collect();
        let moving = users.iter().map(|(_, user)| user).filter(|user| self.is_moving(user));
        let ids = moving.flat_map(|user| [Some(user.id), self.holder(user).map(|holder| holder.id)]);
        let ids: HashSet<_> = ids.flatten().collect();
        let with_records = store.users().with_records(ids.into_iter().collect()).await?;
        self.with_records = with_records.into_iter().collect();
        Ok(())
    }

    /// The user with this id.
    pub(super) fn known(&self, id: i64) -> Option<&User> {
        self.by_id.get(&id)
    }

    /// The other user who has the `UserId` that this user shall have.
    pub(super) fn holder(&self, user: &User) -> Option<&User> {
        self.by_user_id.get(&user.user_id).filter(|holder| holder.id != user.id)
    }

    /// Whether the user shall have another `UserId` than before. A user who is not known has the one of its id: records
    /// may be there before their user is.
    pub(super) fn is_moving(&self, user: &User) -> bool {
        let known = self.known(user.id).map(|known| known.user_id.clone());
        known.unwrap_or_else(|| default_user_id(user.id)) != user.user_id
    }

    /// Whether records would count for another person than before.
    pub(super) fn is_rebinding(&self, user: &User) -> bool {
        let ids = [Some(user.id), self.holder(user).map(|holder| holder.id)];
        self.is_moving(user) && ids.into_iter().flatten().any(|id| self.with_records.contains(&id))
    }

    /// Refuses a `UserId` of another user, and one that would make records count for another person.
    pub(super) fn check(&self, user: &User, may_rebind: bool) -> Result<(), RowError> {
        let rule = match self.holder(user) {
            _ if may_rebind => return Ok(()),
            Some(holder) if self.with_records.contains(&holder.id) => {
                "is that of another user, who has records: it is moved only by --rebind with --reason"
            }
            Some(_) => "is another user's",
            None if self.is_rebinding(user) => {
                "differs from that of this user, who has records: it is changed only by --rebind with --reason"
            }
            None => return Ok(()),
        };
        Err(RowError::new("userId", rule.to_owned()))
    }
}

/// The `UserId` that a user has without one of their own.
pub(super) fn default_user_id(id: i64) -> String {
    Claims::of(UserReference::Id(id)).to_user(id).user_id
}
