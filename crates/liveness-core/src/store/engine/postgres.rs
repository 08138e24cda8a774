//! Sets up connections to PostgreSQL, and creates a pool of them.

use diesel::RunQueryDsl as _;
use diesel::connection::SimpleConnection as _;
use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool};
use diesel::sql_types::Text;
use r2d2::NopErrorHandler;

use super::citus;
use super::error::OpenError;
use super::timeouts::RETRY;

/// A pool of PostgreSQL connections, by diesel and r2d2.
pub type PostgresPool = Pool<ConnectionManager<PgConnection>>;

/// Parameters of a connection, unless the URL sets them. With the timeouts, libpq gives up on a server that has gone
/// silent.
const DEFAULTS: [(&str, &str); 6] = [
    ("connect_timeout", "3"),
    ("tcp_user_timeout", "5000"),
    ("keepalives_idle", "5"),
    ("keepalives_interval", "2"),
    ("keepalives_count", "3"),
    ("application_name", "liveness"),
];

/// Sets up a connection as the store needs it, and names the schema of our tables if they have one of their own.
///
/// - A commit is durable on the server before it is acknowledged. If the server's `synchronous_commit` is `off`, it is
///   raised to `on`.
/// - A transaction waits at most 4 s for a lock of another transaction.
/// - A transaction whose node has gone silent ends after 30 s, so it does not keep its locks.
///
/// ```no_run
/// use diesel::r2d2::{ConnectionManager, Pool};
/// use liveness_core::store::{PostgresSettings, Store};
///
/// let settings = PostgresSettings::in_schema("liveness");
/// let pool = Pool::builder()
///     .connection_customizer(Box::new(settings.clone()))
///     .build(ConnectionManager::<diesel::PgConnection>::new("postgres:///bank"))?;
/// let store = Store::from_postgres_pool(pool, settings)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PostgresSettings {
    schema: Option<String>,
    /// Whether only the store sends statements on these connections.
    is_ours_alone: bool,
}

impl PostgresSettings {
    /// Puts our tables into a schema of their own. If the schema does not exist,
    /// [`Store::migrate`](crate::store::Store::migrate) creates it.
    ///
    /// The schema is added at the end of the connection's `search_path`. So the backend's own names keep their meaning.
    pub fn in_schema(name: &str) -> Self {
        Self {
            schema: Some(name.to_owned()),
            is_ours_alone: false,
        }
    }

    /// Refuses a pool whose connections do not have these settings. It checks `lock_timeout` and `search_path` of one
    /// connection.
    pub(crate) fn check(&self, pool: &PostgresPool) -> Result<(), OpenError> {
        let mut conn = pool.get().map_err(|error| OpenError::out_of_reach(&error))?;
        let setting = |name: &str| sql::<Text>(&format!("SELECT current_setting('{name}')"));
        let mut read = |name| setting(name).get_result::<String>(&mut conn);
        let found = read("lock_timeout").and_then(|timeout| Ok((timeout, read("search_path")?)));
        let (timeout, path) = found.map_err(|error| OpenError::out_of_reach(&error))?;
        let is_in_path = self.quoted_schema().is_none_or(|schema| path.ends_with(&schema));
        if timeout == "4s" && is_in_path {
            Ok(())
        } else {
            Err(OpenError::new(format!(
                "the database's connections have lock_timeout={timeout} and search_path={path}; \
                 they need the store's PostgresSettings as their customizer"
            )))
        }
    }

    pub(crate) fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// The name of the schema as a quoted identifier.
    pub(crate) fn quoted_schema(&self) -> Option<String> {
        let quoted = |name: &String| format!("\"{}\"", name.replace('"', "\"\""));
        self.schema.as_ref().map(quoted)
    }

    /// The statements that set up a new connection. They are sent in one round trip.
    fn statements(&self) -> String {
        let mut settings = vec![
            "set_config('lock_timeout', '4s', false)".to_owned(),
            "set_config('idle_in_transaction_session_timeout', '30s', false)".to_owned(),
        ];
        if self.is_ours_alone {
            // One plan is good for all values of a statement of ours. With this setting, the plan is made once.
            settings.push("set_config('plan_cache_mode', 'force_generic_plan', false)".to_owned());
            // A generic plan does not know the LIMIT. So on a large table it looks dear enough to be compiled, which takes
            // longer (20 ms for a page of 5 million records) than any statement of ours.
            settings.push("set_config('jit', 'off', false)".to_owned());
        }
        if let Some(schema) = self.quoted_schema() {
            let name = schema.replace('\'', "''");
            settings.push(format!(
                "set_config('search_path', current_setting('search_path') || ', {name}', false)"
            ));
        }
        format!(
            "{}; SELECT {}; {}",
            raised_synchronous_commit(false),
            settings.join(", "),
            citus::SETTINGS
        )
    }
}

