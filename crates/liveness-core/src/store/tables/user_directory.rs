//! The user directory of the standalone host.

use std::sync::Arc;

use async_trait::async_trait;

use super::users::Users;
use crate::store::engine::error::StoreError;
use crate::{Claims, Clock, DirectoryError, User, UserDirectory, UserReference};

/// The user directory of the standalone host. Its users are in the store. A user can be added from the claims of a
/// token when its id is seen for the first time.
#[derive(Debug, Clone)]
pub struct StoredUsers {
    users: Users,
    clock: Arc<dyn Clock>,
    provision: bool,
}

impl StoredUsers {
    /// Creates the directory. With `provision`, a numeric id that is seen for the first time becomes a user.
    pub fn new(users: Users, clock: Arc<dyn Clock>, provision: bool) -> Self {
        Self {
            users,
            clock,
            provision,
        }
    }

    async fn identify(&self, claims: &Claims) -> Result<Option<User>, StoreError> {
        match &claims.reference {
            UserReference::UserId(user_id) => self.users.get_by_user_id(user_id.clone()).await,
            UserReference::Id(id) => match self.users.get(*id).await? {
                None if self.provision => self.users.add(claims.to_user(*id), self.clock.now()).await,
                found => Ok(found),
            },
        }
    }
}

#[async_trait]
impl UserDirectory for StoredUsers {
    async fn identify(&self, claims: &Claims) -> Result<Option<User>, DirectoryError> {
        self.identify(claims)
            .await
            .map_err(|error| DirectoryError(error.into()))
    }

    async fn find(&self, ids: &[i64]) -> Result<Vec<User>, DirectoryError> {
        self.users
            .find(ids.to_vec())
            .await
            .map_err(|error| DirectoryError(error.into()))
    }
}
