//! What is asked of the claims of every token.

use std::time::Duration;

use jsonwebtoken::{Algorithm, Validation};

/// What a token must say, besides being signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRules {
    /// Where set, `iss` must be this.
    pub issuer: Option<String>,
    /// Where set, `aud` must be or contain this.
    pub audience: Option<String>,
    /// The claim that names the user.
    pub user_id_claim: String,
    /// The claim that holds the roles. The default is `role`, and `roles` where that is absent.
    pub role_claim: Option<String>,
    /// How far the clocks of the issuer and of this machine may differ.
    pub leeway: Duration,
    /// Where set, a token must expire within this time of its `iat`. Without an `iat` the time runs from now.
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

impl TokenRules {
    /// The checks that the JWT library makes for us.
    pub(super) fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.leeway = self.leeway.as_secs();
        validation.validate_nbf = true;
        // Without a configured audience, a token for any audience is accepted.
        validation.validate_aud = self.audience.is_some();
        let mut required = vec!["exp"];
        if let Some(issuer) = &self.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        if let Some(audience) = &self.audience {
            validation.set_audience(&[audience]);
            required.push("aud");
        }
        validation.set_required_spec_claims(&required);
        validation
    }
}
