//! The entries of the audit trail that are about a record.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::entries::bucket_of;
use super::filter::{Place, Search};
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_audit_entries::dsl;
use crate::store::tables::schema::liveness_audit_lists as lists;

/// Keeps the entries of a record that match. The index of the record leads to them: with `+ 0` and `|| ''`, no other can.
macro_rules! of_record {
    ($query:expr, $search:expr) => {{
        let search = $search;
        let mut query = $query
            .filter(sql::<Bool>("at + 0 >= ").bind::<BigInt, _>(search.from))
            .filter(
                sql::<Bool>("(at + 0, id + 0) < (")
                    .bind::<BigInt, _>(search.before.0)
                    .sql(", ")
                    .bind::<BigInt, _>(search.before.1)
                    .sql(")"),
            )
            .into_boxed();
        if let Some(user) = search.user {
            query = query.filter(sql::<Bool>("self_service_user_id + 0 = ").bind::<BigInt, _>(user));
        }
        if let Some(principal) = search.principal {
            query = query.filter(sql::<Bool>("principal || '' = ").bind::<Text, _>(principal));
        }
        if let Some(message) = search.message {
            query = query.filter(sql::<Bool>("message || '' = ").bind::<Text, _>(message));
        }
        query
    }};
}

/// The places of the entries of a record, and of those of the lists that showed it, newest first.
pub(crate) fn record(conn: &mut Connection<'_>, id: i64, search: Search<'_>) -> Result<Vec<Place>, StoreError> {
    let mut places: Vec<Place> = on_either!(conn, |conn| of_record!(
        dsl::liveness_audit_entries.filter(dsl::liveness_check_id.eq(id)),
        search
    )
    .select((dsl::at, dsl::id))
    .load(*conn))?;
    places.extend(in_lists(conn, id, search)?);
    places.sort_unstable_by(|one, other| other.cmp(one));
    places.dedup();
    Ok(places)
}

/// The entries of the lists that showed a record. The lists of its bucket showed it or a record of a near id.
fn in_lists(conn: &mut Connection<'_>, id: i64, search: Search<'_>) -> Result<Vec<Place>, StoreError> {
    macro_rules! showing {
        ($begin:expr, $end:expr) => {
            of_record!(
                lists::table
                    .inner_join(
                        dsl::liveness_audit_entries.on(dsl::writer
                            .eq(lists::writer.nullable())
                            .and(dsl::writer_count.eq(lists::writer_count.nullable())))
                    )
                    .filter(lists::bucket.eq(bucket_of(id)))
                    .filter(sql::<Bool>($begin).bind::<BigInt, _>(id).sql($end)),
                search
            )
            .select((dsl::at, dsl::id))
        };
    }
    Ok(match conn {
        Connection::Sqlite(conn) => showing!(
            "EXISTS (SELECT 1 FROM json_each(subject, '$.records') WHERE value = ",
            ")"
        )
        .load(*conn)?,
        Connection::Postgres(conn) | Connection::Citus(conn) => {
            showing!("subject::jsonb -> 'records' @> to_jsonb(", "::bigint)").load(*conn)?
        }
    })
}
