//! The keys of a JWKS (RFC 7517). Each is checked for its one algorithm before it is used: `docs/operations.md#tokens`.
//!
//! A provider may publish keys for other purposes too. Only public keys that verify signatures are used. The others are
//! rejected, each with a reason for the operator.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};

use super::key::{Curve, MIN_RSA_BITS, VerificationKey};

/// How many keys a set may have.
const MAX_KEYS: usize = 100;
/// A larger RSA key would make verification too slow for a request. The cryptography library refuses it too.
const MAX_RSA_BITS: usize = 8192;
/// The limit of an RSA key's public exponent. Real ones have 3 bytes.
const MAX_EXPONENT_BYTES: usize = 4;
/// Fields that only private and symmetric keys have (RFC 7518 section 6).
const SECRET_PARTS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A key, and the key id by which tokens name it.
#[derive(Debug, Clone)]
pub(super) struct NamedKey {
    pub(super) kid: Option<String>,
    pub(super) key: VerificationKey,
}

/// The keys of a set.
#[derive(Debug, Default)]
pub(super) struct JwkSet {
    /// The keys that can be used, in the order of the document.
    pub(super) keys: Vec<NamedKey>,
    /// A line for each key that cannot be used. It does not contain the key.
    pub(super) rejected: Vec<String>,
}

impl JwkSet {
    /// Reads a document, key by key. Keys that cannot be used are no error.
    ///
    /// # Errors
    ///
    /// When it is not a set, or has too many keys.
    pub(super) fn parse(document: &[u8]) -> Result<Self, &'static str> {
        let document: Option<Value> = serde_json::from_slice(document).ok();
        let keys = document.as_ref().and_then(|document| document.get("keys")?.as_array());
        let keys = keys.ok_or("it is no JSON object with a list of keys (RFC 7517)")?;
        if keys.len() > MAX_KEYS {
            return Err("it holds more than 100 keys");
        }
        let mut set = Self::default();
        for (index, jwk) in keys.iter().enumerate().filter(|(_, jwk)| !jwk.is_null()) {
            // An empty name is none: no token can mean it.
            let kid = jwk.get("kid").and_then(Value::as_str).filter(|kid| !kid.is_empty());
            let kid = kid.map(str::to_owned);
            match verification_key(jwk) {
                Ok(key) => set.keys.push(NamedKey { kid, key }),
                Err(reason) => set.reject(Some(index + 1), kid.as_deref(), reason),
            }
        }
        set.reject_ambiguous();
        Ok(set)
    }

    /// Rejects keys with the same id and algorithm: a token cannot say which of them it means.
    fn reject_ambiguous(&mut self) {
        let is_same = |one: &NamedKey, other: &NamedKey| {
            one.kid.is_some() && one.kid == other.kid && one.key.algorithm == other.key.algorithm
        };
        let keys = std::mem::take(&mut self.keys);
        for key in &keys {
            if keys.iter().filter(|other| is_same(key, other)).count() > 1 {
                self.reject(None, key.kid.as_deref(), "another key has the same kid");
            } else {
                self.keys.push(key.clone());
            }
        }
    }

    fn reject(&mut self, number: Option<usize>, kid: Option<&str>, reason: &str) {
        let number = number.map(|number| format!(" {number}")).unwrap_or_default();
        // The id is quoted and cut, so that nobody can forge lines of the log with it.
        let kid = kid.map(|kid| format!(" (kid {:?})", kid.chars().take(64).collect::<String>()));
        let line = format!("key{number}{}: {reason}", kid.unwrap_or_default());
        if !self.rejected.contains(&line) {
            self.rejected.push(line);
        }
    }
}

fn verification_key(jwk: &Value) -> Result<VerificationKey, &'static str> {
    let mut jwk = jwk.as_object().ok_or("it is no JSON object")?.clone();
    // Some libraries write `null` for each member that a key does not have.
    jwk.retain(|_, member| !member.is_null());
    if jwk.get("kty").is_some_and(|kty| kty == "oct") {
        return Err("a secret (kty oct) is not taken from a JWKS");
    }
    if SECRET_PARTS.iter().any(|part| jwk.contains_key(*part)) {
        return Err("it is a private key; publish its public part only");
    }
    if jwk.get("kid").is_some_and(|kid| !kid.is_string()) {
        return Err("its kid is no text");
    }
    if jwk.get("use").is_some_and(|usage| usage != "sig") {
        return Err("its use is not sig");
    }
    let verifies = |operations: &Value| {
        let operations = operations.as_array();
        operations.is_some_and(|operations| operations.iter().any(|operation| operation == "verify"))
    };
    if !jwk.get("key_ops").is_none_or(verifies) {
        return Err("verify is none of its key_ops");
    }
    match jwk.get("kty").and_then(Value::as_str) {
        Some("RSA") => rsa(&jwk),
        Some("EC") => ec(&jwk),
        Some("OKP") => ed25519(&jwk),
        _ => Err("its kty is none of RSA, EC and OKP"),
    }
}

