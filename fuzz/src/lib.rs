//! What several targets need: tokens that are signed, or not, as RFC 7515 says, by a library other than the host's.

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The secret of the host.
pub const SECRET: &[u8] = b"a secret of fuzzing, which no host has";

fn hmac(secret: &[u8], text: &str) -> Hmac<Sha256> {
    let mut hmac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    hmac.update(text.as_bytes());
    hmac
}

/// A token of this header and these claims, signed by HMAC with SHA-256.
pub fn token(header: &str, claims: &str, secret: &[u8]) -> String {
    let encode = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    let text = format!("{}.{}", encode(header), encode(claims));
    let signature = BASE64URL_NOPAD.encode(&hmac(secret, &text).finalize().into_bytes());
    format!("{text}.{signature}")
}

/// The header and the claims of a token that is signed by HMAC with SHA-256 and [`SECRET`].
pub fn signed_parts(token: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let (text, signature) = token.rsplit_once('.')?;
    let decode = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).ok();
    hmac(SECRET, text).verify_slice(&decode(signature)?).ok()?;
    let (header, claims) = text.split_once('.')?;
    Some((decode(header)?, decode(claims)?))
}
