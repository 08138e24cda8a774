//! The faces. All access to their bytes is in this file, by record. They are sealed where the store has the keys for it.
//!
//! A row leads to a face in an object store: see `face_objects.rs`.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use diesel::prelude::*;

use crate::faces::FaceKeyId;
use crate::faces::sealing::Subject;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::eq_any::eq_any;
use crate::store::engine::error::StoreError;
use crate::store::keys::{FaceKeys, Sealed};
use crate::store::queue::read_pool::ReadPool;
use crate::store::tables::face_objects::{FaceInObject, PutFace};
use crate::store::tables::face_tools::{FaceTools, FoundFace, kept};
use crate::store::tables::schema::liveness_images::{self, dsl};
use crate::trail::leaf::{Sha256, sha256};
use crate::{FaceImage, KeptFace, LivenessCheck};

/// The captured faces.
#[derive(Clone, Debug)]
pub struct Faces {
    reads: Arc<ReadPool>,
    tools: FaceTools,
}

impl Faces {
    pub(crate) fn new(reads: &Arc<ReadPool>, tools: &FaceTools) -> Self {
        Self {
            reads: Arc::clone(reads),
            tools: tools.clone(),
        }
    }

    /// The face of a record, if it has one that was not erased.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], also when the key store or the place of the face is out of reach. [`StoreError::Internal`]
    /// when the face does not open: it was changed, or this store has no keys.
    pub async fn of(&self, check: &LivenessCheck) -> Result<Option<KeptFace>, StoreError> {
        let (keys, mut own) = (self.tools.keys().cloned(), check.clone());
        if !check.has_image {
            return Ok(None);
        }
        let found = self.reads.read(move |conn| of(conn, keys.as_deref(), &mut own)).await?;
        match found {
            FoundFace::Here(face) => Ok(face),
            FoundFace::InObject(_) => self.tools.fetched(found, &mut check.clone()).await,
        }
    }
}

/// A face that was recorded just now.
pub(crate) struct TakenFace<'a> {
    pub(crate) check: &'a LivenessCheck,
    pub(crate) image: &'a FaceImage,
    /// Its object, if it is not kept in the database.
    pub(crate) put: Option<&'a PutFace>,
}

/// A face as its row has it: sealed, in clear, or in an object.
pub(crate) struct NewFace<'a> {
    pub(crate) check: &'a LivenessCheck,
    media_type: &'static str,
    sealed_key_id: Option<FaceKeyId>,
    bytes: Cow<'a, [u8]>,
    object: Option<(String, Sha256)>,
}

impl NewFace<'_> {
    /// SHA-256 of what was sealed. `None` if it is in clear.
    pub(crate) fn sealed_digest(&self) -> Option<Sha256> {
        match &self.object {
            Some((_, digest)) => Some(*digest),
            None => self.sealed_key_id.map(|_| sha256(&[&self.bytes])),
        }
    }
}

/// Seals the faces of records that were just inserted, if there are keys for it. Those that are in objects are sealed already.
pub(crate) fn keep<'a>(
    keys: Option<&FaceKeys>,
    faces: impl Iterator<Item = TakenFace<'a>>,
) -> Result<Vec<NewFace<'a>>, StoreError> {
    let keep = |face: TakenFace<'a>| {
        let media_type = face.image.media_type().name();
        let subject = subject(face.check, media_type);
        let (sealed_key_id, bytes) = match (face.put, keys) {
            (Some(put), _) => (Some(put.key_id()), Cow::Owned(put.bind(subject)?)),
            (None, None) => (None, Cow::Borrowed(face.image.bytes())),
            (None, Some(keys)) => {
                let Sealed { key_id, bytes } = keys.seal(subject, face.image.bytes())?;
                (Some(key_id), Cow::Owned(bytes))
            }
        };
        Ok(NewFace {
            check: face.check,
            media_type,
            sealed_key_id,
            bytes,
            object: face.put.map(|put| (put.name().to_string(), put.digest())),
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
    object_name: Option<&'a str>,
}

/// Adds faces. PostgreSQL gets them by COPY, which costs the server a third less than one INSERT for each face.
pub(crate) fn put(conn: &mut Connection<'_>, faces: &[NewFace<'_>]) -> Result<(), StoreError> {
    let rows = faces.iter().map(|face| FaceRow {
        liveness_check_id: face.check.id,
        media_type: face.media_type,
        bytes: &face.bytes,
        self_service_user_id: face.check.self_service_user_id,
        sealed_key_id: face.sealed_key_id.as_ref().map(|id| id.as_bytes().as_slice()),
        object_name: face.object.as_ref().map(|(name, _)| name.as_str()),
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
) -> Result<FoundFace, StoreError> {
    if !check.has_image {
        return Ok(FoundFace::Here(None));
    }
    let Some(stored) = get(conn, check.self_service_user_id, check.id)? else {
        return Ok(FoundFace::Here(None));
    };
    if let Some(name) = stored.object_name {
        return Ok(FoundFace::InObject(FaceInObject {
            check_id: check.id,
            user_id: check.self_service_user_id,
            media_type: stored.media_type,
            name,
            sealed_digest: stored.bytes,
        }));
    }
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
    let kept = bytes.map(|bytes| kept(bytes, digest));
    Ok(FoundFace::Here(kept.transpose()?))
}

/// A face as a query reads it.
#[derive(Queryable)]
pub(crate) struct StoredFace {
    media_type: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) sealed_key_id: Option<Vec<u8>>,
    pub(crate) object_name: Option<String>,
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
    let columns = (dsl::media_type, dsl::bytes, dsl::sealed_key_id, dsl::object_name);
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

/// Whether any face is in an object. Reads one entry of an index.
pub(crate) fn any_is_in_object(conn: &mut Connection<'_>) -> Result<bool, StoreError> {
    let in_object = dsl::liveness_images
        .filter(dsl::object_name.is_not_null())
        // With an order, PostgreSQL takes the index, however many faces are in the table.
        .order(dsl::object_name)
        .select(dsl::object_name.is_not_null())
        .limit(1);
    let found: Option<bool> = on_either!(conn, |conn| in_object.first(*conn).optional())?;
    Ok(found.is_some())
}

/// Those of the objects with these names that hold a face.
pub(crate) fn in_objects(conn: &mut Connection<'_>, names: &[String]) -> Result<HashSet<String>, StoreError> {
    let found: Vec<Option<String>> = on_either!(conn, |conn| dsl::liveness_images
        .filter(eq_any(dsl::object_name, names.to_vec())?)
        .select(dsl::object_name)
        .load(*conn))?;
    Ok(found.into_iter().flatten().collect())
}
