//! What is asked of the claims of every token.

use std::time::Duration;

use super::role_names::RoleNames;

/// What a token must say, besides being signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRules {
    /// Where set, `iss` must be this.
    pub issuer: Option<String>,
    /// Where set, `aud` must be or contain this.
    pub audience: Option<String>,
    /// The claim that stands in for `aud` where a token has none, such as `client_id`. It may be a path into nested claims.
    pub audience_claim: String,
    /// The claim that names the user. It may be a path into nested claims.
    pub user_id_claim: String,
    /// The claim that holds the roles. It may be a path into nested claims, such as `realm_access.roles`. A token without
    /// it has no role. Without this setting the claim is `role`, and `roles` where that is absent, and a token without both
    /// is a customer's.
    pub role_claim: Option<String>,
    /// What the issuer calls our roles.
    pub role_names: RoleNames,
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
            audience_claim: "aud".to_owned(),
            user_id_claim: "sub".to_owned(),
            role_claim: None,
            role_names: RoleNames::default(),
            leeway: Duration::from_secs(30),
            max_lifetime: None,
        }
    }
}

impl TokenRules {
    /// The names of the claim that holds the roles. The first one that is there counts.
    pub(crate) fn role_claims(&self) -> Vec<&str> {
        self.role_claim
            .as_ref()
            .map_or_else(|| vec!["role", "roles"], |name| vec![name])
    }
}
