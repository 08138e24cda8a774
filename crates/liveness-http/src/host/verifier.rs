//! The verifier of tokens, from the settings.

use super::start_error::StartError;
use crate::config::ServeConfig;
use crate::token::{Jwks, RevokedTokens, TokenRules, TokenVerifier, VerificationKey};

/// Reads the configured keys and rules.
///
/// # Errors
///
/// When there is no key, or a file cannot be used.
pub(crate) fn configured_verifier(config: &ServeConfig) -> Result<TokenVerifier, StartError> {
    let keys = keys(config)?;
    let jwks = config.jwt_jwks.as_deref().map(Jwks::open).transpose()?;
    if keys.is_empty() && jwks.is_none() {
        return Err(StartError::NoKey);
    }
    let mut verifier = TokenVerifier::new(keys, rules(config));
    if let Some(jwks) = jwks {
        verifier = verifier.with_jwks(jwks);
    }
    if let Some(path) = &config.jwt_revoked_file {
        verifier = verifier.with_revoked(RevokedTokens::open(path)?);
    }
    Ok(verifier)
}

fn keys(config: &ServeConfig) -> Result<Vec<VerificationKey>, StartError> {
    let mut keys = Vec::new();
    if let Some(secret) = &config.token.jwt_secret {
        keys.push(VerificationKey::hs256(secret.as_bytes()).map_err(StartError::Secret)?);
    }
    if let Some(path) = &config.jwt_public_key_file {
        let shown = path.display().to_string();
        let pem = std::fs::read(path).map_err(|error| StartError::KeyFileUnread(shown.clone(), error))?;
        keys.push(VerificationKey::from_pem(&pem).map_err(|error| StartError::KeyFile(shown, error))?);
    }
    Ok(keys)
}

fn rules(config: &ServeConfig) -> TokenRules {
    TokenRules {
        issuer: config.token.jwt_issuer.clone(),
        audience: config.token.jwt_audience.clone(),
        user_id_claim: config.token.jwt_user_id_claim.clone(),
        role_claim: config.token.jwt_role_claim.clone(),
        leeway: config.jwt_leeway,
        max_lifetime: config.jwt_max_lifetime,
    }
}
