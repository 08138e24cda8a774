//! The faces. All access to their bytes is in this file, by record. They are sealed where the store has the keys for it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use diesel::prelude::*;

use crate::faces::FaceKeyId;
use crate::faces::sealing::Subject;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::keys::{FaceKeys, Sealed};
use crate::store::queue::read_pool::ReadPool;
use crate::store::tables::schema::liveness_images::{self, dsl};
use crate::trail::leaf::sha256;
use crate::{FaceImage, KeptFace, LivenessCheck};

/// The captured faces.
#[derive(Clone, Debug)]
pub struct Faces {
    reads: Arc<ReadPool>,
    keys: Option<Arc<FaceKeys>>,
}

impl Faces {
    pub(crate) fn new(reads: &Arc<ReadPool>, keys: Option<&Arc<FaceKeys>>) -> Self {
        Self {
            reads: Arc::clone(reads),
            keys: keys.cloned(),
        }
    }

    /// The face of a record, if it has one that was not erased.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], also when the key store is out of reach. [`StoreError::Internal`] when the face does not
    /// open: it was changed, or this store has no keys.
    pub async fn of(&self, check: &LivenessCheck) -> Result<Option<KeptFace>, StoreError> {
        let (keys, mut check) = (self.keys.clone(), check.clone());
        if !check.has_image {
            return Ok(None);
        }
        self.reads.read(move |conn| of(conn, keys.as_deref(), &mut check)).await
    }
}

/// A face as it is kept: sealed, or in clear.
pub(crate) struct NewFace<'a> {
    pub(crate) check: &'a LivenessCheck,
    pub(crate) media_type: &'static str,
    pub(crate) sealed_key_id: Option<FaceKeyId>,
    pub(crate) bytes: Cow<'a, [u8]>,
}

/// Seals the faces of records that were just inserted, if there are keys for it.
pub(crate) fn keep<'a>(
    keys: Option<&FaceKeys>,
    faces: impl Iterator<Item = (&'a LivenessCheck, &'a FaceImage)>,
) -> Result<Vec<NewFace<'a>>, StoreError> {
    let keep = |(check, image): (&'a LivenessCheck, &'a FaceImage)| {
        let media_type = image.media_type().name();
        let (sealed_key_id, bytes) = match keys {
            None => (None, Cow::Borrowed(image.bytes())),
            Some(keys) => {
                let Sealed { key_id, bytes } = keys.seal(subject(check, media_type), image.bytes())?;
                (Some(key_id), Cow::Owned(bytes))
            }
        };
        Ok(NewFace {
            check,
            media_type,
            sealed_key_id,
            bytes,
        })
    };
    faces.map(keep).collect()
}

fn subject<'a>(check: &LivenessCheck, media_type: &'a str) -> Subject<'a> {
    Subject {
        check_id: check.id,
        user_id: check.self_service_user_id,
        media_type,
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
    sealed_key_id: Option<&'a [u8]>,
}

/// Adds faces. PostgreSQL gets them by COPY, which costs the server a third less than one INSERT for each face.
pub(crate) fn put(conn: &mut Connection<'_>, faces: &[NewFace<'_>]) -> Result<(), StoreError> {
    let rows = faces.iter().map(|face| FaceRow {
        liveness_check_id: face.check.id,
        media_type: face.media_type,
        bytes: &face.bytes,
        self_service_user_id: face.check.self_service_user_id,
        sealed_key_id: face.sealed_key_id.as_ref().map(|id| id.as_bytes().as_slice()),
    });
    let rows: Vec<_> = rows.collect();
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

/// The face of a record, if it has one. If it was erased, the record has none from now on.
pub(crate) fn of(
    conn: &mut Connection<'_>,
    keys: Option<&FaceKeys>,
    check: &mut LivenessCheck,
) -> Result<Option<KeptFace>, StoreError> {
    if !check.has_image {
        return Ok(None);
    }
    let Some(stored) = get(conn, check.self_service_user_id, check.id)? else {
        return Ok(None);
    };
    let digest = sha256(&[&stored.bytes]);
    let bytes = match (stored.sealed_key_id, keys) {
        (None, _) => Some(stored.bytes),
        (Some(_), Some(keys)) => keys.open_face(subject(check, &stored.media_type), stored.bytes)?,
        (Some(_), None) => {
            return Err(StoreError::internal(format!(
                "the face of record {} is sealed, and this store has no keys",
                check.id
            )));
        }
    };
    check.has_image = bytes.is_some();
    let kept = bytes.map(|bytes| FaceImage::from_stored(bytes).map(|image| KeptFace { image, digest }));
    kept.transpose().map_err(StoreError::internal)
}

/// A face as a query reads it.
#[derive(Queryable)]
pub(crate) struct StoredFace {
    media_type: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) sealed_key_id: Option<Vec<u8>>,
}

/// Deletes the bytes of a face.
pub(crate) fn delete(conn: &mut Connection<'_>, user: i64, check_id: i64) -> Result<(), StoreError> {
    let face = dsl::liveness_images.filter(dsl::liveness_check_id.eq(check_id));
    match conn {
        // With the user, Citus knows the shard.
        Connection::Citus(conn) => diesel::delete(face.filter(dsl::self_service_user_id.eq(user))).execute(*conn)?,
        Connection::Postgres(conn) => diesel::delete(face).execute(*conn)?,
        Connection::Sqlite(conn) => diesel::delete(face).execute(*conn)?,
    };
    Ok(())
}

pub(crate) fn get(conn: &mut Connection<'_>, user: i64, check_id: i64) -> Result<Option<StoredFace>, StoreError> {
    let columns = (dsl::media_type, dsl::bytes, dsl::sealed_key_id);
    let face = dsl::liveness_images.find(check_id).select(columns);
    Ok(match conn {
        // With the user, Citus knows the shard.
        Connection::Citus(conn) => face
            .filter(dsl::self_service_user_id.eq(user))
            .first(*conn)
            .optional()?,
        Connection::Postgres(conn) => face.first(*conn).optional()?,
        Connection::Sqlite(conn) => face.first(*conn).optional()?,
    })
}

/// Those of the keys that faces have.
pub(crate) fn used_keys(conn: &mut Connection<'_>, keys: &[FaceKeyId]) -> Result<HashSet<FaceKeyId>, StoreError> {
    let ids = keys.iter().map(|key| key.as_bytes().as_slice());
    let used: Vec<Option<Vec<u8>>> = match conn {
        Connection::Sqlite(conn) => {
            let mut used = Vec::new();
            for id in ids {
                let face = dsl::liveness_images
                    .filter(dsl::sealed_key_id.eq(id))
                    .select(dsl::sealed_key_id);
                used.extend(face.first(*conn).optional()?);
            }
            used
        }
        Connection::Postgres(conn) | Connection::Citus(conn) => dsl::liveness_images
            .filter(dsl::sealed_key_id.eq_any(ids.collect::<Vec<_>>()))
            .select(dsl::sealed_key_id)
            .load(*conn)?,
    };
    let ids = used.iter().flatten();
    Ok(ids.filter_map(|id| FaceKeyId::from_slice(id)).collect())
}

/// Whether the newest face is sealed, if there is a face. Reads one row.
pub(crate) fn newest_is_sealed(conn: &mut Connection<'_>) -> Result<Option<bool>, StoreError> {
    let newest = dsl::liveness_images
        .order(dsl::liveness_check_id.desc())
        .select(dsl::sealed_key_id.is_not_null());
    Ok(on_either!(conn, |conn| newest.first(*conn).optional())?)
}
