//! The faces. One small door, by record, so that they can be encrypted or move elsewhere.

use diesel::prelude::*;

use super::connection::{Connection, on_either};
use super::error::StoreError;
use super::schema::liveness_images::{self, dsl};
use crate::{FaceImage, LivenessCheck};

#[derive(Insertable)]
// With a DEFAULT in it for what is left out, the statement would be another each time.
#[diesel(table_name = liveness_images, treat_none_as_default_value = false)]
struct ImageRow<'a> {
    liveness_check_id: i64,
    media_type: &'static str,
    bytes: &'a [u8],
}

/// Where the database is far away, all at once, and by COPY: it costs its server a third less than an INSERT of each.
pub(super) fn put<'a>(
    conn: &mut Connection<'_>,
    faces: impl Iterator<Item = (i64, &'a FaceImage)>,
) -> Result<(), StoreError> {
    let row = |(liveness_check_id, image): (i64, &'a FaceImage)| ImageRow {
        liveness_check_id,
        media_type: image.media_type().name(),
        bytes: image.bytes(),
    };
    let rows: Vec<_> = faces.map(row).collect();
    if rows.is_empty() {
        return Ok(());
    }
    match conn {
        Connection::Sqlite(conn) => {
            for row in rows {
                diesel::insert_into(dsl::liveness_images).values(row).execute(*conn)?;
            }
        }
        Connection::Postgres(conn) => {
            diesel::copy_from(dsl::liveness_images)
                .from_insertable(rows)
                .execute(*conn)?;
        }
    }
    Ok(())
}

/// The face of a record, looked for only where there is one.
pub(super) fn of(conn: &mut Connection<'_>, check: &LivenessCheck) -> Result<Option<FaceImage>, StoreError> {
    if check.has_image { get(conn, check.id) } else { Ok(None) }
}

pub(super) fn get(conn: &mut Connection<'_>, check_id: i64) -> Result<Option<FaceImage>, StoreError> {
    let bytes: Option<Vec<u8>> = on_either!(conn, |conn| dsl::liveness_images
        .find(check_id)
        .select(dsl::bytes)
        .first(*conn)
        .optional())?;
    bytes
        .map(FaceImage::from_bytes)
        .transpose()
        .map_err(StoreError::internal)
}
