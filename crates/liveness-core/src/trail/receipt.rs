//! Receipts, which are compact JWS, and the public key that verifies them: RFC 7515, 7517, 7638, 8037.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::signer::{SignerError, TrailSigner};
use super::verifier::TrailVerifier;

/// The `typ` of a receipt: it is taken for no other token.
const RECEIPT: &str = "liveness-receipt+jwt";
const ALGORITHM: &str = "EdDSA";
const KEY_TYPE: &str = "OKP";
const CURVE: &str = "Ed25519";

/// A public key as JSON: RFC 8037.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jwk {
    kty: &'static str,
    crv: &'static str,
    x: String,
    kid: String,
    alg: &'static str,
    r#use: &'static str,
}

impl Jwk {
    /// The key id: its SHA-256 thumbprint, RFC 7638.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }
}

impl From<&TrailVerifier> for Jwk {
    fn from(verifier: &TrailVerifier) -> Self {
        let x = URL_SAFE_NO_PAD.encode(verifier.public_key());
        // The members that the thumbprint is over, in the order of their names.
        let members = format!(r#"{{"crv":"{CURVE}","kty":"{KEY_TYPE}","x":"{x}"}}"#);
        let kid = URL_SAFE_NO_PAD.encode(Sha256::digest(members));
        Self {
            kty: KEY_TYPE,
            crv: CURVE,
            x,
            kid,
            alg: ALGORITHM,
            r#use: "sig",
        }
    }
}

/// The document at `/.well-known/jwks.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JwkSet {
    /// The keys. One that signs no more stays as long as its receipts are to be verified.
    pub keys: Vec<Jwk>,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    typ: &'a str,
    kid: &'a str,
}

/// Why a receipt was not signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// Its claims cannot be written as JSON.
    #[error("the claims are no JSON: {0}")]
    Claims(#[from] serde_json::Error),
    /// The signer has not signed it.
    #[error(transparent)]
    Signer(#[from] SignerError),
}

/// Signs a receipt: a compact JWS over the JSON of its claims. Blocks as long as the signer does.
///
/// # Errors
///
/// [`ReceiptError`].
pub fn sign_receipt(signer: &dyn TrailSigner, claims: &impl Serialize) -> Result<String, ReceiptError> {
    let jwk = Jwk::from(signer.verifier());
    let header = Header {
        alg: ALGORITHM,
        typ: RECEIPT,
        kid: jwk.kid(),
    };
    let header = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header)?);
    let claims = URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims)?);
    let text = format!("{header}.{claims}");
    let signature = URL_SAFE_NO_PAD.encode(signer.sign(text.as_bytes())?);
    Ok(format!("{text}.{signature}"))
}

#[cfg(test)]
mod tests {
    use super::super::key::TrailKey;
    use super::*;

    const PEM: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIIBNth4hK/goKFkxK4ahm47SYjJ+D/dIE6TXzGslgZcr
-----END PRIVATE KEY-----
";

    #[test]
    fn the_key_id_is_the_thumbprint_of_rfc_8037() {
        let public = URL_SAFE_NO_PAD
            .decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
            .unwrap();
        let verifier = TrailVerifier::new("log".to_owned(), public.try_into().unwrap());
        let jwk = Jwk::from(&verifier);
        assert_eq!(jwk.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(
            serde_json::to_string(&JwkSet { keys: vec![jwk] }).unwrap(),
            r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k","alg":"EdDSA","use":"sig"}]}"#
        );
    }

    #[test]
    fn a_receipt_is_the_jws_that_another_library_makes() {
        let key = TrailKey::from_pem(PEM).unwrap();
        let claims = serde_json::json!({ "iss": "a bank" });
        // By Python's cryptography. Signatures of Ed25519 have no randomness.
        let expected = "eyJhbGciOiJFZERTQSIsInR5cCI6ImxpdmVuZXNzLXJlY2VpcHQrand0Iiwia2lkIjoiZlJZa1ZkZExzSnRFazRwaDRJSkZBeEVv\
                        T1RVcGxmNG1HUjlGU29PdmhqbyJ9.eyJpc3MiOiJhIGJhbmsifQ.23BeOD_d1IAnrrYkZ8HDKcGzqCrwyOnA5cLrXPo-GEKAkRwn3\
                        nrTxhAfNLYm8JDD-yhyRse2_wEnxeYy_xKjCw";
        assert_eq!(sign_receipt(&key, &claims).unwrap(), expected);
    }
}
