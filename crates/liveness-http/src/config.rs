//! Every setting, as a flag and as an environment variable.

mod database;
mod token;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;
use liveness_core::CompletionRule;
use liveness_core::store::{OpenError, Store, StoreSettings};

pub use self::database::DatabaseConfig;
pub use self::token::TokenConfig;
use crate::accepted_dangers::AcceptedDangers;
use crate::face_keys::FaceConfig;
use crate::log_format::LogFormat;
use crate::policy_source::PolicyConfig;
use crate::request::{CorsOrigins, ForwardedHeader, RateLimit, TrustedProxies};
use crate::webhooks::WebhookConfig;
use crate::witness::WitnessAddress;

/// The settings of `serve`. It has no `Debug`, because it holds a secret.
#[derive(Clone, Args)]
pub struct ServeConfig {
    /// Try it out: make a key for this run, listen on loopback only, and print tokens and curl lines.
    #[arg(long)]
    pub dev: bool,

    /// Dangers to start on all the same, by the names that `doctor` shows: fsync,world-writable.
    #[arg(
        long,
        env = "LIVENESS_ACCEPT",
        value_name = "NAMES",
        default_value = "",
        hide_default_value = true
    )]
    pub accept: AcceptedDangers,

    /// Address and port to listen on; port 0 takes a free port and logs it.
    #[arg(long, env = "LIVENESS_BIND", default_value = "127.0.0.1:8080")]
    pub bind: String,

    /// A second address and port, for health and metrics, which are then not on the first.
    #[arg(long, env = "LIVENESS_OPERATIONS_BIND")]
    pub operations_bind: Option<String>,

    /// PEM file with a certificate and its chain, for HTTPS. Read again when it changes.
    #[arg(long, env = "LIVENESS_TLS_CERT_FILE", value_name = "FILE")]
    pub tls_cert_file: Option<PathBuf>,

    /// PEM file with the private key of the certificate.
    #[arg(long, env = "LIVENESS_TLS_KEY_FILE", value_name = "FILE")]
    pub tls_key_file: Option<PathBuf>,

    /// Where the records are kept.
    #[command(flatten)]
    pub database: DatabaseConfig,

    /// How the faces are sealed.
    #[command(flatten)]
    pub faces: FaceConfig,

    /// Who witnesses the audit trail.
    #[command(flatten)]
    pub witness: WitnessConfig,

    /// Where events are sent.
    #[command(flatten)]
    pub webhooks: WebhookConfig,

    /// What is required, and how long it is kept.
    #[command(flatten)]
    pub policy: PolicyConfig,

    /// Do not migrate the database: refuse a schema that is not up to date. Then the database role needs no rights to
    /// change the schema.
    #[arg(long, env = "LIVENESS_NO_MIGRATE", value_parser = BoolishValueParser::new())]
    pub no_migrate: bool,

    /// Which tokens are accepted.
    #[command(flatten)]
    pub token: TokenConfig,

    /// PEM file with a public key: RSA for RS256, P-256 for ES256, P-384 for ES384, Ed25519 for EdDSA.
    #[arg(long, env = "LIVENESS_JWT_PUBLIC_KEY_FILE", value_name = "FILE")]
    pub jwt_public_key_file: Option<PathBuf>,

    /// Keys of an identity provider (JWKS): an https:// URL, or a file. They are kept up to date, and need an issuer and an
    /// audience.
    #[arg(long, env = "LIVENESS_JWT_JWKS", value_name = "URL|FILE")]
    pub jwt_jwks: Option<String>,

    /// How far the clocks of this machine and the issuer may differ.
    #[arg(long, env = "LIVENESS_JWT_LEEWAY", default_value = "30s", value_parser = leeway)]
    pub jwt_leeway: Duration,

    /// File of revoked tokens, one per line: `jti ID` or `sub SUBJECT`. Read again when it changes.
    #[arg(long, env = "LIVENESS_JWT_REVOKED_FILE", value_name = "FILE")]
    pub jwt_revoked_file: Option<PathBuf>,

    /// How reviewers sign in on the review page.
    #[command(flatten)]
    pub oidc: OidcConfig,

    /// Networks of proxies that are believed when they name the client's address: 10.0.0.0/8,::1.
    #[arg(
        long,
        env = "LIVENESS_TRUSTED_PROXIES",
        default_value = "",
        hide_default_value = true
    )]
    pub trusted_proxies: TrustedProxies,

    /// The one header in which trusted proxies name the client: x-forwarded-for, forwarded, x-real-ip. They must write it.
    #[arg(
        long,
        env = "LIVENESS_FORWARDED_HEADER",
        value_name = "NAME",
        default_value = "x-forwarded-for"
    )]
    pub forwarded_header: ForwardedHeader,

    /// Origins whose pages may call the API from a browser (CORS): `https://portal.example,capacitor://localhost`.
    #[arg(
        long,
        env = "LIVENESS_CORS_ORIGINS",
        value_name = "ORIGINS",
        default_value = "",
        hide_default_value = true
    )]
    pub cors_origins: CorsOrigins,

    /// Limit on the bytes of a decoded image; the limit on the body follows from it.
    #[arg(long, env = "LIVENESS_MAX_IMAGE_BYTES", default_value_t = 5 * 1024 * 1024)]
    pub max_image_bytes: usize,

    /// When a user has passed: any-successful or latest-verified.
    #[arg(long, env = "LIVENESS_STATUS_RULE", default_value = "any-successful")]
    pub status_rule: CompletionRule,

    /// Whether a user is created from the token's claims when a numeric user id is new.
    #[arg(long, env = "LIVENESS_PROVISION_USERS", default_value_t = true, action = clap::ArgAction::Set)]
    pub provision_users: bool,

    /// Limit on the requests of each principal, and of each address without a valid token: 20/s, 100/m, 1000/h.
    #[arg(long, env = "LIVENESS_RATE_LIMIT", default_value = "off", value_parser = rate_limit)]
    pub rate_limit: OptionalRateLimit,

    /// Limit on the bytes of all bodies in memory together; further bodies wait for up to 10 s.
    #[arg(long, env = "LIVENESS_BODY_MEMORY", default_value_t = 256 << 20)]
    pub body_memory: usize,

    /// Limit on the bytes of all large answers in memory together, until they are read; further ones wait for up to 10 s.
    #[arg(long, env = "LIVENESS_ANSWER_MEMORY", default_value_t = 128 << 20)]
    pub answer_memory: usize,

    /// Limit on requests that have begun and are not answered; further ones get 503 at once.
    #[arg(long, env = "LIVENESS_MAX_REQUESTS_IN_FLIGHT", default_value_t = 1024, value_parser = positive)]
    pub max_requests_in_flight: usize,

    /// Limit on connections of clients; further ones wait until others end.
    #[arg(long, env = "LIVENESS_MAX_CONNECTIONS", default_value_t = 8192, value_parser = positive)]
    pub max_connections: usize,

    /// Format of the log: text, or one JSON object per line.
    #[arg(long, env = "LIVENESS_LOG_FORMAT", value_enum, default_value_t)]
    pub log_format: LogFormat,

    /// How long requests that have begun may take after SIGTERM.
    #[arg(long, env = "LIVENESS_SHUTDOWN_GRACE", default_value = "10s", value_parser = duration)]
    pub shutdown_grace: Duration,
}

