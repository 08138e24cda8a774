//! Looks for earlier records of an image, by its keyed digest. Without the key, a digest says nothing of the image.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Binary, Nullable};

use super::due_report::DueReport;
use crate::store::engine::advisory_lock;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_check_judgments::dsl;
use crate::trail::leaf::Sha256;
use crate::verdict::Reuse;

/// The kind of our advisory locks for images. The number has no meaning.
const LOCK: i32 = 549_671_211;

/// An earlier record of the image of each report. Waits for the transactions that record the same images.
pub(crate) fn reused(conn: &mut Connection<'_>, reports: &[DueReport<'_>]) -> Result<Vec<Option<Reuse>>, StoreError> {
    let asked: Vec<_> = reports
        .iter()
        .filter_map(|report| Some((report.image_digest?, report.dated.check().user.id)))
        .collect();
    if asked.is_empty() {
        return Ok(vec![None; reports.len()]);
    }
    let keys: BTreeSet<_> = asked.iter().map(|(digest, _)| advisory_lock::key_of(digest)).collect();
    advisory_lock::lock(conn, LOCK, keys)?;
    let mut found = find(conn, &asked)?.into_iter();
    let of_report = |report: &DueReport<'_>| report.image_digest.and_then(|_| found.next().flatten());
    Ok(reports.iter().map(of_report).collect())
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Nullable<BigInt>)]
    of_others: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    of_same: Option<i64>,
}

impl Found {
    fn reuse(self) -> Option<Reuse> {
        let (check_id, of_another_user) = match self {
            Self {
                of_others: Some(id), ..
            } => (id, true),
            Self { of_same, .. } => (of_same?, false),
        };
        Some(Reuse {
            check_id,
            of_another_user,
        })
    }
}

/// One statement on PostgreSQL, which is a network away. Citus cannot plan it.
pub(crate) fn find(conn: &mut Connection<'_>, asked: &[(&Sha256, i64)]) -> Result<Vec<Option<Reuse>>, StoreError> {
    if let Connection::Postgres(conn) = conn {
        let (digests, users): (Vec<&[u8]>, Vec<i64>) = asked.iter().map(|(digest, user)| (&digest[..], *user)).unzip();
        let found: Vec<Found> = sql_query(
            "SELECT (SELECT id FROM liveness_checks WHERE image_digest = asked.digest \
                AND self_service_user_id <> asked.user_id LIMIT 1) AS of_others, \
             (SELECT id FROM liveness_checks WHERE image_digest = asked.digest \
                AND self_service_user_id = asked.user_id LIMIT 1) AS of_same \
             FROM unnest($1::bytea[], $2::bigint[]) WITH ORDINALITY AS asked (digest, user_id, place) ORDER BY place",
        )
        .bind::<Array<Binary>, _>(digests)
        .bind::<Array<BigInt>, _>(users)
        .load(*conn)?;
        return Ok(found.into_iter().map(Found::reuse).collect());
    }
    asked.iter().map(|(digest, user)| one(conn, digest, *user)).collect()
}

fn one(conn: &mut Connection<'_>, digest: &Sha256, user: i64) -> Result<Option<Reuse>, StoreError> {
    let of_image = dsl::liveness_check_judgments
        .filter(dsl::image_digest.eq(digest.as_slice()))
        .select(dsl::id);
    let of_others = of_image.filter(dsl::self_service_user_id.ne(user));
    let of_others: Option<i64> = on_either!(conn, |conn| of_others.first(*conn).optional())?;
    let of_same = of_image.filter(dsl::self_service_user_id.eq(user));
    let of_same = match of_others {
        Some(_) => None,
        None => on_either!(conn, |conn| of_same.first(*conn).optional())?,
    };
    Ok(Found { of_others, of_same }.reuse())
}

/// Forgets the image of a record whose face is erased.
pub(crate) fn forget(conn: &mut Connection<'_>, user: i64, check_id: i64) -> Result<(), StoreError> {
    let row = dsl::liveness_check_judgments.filter(dsl::id.eq(check_id).and(dsl::self_service_user_id.eq(user)));
    let none = dsl::image_digest.eq(None::<Vec<u8>>);
    on_either!(conn, |conn| diesel::update(row).set(none).execute(*conn))?;
    Ok(())
}
