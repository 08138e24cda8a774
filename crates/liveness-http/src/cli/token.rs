//! `token`: makes a token from the configured secret.

use std::io::Write as _;
use std::time::Duration;

use clap::{Args, ValueEnum};
use liveness_core::store::Store;
use liveness_core::{Clock as _, Shown, SystemClock, Timestamp, UserReference};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::failure::Failure;
use crate::config::{DatabaseConfig, TokenConfig, duration};
use crate::host::secret::configured_secret;
use crate::operator::Operator;
use crate::token::{OWN_ISSUER, sign_hs256};
use crate::trail_key;

pub(super) const EXAMPLES: &str = "\
Examples:
  # A customer, by the id of the user or by the UserId
  liveness-http token --user 1234
  liveness-http token --user USR-00001234 --role customer --expires 10m

  # An administrator, as a header for curl
  admin=$(liveness-http token --user reviewer-1 --role admin)
  echo \"Authorization: Bearer $admin\"

The secret is that of `serve`: LIVENESS_JWT_SECRET, or the file
LIVENESS_JWT_SECRET_FILE. Anybody who can read it can act
as any user. Issuer, audience, claim names and role names are those of `serve` too;
without an issuer it is `liveness-http`. Standard output is the token and nothing
else.

Making a token is audited, so this needs the database of `serve`. The token says
who made it (`act`), and so does the audit entry of each thing done with it.";

/// How long a token is valid, unless the command line or the settings say otherwise.
const LIFETIME: Duration = Duration::from_secs(60 * 60);
/// The longest that a token may be valid.
const MAX_LIFETIME: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// What the token says.
#[derive(Args)]
pub(super) struct Token {
    /// The user's id (1234) or UserId (USR-00001234); for an administrator, any name.
    #[arg(long, value_name = "USER", value_parser = user)]
    user: String,

    /// The role; may be given twice.
    #[arg(long, value_enum, default_value = "customer")]
    role: Vec<Role>,

    /// How long the token is valid [default: 1h, or LIVENESS_JWT_MAX_LIFETIME if that is shorter].
    #[arg(long, value_name = "DURATION", value_parser = lifetime)]
    expires: Option<Duration>,

    #[command(flatten)]
    token: TokenConfig,

    #[command(flatten)]
    database: DatabaseConfig,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Role {
    Customer,
    Admin,
    Officer,
    Auditor,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Admin => "admin",
            Self::Officer => "officer",
            Self::Auditor => "auditor",
        }
    }
}

impl Token {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let Some(secret) = configured_secret(&self.token)? else {
            return Err(Failure::of(
                "there is no secret to sign with: set LIVENESS_JWT_SECRET or LIVENESS_JWT_SECRET_FILE, at least 32 bytes, to \
                 that of `serve`",
            ));
        };
        // No server would accept a token that is signed with a weaker secret.
        secret.key()?;
        let lifetime = self.lifetime()?;
        let operator = Operator::current()?;
        let id = Uuid::new_v4().to_string();
        let now = SystemClock.now();
        let claims = self.claims(now.unix_millis() / 1000, lifetime, &id, operator.name());
        let token = sign_hs256(secret.bytes(), &Value::Object(claims));
        let token = token.map_err(|error| Failure::of(format!("cannot sign the token: {error}")))?;
        self.audit(&operator, &id, now, lifetime).await?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{token}")?;
        Ok(out.flush()?)
    }

    /// Writes the audit entry of the token. Without it there is no token.
    async fn audit(&self, operator: &Operator, id: &str, now: Timestamp, lifetime: Duration) -> Result<(), Failure> {
        let store = self.store()?;
        trail_key::sign_entries(&store, &self.database)?;
        let expires = now.unix_millis() / 1000 + seconds(lifetime);
        let expires = Timestamp::from_unix_millis(expires * 1000);
        let expires = expires.ok_or_else(|| Failure::of("the token would expire too late"))?;
        let roles: Vec<_> = self.role.iter().map(|role| role.name()).collect();
        let concerned = match UserReference::parse(&self.user) {
            UserReference::Id(id) if self.role.contains(&Role::Customer) => Some(id),
            _ => None,
        };
        let made = format!("for {} as {}, until {expires}; jti {id}", self.user, roles.join(","));
        let made = Shown {
            detail: Some(made),
            ..Shown::default()
        };
        Ok(operator.audit(&store, "token", concerned, made).await?)
    }

    /// The database of `serve`. A SQLite file that is not there yet is made, as `serve` would make it.
    fn store(&self) -> Result<Store, Failure> {
        let file = Store::file_of(self.database.url())?;
        let Some(missing) = file.filter(|file| !file.exists()) else {
            return Ok(self.database.open_up_to_date()?);
        };
        let store = self.database.open()?;
        store.migrate()?;
        writeln!(
            std::io::stderr(),
            "liveness-http: made the database {} for the token's audit entry; LIVENESS_DATABASE_URL must name that of `serve`",
            missing.display()
        )?;
        Ok(store)
    }

    /// How long the token is valid. A server would refuse one that is valid for longer than the settings say.
    fn lifetime(&self) -> Result<Duration, Failure> {
        let longest = self.token.jwt_max_lifetime.unwrap_or(MAX_LIFETIME);
        match self.expires {
            Some(expires) if expires > longest => Err(Failure::of(format!(
                "--expires must be at most {}, as LIVENESS_JWT_MAX_LIFETIME says",
                humantime::format_duration(longest)
            ))),
            expires => Ok(expires.unwrap_or(LIFETIME.min(longest))),
        }
    }

    fn claims(&self, now: i64, lifetime: Duration, id: &str, actor: &str) -> Map<String, Value> {
        let names = &self.token.role_names;
        let roles: Vec<_> = self.role.iter().map(|role| names.theirs(role.name())).collect();
        let roles = match &*roles {
            [role] => json!(role),
            roles => json!(roles),
        };
        let role_claim = self.token.jwt_role_claim.as_deref().unwrap_or("role");
        let issuer = self.token.jwt_issuer.as_deref().unwrap_or(OWN_ISSUER);
        let mut claims = Map::from_iter([
            ("iss".to_owned(), json!(issuer)),
            ("sub".to_owned(), json!(self.user)),
            (self.token.jwt_user_id_claim.clone(), json!(self.user)),
            (role_claim.to_owned(), roles),
            ("iat".to_owned(), json!(now)),
            ("exp".to_owned(), json!(now.saturating_add(seconds(lifetime)))),
            ("jti".to_owned(), json!(id)),
            // RFC 8693, section 4.1.
            ("act".to_owned(), json!({ "sub": actor })),
        ]);
        if let Some(audience) = self.token.audience() {
            claims.insert("aud".to_owned(), json!(audience));
        }
        claims
    }
}

fn seconds(lifetime: Duration) -> i64 {
    i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX)
}

fn user(text: &str) -> Result<String, String> {
    if text.is_empty() || text.len() > 255 || text.contains(char::is_control) {
        Err("must be a user's id or UserId, such as 1234 or USR-00001234, of at most 255 bytes".to_owned())
    } else if text.to_ascii_lowercase().starts_with("cli:") {
        Err("must not begin with `cli:`, which names those who use the command line".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

fn lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = duration(text)?;
    if lifetime.as_secs() == 0 || lifetime > MAX_LIFETIME {
        return Err("must be between 1s and 366 days".to_owned());
    }
    Ok(lifetime)
}
