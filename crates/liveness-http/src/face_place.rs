//! The setting of where faces are kept: in the database, or as sealed objects in an object store.

use std::sync::Arc;

use clap::Args;
use liveness_core::faces::{FacePlace, PlaceError};
use liveness_core::store::{OpenError, Store};

#[cfg(feature = "s3")]
mod s3;

/// Where faces are kept.
#[derive(Debug, Clone, Args)]
pub struct FacePlaceConfig {
    /// Where faces are kept: database, s3://BUCKET/PREFIX (with the AWS_… variables) or file:///DIR. With database, in front
    /// of a URL, new faces are kept in the database, and older ones are read there. Objects are always sealed:
    /// LIVENESS_FACE_KEYS.
    #[arg(long, env = "LIVENESS_FACES_URL", value_name = "URL", default_value = "database", value_parser = faces_url)]
    pub faces_url: FacesUrl,
}

/// Where faces are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FacesUrl {
    /// In the database.
    Database,
    /// As objects outside the database.
    Objects {
        /// Where the objects are.
        place: ObjectsUrl,
        /// Whether new faces are put there. Otherwise they are kept in the database.
        takes_new: bool,
    },
}

/// Where objects are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectsUrl {
    /// A bucket of S3, or of what speaks like it.
    S3 {
        /// The name of the bucket.
        bucket: String,
        /// What the names of the objects begin with. It may be empty.
        prefix: String,
    },
    /// A folder.
    Folder(String),
}

impl std::fmt::Display for ObjectsUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::S3 { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
            Self::Folder(folder) => write!(f, "file://{folder}"),
        }
    }
}

fn faces_url(text: &str) -> Result<FacesUrl, String> {
    if text == "database" {
        return Ok(FacesUrl::Database);
    }
    let (url, takes_new) = match text.strip_prefix("database,") {
        Some(url) => (url, false),
        None => (text, true),
    };
    let place = objects_url(url).ok_or("must be database, s3://BUCKET/PREFIX, file:///DIR, or database,URL")?;
    if cfg!(not(feature = "s3")) {
        return Err("this program was built without the feature s3: must be database".to_owned());
    }
    Ok(FacesUrl::Objects { place, takes_new })
}

fn objects_url(url: &str) -> Option<ObjectsUrl> {
    if let Some(folder) = url.strip_prefix("file://") {
        return folder.starts_with('/').then(|| ObjectsUrl::Folder(folder.to_owned()));
    }
    let (bucket, prefix) = url
        .strip_prefix("s3://")
        .map(|rest| rest.split_once('/').unwrap_or((rest, "")))?;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    // Whatever else could be in a URL, such as a password or a query, has no meaning here.
    let is_good = !bucket.is_empty() && bucket.bytes().all(is_name) && !prefix.contains(['?', '#']);
    is_good.then(|| ObjectsUrl::S3 {
        bucket: bucket.to_owned(),
        prefix: prefix.trim_matches('/').to_owned(),
    })
}

/// Why faces cannot be kept where the setting says, as one line that says what would be right.
#[derive(Debug, thiserror::Error)]
pub enum FacePlaceError {
    /// The place cannot be used.
    #[error("LIVENESS_FACES_URL: {0}")]
    Place(#[from] PlaceError),
    /// The store refuses the place.
    #[error("LIVENESS_FACES_URL: {0}")]
    Store(#[from] OpenError),
}

impl FacePlaceConfig {
    /// Whether new faces are put outside the database.
    pub(crate) fn takes_new(&self) -> bool {
        matches!(self.faces_url, FacesUrl::Objects { takes_new: true, .. })
    }

    /// Where the faces are that are not in the database.
    pub(crate) fn objects(&self) -> Option<&ObjectsUrl> {
        match &self.faces_url {
            FacesUrl::Database => None,
            FacesUrl::Objects { place, .. } => Some(place),
        }
    }

    /// Makes a store keep its faces there. It asks nothing of the place yet.
    ///
    /// # Errors
    ///
    /// [`FacePlaceError`].
    pub(crate) fn place(&self, store: Store) -> Result<Store, FacePlaceError> {
        match &self.faces_url {
            FacesUrl::Database => Ok(store),
            FacesUrl::Objects { place, takes_new: true } => Ok(store.with_faces_in(open(place)?)?),
            FacesUrl::Objects { .. } => self.place_to_read(store),
        }
    }

    /// Makes a store find the faces that are there. It puts none.
    ///
    /// # Errors
    ///
    /// [`FacePlaceError`].
    pub(crate) fn place_to_read(&self, store: Store) -> Result<Store, FacePlaceError> {
        match &self.faces_url {
            FacesUrl::Database => Ok(store),
            FacesUrl::Objects { place, .. } => Ok(store.with_older_faces_in(open(place)?)?),
        }
    }
}

#[cfg(feature = "s3")]
fn open(place: &ObjectsUrl) -> Result<Arc<dyn FacePlace>, PlaceError> {
    s3::open(place)
}

#[cfg(not(feature = "s3"))]
fn open(_: &ObjectsUrl) -> Result<Arc<dyn FacePlace>, PlaceError> {
    // No such URL is read.
    Err(PlaceError::Refused(
        "this program was built without the feature s3".to_owned(),
    ))
}

/// Whether anybody may read the objects, who has no credentials. An object is put to see it. `None` if that has no meaning.
///
/// # Errors
///
/// [`PlaceError`] if it cannot be seen.
pub(crate) fn is_public(place: &ObjectsUrl) -> Result<Option<bool>, PlaceError> {
    #[cfg(feature = "s3")]
    if let ObjectsUrl::S3 { bucket, prefix } = place {
        return s3::is_public(bucket, prefix).map(Some);
    }
    let _ = place;
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_place() {
        let s3 = |bucket: &str, prefix: &str| ObjectsUrl::S3 {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        };
        let cases = [
            ("s3://faces", s3("faces", ""), true),
            ("s3://faces/a/b/", s3("faces", "a/b"), true),
            ("database,s3://faces/a", s3("faces", "a"), false),
            ("file:///var/faces", ObjectsUrl::Folder("/var/faces".to_owned()), true),
        ];
        assert_eq!(faces_url("database"), Ok(FacesUrl::Database));
        for (text, place, takes_new) in cases {
            let expected = FacesUrl::Objects { place, takes_new };
            match faces_url(text) {
                Ok(url) => assert_eq!(url, expected, "{text}"),
                Err(told) => assert!(cfg!(not(feature = "s3")) && told.contains("feature s3"), "{told}"),
            }
        }
    }

    #[test]
    fn what_names_no_place_is_refused_in_words_that_do_not_repeat_it() {
        for text in [
            "",
            "s3://",
            "s3:///prefix",
            "s3://key:secret@bucket/prefix",
            "s3://bucket/prefix?secret",
            "file://relative",
            "database,",
            "s3://a,database",
            "gs://bucket",
        ] {
            let told = faces_url(text).unwrap_err();
            assert!(
                told.starts_with("must be database") && !told.contains("secret"),
                "{text}: {told}"
            );
        }
    }
}
