//! The rows of users.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::store::engine::bulk_insert::{self, AllRows, Clauses, EachRow, OneRow, row};
use crate::store::engine::connection::{Connection, cannot_be_stored, on_either};
use crate::store::engine::eq_any::eq_any;
use crate::store::engine::error::StoreError;
use crate::store::tables::entry_writer;
use crate::store::tables::schema::liveness_users::{self, dsl};
use crate::trail::leaf::hex;
use crate::{Timestamp, User};

macro_rules! some_users {
    ($condition:expr) => {
        dsl::liveness_users.filter($condition).select(UserRow::as_select())
    };
}

pub(crate) fn find(conn: &mut Connection<'_>, ids: &[i64]) -> Result<Vec<User>, StoreError> {
    let found: Vec<UserRow> = match ids {
        [id] => on_either!(conn, |conn| some_users!(dsl::id.eq(id)).load(*conn))?,
        ids => on_either!(conn, |conn| some_users!(eq_any(dsl::id, ids.to_vec())?).load(*conn))?,
    };
    Ok(found.into_iter().map(User::from).collect())
}

/// The user with each id, in the order of the ids.
pub(crate) fn each(conn: &mut Connection<'_>, ids: &[i64]) -> Result<Vec<Option<User>>, StoreError> {
    let found = find(conn, ids)?;
    let of = |id: &i64| found.iter().find(|user| user.id == *id).cloned();
    Ok(ids.iter().map(of).collect())
}

/// The user with each `UserId`, in the order of the `UserId`s.
pub(crate) fn each_by_user_id(conn: &mut Connection<'_>, user_ids: &[String]) -> Result<Vec<Option<User>>, StoreError> {
    let found = find_by_user_ids(conn, user_ids)?;
    let of = |user_id: &String| found.iter().find(|user| user.user_id == *user_id).cloned();
    Ok(user_ids.iter().map(of).collect())
}

pub(crate) fn find_by_user_ids(conn: &mut Connection<'_>, user_ids: &[String]) -> Result<Vec<User>, StoreError> {
    let storable: Vec<_> = user_ids.iter().filter(|user_id| !cannot_be_stored(user_id)).collect();
    let found: Vec<UserRow> = match *storable {
        [user_id] => on_either!(conn, |conn| some_users!(dsl::user_id.eq(user_id)).load(*conn))?,
        _ => on_either!(conn, |conn| some_users!(eq_any(dsl::user_id, storable)?).load(*conn))?,
    };
    Ok(found.into_iter().map(User::from).collect())
}

/// Adds the users whose id and `UserId` are not taken. All ids in `users` must differ. Returns the users that have these
/// ids after the call, and the ids of those that it added.
pub(crate) fn add(
    conn: &mut Connection<'_>,
    users: &[(User, Timestamp)],
) -> Result<(Vec<User>, HashSet<i64>), StoreError> {
    if users.is_empty() {
        return Ok((Vec::new(), HashSet::new()));
    }
    let rows = rows(users);
    let added: Vec<i64> = match conn {
        Connection::Sqlite(conn) => add_to_sqlite(conn, &rows)?,
        Connection::Postgres(conn) => AllRows::<_, UnlessThere>::of(rows).load(*conn)?,
        Connection::Citus(conn) => EachRow::<_, UnlessThere>::of(&rows).load(*conn)?,
    };
    let ids: Vec<_> = users.iter().map(|(user, _)| user.id).collect();
    Ok((find(conn, &ids)?, added.into_iter().collect()))
}

fn add_to_sqlite(conn: &mut SqliteConnection, rows: &[NewUserRow<'_>]) -> Result<Vec<i64>, StoreError> {
    let mut added = Vec::new();
    for row in rows {
        if OneRow::<_, UnlessThere>::of(row).execute(conn)? > 0 {
            added.push(row.id);
        }
    }
    Ok(added)
}

/// Adds users, and changes users whose id exists. All ids in `users` must differ. A `UserId` may move from one of them to
/// another.
pub(crate) fn put(conn: &mut Connection<'_>, users: &[(User, Timestamp)]) -> Result<(), StoreError> {
    let given_up = given_up(conn, users)?;
    if !given_up.is_empty() {
        bulk_insert::execute::<_, OrChange>(conn, rows(&given_up))?;
    }
    bulk_insert::execute::<_, OrChange>(conn, rows(users))
}

/// What the `UserId` of a user who was erased begins with. Random bytes follow, so that no token names it.
const ERASED: &str = "erased-";

/// Whether a row names the user.
pub(crate) fn is_named(conn: &mut Connection<'_>, id: i64) -> Result<bool, StoreError> {
    let found = find(conn, &[id])?;
    let is_erased = |user: &User| {
        let nameless = User {
            id,
            user_id: user.user_id.clone(),
            ..User::default()
        };
        *user == nameless && user.user_id.starts_with(ERASED)
    };
    Ok(found.iter().any(|user| !is_erased(user)))
}

/// Takes everything that names the user out of the row, if there is one.
pub(crate) fn erase(conn: &mut Connection<'_>, id: i64) -> Result<(), StoreError> {
    let mut random = [0; 16];
    entry_writer::fill(&mut random)?;
    let row = dsl::liveness_users.find(id);
    let blanks = (
        dsl::user_id.eq(format!("{ERASED}{}", hex(&random))),
        dsl::pre_registration_id.eq(None::<i64>),
        dsl::email_address.eq(None::<String>),
        dsl::first_name.eq(None::<String>),
        dsl::last_name.eq(None::<String>),
        dsl::middle_name.eq(None::<String>),
        dsl::display_name.eq(None::<String>),
    );
    on_either!(conn, |conn| diesel::update(row).set(blanks).execute(*conn))?;
    Ok(())
}

/// The users whose present `UserId` becomes another's, with one that nobody has. The database compares each row with the
/// others at once, so a `UserId` is given up before it is taken.
fn given_up(conn: &mut Connection<'_>, users: &[(User, Timestamp)]) -> Result<Vec<(User, Timestamp)>, StoreError> {
    let ids: HashMap<_, _> = users.iter().map(|(user, now)| (user.id, (user, *now))).collect();
    let wanted: Vec<_> = users.iter().map(|(user, _)| user.user_id.clone()).collect();
    let mut given_up = Vec::new();
    for holder in find_by_user_ids(conn, &wanted)? {
        let Some((user, now)) = ids.get(&holder.id) else {
            continue;
        };
        if user.user_id != holder.user_id {
            // No `UserId` has a control character.
            let user_id = format!("\u{1}{}", holder.id);
            given_up.push((User { user_id, ..holder }, *now));
        }
    }
    Ok(given_up)
}

/// The rows of the users. Their order is the same on every node, so that nodes do not deadlock.
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

impl Clauses for UnlessThere {
    const ON_CONFLICT: &'static str = "ON CONFLICT DO NOTHING";
    const RETURNING: &'static str = "RETURNING id";
    type Returned = BigInt;
}

struct OrChange;

impl Clauses for OrChange {
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
