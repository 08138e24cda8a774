//! Dates new records. A record is never older than the newest record of its user, whatever the clocks of the nodes say.
//! So "the latest record" is the record that was recorded last.

use std::collections::{BTreeSet, HashMap};

use diesel::dsl::min;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Double, Nullable};

use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::store::engine::prepared_sql::prepared_sql;
use crate::store::tables::recording::Recording;
use crate::store::tables::schema::liveness_checks::dsl;
use crate::store::tables::schema::liveness_event_subscriptions::dsl as subscriptions;
use crate::{NewLivenessCheck, Timestamp};

/// A recording, and the time of its record.
#[derive(Clone, Copy)]
pub(crate) struct Dated<'a> {
    pub(crate) recording: &'a Recording,
    pub(crate) created_at: Timestamp,
    /// The light of the user's last record in the database.
    pub(crate) last_light: Option<f64>,
}

impl<'a> Dated<'a> {
    pub(crate) fn check(&self) -> &'a NewLivenessCheck {
        &self.recording.check
    }
}

/// Recordings with their times.
pub(crate) struct Dating<'a> {
    pub(crate) dated: Vec<Dated<'a>>,
    /// Whether there may be a subscription to events.
    pub(crate) is_listened_to: bool,
}

/// Dates recordings, in their order: by the clock of the node, or like the newest record of the user, if that is later.
///
/// It also says whether there is a subscription to events. The caller holds the [locks](super::user_lock) of the users, so that no other
/// transaction records checks of them.
pub(crate) fn date<'a>(
    conn: &mut Connection<'_>,
    recordings: impl Iterator<Item = &'a Recording>,
) -> Result<Dating<'a>, StoreError> {
    let recordings: Vec<_> = recordings.collect();
    let users: BTreeSet<_> = recordings.iter().map(|recording| recording.check.user.id).collect();
    let users: Vec<_> = users.into_iter().collect();
    let Newest {
        records: mut newest,
        is_listened_to,
    } = newest(conn, &users)?;
    let date = |recording: &'a Recording| {
        let created_at = recording.check.created_at;
        let newest = newest
            .entry(recording.check.user.id)
            .and_modify(|newest| newest.at = created_at.max(newest.at))
            .or_insert(NewestRecord {
                at: created_at,
                light: None,
            });
        Dated {
            recording,
            created_at: newest.at,
            last_light: newest.light,
        }
    };
    Ok(Dating {
        dated: recordings.into_iter().map(date).collect(),
        is_listened_to,
    })
}

/// The newest record of a user.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewestRecord {
    pub(crate) at: Timestamp,
    /// Its `lightingValue`.
    pub(crate) light: Option<f64>,
}

/// What the database has of users.
#[derive(Debug, Default)]
pub(crate) struct Newest {
    /// The newest record of each of them who has one.
    pub(crate) records: HashMap<i64, NewestRecord>,
    /// Whether there may be a subscription to events.
    pub(crate) is_listened_to: bool,
}

#[derive(QueryableByName)]
struct NewestRow {
    #[diesel(sql_type = BigInt)]
    self_service_user_id: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    created_at: Option<i64>,
    #[diesel(sql_type = Nullable<Double>)]
    lighting_value: Option<f64>,
    #[diesel(sql_type = Bool)]
    is_listened_to: bool,
}

/// The newest record of each of these users who has one, and whether there may be a subscription to events. Reads one index entry
/// and one record of each user, by one statement on PostgreSQL, which is a network away.
pub(crate) fn newest(conn: &mut Connection<'_>, users: &[i64]) -> Result<Newest, StoreError> {
    if users.is_empty() {
        return Ok(Newest::default());
    }
    let found: Vec<NewestRow> = match conn {
        Connection::Sqlite(conn) => {
            let first = subscriptions::liveness_event_subscriptions.select(min(subscriptions::name));
            let is_listened_to = first.get_result::<Option<String>>(*conn)?.is_some();
            let mut found = Vec::with_capacity(users.len());
            for user in users {
                let newest = dsl::liveness_checks
                    .filter(dsl::self_service_user_id.eq(user))
                    .order((dsl::created_at.desc(), dsl::id.desc()))
                    .select((dsl::created_at, dsl::lighting_value));
                let (created_at, lighting_value) = newest.first(*conn).optional()?.unzip();
                found.push(NewestRow {
                    self_service_user_id: *user,
                    created_at,
                    lighting_value: lighting_value.flatten(),
                    is_listened_to,
                });
            }
            found
        }
        Connection::Postgres(conn) => prepared_sql(
            "SELECT asked.id AS self_service_user_id, created_at, lighting_value, \
             (SELECT min(name) FROM liveness_event_subscriptions) IS NOT NULL AS is_listened_to FROM unnest(",
        )
        .bind::<Array<BigInt>, _>(
            users,
            "::bigint[]) AS asked (id) LEFT JOIN LATERAL (SELECT created_at, lighting_value FROM liveness_checks AS of_user \
             WHERE of_user.self_service_user_id = asked.id ORDER BY created_at DESC, id DESC LIMIT 1) AS newest ON true",
        )
        .load(*conn)?,
        // Citus cannot plan LATERAL with LIMIT, and asks for a table of its coordinator apart. Whoever publishes does so.
        Connection::Citus(conn) => prepared_sql(
            "SELECT DISTINCT ON (self_service_user_id) self_service_user_id, created_at, lighting_value, \
             true AS is_listened_to FROM liveness_checks WHERE self_service_user_id = ANY (",
        )
        .bind::<Array<BigInt>, _>(users, ") ORDER BY self_service_user_id, created_at DESC, id DESC")
        .load(*conn)?,
    };
    let is_listened_to = conn.is_citus() || found.iter().any(|row| row.is_listened_to);
    let record = |row: NewestRow| {
        let at = Timestamp::from_unix_millis(row.created_at?)?;
        let light = row.lighting_value;
        Some((row.self_service_user_id, NewestRecord { at, light }))
    };
    Ok(Newest {
        records: found.into_iter().filter_map(record).collect(),
        is_listened_to,
    })
}
