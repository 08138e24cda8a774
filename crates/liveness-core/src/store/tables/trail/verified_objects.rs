//! Compares the objects that hold faces with the digests in the entries of their recording.

use std::thread;

use diesel::prelude::*;

use super::bound::BoundRecord;
use super::verified::TrailVerification;
use crate::store::engine::connection::on_either;
use crate::store::engine::connections::Connections;
use crate::store::engine::error::StoreError;
use crate::store::tables::face_objects::FaceObjects;
use crate::store::tables::schema::liveness_images::dsl;
use crate::trail::leaf::Sha256;

/// The most objects that are fetched at once, and in memory.
const AT_ONCE: usize = 8;

/// An object, and what the entry of the recording says of it.
#[derive(Debug)]
pub(crate) struct BoundObject {
    pub(crate) leaf: i64,
    pub(crate) check_id: i64,
    pub(crate) name: String,
    pub(crate) digest: Vec<u8>,
}

impl BoundObject {
    /// The object of the face of a record.
    pub(crate) fn of(bound: &BoundRecord, name: &str) -> Self {
        Self {
            leaf: bound.leaf,
            check_id: bound.id,
            name: name.to_owned(),
            digest: bound.entry.face_digest.clone().unwrap_or_default(),
        }
    }
}

/// Compares the objects with what binds them.
pub(crate) fn verify(
    connections: &Connections,
    objects: Option<&FaceObjects>,
    bound: &[BoundObject],
    done: &mut TrailVerification,
) -> Result<(), StoreError> {
    if bound.is_empty() {
        return Ok(());
    }
    let Some(objects) = objects else {
        // Who serves has named it where a face is in one, so the row was changed then.
        for BoundObject {
            leaf, check_id, name, ..
        } in bound
        {
            done.find(format!(
                "the face of record {check_id} is in object {name} of an object store, and none is named in LIVENESS_FACES_URL \
                 (leaf {leaf})"
            ));
        }
        return Ok(());
    };
    for bound in bound.chunks(AT_ONCE) {
        for (bound, digest) in bound.iter().zip(digests(objects, bound)?) {
            let problem = match digest {
                None => "was taken away",
                Some(digest) if digest[..] != bound.digest[..] => "was changed",
                Some(_) => continue,
            };
            // It may have been erased since its row was read.
            if is_in(connections, bound)? {
                let BoundObject {
                    leaf, check_id, name, ..
                } = bound;
                done.find(format!(
                    "the face of record {check_id} {problem} in the object store: object {name} (leaf {leaf})"
                ));
            }
        }
    }
    Ok(())
}

/// The digests of objects, which are fetched at once.
fn digests(objects: &FaceObjects, bound: &[BoundObject]) -> Result<Vec<Option<Sha256>>, StoreError> {
    thread::scope(|scope| {
        let fetch = |bound: &BoundObject| {
            let name = bound.name.clone();
            let fetch = move || objects.digest_of(&name);
            thread::Builder::new()
                .name("liveness-verify".to_owned())
                .spawn_scoped(scope, fetch)
        };
        let begun: Vec<_> = bound.iter().map(fetch).collect();
        let ended = begun.into_iter().map(|thread| {
            let joined = thread.map_err(StoreError::unavailable)?.join();
            joined.unwrap_or_else(|_| Err(StoreError::internal("a thread that fetched a face panicked")))
        });
        ended.collect()
    })
}

/// Whether the face of the record is still in the object.
fn is_in(connections: &Connections, bound: &BoundObject) -> Result<bool, StoreError> {
    let name: Option<Option<String>> = connections.read(|conn| {
        let name = dsl::liveness_images.find(bound.check_id).select(dsl::object_name);
        Ok(on_either!(conn, |conn| name.first(*conn).optional())?)
    })?;
    Ok(name.flatten().as_deref() == Some(&*bound.name))
}
