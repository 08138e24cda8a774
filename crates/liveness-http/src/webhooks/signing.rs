//! The secrets of webhooks, and the headers that are signed with them: Standard Webhooks 1.0, `docs/api.md#webhooks`.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use liveness_core::Timestamp;
use zeroize::Zeroizing;

/// What a secret begins with.
const PREFIX: &str = "whsec_";
/// The bytes of a key.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// One, and the one that takes its place.
const MOST_SECRETS: usize = 2;

/// Why a text holds no secrets of webhooks. It names no part of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookSecretError {
    /// There are none, or too many.
    #[error("must be one secret, or two with a space between while one is replaced; it has {0}")]
    Count(usize),
    /// It is not UTF-8.
    #[error("must be text")]
    Text,
    /// One does not begin as it must.
    #[error("secret {0} must begin with whsec_")]
    Prefix(usize),
    /// The rest of one is not Base64.
    #[error("secret {0} must be Base64 after whsec_, with its padding")]
    Base64(usize),
    /// A key is too short or too long.
    #[error("secret {0} must have a key of 24 to 64 bytes")]
    Length(usize),
}

/// The keys that webhooks are signed with.
#[derive(Clone)]
pub(crate) struct SigningKeys(Vec<hmac::Key>);

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKeys({})", self.0.len())
    }
}

impl SigningKeys {
    /// Reads one secret, or two with white space between.
    ///
    /// # Errors
    ///
    /// [`WebhookSecretError`].
    pub(super) fn parse(text: &[u8]) -> Result<Self, WebhookSecretError> {
        let text = std::str::from_utf8(text).map_err(|_| WebhookSecretError::Text)?;
        let words = text.split_whitespace().count();
        if !(1..=MOST_SECRETS).contains(&words) {
            return Err(WebhookSecretError::Count(words));
        }
        let keys = text.split_whitespace().enumerate();
        let keys = keys.map(|(index, secret)| key(index + 1, secret));
        keys.collect::<Result<_, _>>().map(Self)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// The header `webhook-signature` of a body that is sent at a time: a signature by each key, with spaces between.
    pub(super) fn sign(&self, id: &str, at: Timestamp, body: &[u8]) -> String {
        let signature = |key: &hmac::Key| {
            let mut context = hmac::Context::with_key(key);
            context.update(id.as_bytes());
            context.update(format!(".{}.", seconds(at)).as_bytes());
            context.update(body);
            format!("v1,{}", STANDARD.encode(context.sign()))
        };
        let signatures: Vec<_> = self.0.iter().map(signature).collect();
        signatures.join(" ")
    }
}

/// The header `webhook-timestamp`: whole seconds since the epoch.
pub(super) fn seconds(at: Timestamp) -> i64 {
    at.unix_millis().div_euclid(1000)
}

fn key(number: usize, secret: &str) -> Result<hmac::Key, WebhookSecretError> {
    let encoded = secret.strip_prefix(PREFIX).ok_or(WebhookSecretError::Prefix(number))?;
    let bytes = STANDARD.decode(encoded).map(Zeroizing::new);
    let bytes = bytes.map_err(|_| WebhookSecretError::Base64(number))?;
    if !KEY_BYTES.contains(&bytes.len()) {
        return Err(WebhookSecretError::Length(number));
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// That of the examples in the specification of Standard Webhooks.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const OTHER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_millis(seconds * 1000 + 999).unwrap()
    }

    #[test]
    fn the_signature_is_that_of_the_specification() {
        let keys = SigningKeys::parse(SECRET.as_bytes()).unwrap();
        let signature = keys.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at(1_614_265_330),
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn two_secrets_sign_side_by_side() {
        let [one, other, both] = [SECRET, OTHER, &format!(" {SECRET}\n{OTHER}\n")].map(|text| {
            let keys = SigningKeys::parse(text.as_bytes()).unwrap();
            (keys.count(), keys.sign("id", at(1), b"body"))
        });
        assert_eq!(both, (2, format!("{} {}", one.1, other.1)));
        assert_ne!(one.1, other.1);
    }

    #[test]
    fn what_is_no_secret_is_told_without_it() {
        let of_bytes = |many: usize| format!("whsec_{}", STANDARD.encode(vec![7; many]));
        let cases = [
            (String::new(), WebhookSecretError::Count(0)),
            (format!("{SECRET} {SECRET} {SECRET}"), WebhookSecretError::Count(3)),
            (
                "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(),
                WebhookSecretError::Prefix(1),
            ),
            (format!("{SECRET} whsek_x"), WebhookSecretError::Prefix(2)),
            ("whsec_not-base64!".to_owned(), WebhookSecretError::Base64(1)),
            (OTHER.trim_end_matches('=').to_owned(), WebhookSecretError::Base64(1)),
            (of_bytes(23), WebhookSecretError::Length(1)),
            (of_bytes(65), WebhookSecretError::Length(1)),
        ];
        for (text, error) in cases {
            assert_eq!(SigningKeys::parse(text.as_bytes()).unwrap_err(), error, "{text}");
        }
        assert_eq!(SigningKeys::parse(b"\xff").unwrap_err(), WebhookSecretError::Text);
        for many in [24, 64] {
            let keys = SigningKeys::parse(of_bytes(many).as_bytes()).unwrap();
            assert_eq!(format!("{keys:?}"), "SigningKeys(1)");
        }
    }
}
