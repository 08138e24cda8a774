//! Key pairs made for one test, and tokens put together and signed by hand.

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaEncoding, RsaKeyPair,
    RsaPublicKeyComponents,
};
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::get_current_timestamp;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::engine::Engine;
use crate::server::{ISSUER, SECRET, Server};

/// A private key of one of the four kinds.
pub enum KeyPair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl KeyPair {
    pub fn rsa() -> Self {
        Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    pub fn p256() -> Self {
        Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub fn p384() -> Self {
        Self::P384(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap())
    }

    pub fn ed25519() -> Self {
        Self::Ed25519(Ed25519KeyPair::generate().unwrap())
    }

    /// The `alg` of its tokens.
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::P256(_) => "ES256",
            Self::P384(_) => "ES384",
            Self::Ed25519(_) => "EdDSA",
        }
    }

    pub fn public_der(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = match self {
            Self::Rsa(key) => key.public_key().as_der().unwrap(),
            Self::P256(key) | Self::P384(key) => key.public_key().as_der().unwrap(),
            Self::Ed25519(key) => key.public_key().as_der().unwrap(),
        };
        der.as_ref().to_vec()
    }

    pub fn public_pem(&self) -> String {
        let text = BASE64_STANDARD.encode(self.public_der());
        let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            lines.join("\n")
        )
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Rsa(_) => self.sign_rsa(&RSA_PKCS1_SHA256, message),
            Self::P256(key) | Self::P384(key) => key.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::Ed25519(key) => key.sign(message).as_ref().to_vec(),
        }
    }

    /// An RSA signature of any encoding.
    pub fn sign_rsa(&self, encoding: &'static dyn RsaEncoding, message: &[u8]) -> Vec<u8> {
        let Self::Rsa(key) = self else { panic!("no RSA key") };
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(encoding, &SystemRandom::new(), message, &mut signature)
            .unwrap();
        signature
    }

    /// A P-256 signature in DER, where a JWT needs it as two numbers of 32 bytes.
    pub fn sign_as_der(&self, message: &[u8]) -> Vec<u8> {
        let Self::P256(key) = self else { panic!("no P-256 key") };
        let algorithm: &'static EcdsaSigningAlgorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let key = EcdsaKeyPair::from_pkcs8(algorithm, key.to_pkcs8v1().unwrap().as_ref()).unwrap();
        key.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    }

    /// A good token of these claims.
    pub fn token(&self, claims: &Value) -> String {
        jwt(&json!({ "alg": self.algorithm(), "typ": "JWT" }), claims, |message| {
            self.sign(message)
        })
    }

    /// A good token of these claims that says which key signed it.
    pub fn named_token(&self, kid: &str, claims: &Value) -> String {
        let header = json!({ "alg": self.algorithm(), "typ": "at+jwt", "kid": kid });
        jwt(&header, claims, |message| self.sign(message))
    }

    /// The public key as it stands in a JWKS.
    pub fn jwk(&self, kid: &str) -> Value {
        let mut jwk = match self {
            Self::Rsa(key) => {
                let public = RsaPublicKeyComponents::<Vec<u8>>::from(key.public_key());
                json!({ "kty": "RSA", "n": base64url(public.n), "e": base64url(public.e) })
            }
            Self::P256(key) => point("P-256", key),
            Self::P384(key) => point("P-384", key),
            Self::Ed25519(key) => json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(key.public_key()) }),
        };
        jwk["kid"] = json!(kid);
        jwk["alg"] = json!(self.algorithm());
        jwk["use"] = json!("sig");
        jwk
    }

    /// A server that has the public key, besides the secret that every test server has.
    pub fn server(&self) -> (Server, NamedTempFile) {
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), self.public_pem()).unwrap();
        let server = Server::with(
            Engine::Sqlite,
            &[("LIVENESS_JWT_PUBLIC_KEY_FILE", file.path().to_str().unwrap())],
        );
        (server, file)
    }
}

/// The public key of an elliptic curve as a JWK.
fn point(curve: &str, key: &EcdsaKeyPair) -> Value {
    let coordinates = &key.public_key().as_ref()[1..];
    let (x, y) = coordinates.split_at(coordinates.len() / 2);
    json!({ "kty": "EC", "crv": curve, "x": base64url(x), "y": base64url(y) })
}

/// The claims of a customer, good for an hour.
pub fn claims() -> Value {
    json!({ "iss": ISSUER, "sub": "1", "role": "customer", "exp": get_current_timestamp() + 3600 })
}

/// A token of any header and any claims, signed by whatever is given.
pub fn jwt(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    jwt_of(&header.to_string(), &claims.to_string(), sign)
}

/// The same, of texts that need not be JSON.
pub fn jwt_of(header: &str, claims: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", base64url(header), base64url(claims));
    format!("{message}.{}", base64url(sign(message.as_bytes())))
}

/// A token of any header, signed with the servers' secret for HS256.
pub fn hs256(header: &Value, claims: &Value) -> String {
    jwt(header, claims, |message| hmac_sha256(SECRET.as_bytes(), message))
}

pub fn hmac_sha256(secret: &[u8], message: &[u8]) -> Vec<u8> {
    hmac_of(hmac::HMAC_SHA256, secret, message)
}

pub fn hmac_of(algorithm: hmac::Algorithm, secret: &[u8], message: &[u8]) -> Vec<u8> {
    // HMAC fills a key up with zeros, so that these are the same key as none.
    let zeros = [0; digest::SHA256_OUTPUT_LEN];
    let secret = if secret.is_empty() { &zeros } else { secret };
    hmac::sign(&hmac::Key::new(algorithm, secret), message)
        .as_ref()
        .to_vec()
}

pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
