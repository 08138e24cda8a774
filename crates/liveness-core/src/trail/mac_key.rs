//! A key for MACs of entries and for keyed digests of images.

use std::fmt;

use aws_lc_rs::hmac;

use super::verifier::BadSignature;

/// A key for HMAC-SHA-256.
#[derive(Clone)]
pub struct MacKey(pub(super) hmac::Key);

impl MacKey {
    /// The key of these bytes, for a [`TrailSigner`](super::TrailSigner) of your own. They are secret, and random.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The MAC of a text.
    #[must_use]
    pub fn mac(&self, text: &[u8]) -> [u8; 32] {
        let mut mac = [0; 32];
        mac.copy_from_slice(hmac::sign(&self.0, text).as_ref());
        mac
    }

    /// The keyed digest of an image, which says nothing of the image without the key.
    pub(crate) fn image_digest(&self, image: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        // No entry begins so: an entry's MAC is over the name of its writer, which has 16 bytes, and more.
        context.update(b"liveness image v1\n");
        context.update(image);
        let mut digest = [0; 32];
        digest.copy_from_slice(context.sign().as_ref());
        digest
    }

    /// Verifies a MAC, in a time that does not depend on where it differs.
    ///
    /// # Errors
    ///
    /// When it is not that of this key over this text.
    pub fn verify(&self, text: &[u8], mac: &[u8]) -> Result<(), BadSignature> {
        hmac::verify(&self.0, text, mac).map_err(|_| BadSignature)
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MacKey(secret)")
    }
}
