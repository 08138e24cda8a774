//! Verifies tokens: by the configured keys, and by those of an identity provider.

use jsonwebtoken::{crypto, decode_header};

use super::claims::VerifiedToken;
use super::flaw::{InvalidToken, TokenFlaw};
use super::header::Header;
use super::jwks::{Candidates, Jwks, Missing, may_verify};
use super::key::VerificationKey;
use super::payload::Payload;
use super::revoked::RevokedTokens;
use super::rules::TokenRules;

/// Verifies bearer tokens.
#[derive(Debug, Clone)]
pub struct TokenVerifier {
    keys: Vec<VerificationKey>,
    jwks: Option<Jwks>,
    revoked: Option<RevokedTokens>,
    rules: TokenRules,
}

impl TokenVerifier {
    /// Accepts a token that any of the keys verifies.
    pub fn new(keys: Vec<VerificationKey>, rules: TokenRules) -> Self {
        Self {
            keys,
            jwks: None,
            revoked: None,
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
        let payload = verified?;
        let token = self.rules.read_claims(&payload)?;
        let subject = token.principal.subject();
        match &self.revoked {
            Some(revoked) if revoked.contains(&payload.claims, subject) => Err(TokenFlaw::Revoked.into()),
            _ => Ok(token),
        }
    }

    /// The claims of a token, if one of the known keys has signed it.
    fn verify_by_known_keys(
        &self,
        token: &str,
        header: &Header,
        candidates: &Candidates,
    ) -> Result<Payload, TokenFlaw> {
        let verify_by = |key: &VerificationKey| signed_payload(token, key);
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

/// The claims of a token that this key has signed. The algorithm is the key's, never the token's.
fn signed_payload(token: &str, key: &VerificationKey) -> Result<Payload, TokenFlaw> {
    decode_header(token)?;
    let (message, signature) = token.rsplit_once('.').ok_or(TokenFlaw::Malformed)?;
    let (_, payload) = message.rsplit_once('.').ok_or(TokenFlaw::Malformed)?;
    if crypto::verify(signature, message.as_bytes(), &key.key, key.algorithm)? {
        Payload::parse(payload)
    } else {
        Err(TokenFlaw::Signature)
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