impl ServeConfig {
    /// How many calls may wait for their answer to change: three quarters of the connections. The rest is for those who do
    /// something.
    pub(crate) fn max_waiting(&self) -> usize {
        self.max_connections - self.max_connections.div_ceil(4)
    }

    /// Opens the store, with what is accepted of it. Makes the SQLite file if there is none.
    pub(crate) fn open(&self) -> Result<Store, OpenError> {
        self.open_with(true)
    }

    /// The same, but the SQLite file must exist.
    pub(crate) fn open_existing(&self) -> Result<Store, OpenError> {
        self.open_with(false)
    }

    fn open_with(&self, creates_file: bool) -> Result<Store, OpenError> {
        let settings = StoreSettings {
            accepts_changing_sessions: self.accept.has("pooler"),
            accepts_newer_schema: self.accept.has("newer-schema"),
            awaits_schema: true,
            ..self.database.settings(creates_file)
        };
        Store::open_with(self.database.url(), settings)
    }
}

/// The setting of the witness.
#[derive(Debug, Clone, Args)]
pub struct WitnessConfig {
    /// A C2SP tlog-witness, which cosigns the log of the audit trail: its vkey, a space, and the URL that add-checkpoint is
    /// below.
    #[arg(long, env = "LIVENESS_TRAIL_WITNESS", value_name = "VKEY URL")]
    pub trail_witness: Option<WitnessAddress>,
}

/// The settings of the review page's sign-in at an identity provider.
#[derive(Debug, Clone, Args)]
pub struct OidcConfig {
    /// Identity provider at which reviewers sign in on the review page: its issuer, an https:// URL [default: they paste a token].
    #[arg(long, env = "LIVENESS_OIDC_ISSUER", value_name = "URL")]
    pub oidc_issuer: Option<String>,

    /// The review page's client id there: a public client with PKCE, whose redirect URI is the address of the page.
    #[arg(long, env = "LIVENESS_OIDC_CLIENT_ID", value_name = "ID")]
    pub oidc_client_id: Option<String>,

    /// What the review page asks for there, with spaces between: offline_access, or what gives an access token its roles.
    #[arg(long, env = "LIVENESS_OIDC_SCOPES", default_value = "openid")]
    pub oidc_scopes: String,
}

/// A rate limit, or `off`.
pub type OptionalRateLimit = Option<RateLimit>;

fn rate_limit(text: &str) -> Result<OptionalRateLimit, String> {
    if text == "off" {
        Ok(None)
    } else {
        text.parse().map(Some)
    }
}

fn positive(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "must be a number from 1 on".to_owned())
}

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "must be a duration such as 30s".to_owned())
}

fn leeway(text: &str) -> Result<Duration, String> {
    let leeway = duration(text)?;
    let limit = Duration::from_secs(10 * 60);
    if leeway > limit {
        Err("must be at most 10m".to_owned())
    } else {
        Ok(leeway)
    }
}
