//! The users of the standalone host, and the directory that they make.

use std::sync::Arc;

use async_trait::async_trait;
use diesel::dsl::Eq;
use diesel::prelude::*;
use diesel::upsert::excluded;

use super::Store;
use super::connection::{Connection, cannot_be_stored, in_statements, on_either};
use super::error::StoreError;
use super::schema::liveness_users::{self, dsl};
use crate::{Claims, Clock, DirectoryError, Timestamp, User, UserDirectory, UserReference};

pub(super) fn find(conn: &mut Connection<'_>, ids: &[i64]) -> Result<Vec<User>, StoreError> {
    let found: Vec<UserRow> = on_either!(conn, |conn| {
        let users = dsl::liveness_users.select(UserRow::as_select());
        match ids {
            // The common question has a statement of its own, which is prepared once.
            [id] => users.filter(dsl::id.eq(id)).load(*conn),
            ids => users.filter(dsl::id.eq_any(ids)).load(*conn),
        }
    })?;
    Ok(found.into_iter().map(User::from).collect())
}

pub(super) fn find_by_user_id(conn: &mut Connection<'_>, user_id: &str) -> Result<Option<User>, StoreError> {
    if cannot_be_stored(user_id) {
        return Ok(None);
    }
    let found: Option<UserRow> = on_either!(conn, |conn| dsl::liveness_users
        .filter(dsl::user_id.eq(user_id))
        .select(UserRow::as_select())
        .first(*conn)
        .optional())?;
    Ok(found.map(User::from))
}

pub(super) fn find_by_user_ids(conn: &mut Connection<'_>, user_ids: &[String]) -> Result<Vec<User>, StoreError> {
    let found: Vec<UserRow> = on_either!(conn, |conn| dsl::liveness_users
        .filter(dsl::user_id.eq_any(user_ids))
        .select(UserRow::as_select())
        .load(*conn))?;
    Ok(found.into_iter().map(User::from).collect())
}

/// Adds the users whose id and `UserId` are not taken, and answers the users of those ids that there are then.
pub(super) fn add(conn: &mut Connection<'_>, users: &[(User, Timestamp)]) -> Result<Vec<User>, StoreError> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    let rows = rows(users);
    in_statements!(conn, rows, |conn, rows| {
        diesel::insert_into(dsl::liveness_users)
            .values(rows)
            .on_conflict_do_nothing()
            .execute(*conn)
    });
    let ids: Vec<_> = users.iter().map(|(user, _)| user.id).collect();
    find(conn, &ids)
}

/// Adds users, and changes those whose ids are known: no two of one id.
pub(super) fn put(conn: &mut Connection<'_>, users: &[(User, Timestamp)]) -> Result<(), StoreError> {
    let rows = rows(users);
    in_statements!(conn, rows, |conn, rows| {
        diesel::insert_into(dsl::liveness_users)
            .values(rows)
            .on_conflict(dsl::id)
            .do_update()
            .set((
                dsl::user_id.eq(excluded(dsl::user_id)),
                dsl::pre_registration_id.eq(excluded(dsl::pre_registration_id)),
                dsl::email_address.eq(excluded(dsl::email_address)),
                dsl::first_name.eq(excluded(dsl::first_name)),
                dsl::last_name.eq(excluded(dsl::last_name)),
                dsl::middle_name.eq(excluded(dsl::middle_name)),
                dsl::display_name.eq(excluded(dsl::display_name)),
            ))
            .execute(*conn)
    });
    Ok(())
}

/// Rows in one order everywhere, so that two nodes do not wait for each other.
fn rows(users: &[(User, Timestamp)]) -> Vec<NewUserRow> {
    let row = |(user, now): &(User, Timestamp)| (UserRow::from(user.clone()), dsl::created_at.eq(now.unix_millis()));
    let mut rows: Vec<_> = users.iter().map(row).collect();
    rows.sort_unstable_by_key(|(user, _)| user.id);
    rows
}

type NewUserRow = (UserRow, Eq<dsl::created_at, i64>);

#[derive(Queryable, Selectable, Insertable)]
// With a DEFAULT in it for what is left out, the statement would be another each time.
#[diesel(table_name = liveness_users, treat_none_as_default_value = false)]
struct UserRow {
    id: i64,
    user_id: String,
    pre_registration_id: Option<i64>,
    email_address: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    middle_name: Option<String>,
    display_name: Option<String>,
}

impl From<User> for UserRow {
    fn from(user: User) -> Self {
        let User {
            id,
            user_id,
            pre_registration_id,
            email_address,
            first_name,
            last_name,
            middle_name,
            display_name,
        } = user;
        Self {
            id,
            user_id,
            pre_registration_id,
            email_address,
            first_name,
            last_name,
            middle_name,
            display_name,
        }
    }
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        let UserRow {
            id,
            user_id,
            pre_registration_id,
            email_address,
            first_name,
            last_name,
            middle_name,
            display_name,
        } = row;
        Self {
            id,
            user_id,
            pre_registration_id,
            email_address,
            first_name,
            last_name,
            middle_name,
            display_name,
        }
    }
}

/// The directory of the standalone host: users in the store, made from a token's claims when first seen.
#[derive(Debug, Clone)]
pub struct StoredUsers {
    store: Store,
    clock: Arc<dyn Clock>,
    provision: bool,
}

impl StoredUsers {
    /// With `provision`, a numeric id seen for the first time becomes a user.
    pub fn new(store: Store, clock: Arc<dyn Clock>, provision: bool) -> Self {
        Self {
            store,
            clock,
            provision,
        }
    }

    async fn identify(&self, claims: &Claims) -> Result<Option<User>, StoreError> {
        match &claims.reference {
            UserReference::UserId(user_id) => self.store.user_by_user_id(user_id.clone()).await,
            UserReference::Id(id) => match self.store.users(vec![*id]).await?.pop() {
                None if self.provision => self.store.add_user(claims.to_user(*id), self.clock.now()).await,
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
        self.store
            .users(ids.to_vec())
            .await
            .map_err(|error| DirectoryError(error.into()))
    }
}
