//! Registers subscriptions, and says which there are.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};

use crate::events::EventSubscription;
use crate::store::engine::bulk_insert::{self, Clauses, row};
use crate::store::engine::clock;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_event_subscriptions::{self, dsl};
use crate::store::tables::schema::liveness_events::dsl as events;
use crate::store::tables::user_lock::PUBLISHERS;

row! {
    struct SubscriptionRow<'a> of "liveness_event_subscriptions", in columns SubscriptionColumns {
        name: &'a str => Text,
        types: &'a str => Text,
        since: i64 => BigInt,
        held_until: i64 => BigInt,
        is_disabled: bool => Bool,
        why: Option<&'a str> => Nullable<Text>,
    }
}

struct OrChangeTypes;

impl Clauses for OrChangeTypes {
    const ON_CONFLICT: &'static str = "ON CONFLICT (name) DO UPDATE SET types = excluded.types";
    type Returned = ();
}

/// A subscription as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = liveness_event_subscriptions)]
pub(crate) struct StoredSubscription {
    pub(crate) name: String,
    pub(crate) types: String,
    pub(crate) since: i64,
    pub(crate) held_until: i64,
    pub(crate) is_disabled: bool,
    pub(crate) why: Option<String>,
}

/// Adds a subscription, or changes its types.
pub(crate) fn put(conn: &mut Connection<'_>, subscription: &EventSubscription) -> Result<(), StoreError> {
    let there = find(conn, subscription.name())?;
    if there.is_some_and(|there| there.types == subscription.types()) {
        return Ok(());
    }
    let row = SubscriptionRow {
        name: subscription.name(),
        types: subscription.types(),
        since: clock::now(conn)?,
        held_until: 0,
        is_disabled: false,
        why: None,
    };
    bulk_insert::execute::<_, OrChangeTypes>(conn, vec![row])
}

/// The subscription of a name.
pub(crate) fn find(conn: &mut Connection<'_>, name: &str) -> Result<Option<StoredSubscription>, StoreError> {
    let of_name = dsl::liveness_event_subscriptions.find(name);
    Ok(on_either!(conn, |conn| of_name
        .select(StoredSubscription::as_select())
        .first(*conn)
        .optional())?)
}

/// All subscriptions, by name.
pub(crate) fn all(conn: &mut Connection<'_>) -> Result<Vec<StoredSubscription>, StoreError> {
    let all = dsl::liveness_event_subscriptions.order(dsl::name);
    Ok(on_either!(conn, |conn| all
        .select(StoredSubscription::as_select())
        .load(*conn))?)
}

#[derive(QueryableByName)]
struct Publisher {
    #[diesel(sql_type = Text)]
    virtualtransaction: String,
}

/// The transactions that may be publishing events, and may not know of a subscription that was registered since they began. Every
/// one that begins to publish from now on knows of it: it shares the lock before it reads who listens. On SQLite there are none.
pub(crate) fn publishers(conn: &mut Connection<'_>) -> Result<Vec<String>, StoreError> {
    let (Connection::Postgres(conn) | Connection::Citus(conn)) = conn else {
        return Ok(Vec::new());
    };
    let rows: Vec<Publisher> = sql_query(
        "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 \
         AND classid = CAST($1 AS oid) AND objid = CAST(0 AS oid) \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    .bind::<Integer, _>(PUBLISHERS)
    .load(*conn)?;
    Ok(rows.into_iter().map(|row| row.virtualtransaction).collect())
}

/// Delivers nothing of a subscription until this time.
pub(crate) fn hold(conn: &mut Connection<'_>, name: &str, until: i64, why: &str) -> Result<(), StoreError> {
    let held = (dsl::held_until.eq(until), dsl::why.eq(Some(why)));
    let row = dsl::liveness_event_subscriptions.find(name);
    on_either!(conn, |conn| diesel::update(row).set(held).execute(*conn))?;
    Ok(())
}

/// Has a subscription get no more events, and delivers none.
pub(crate) fn disable(conn: &mut Connection<'_>, name: &str, why: &str) -> Result<(), StoreError> {
    let disabled = (dsl::is_disabled.eq(true), dsl::why.eq(Some(why)));
    let row = dsl::liveness_event_subscriptions.find(name);
    on_either!(conn, |conn| diesel::update(row).set(disabled).execute(*conn))?;
    Ok(())
}

/// Undoes `hold` and `disable`. Returns whether there is such a subscription.
pub(crate) fn enable(conn: &mut Connection<'_>, name: &str) -> Result<bool, StoreError> {
    let enabled = (
        dsl::is_disabled.eq(false),
        dsl::held_until.eq(0),
        dsl::why.eq(None::<&str>),
    );
    let row = dsl::liveness_event_subscriptions.find(name);
    Ok(on_either!(conn, |conn| diesel::update(row).set(enabled).execute(*conn))? > 0)
}

/// Deletes a subscription. Its events follow. Returns whether there was one.
pub(crate) fn delete(conn: &mut Connection<'_>, name: &str) -> Result<bool, StoreError> {
    let row = dsl::liveness_event_subscriptions.find(name);
    Ok(on_either!(conn, |conn| diesel::delete(row).execute(*conn))? > 0)
}

/// The next events of a subscription, as ids and users.
pub(crate) fn next_events(conn: &mut Connection<'_>, name: &str, limit: i64) -> Result<Vec<(i64, i64)>, StoreError> {
    let some = events::liveness_events
        .filter(events::subscription.eq(name))
        .order((events::is_dead, events::id))
        .limit(limit)
        .select((events::id, events::self_service_user_id));
    Ok(on_either!(conn, |conn| some.load(*conn))?)
}
