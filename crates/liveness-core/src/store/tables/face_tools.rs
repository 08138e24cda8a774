//! What faces are sealed and kept with: the keys, and the place outside the database.

use std::sync::Arc;

use super::face_objects::{FaceInObject, FaceObjects, PutFace, PutObject};
use crate::store::engine::error::StoreError;
use crate::store::keys::FaceKeys;
use crate::trail::leaf::Sha256;
use crate::{FaceImage, KeptFace, LivenessCheck, NewLivenessCheck};

/// What faces are sealed and kept with.
#[derive(Clone, Debug, Default)]
pub(crate) struct FaceTools {
    /// The keys, if faces are sealed.
    pub(crate) keys: Arc<Option<Arc<FaceKeys>>>,
    /// The place outside the database, if there is one.
    pub(crate) objects: Option<Arc<FaceObjects>>,
}

impl FaceTools {
    /// The keys, if faces are sealed.
    pub(crate) fn keys(&self) -> Option<&Arc<FaceKeys>> {
        self.keys.as_ref().as_ref()
    }

    /// Seals the face of a check and puts it into its place, if that is not the database.
    pub(crate) async fn put(&self, check: &mut NewLivenessCheck) -> Result<Option<PutFace>, StoreError> {
        let (Some(objects), Some(keys)) = (&self.objects, self.keys()) else {
            return Ok(None);
        };
        if !objects.takes_new() {
            return Ok(None);
        }
        let Some(image) = check.image.take() else {
            return Ok(None);
        };
        let (image, put) = objects.put(keys, check.user.id, image).await?;
        check.image = Some(image);
        Ok(Some(put))
    }

    /// Takes back a face that was put in vain: nobody can open it any more. What fails here is swept away later.
    pub(crate) async fn discard(&self, object: PutObject) {
        let (Some(objects), Some(keys)) = (&self.objects, self.keys()) else {
            return;
        };
        if let Err(error) = objects.discard(keys, object).await {
            log::warn!("a face that was put in vain is not deleted yet: {}", error.cause());
        }
    }

    /// The face that was found. If it was erased, the record has none from now on.
    pub(crate) async fn fetched(
        &self,
        found: FoundFace,
        check: &mut LivenessCheck,
    ) -> Result<Option<KeptFace>, StoreError> {
        let face = match found {
            FoundFace::Here(face) => return Ok(face),
            FoundFace::InObject(face) => face,
        };
        let (Some(objects), Some(keys)) = (&self.objects, self.keys()) else {
            return Err(StoreError::internal(format!(
                "the face of record {} is in an object store, and this store knows none, or has no keys",
                check.id
            )));
        };
        let fetched = objects.fetch(keys, face).await?;
        check.has_image = fetched.is_some();
        let kept = fetched.map(|(bytes, digest)| kept(bytes, digest));
        kept.transpose()
    }
}

/// A face in the database, or the way to one that is not.
pub(crate) enum FoundFace {
    Here(Option<KeptFace>),
    InObject(FaceInObject),
}

/// A face with the digest of what is kept of it.
pub(crate) fn kept(bytes: Vec<u8>, digest: Sha256) -> Result<KeptFace, StoreError> {
    let image = FaceImage::from_stored(bytes).map_err(StoreError::internal)?;
    Ok(KeptFace { image, digest })
}
