//! Looks for earlier records of an image, by its keyed digest. Without the key, a digest says nothing of the image.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Nullable};

use super::due_report::DueReport;
use crate::policy::ReusedImage;
use crate::store::engine::advisory_lock;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::engine::prepared_sql::prepared_sql;
use crate::store::tables::schema::liveness_check_judgments::dsl;
use crate::trail::leaf::Sha256;
use crate::verdict::Reuse;

/// The kind of our advisory locks for images. The number has no meaning.
const LOCK: i32 = 549_671_211;

/// An earlier record of the image of each report: another user's, if there is one, and the user's own if that is worse by the rule.
/// Waits for the transactions that record the same images.
pub(crate) fn reused(
    conn: &mut Connection<'_>,
    reports: &[DueReport<'_>],
    rule: &ReusedImage,
) -> Result<Vec<Option<Reuse>>, StoreError> {
    let asked: Vec<_> = reports
        .iter()
        .filter_map(|report| Some((report.image_digest?, report.dated.check().user.id)))
        .collect();
    if asked.is_empty() {
        return Ok(vec![None; reports.len()]);
    }
    let keys: BTreeSet<_> = asked.iter().map(|(digest, _)| advisory_lock::key_of(digest)).collect();
    advisory_lock::lock(conn, LOCK, keys)?;
    let mut found = find(conn, &asked)?;
    if rule.same_user > rule.effect {
        for (found, (digest, user)) in found.iter_mut().zip(&asked) {
            if found.is_some_and(|reuse| reuse.of_another_user) {
                *found = own(conn, digest, *user)?.or(*found);
            }
        }
    }
    let mut found = found.into_iter();
    let of_report = |report: &DueReport<'_>| report.image_digest.and_then(|_| found.next().flatten());
    Ok(reports.iter().map(of_report).collect())
}

/// A record of an image: its user, and its id.
type Found = (i64, i64);

/// The first and the last record of an image, in the order of their users. If one of them is of another user, so was the image
/// before. However often a user has recorded it, no more is read.
fn reuse(user: i64, first: Option<Found>, last: Option<Found>) -> Option<Reuse> {
    let (_, own) = first?;
    let other = [first, last].into_iter().flatten().find(|(whose, _)| *whose != user);
    Some(Reuse {
        check_id: other.map_or(own, |(_, id)| id),
        of_another_user: other.is_some(),
    })
}

#[derive(QueryableByName)]
struct Ends {
    #[diesel(sql_type = Nullable<Array<BigInt>>)]
    first: Option<Vec<i64>>,
    #[diesel(sql_type = Nullable<Array<BigInt>>)]
    last: Option<Vec<i64>>,
}

/// One statement on PostgreSQL, which is a network away. Citus cannot plan it.
pub(crate) fn find(conn: &mut Connection<'_>, asked: &[(&Sha256, i64)]) -> Result<Vec<Option<Reuse>>, StoreError> {
    if let Connection::Postgres(conn) = conn {
        let digests: Vec<&[u8]> = asked.iter().map(|(digest, _)| &digest[..]).collect();
        let found: Vec<Ends> = prepared_sql(
            "SELECT (SELECT ARRAY[self_service_user_id, id] FROM liveness_checks WHERE image_digest = asked.digest \
                ORDER BY self_service_user_id, id LIMIT 1) AS first, \
             (SELECT ARRAY[self_service_user_id, id] FROM liveness_checks WHERE image_digest = asked.digest \
                ORDER BY self_service_user_id DESC, id DESC LIMIT 1) AS last \
             FROM unnest(",
        )
        .bind::<Array<Binary>, _>(
            digests,
            "::bytea[]) WITH ORDINALITY AS asked (digest, place) ORDER BY place",
        )
        .load(*conn)?;
        let found_by = |row: Option<Vec<i64>>| row.and_then(|row| Some((*row.first()?, *row.get(1)?)));
        let of =
            |(Ends { first, last }, (_, user)): (Ends, &(&Sha256, i64))| reuse(*user, found_by(first), found_by(last));
        return Ok(found.into_iter().zip(asked).map(of).collect());
    }
    asked.iter().map(|(digest, user)| one(conn, digest, *user)).collect()
}

fn one(conn: &mut Connection<'_>, digest: &Sha256, user: i64) -> Result<Option<Reuse>, StoreError> {
    let of_image = dsl::liveness_check_judgments
        .filter(dsl::image_digest.eq(digest.as_slice()))
        .select((dsl::self_service_user_id, dsl::id));
    let first = of_image.order((dsl::self_service_user_id, dsl::id));
    let first: Option<Found> = on_either!(conn, |conn| first.first(*conn).optional())?;
    // Nearly every image is new, or another user's.
    if first.is_none_or(|(whose, _)| whose != user) {
        return Ok(reuse(user, first, None));
    }
    let last = of_image.order((dsl::self_service_user_id.desc(), dsl::id.desc()));
    let last = on_either!(conn, |conn| last.first(*conn).optional())?;
    Ok(reuse(user, first, last))
}

/// The first record of an image by a user.
fn own(conn: &mut Connection<'_>, digest: &Sha256, user: i64) -> Result<Option<Reuse>, StoreError> {
    let first = dsl::liveness_check_judgments
        .filter(
            dsl::image_digest
                .eq(digest.as_slice())
                .and(dsl::self_service_user_id.eq(user)),
        )
        .order(dsl::id)
        .select(dsl::id);
    let first: Option<i64> = on_either!(conn, |conn| first.first(*conn).optional())?;
    Ok(first.map(|check_id| Reuse {
        check_id,
        of_another_user: false,
    }))
}

/// Forgets the image of a record whose face is erased.
pub(crate) fn forget(conn: &mut Connection<'_>, user: i64, check_id: i64) -> Result<(), StoreError> {
    let row = dsl::liveness_check_judgments.filter(dsl::id.eq(check_id).and(dsl::self_service_user_id.eq(user)));
    let none = dsl::image_digest.eq(None::<Vec<u8>>);
    on_either!(conn, |conn| diesel::update(row).set(none).execute(*conn))?;
    Ok(())
}
