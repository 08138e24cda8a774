//! The settings of tokens: which are accepted, and how `token` makes one.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::duration;
use crate::token::RoleNames;

/// The settings of tokens. It has no `Debug`, because it holds a secret.
#[derive(Clone, Args)]
pub struct TokenConfig {
    /// Key for HS256 tokens, at least 32 bytes. Set it in the environment: the list of processes shows flags.
    #[arg(long, env = "LIVENESS_JWT_SECRET", hide_env_values = true)]
    pub jwt_secret: Option<String>,

    /// File with the key for HS256 tokens, so that it is not in the environment. A line break at its end does not count.
    #[arg(long, env = "LIVENESS_JWT_SECRET_FILE", value_name = "FILE")]
    pub jwt_secret_file: Option<PathBuf>,

    /// What a token's `iss` must be.
    #[arg(long, env = "LIVENESS_JWT_ISSUER", value_parser = NonEmptyStringValueParser::new())]
    pub jwt_issuer: Option<String>,

    /// What a token's `aud` must be or contain; `any` if no audience is meant.
    #[arg(long, env = "LIVENESS_JWT_AUDIENCE", value_parser = NonEmptyStringValueParser::new())]
    pub jwt_audience: Option<String>,

    /// The claim that stands in for a missing `aud`: client_id, azp.
    #[arg(long, env = "LIVENESS_JWT_AUDIENCE_CLAIM", default_value = "aud", value_parser = NonEmptyStringValueParser::new())]
    pub jwt_audience_claim: String,

    /// The claim that names the user, or a path into nested claims.
    #[arg(long, env = "LIVENESS_JWT_USER_ID_CLAIM", default_value = "sub", value_parser = NonEmptyStringValueParser::new())]
    pub jwt_user_id_claim: String,

    /// The claim that holds the roles, or a path into nested claims: realm_access.roles [default: role, then roles].
    #[arg(long, env = "LIVENESS_JWT_ROLE_CLAIM", value_parser = NonEmptyStringValueParser::new())]
    pub jwt_role_claim: Option<String>,

    /// The tokens' names for our roles, which then no longer count themselves: admin=liveness-reviewer,officer=dpo.
    #[arg(long, env = "LIVENESS_ROLE_NAMES", default_value = "", hide_default_value = true)]
    pub role_names: RoleNames,

    /// How long after its `iat` a token may end [default: as long as its issuer says].
    #[arg(long, env = "LIVENESS_JWT_MAX_LIFETIME", value_parser = duration)]
    pub jwt_max_lifetime: Option<Duration>,
}

impl TokenConfig {
    /// What a token's `aud` must be or contain. `None` where no audience is meant.
    pub(crate) fn audience(&self) -> Option<&str> {
        self.jwt_audience.as_deref().filter(|audience| *audience != "any")
    }
}
