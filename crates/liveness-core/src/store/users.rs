//! The users of the standalone host, and the directory that they make.

use std::sync::Arc;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::Store;
use super::among::among;
use super::connection::{Connection, cannot_be_stored, on_either};
use super::error::StoreError;
use super::insert::{self, Then, row};
use super::schema::liveness_users::{self, dsl};
use crate::{Claims, Clock, DirectoryError, Timestamp, User, UserDirectory, UserReference};

macro_rules! some_users {
    ($condition:expr) => {
        dsl::liveness_users.filter($condition).select(UserRow::as_select())
    };
}

pub(super) fn find(conn: &mut Connection<'_>, ids: &[i64]) -> Result<Vec<User>, StoreError> {
    let found: Vec<UserRow> = match ids {
        [id] => on_either!(conn, |conn| some_users!(dsl::id.eq(id)).load(*conn))?,
        ids => on_either!(conn, |conn| some_users!(among(dsl::id, ids.to_vec())?).load(*conn))?,
    };
    Ok(found.into_iter().map(User::from).collect())
}

/// The user of each id.
pub(super) fn each(conn: &mut Connection<'_>, ids: &[i64]) -> Result<Vec<Option<User>>, StoreError> {
    let found = find(conn, ids)?;
    let of = |id: &i64| found.iter().find(|user| user.id == *id).cloned();
    Ok(ids.iter().map(of).collect())
}

/// The user of each `UserId`.
pub(super) fn each_by_user_id(conn: &mut Connection<'_>, user_ids: &[String]) -> Result<Vec<Option<User>>, StoreError> {
    let found = find_by_user_ids(conn, user_ids)?;
    let of = |user_id: &String| found.iter().find(|user| user.user_id == *user_id).cloned();
    Ok(user_ids.iter().map(of).collect())
}

pub(super) fn find_by_user_ids(conn: &mut Connection<'_>, user_ids: &[String]) -> Result<Vec<User>, StoreError> {
    let storable: Vec<_> = user_ids.iter().filter(|user_id| !cannot_be_stored(user_id)).collect();
    let found: Vec<UserRow> = match *storable {
        [user_id] => on_either!(conn, |conn| some_users!(dsl::user_id.eq(user_id)).load(*conn))?,
        _ => on_either!(conn, |conn| some_users!(among(dsl::user_id, storable)?).load(*conn))?,
    };
    Ok(found.into_iter().map(User::from).collect())
}

/// Adds the users whose id and `UserId` are not taken, and answers the users of those ids that there are then.
pub(super) fn add(conn: &mut Connection<'_>, users: &[(User, Timestamp)]) -> Result<Vec<User>, StoreError> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    insert::execute::<_, UnlessThere>(conn, rows(users))?;
    let ids: Vec<_> = users.iter().map(|(user, _)| user.id).collect();
    find(conn, &ids)
}

/// Adds users, and changes those whose ids are known: no two of one id.
pub(super) fn put(conn: &mut Connection<'_>, users: &[(User, Timestamp)]) -> Result<(), StoreError> {
    insert::execute::<_, OrChange>(conn, rows(users))
}

/// Rows in one order everywhere, so that two nodes do not wait for each other.
fn rows(users: &[(User, Timestamp)]) -> Vec<NewUserRow<'_>> {
    let mut rows: Vec<_> = users.iter().map(|(user, now)| NewUserRow::of(user, *now)).collect();
    rows.sort_unstable_by_key(|row| row.id);
    rows
}

row! {
    struct NewUserRow<'a> of "liveness_users", in columns NewUserColumns {
        id: i64 => BigInt,
        user_id: &'a str => Text,
        pre_registration_id: Option<i64> => Nullable<BigInt>,
        email_address: Option<&'a str> => Nullable<Text>,
        first_name: Option<&'a str> => Nullable<Text>,
        last_name: Option<&'a str> => Nullable<Text>,
        middle_name: Option<&'a str> => Nullable<Text>,
        display_name: Option<&'a str> => Nullable<Text>,
        created_at: i64 => BigInt,
    }
}

impl<'a> NewUserRow<'a> {
    fn of(user: &'a User, now: Timestamp) -> Self {
        Self {
            id: user.id,
            user_id: &user.user_id,
            pre_registration_id: user.pre_registration_id,
            email_address: user.email_address.as_deref(),
            first_name: user.first_name.as_deref(),
            last_name: user.last_name.as_deref(),
            middle_name: user.middle_name.as_deref(),
            display_name: user.display_name.as_deref(),
            created_at: now.unix_millis(),
        }
    }
}

struct UnlessThere;

impl Then for UnlessThere {
    const ON_CONFLICT: &'static str = "ON CONFLICT DO NOTHING";
    type Returned = ();
}

struct OrChange;

impl Then for OrChange {
    const ON_CONFLICT: &'static str = "ON CONFLICT (id) DO UPDATE SET user_id = excluded.user_id, \
        pre_registration_id = excluded.pre_registration_id, email_address = excluded.email_address, \
        first_name = excluded.first_name, last_name = excluded.last_name, middle_name = excluded.middle_name, \
        display_name = excluded.display_name";
    type Returned = ();
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = liveness_users)]
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
            UserReference::Id(id) => match self.store.user(*id).await? {
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
