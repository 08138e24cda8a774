//! Verifies tokens: by the configured keys, and by those of an identity provider.

use std::collections::HashMap;

use jsonwebtoken::{Algorithm, Validation, decode};
use serde_json::{Map, Value};

use super::claims::VerifiedToken;
use super::flaw::{InvalidToken, TokenFlaw};
use super::header::Header;
use super::jwks::{Candidates, Jwks, Missing, may_verify};
use super::key::VerificationKey;
use super::revoked::RevokedTokens;
use super::rules::TokenRules;

/// The algorithms that keys may have.
const ALGORITHMS: [Algorithm; 10] = [
    Algorithm::HS256,
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// Verifies bearer tokens.
#[derive(Debug, Clone)]
pub struct TokenVerifier {
    keys: Vec<VerificationKey>,
    jwks: Option<Jwks>,
    revoked: Option<RevokedTokens>,
    /// The checks of the JWT library, for each algorithm.
    validations: HashMap<Algorithm, Validation>,
    rules: TokenRules,
}

impl TokenVerifier {
    /// Accepts a token that any of the keys verifies.
    pub fn new(keys: Vec<VerificationKey>, rules: TokenRules) -> Self {
        let validations = ALGORITHMS.map(|algorithm| (algorithm, rules.validation(algorithm)));
        Self {
            keys,
            jwks: None,
            revoked: None,
            validations: HashMap::from(validations),
            rules,
        }
    }

    /// Accepts the keys of an identity provider too.
    #[must_use]
    pub fn with_jwks(mut self, jwks: Jwks) -> Self {
        self.jwks = Some(jwks);
        self
    }

    /// Refuses the tokens that this list names.
    #[must_use]
    pub fn with_revoked(mut self, revoked: RevokedTokens) -> Self {
        self.revoked = Some(revoked);
        self
    }

    /// What is asked of the claims.
    pub(crate) fn rules(&self) -> &TokenRules {
        &self.rules
    }

    pub(crate) fn jwks(&self) -> Option<&Jwks> {
        self.jwks.as_ref()
    }

    pub(crate) fn revoked(&self) -> Option<&RevokedTokens> {
        self.revoked.as_ref()
    }

    /// Verifies a token and reads it.
    ///
    /// This returns at once, unless no known key verifies the token and the identity provider may have another. Then the keys
    /// are fetched, unless that was just tried, and this waits for [`JwksPace::patience`](super::JwksPace::patience) at
    /// most. Waiting needs a tokio runtime, which actix has.
    ///
    /// # Errors
    ///
    /// [`InvalidToken`], whatever is wrong with the token.
    pub async fn verify(&self, token: &str) -> Result<VerifiedToken, InvalidToken> {
        let header = Header::parse(token)?;
        let jwks = self.jwks.as_ref().filter(|_| may_verify(header.algorithm));
        let fetched = jwks.and_then(Jwks::confirmed);
        let candidates = candidates_of(jwks, &header);
        let mut verified = self.verify_by_known_keys(token, &header, &candidates);
        if let (Err(TokenFlaw::Key), Some(jwks)) = (&verified, jwks)
            && matches!(
                candidates,
                Candidates::Unnamed {
                    missing: Missing::Key,
                    ..
                }
            )
        {
            jwks.refresh().await;
            if jwks.confirmed() != fetched {
                let candidates = candidates_of(Some(jwks), &header);
                verified = self.verify_by_known_keys(token, &header, &candidates);
            }
        }
        let claims = verified?;
        let token = self.rules.read_claims(&claims)?;
        let subject = token.principal.subject();
        match &self.revoked {
            Some(revoked) if revoked.contains(&claims, subject) => Err(TokenFlaw::Revoked.into()),
            _ => Ok(token),
        }
    }

    /// The claims of a token, if one of the known keys has signed it.
    fn verify_by_known_keys(
        &self,
        token: &str,
        header: &Header,
        candidates: &Candidates,
    ) -> Result<Map<String, Value>, TokenFlaw> {
        let validation = self.validations.get(&header.algorithm).ok_or(TokenFlaw::Algorithm)?;
        let verify_by = |key: &VerificationKey| {
            let claims = decode(token, &key.key, validation).map(|token| token.claims);
            claims.map_err(TokenFlaw::from)
        };
        let (keys, missing) = match candidates {
            Candidates::Named(key) => return verify_by(key),
            Candidates::Unnamed { keys, missing } => (keys, *missing),
        };
        // The configured keys have no key id, so each of them is tried, whatever id the token names.
        let configured = self.keys.iter().filter(|key| key.algorithm == header.algorithm);
        let mut flaw = TokenFlaw::Algorithm;
        for key in configured.chain(keys) {
            match verify_by(key) {
                Err(TokenFlaw::Signature) => flaw = TokenFlaw::Signature,
                decided => return decided,
            }
        }
        Err(match missing {
            Missing::Nothing => flaw,
            Missing::Name | Missing::Key => TokenFlaw::Key,
        })
    }
}

/// The keys of the provider that may have signed a token. Without a provider there are none.
fn candidates_of(jwks: Option<&Jwks>, header: &Header) -> Candidates {
    let none = || Candidates::Unnamed {
        keys: Vec::new(),
        missing: Missing::Nothing,
    };
    jwks.map_or_else(none, |jwks| jwks.candidates(header.kid.as_deref(), header.algorithm))
}
