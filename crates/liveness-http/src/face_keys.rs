//! The settings of sealed faces: who keeps the key-encryption keys, and where the wrapped keys are.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
#[cfg(feature = "pkcs11")]
use liveness_core::faces::pkcs11::{self, Pkcs11Keeper, Pkcs11Uri};
use liveness_core::faces::{FileKeeper, KeeperError, KeyKeeper};
use liveness_core::store::{FaceKeys, OpenError, Store};

use crate::face_place::{FacePlaceConfig, FacePlaceError};
use crate::url_file::UrlFile;

/// The settings of sealed faces. It has no `Debug`, because the URL may hold a password.
#[derive(Clone, Args)]
pub struct FaceConfig {
    /// Seal each face, with key-encryption keys in a folder, file:DIR, or on a token,
    /// pkcs11:token=NAME?module-path=LIBRARY&pin-source=file:FILE. The first key is made where there is none. [default: faces
    /// are recorded in clear]
    #[arg(long, env = "LIVENESS_FACE_KEYS", value_name = "file:DIR|pkcs11:URI", value_parser = keeper)]
    pub face_keys: Option<FaceKeeper>,

    /// Where the wrapped keys of the faces are kept, a database of its own: sqlite://PATH or postgres://… [default: beside the
    /// SQLite file, liveness.keys.db]
    #[arg(long, env = "LIVENESS_KEYS_URL", hide_env_values = true)]
    pub keys_url: Option<String>,

    /// File with that URL, so that a password in it is not in the environment. A line break at its end does not count.
    #[arg(
        long,
        env = "LIVENESS_KEYS_URL_FILE",
        value_name = "FILE",
        conflicts_with = "keys_url"
    )]
    pub keys_url_file: Option<UrlFile>,

    /// Where the sealed faces are kept.
    #[command(flatten)]
    pub place: FacePlaceConfig,
}

/// Who keeps the key-encryption keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaceKeeper {
    /// A folder with a file for each key.
    Folder(PathBuf),
    /// A token that is spoken to by PKCS#11.
    #[cfg(feature = "pkcs11")]
    Token(Box<Pkcs11Uri>),
}

fn keeper(text: &str) -> Result<FaceKeeper, String> {
    match text.split_once(':') {
        Some(("file", folder)) if !folder.is_empty() => Ok(FaceKeeper::Folder(folder.into())),
        Some(("pkcs11", _)) => token(text),
        _ => Err("must be file:DIR, or pkcs11: and a URI of a token".to_owned()),
    }
}

#[cfg(feature = "pkcs11")]
fn token(uri: &str) -> Result<FaceKeeper, String> {
    let uri = Pkcs11Uri::parse(uri).map_err(|error| error.to_string())?;
    Ok(FaceKeeper::Token(Box::new(uri)))
}

#[cfg(not(feature = "pkcs11"))]
fn token(_uri: &str) -> Result<FaceKeeper, String> {
    Err("this liveness-http was built without the feature pkcs11; must be file:DIR".to_owned())
}

/// Ends the use of tokens, right before the process ends: no thread may be in the library of one at that moment.
pub(crate) fn close_tokens() {
    #[cfg(feature = "pkcs11")]
    if !pkcs11::close(std::time::Duration::from_secs(2)) {
        log::warn!("the token of LIVENESS_FACE_KEYS does not answer, and is left in the middle of a call");
    }
}

/// Why faces cannot be sealed, as one line that says what would be right.
#[derive(Debug, thiserror::Error)]
pub enum FaceKeysError {
    /// The keeper of the key-encryption keys cannot be used.
    #[error("LIVENESS_FACE_KEYS: {0}")]
    Keeper(#[from] KeeperError),
    /// There is a URL of PostgreSQL, and none of a key store.
    #[error("LIVENESS_KEYS_URL: on PostgreSQL, name a database for the wrapped keys, with a backup of its own")]
    NoUrl,
    /// The key store would be backed up with the faces.
    #[error("LIVENESS_KEYS_URL: it must not be LIVENESS_DATABASE_URL: the keys need a backup of their own")]
    SameUrl,
    /// The key store cannot be opened.
    #[error("LIVENESS_KEYS_URL: {0}")]
    Store(#[from] OpenError),
    /// The place of the faces cannot be used.
    #[error(transparent)]
    Place(#[from] FacePlaceError),
    /// Faces would be in clear outside the database.
    #[error(
        "LIVENESS_FACES_URL: faces outside the database are always sealed, and there are no keys; set LIVENESS_FACE_KEYS"
    )]
    PlaceInClear,
    /// A command needs keys.
    #[error(
        "LIVENESS_FACE_KEYS: it is not set, so there are no keys of faces; set it as for `serve`, such as to file:DIR"
    )]
    NotSet,
}

impl FaceConfig {
    /// Makes a store seal its faces, and keep them in their place, if that is configured.
    ///
    /// # Errors
    ///
    /// [`FaceKeysError`].
    pub(crate) fn seal(&self, store: Store, database_url: &str) -> Result<Store, FaceKeysError> {
        let store = match &self.face_keys {
            None if self.place.takes_new() => return Err(FaceKeysError::PlaceInClear),
            None => store,
            Some(keeper) => store.with_sealed_faces(self.open(keeper, database_url)?)?,
        };
        Ok(self.place.place(store)?)
    }

    fn open(&self, keeper: &FaceKeeper, database_url: &str) -> Result<FaceKeys, FaceKeysError> {
        let url = self.url(database_url)?;
        Ok(FaceKeys::open(&url, keeper.open()?)?)
    }

    /// The URL of the key store.
    ///
    /// # Errors
    ///
    /// [`FaceKeysError::NoUrl`] and [`FaceKeysError::SameUrl`].
    pub(crate) fn url(&self, database_url: &str) -> Result<String, FaceKeysError> {
        let in_file = self.keys_url_file.as_ref().map(UrlFile::url);
        match self.keys_url.as_deref().or(in_file) {
            Some(url) if url == database_url => Err(FaceKeysError::SameUrl),
            Some(url) => Ok(url.to_owned()),
            None => FaceKeys::url_beside(database_url).ok_or(FaceKeysError::NoUrl),
        }
    }
}

impl FaceKeeper {
    /// Opens the keeper. Makes its first key, if it has none.
    fn open(&self) -> Result<Arc<dyn KeyKeeper>, KeeperError> {
        match self {
            Self::Folder(folder) => Ok(Arc::new(FileKeeper::open(folder)?)),
            #[cfg(feature = "pkcs11")]
            Self::Token(uri) => Ok(Arc::new(Pkcs11Keeper::open((**uri).clone())?)),
        }
    }
}
