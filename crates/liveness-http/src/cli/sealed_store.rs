//! Opens a store for a subcommand that reads faces or their keys.

use liveness_core::store::Store;

use super::failure::Failure;
use crate::config::DatabaseConfig;
use crate::face_keys::{FaceConfig, FaceKeysError};

/// Opens a store that can open its faces, wherever they are. Makes the tables of the key store, where there are none.
pub(super) fn open(database: &DatabaseConfig, faces: &FaceConfig) -> Result<Store, Failure> {
    let store = faces.seal(database.open_up_to_date()?, database.url())?;
    if let Some(keys) = store.face_keys() {
        keys.migrate()?;
    }
    store.check_faces()?;
    Ok(store)
}

/// The same, but there must be keys.
pub(super) fn open_with_keys(database: &DatabaseConfig, faces: &FaceConfig) -> Result<Store, Failure> {
    if faces.face_keys.is_none() {
        return Err(FaceKeysError::NotSet.into());
    }
    open(database, faces)
}
