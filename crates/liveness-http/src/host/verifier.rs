//! The verifier of tokens, from the settings.

use super::secret::configured_secret;
use super::start_error::StartError;
use crate::config::{ServeConfig, TokenConfig};
use crate::text_file;
use crate::token::{Jwks, RevokedTokens, TokenRules, TokenVerifier, VerificationKey};

/// Reads the configured keys and rules.
///
/// # Errors
///
/// When there is no key, a file cannot be used, or an identity provider's keys stand without an issuer or an audience.
pub(crate) fn configured_verifier(config: &ServeConfig) -> Result<TokenVerifier, StartError> {
    let keys = keys(config)?;
    if let Some(location) = &config.jwt_jwks {
        // Before a thread fetches and logs: whoever starts the host wrongly is told one line.
        Jwks::check(location)?;
        check_provider(&config.token)?;
    }
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
    if let Some(secret) = configured_secret(&config.token)? {
        keys.push(secret.key()?);
    }
    if let Some(path) = &config.jwt_public_key_file {
        let shown = path.display().to_string();
        let pem = text_file::read(path).map_err(|error| StartError::KeyFileUnread(shown.clone(), error))?;
        keys.push(VerificationKey::from_pem(&pem).map_err(|error| StartError::KeyFile(shown, error))?);
    }
    Ok(keys)
}

/// An identity provider signs the tokens of many services with the same keys. Who is an administrator of another one is none
/// here.
fn check_provider(config: &TokenConfig) -> Result<(), StartError> {
    match (&config.jwt_issuer, &config.jwt_audience) {
        (Some(_), Some(_)) => Ok(()),
        (None, Some(_)) => Err(StartError::Provider(SET_ISSUER.to_owned())),
        (Some(_), None) => Err(StartError::Provider(SET_AUDIENCE.to_owned())),
        (None, None) => Err(StartError::Provider(format!("{SET_ISSUER} and {SET_AUDIENCE}"))),
    }
}

const SET_ISSUER: &str = "LIVENESS_JWT_ISSUER (the iss of its tokens)";
const SET_AUDIENCE: &str = "LIVENESS_JWT_AUDIENCE (the aud of those that are for us, or `any` if it gives them none)";

fn rules(config: &ServeConfig) -> TokenRules {
    TokenRules {
        issuer: config.token.jwt_issuer.clone(),
        audience: config.token.audience().map(str::to_owned),
        audience_claim: config.token.jwt_audience_claim.clone(),
        user_id_claim: config.token.jwt_user_id_claim.clone(),
        role_claim: config.token.jwt_role_claim.clone(),
        role_names: config.token.role_names.clone(),
        leeway: config.jwt_leeway,
        max_lifetime: config.token.jwt_max_lifetime,
    }
}
