//! The faces. One small door, by record, so that they can be encrypted or move elsewhere.

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;

use super::error::StoreError;
use super::schema::liveness_images::dsl::{bytes, liveness_check_id, liveness_images, media_type};
use crate::FaceImage;

pub(super) fn put(conn: &mut SqliteConnection, check_id: i64, image: &FaceImage) -> Result<(), StoreError> {
    diesel::insert_into(liveness_images)
        .values((
            liveness_check_id.eq(check_id),
            media_type.eq(image.media_type().name()),
            bytes.eq(image.bytes()),
        ))
        .execute(conn)?;
    Ok(())
}

pub(super) fn get(conn: &mut SqliteConnection, check_id: i64) -> Result<Option<FaceImage>, StoreError> {
    let found: Option<Vec<u8>> = liveness_images.find(check_id).select(bytes).first(conn).optional()?;
    let image = found.map(FaceImage::from_bytes).transpose();
    image.map_err(|error| StoreError::Internal(error.into()))
}
