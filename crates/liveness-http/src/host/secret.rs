//! The secret that HS256 tokens are signed with: from the settings, or from a file.

use std::path::PathBuf;

use zeroize::Zeroizing;

use super::start_error::StartError;
use crate::config::TokenConfig;
use crate::environment::credential;
use crate::text_file::remove_byte_order_mark;
use crate::token::VerificationKey;

/// The credential that counts as the file, where systemd hands it over and no file is named.
pub(crate) const CREDENTIAL: &str = "liveness.jwt-secret";

/// The secret. What was read from a file is wiped from memory when this is dropped.
pub(crate) struct Secret {
    bytes: Zeroizing<Vec<u8>>,
    file: Option<PathBuf>,
}

/// Where the secret is read from, unless it is in the settings.
pub(crate) fn secret_file(config: &TokenConfig) -> Option<PathBuf> {
    config.jwt_secret_file.clone().or_else(|| credential(CREDENTIAL))
}

/// Reads the secret, if one is configured.
///
/// # Errors
///
/// When the file cannot be read, or there is a secret in the settings too.
pub(crate) fn configured_secret(config: &TokenConfig) -> Result<Option<Secret>, StartError> {
    match (&config.jwt_secret, secret_file(config)) {
        (None, None) => Ok(None),
        (Some(_), Some(file)) => Err(StartError::SecretTwice(file.display().to_string())),
        (Some(secret), None) => Ok(Some(Secret {
            bytes: Zeroizing::new(secret.as_bytes().to_vec()),
            file: None,
        })),
        (None, Some(file)) => {
            let read = std::fs::read(&file).map(Zeroizing::new);
            let unread = |error| StartError::SecretFileUnread(file.display().to_string(), error);
            let mut bytes = read.map_err(unread)?;
            remove_byte_order_mark(&mut bytes).map_err(|error| unread(std::io::Error::other(error)))?;
            let end = bytes
                .strip_suffix(b"\n")
                .map(|rest| rest.strip_suffix(b"\r").unwrap_or(rest));
            let length = end.unwrap_or(&bytes).len();
            bytes.truncate(length);
            Ok(Some(Secret {
                bytes,
                file: Some(file),
            }))
        }
    }
}

impl Secret {
    /// The setting that it comes from.
    pub(crate) fn setting(&self) -> &'static str {
        if self.file.is_some() {
            "LIVENESS_JWT_SECRET_FILE"
        } else {
            "LIVENESS_JWT_SECRET"
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The key that verifies what is signed with it.
    ///
    /// # Errors
    ///
    /// When it is too short.
    pub(crate) fn key(&self) -> Result<VerificationKey, StartError> {
        VerificationKey::hs256(&self.bytes).map_err(|error| match &self.file {
            None => StartError::Secret(error),
            Some(file) => StartError::SecretFile(file.display().to_string(), error),
        })
    }
}
