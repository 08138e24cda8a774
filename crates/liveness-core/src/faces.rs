//! Sealed faces: the format of a sealed face, and the keepers of the keys that wrap its key.
//!
//! Each face is sealed with a data key of its own, which is used once. A [`KeyKeeper`] wraps data keys with a key-encryption
//! key, which never leaves it. The wrapped data keys lie in a store of their own, apart from the faces: see
//! [`FaceKeys`](crate::store::FaceKeys). Without its wrapped key, no copy of a face can be opened by anybody.
//!
//! A sealed face is in the database, or in a [`FacePlace`] outside it.
//!
//! This room does no SQL and knows no table.

mod data_key;
mod error;
mod file_keeper;
mod keeper;
#[cfg(test)]
mod keeper_contract;
mod key_id;
mod object_name;
#[cfg(feature = "s3")]
mod object_place;
mod own_file;
#[cfg(feature = "pkcs11")]
pub mod pkcs11;
mod place;
pub(crate) mod sealing;
mod wrapping;

pub use self::data_key::{DataKey, FaceKeyId};
pub use self::error::KeeperError;
pub use self::file_keeper::FileKeeper;
pub use self::keeper::{Destroyed, KeyKeeper};
pub use self::key_id::KeyId;
pub use self::object_name::ObjectName;
#[cfg(feature = "s3")]
pub use self::object_place::ObjectPlace;
pub use self::own_file::is_kept_secret;
pub use self::place::{FacePlace, PlaceError, StoredObject};
