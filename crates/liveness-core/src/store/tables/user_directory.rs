//! The user directory of the standalone host.

use async_trait::async_trait;

use super::users::Users;
use crate::store::engine::error::StoreError;
use crate::{AuditEntry, Claims, DirectoryError, ProvisionError, User, UserDirectory, UserReference};

/// The user directory of the standalone host. Its users are in the store. A user can be added from the claims of a
/// token when its id is seen for the first time. The claims of later tokens do not change the user.
#[derive(Debug, Clone)]
pub struct StoredUsers {
    users: Users,
    provision: bool,
}

impl StoredUsers {
    /// Creates the directory. With `provision`, a numeric id that is seen for the first time becomes a user.
    pub fn new(users: Users, provision: bool) -> Self {
        Self { users, provision }
    }
}

#[async_trait]
impl UserDirectory for StoredUsers {
    async fn identify(&self, claims: &Claims) -> Result<Option<User>, DirectoryError> {
        let found = match &claims.reference {
            UserReference::UserId(user_id) => self.users.get_by_user_id(user_id.clone()).await,
            UserReference::Id(id) => self.users.get(*id).await,
        };
        found.map_err(out_of_reach)
    }

    async fn provision(&self, claims: &Claims, entry: AuditEntry) -> Result<Option<User>, ProvisionError> {
        match claims.reference {
            UserReference::Id(id) if self.provision => {
                claims.check()?;
                let added = self.users.add(claims.to_user(id), entry).await;
                Ok(added.map_err(out_of_reach)?)
            }
            UserReference::Id(_) | UserReference::UserId(_) => Ok(None),
        }
    }

    async fn find(&self, ids: &[i64]) -> Result<Vec<User>, DirectoryError> {
        self.users.find(ids.to_vec()).await.map_err(out_of_reach)
    }
}

fn out_of_reach(error: StoreError) -> DirectoryError {
    DirectoryError(error.into())
}
