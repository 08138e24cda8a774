//! The faces. All access to their bytes is in this file, by record. So they can later be encrypted or stored elsewhere.

use std::sync::Arc;

use diesel::prelude::*;

use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::store::queue::read_pool::ReadPool;
use crate::store::tables::schema::liveness_images::{self, dsl};
use crate::trail::leaf::sha256;
use crate::{FaceImage, KeptFace, LivenessCheck};

/// The captured faces.
#[derive(Clone, Debug)]
pub struct Faces {
    reads: Arc<ReadPool>,
}

impl Faces {
    pub(crate) fn new(reads: &Arc<ReadPool>) -> Self {
        Self {
            reads: Arc::clone(reads),
        }
    }

    /// The face of a record, if it has one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn of(&self, check: &LivenessCheck) -> Result<Option<KeptFace>, StoreError> {
        if !check.has_image {
            return Ok(None);
        }
        let (user, id) = (check.self_service_user_id, check.id);
        self.reads.read(move |conn| get(conn, user, id)).await
    }
}

#[derive(Insertable)]
// Otherwise the statement would have DEFAULT for each missing value, so each combination would be a new statement.
#[diesel(table_name = liveness_images, treat_none_as_default_value = false)]
struct FaceRow<'a> {
    liveness_check_id: i64,
    media_type: &'static str,
    bytes: &'a [u8],
    self_service_user_id: i64,
}

/// Adds faces. PostgreSQL gets them by COPY, which costs the server a third less than one INSERT for each face.
pub(crate) fn put<'a>(
    conn: &mut Connection<'_>,
    faces: impl Iterator<Item = (&'a LivenessCheck, &'a FaceImage)>,
) -> Result<(), StoreError> {
    let row = |(check, image): (&'a LivenessCheck, &'a FaceImage)| FaceRow {
        liveness_check_id: check.id,
        media_type: image.media_type().name(),
        bytes: image.bytes(),
        self_service_user_id: check.self_service_user_id,
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
        Connection::Postgres(conn) | Connection::Citus(conn) => {
            diesel::copy_from(dsl::liveness_images)
                .from_insertable(rows)
                .execute(*conn)?;
        }
    }
    Ok(())
}

/// The face of a record, if it has one.
pub(crate) fn of(conn: &mut Connection<'_>, check: &LivenessCheck) -> Result<Option<KeptFace>, StoreError> {
    if check.has_image {
        get(conn, check.self_service_user_id, check.id)
    } else {
        Ok(None)
    }
}

pub(crate) fn get(conn: &mut Connection<'_>, user: i64, check_id: i64) -> Result<Option<KeptFace>, StoreError> {
    let face = dsl::liveness_images.find(check_id).select(dsl::bytes);
    let bytes: Option<Vec<u8>> = match conn {
        // With the user, Citus knows the shard.
        Connection::Citus(conn) => face
            .filter(dsl::self_service_user_id.eq(user))
            .first(*conn)
            .optional()?,
        Connection::Postgres(conn) => face.first(*conn).optional()?,
        Connection::Sqlite(conn) => face.first(*conn).optional()?,
    };
    let kept = bytes.map(|bytes| {
        let digest = sha256(&[&bytes]);
        FaceImage::from_stored(bytes).map(|image| KeptFace { image, digest })
    });
    kept.transpose().map_err(StoreError::internal)
}