/// The algorithm of an RSA key. RFC 8725 section 3.1: a key is for one algorithm, which it says itself.
fn rsa_algorithm(jwk: &Map<String, Value>) -> Option<Algorithm> {
    match jwk.get("alg") {
        None => Some(Algorithm::RS256),
        Some(alg) => match alg.as_str()? {
            "RS256" => Some(Algorithm::RS256),
            "RS384" => Some(Algorithm::RS384),
            "RS512" => Some(Algorithm::RS512),
            "PS256" => Some(Algorithm::PS256),
            "PS384" => Some(Algorithm::PS384),
            "PS512" => Some(Algorithm::PS512),
            _ => None,
        },
    }
}

fn rsa(jwk: &Map<String, Value>) -> Result<VerificationKey, &'static str> {
    let algorithm =
        rsa_algorithm(jwk).ok_or("its alg is none for a signature of an RSA key: RS256 or PS256, 384 or 512")?;
    let number = |name| part(jwk, name).map(|bytes| without_zeros(&bytes).to_vec());
    let modulus = number("n").ok_or("its n is no base64url")?;
    let exponent = number("e").ok_or("its e is no base64url")?;
    let bits = modulus
        .first()
        .map_or(0, |first| modulus.len() * 8 - first.leading_zeros() as usize);
    if bits < MIN_RSA_BITS {
        return Err("an RSA key must have at least 2048 bits");
    }
    if bits > MAX_RSA_BITS {
        return Err("an RSA key must have at most 8192 bits");
    }
    let is_odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
    // With an exponent of 1, every message is its own signature.
    if !is_odd(&exponent) || exponent == [1] || exponent.len() > MAX_EXPONENT_BYTES || !is_odd(&modulus) {
        return Err("it is no RSA key: n and e must be odd, and e from 3 to 2^32");
    }
    Ok(VerificationKey::of(
        DecodingKey::from_rsa_raw_components(&modulus, &exponent),
        algorithm,
    ))
}

fn ec(jwk: &Map<String, Value>) -> Result<VerificationKey, &'static str> {
    let curve = Curve::ALL.into_iter().find(|curve| is(jwk, "crv", curve.name));
    let curve = curve.ok_or("an EC key must be on P-256 or P-384")?;
    let is_its_algorithm = match curve.algorithm {
        Algorithm::ES384 => may_be(jwk, "alg", "ES384"),
        _ => may_be(jwk, "alg", "ES256"),
    };
    if !is_its_algorithm {
        return Err("its alg is not that of its curve: ES256 on P-256, ES384 on P-384");
    }
    let coordinate = |name| part(jwk, name).filter(|bytes| bytes.len() == curve.bytes);
    let (Some(x), Some(y)) = (coordinate("x"), coordinate("y")) else {
        return Err("its x and y are no base64url of the length of its curve");
    };
    let point = [&[4], x.as_slice(), &y].concat();
    if !curve.has(&point) {
        return Err("it is no point on its curve");
    }
    Ok(VerificationKey::of(DecodingKey::from_ec_der(&point), curve.algorithm))
}

fn ed25519(jwk: &Map<String, Value>) -> Result<VerificationKey, &'static str> {
    if !is(jwk, "crv", "Ed25519") {
        return Err("an OKP key must be on Ed25519");
    }
    // RFC 9864 gave EdDSA with Ed25519 the name `Ed25519`.
    if !may_be(jwk, "alg", "EdDSA") && !may_be(jwk, "alg", "Ed25519") {
        return Err("its alg is not that of its curve: EdDSA");
    }
    let key = part(jwk, "x").filter(|bytes| bytes.len() == 32);
    let key = DecodingKey::from_ed_der(&key.ok_or("its x is no base64url of 32 bytes")?);
    Ok(VerificationKey::of(key, Algorithm::EdDSA))
}

fn is(jwk: &Map<String, Value>, name: &str, value: &str) -> bool {
    jwk.get(name).is_some_and(|found| found == value)
}

/// Whether a member is absent, or is that.
fn may_be(jwk: &Map<String, Value>, name: &str, value: &str) -> bool {
    jwk.get(name).is_none_or(|found| found == value)
}

fn part(jwk: &Map<String, Value>, name: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(jwk.get(name)?.as_str()?).ok()
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}