impl CustomizeConnection<PgConnection, diesel::r2d2::Error> for PostgresSettings {
    fn on_acquire(&self, conn: &mut PgConnection) -> Result<(), diesel::r2d2::Error> {
        conn.batch_execute(&self.statements())
            .map_err(diesel::r2d2::Error::QueryError)
    }
}

/// The statement that raises `synchronous_commit` to `on` where it is `off`, for the transaction or for the session.
pub(crate) fn raised_synchronous_commit(is_local: bool) -> String {
    let level = "current_setting('synchronous_commit')";
    format!("SELECT set_config('synchronous_commit', CASE {level} WHEN 'off' THEN 'on' ELSE {level} END, {is_local})")
}

/// Whether the URL names a PostgreSQL database.
pub(crate) fn is_url(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// Refuses a URL that libpq would not understand, or would split in another way than the operator meant. libpq's own
/// message quotes a part of the URL, which may contain the password.
pub(crate) fn check_url(url: &str) -> Result<(), OpenError> {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let is_hex = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
    let is_escape = |(at, _): (usize, &str)| {
        let mut digits = rest.bytes().skip(at + 1);
        is_hex(digits.next()) && is_hex(digits.next())
    };
    let is_understood = rest.match_indices('%').all(is_escape)
        && rest.matches('@').count() == authority.matches('@').count()
        && authority.matches('@').count() <= 1
        && authority.matches('[').count() == authority.matches(']').count()
        && !rest.contains(|character: char| character.is_whitespace() || character.is_control());
    if is_understood {
        Ok(())
    } else {
        Err(OpenError::new(
            "the database URL is malformed: special characters in its user, password and parameters must be \
             percent-encoded (%40 for @, %2F for /, %3F for ?, %25 for %)"
                .to_owned(),
        ))
    }
}

/// A pool for any URL that libpq takes. While the server is out of reach, the pool keeps trying and never gives up.
pub(crate) fn pool(url: &str, connections: u32) -> PostgresPool {
    let settings = PostgresSettings {
        schema: None,
        is_ours_alone: true,
    };
    Pool::builder()
        .max_size(connections)
        .test_on_check_out(false)
        // The pool waits at most half of this time between two tries.
        .connection_timeout(RETRY * 2)
        // The default handler would log each failed try. The store logs when the database goes away and when it is
        // back.
        .error_handler(Box::new(NopErrorHandler))
        .connection_customizer(Box::new(settings))
        .build_unchecked(ConnectionManager::new(with_defaults(url)))
}

fn with_defaults(url: &str) -> String {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let is_set = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    let missing = DEFAULTS.iter().filter(|(name, _)| !is_set(name));
    let mut complete = url.to_owned();
    for (name, value) in missing {
        let separator = match complete.split_once('?') {
            None => '?',
            Some((_, "")) => ' ',
            Some(_) => '&',
        };
        complete.push_str(&format!("{}{name}={value}", separator.to_string().trim()));
    }
    complete
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_in_the_url_are_not_changed() {
        let url = "postgres://a,b:5433/liveness?target_session_attrs=read-write&connect_timeout=1";

        assert_eq!(
            with_defaults(url),
            format!(
                "{url}&tcp_user_timeout=5000&keepalives_idle=5&keepalives_interval=2&keepalives_count=3\
                 &application_name=liveness"
            )
        );
        for bare in ["postgres:///liveness", "postgresql://liveness@10.0.0.1/liveness?"] {
            let complete = with_defaults(bare);
            assert!(
                complete.contains("?connect_timeout=3&tcp_user_timeout=5000&"),
                "{complete}"
            );
            assert!(!complete.contains("??"), "{complete}");
        }
    }

    #[test]
    fn a_malformed_url_is_refused_without_its_password() {
        for url in [
            "postgres://u:hunter2@[::1/x",
            "postgres://u:hunter%zz2@127.0.0.1/x",
            "postgres://u:hunter2%4",
            "postgres://u:p@hunter2@host/x",
            "postgres://u:hunt/er2@host/x",
            "postgres://u:hunt?er2@host/x",
            "postgres://u:hunter2 @host/x",
        ] {
            let refused = check_url(url).map_err(|error| error.to_string());
            assert!(refused.is_err_and(|message| !message.contains("hunt")), "{url}");
        }
        for url in [
            "postgres:///x",
            "postgres://u:p%40%2F%3F@[::1]:5433,b/x?target_session_attrs=read-write&options=-csearch_path%3Dl",
            "postgresql://%2Fvar%2Frun%2Fpostgresql/x",
        ] {
            assert!(check_url(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_schema_is_quoted_wherever_it_stands() {
        let settings = PostgresSettings::in_schema("o'r\"s");

        assert_eq!(settings.quoted_schema().as_deref(), Some("\"o'r\"\"s\""));
        assert!(
            settings.statements().contains(", \"o''r\"\"s\"'"),
            "{}",
            settings.statements()
        );
    }
}
