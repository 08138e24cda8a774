//! Bearer tokens: which keys verify them, and what they say: `docs/api.md#authentication`.
//!
//! A key has exactly one algorithm. A token names an algorithm, and a key, only to pick among the configured ones.

mod claims;
mod flaw;
mod jwk;
mod jwks;
mod key;
mod revoked;

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, Validation, decode};
use serde_json::{Map, Value};

pub(crate) use self::key::sign_hs256;

pub use self::claims::VerifiedToken;
pub use self::flaw::{InvalidToken, TokenFlaw};
pub(crate) use self::jwks::survey;
pub use self::jwks::{Jwks, JwksError, JwksPace};
pub use self::key::{KeyError, VerificationKey};
pub use self::revoked::{RevokedTokens, RevokedTokensError};

const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// What a token has to say besides being signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRules {
    /// `iss` must be this, where set.
    pub issuer: Option<String>,
    /// `aud` must be or hold this, where set.
    pub audience: Option<String>,
    /// The claim that names the user.
    pub user_id_claim: String,
    /// The claim that holds the roles; `role`, then `roles`, where not set.
    pub role_claim: Option<String>,
    /// How far clocks may differ.
    pub leeway: Duration,
    /// How long after its `iat`, or from now where it has none, a token may end, where set.
    pub max_lifetime: Option<Duration>,
}

impl Default for TokenRules {
    fn default() -> Self {
        Self {
            issuer: None,
            audience: None,
            user_id_claim: "sub".to_owned(),
            role_claim: None,
            leeway: Duration::from_secs(30),
            max_lifetime: None,
        }
    }
}

/// Verifies bearer tokens.
#[derive(Debug, Clone)]
pub struct TokenVerifier {
    keys: Vec<VerificationKey>,
    jwks: Option<Jwks>,
    revoked: Option<RevokedTokens>,
    /// What is asked of a token of each algorithm.
    validations: HashMap<Algorithm, Validation>,
    rules: TokenRules,
}

impl TokenVerifier {
    /// Verifies by any of the keys.
    pub fn new(keys: Vec<VerificationKey>, rules: TokenRules) -> Self {
        let algorithms = [Algorithm::HS256, Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];
        let validations = algorithms.map(|algorithm| (algorithm, validation(algorithm, &rules)));
        Self {
            keys,
            jwks: None,
            revoked: None,
            validations: HashMap::from(validations),
            rules,
        }
    }

    /// And by the keys of an identity provider.
    #[must_use]
    pub fn with_jwks(mut self, jwks: Jwks) -> Self {
        self.jwks = Some(jwks);
        self
    }

    /// But for tokens that were revoked.
    #[must_use]
    pub fn with_revoked(mut self, revoked: RevokedTokens) -> Self {
        self.revoked = Some(revoked);
        self
    }

    pub(crate) fn revoked(&self) -> Option<&RevokedTokens> {
        self.revoked.as_ref()
    }

    /// Verifies a token and reads it.
    ///
    /// It is done at once, unless the token names a key that the JWKS may have but did not yet: then the keys are
    /// fetched, if that was not just tried, and waited for, but not for long (which needs tokio's runtime, as actix has it).
    ///
    /// # Errors
    ///
    /// [`InvalidToken`], whatever is wrong with it.
    pub async fn verify(&self, token: &str) -> Result<VerifiedToken, InvalidToken> {
        let header = header(token)?;
        let mut verified = self.verify_by_known_keys(token, &header);
        if let (Err(TokenFlaw::Key), Some(jwks)) = (&verified, &self.jwks) {
            jwks.refresh().await;
            if jwks.find(header.kid.as_deref(), header.algorithm).is_some() {
                verified = self.verify_by_known_keys(token, &header);
            }
        }
        let claims = verified?;
        let token = self.rules.read(&claims)?;
        let subject = token.principal.subject();
        match &self.revoked {
            Some(revoked) if revoked.names(&claims, subject) => Err(TokenFlaw::Revoked.into()),
            _ => Ok(token),
        }
    }

    /// The claims of a token that one of the keys at hand has signed.
    fn verify_by_known_keys(&self, token: &str, header: &Header) -> Result<Map<String, Value>, TokenFlaw> {
        let validation = self.validations.get(&header.algorithm).ok_or(TokenFlaw::Algorithm)?;
        let by = |key: &VerificationKey| {
            let claims = decode(token, &key.key, validation).map(|token| token.claims);
            claims.map_err(TokenFlaw::from)
        };
        let jwks = self.jwks.as_ref().filter(|_| jwks::may_verify(header.algorithm));
        let found = jwks.and_then(|jwks| jwks.find(header.kid.as_deref(), header.algorithm));
        if let (Some(key), Some(_)) = (&found, &header.kid) {
            return by(key);
        }
        // The other keys have no names: they may be meant, whatever the token names.
        let unnamed = self.keys.iter().filter(|key| key.algorithm == header.algorithm);
        let mut flaw = TokenFlaw::Algorithm;
        for key in unnamed.chain(&found) {
            match by(key) {
                Err(TokenFlaw::Signature) => flaw = TokenFlaw::Signature,
                decided => return decided,
            }
        }
        // Who else may have signed it is the provider's to say.
        let is_unknown = jwks.is_some() && found.is_none();
        Err(if is_unknown { TokenFlaw::Key } else { flaw })
    }
}

fn validation(algorithm: Algorithm, rules: &TokenRules) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.leeway = rules.leeway.as_secs();
    validation.validate_nbf = true;
    // Without an audience of ours, whatever the token is for is not our business.
    validation.validate_aud = rules.audience.is_some();
    let mut required = vec!["exp"];
    if let Some(issuer) = &rules.issuer {
        validation.set_issuer(&[issuer]);
        required.push("iss");
    }
    if let Some(audience) = &rules.audience {
        validation.set_audience(&[audience]);
        required.push("aud");
    }
    validation.set_required_spec_claims(&required);
    validation
}

/// What a token's header says of the key that has signed it.
struct Header {
    algorithm: Algorithm,
    kid: Option<String>,
}

/// The header of a token, when it is one that we understand.
fn header(token: &str) -> Result<Header, TokenFlaw> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(TokenFlaw::Malformed);
    }
    let encoded = token.split('.').next().unwrap_or_default();
    let fields = URL_SAFE_NO_PAD.decode(encoded).ok();
    let fields = fields.and_then(|json| serde_json::from_slice::<Map<String, Value>>(&json).ok());
    let mut fields = fields.ok_or(TokenFlaw::Malformed)?;
    // RFC 7515 section 4.1.11: what is critical and not understood is refused. We understand none, and `null` is not
    // the same as nothing.
    if fields.contains_key("crit") {
        return Err(TokenFlaw::Malformed);
    }
    // All else is looked at by the library, once there is a key.
    let mut text = |name| match fields.remove(name) {
        Some(Value::String(text)) => Ok(Some(text)),
        None | Some(Value::Null) => Ok(None),
        Some(_) => Err(TokenFlaw::Malformed),
    };
    let algorithm = text("alg")?.ok_or(TokenFlaw::Malformed)?;
    let algorithm = algorithm.parse().map_err(|_| TokenFlaw::Algorithm)?;
    let (kid, typ) = (text("kid")?, text("typ")?);
    if typ.as_deref().is_none_or(is_access_token) {
        Ok(Header { algorithm, kid })
    } else {
        Err(TokenFlaw::Malformed)
    }
}

/// RFC 9068 section 2.1; an ID token or a logout token is no access token.
fn is_access_token(typ: &str) -> bool {
    ["JWT", "at+jwt", "application/at+jwt"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(typ))
}
