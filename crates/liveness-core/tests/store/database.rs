//! A database for one test, on either engine.

use std::ops::Deref;
use std::path::PathBuf;

use diesel::connection::SimpleConnection as _;
use diesel::dsl::sql;
use diesel::sql_types::{BigInt, Binary, Text};
use diesel::{Connection as _, PgConnection, QueryResult, RunQueryDsl as _, SqliteConnection};
use liveness_core::policy::Policy;
use liveness_core::store::{GroupCommit, Recorded, Recording, Store, StoreSettings};
use tempfile::TempDir;

use crate::cluster::TestDatabase;

/// Runs each of these tests on SQLite, on PostgreSQL and on Citus, with a database of its own. After `; not on Citus`
/// follow those that are of the tables as they are on one machine.
macro_rules! on_each_engine {
    ($($test:ident),* $(,)? $(; not on Citus: $($plain:ident),+ $(,)?)?) => {
        $(mod $test {
            use $crate::database::Place;

            $crate::database::on_plain_engines!($test);

            #[tokio::test(flavor = "multi_thread")]
            #[ignore = "needs Citus: LIVENESS_TEST_CITUS"]
            async fn citus() {
                super::$test(Place::citus().into()).await;
            }
        })*
        $($(mod $plain {
            use $crate::database::Place;

            $crate::database::on_plain_engines!($plain);
        })+)?
    };
}

macro_rules! on_plain_engines {
    ($test:ident) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn sqlite() {
            super::$test(Place::file().into()).await;
        }

        #[tokio::test(flavor = "multi_thread")]
        #[ignore = "needs PostgreSQL: .ci/test"]
        async fn postgres() {
            super::$test(Place::server().into()).await;
        }
    };
}

pub(crate) use {on_each_engine, on_plain_engines};

/// Where a database is, with nothing in it yet: a file in a folder, or one of the server. It ends with this.
pub(crate) enum Place {
    File(TempDir),
    Server(TestDatabase),
}

impl Place {
    pub(crate) fn file() -> Self {
        Self::File(tempfile::tempdir().unwrap())
    }

    pub(crate) fn server() -> Self {
        Self::Server(TestDatabase::create())
    }

    pub(crate) fn citus() -> Self {
        Self::Server(TestDatabase::on_citus())
    }

    /// What differs between the engines: SQLite's, or PostgreSQL's.
    pub(crate) fn pick<T>(&self, sqlite: T, postgres: T) -> T {
        match self {
            Self::File(_) => sqlite,
            Self::Server(_) => postgres,
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::File(_) => format!("sqlite://{}", self.path().display()),
            Self::Server(database) => database.url(),
        }
    }

    /// The database file of SQLite.
    pub(crate) fn path(&self) -> PathBuf {
        match self {
            Self::File(folder) => folder.path().join("liveness.db"),
            Self::Server(database) => panic!("{} is no file", database.name()),
        }
    }

    /// One more store on it, as of another process.
    pub(crate) fn open(&self) -> Store {
        self.open_with(GroupCommit::default())
    }

    pub(crate) fn open_with(&self, group_commit: GroupCommit) -> Store {
        let settings = StoreSettings {
            // So few that a hundred tests at once fit on the server.
            connections: 3,
            group_commit,
            ..StoreSettings::default()
        };
        Store::open_with(&self.url(), settings).unwrap()
    }

    /// A store that makes nothing of an image before its write is in the queue. So one poll of a call puts the write there.
    pub(crate) fn open_to_queue(&self, group_commit: GroupCommit) -> Store {
        let policy = "base = \"record\"\n[rules]\n\"image.broken\" = \"off\"\n\"image.reused\" = \"off\"\n";
        let policy = Policy::parse(policy).unwrap();
        self.open_with(group_commit).with_policy(policy).unwrap()
    }

    /// A connection of the test's own beside those of the store.
    pub(crate) fn connect(&self) -> Link {
        match self {
            Self::File(_) => {
                let mut conn = SqliteConnection::establish(&self.path().to_string_lossy()).unwrap();
                let settings = "PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON";
                conn.batch_execute(settings).unwrap();
                Link::Sqlite(conn)
            }
            Self::Server(database) => Link::Postgres(PgConnection::establish(&database.url()).unwrap()),
        }
    }

    pub(crate) fn execute(&self, statements: &str) {
        self.connect().execute(statements).unwrap();
    }

    pub(crate) fn number(&self, query: &str) -> i64 {
        self.connect().number(query)
    }

    pub(crate) fn texts(&self, query: &str) -> Vec<String> {
        self.connect().texts(query)
    }

    /// Lets nobody else record until this is released.
    pub(crate) fn hold(&self) -> Hold {
        let mut link = self.connect();
        let begin = "BEGIN; LOCK TABLE liveness_sessions IN EXCLUSIVE MODE";
        link.execute(self.pick("BEGIN IMMEDIATE", begin)).unwrap();
        Hold(link)
    }
}

/// A database with its tables, and a store on it.
pub(crate) struct Database {
    pub(crate) store: Store,
    place: Place,
}

impl Database {
    /// What is about SQLite's file.
    pub(crate) fn sqlite() -> Self {
        Place::file().into()
    }

    /// What is about PostgreSQL's server.
    pub(crate) fn postgres() -> Self {
        Place::server().into()
    }

    /// How many checks, images, sessions, idempotency keys and audit entries there are.
    pub(crate) fn rows(&self) -> [i64; 5] {
        let (mut link, keys) = (self.connect(), "checks WHERE idempotency_key IS NOT NULL");
        ["checks", "images", "sessions", keys, "audit_entries"]
            .map(|table| link.number(&format!("SELECT count(*) FROM liveness_{table}")))
    }

    /// Every total that is kept, and the times of every session.
    pub(crate) fn totals(&self) -> Vec<String> {
        let totals = "SELECT 'pre-registration ' || pre_registration_id || ': ' || sum(checks) \
             FROM liveness_check_totals GROUP BY pre_registration_id ORDER BY 1";
        let sessions = "SELECT session_id || ': ' || created_at || ' to ' || coalesce(newest_at, created_at) \
             FROM liveness_sessions ORDER BY 1";
        [self.texts(totals), self.texts(sessions)].concat()
    }

    pub(crate) async fn record(&self, recording: Recording) -> Recorded {
        self.store.checks().record(recording).await.unwrap()
    }

    /// Records by the clock of the recording alone, as versions before did, and gives back the id. So records need not be
    /// in the order of their times.
    pub(crate) async fn record_by_its_clock(&self, recording: Recording) -> i64 {
        let time = recording.check.created_at.unix_millis();
        let check = self.record(recording).await.check;
        let (mut link, session) = (self.connect(), check.session_id);
        link.execute(&format!(
            "UPDATE liveness_checks SET created_at = {time} WHERE id = {}",
            check.id
        ))
        .unwrap();
        let [oldest, newest] = ["min", "max"].map(|which| {
            link.number(&format!(
                "SELECT {which}(created_at) FROM liveness_checks WHERE session_id = '{session}'"
            ))
        });
        link.execute(&format!(
            "UPDATE liveness_sessions SET created_at = {oldest}, newest_at = {newest} WHERE session_id = '{session}'"
        ))
        .unwrap();
        check.id
    }
}

impl From<Place> for Database {
    fn from(place: Place) -> Self {
        let store = place.open();
        store.migrate().unwrap();
        Self { store, place }
    }
}

impl Deref for Database {
    type Target = Place;

    fn deref(&self) -> &Place {
        &self.place
    }
}

/// A connection to either engine.
pub(crate) enum Link {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Link {
    pub(crate) fn execute(&mut self, statements: &str) -> QueryResult<()> {
        match self {
            Self::Sqlite(conn) => conn.batch_execute(statements),
            Self::Postgres(conn) => conn.batch_execute(statements),
        }
    }

    pub(crate) fn number(&mut self, query: &str) -> i64 {
        let query = sql::<BigInt>(query);
        match self {
            Self::Sqlite(conn) => query.get_result(conn).unwrap(),
            Self::Postgres(conn) => query.get_result(conn).unwrap(),
        }
    }

    pub(crate) fn texts(&mut self, query: &str) -> Vec<String> {
        let query = sql::<Text>(query);
        match self {
            Self::Sqlite(conn) => query.load(conn).unwrap(),
            Self::Postgres(conn) => query.load(conn).unwrap(),
        }
    }

    pub(crate) fn bytes(&mut self, query: &str) -> Vec<u8> {
        let query = sql::<Binary>(query);
        match self {
            Self::Sqlite(conn) => query.get_result(conn).unwrap(),
            Self::Postgres(conn) => query.get_result(conn).unwrap(),
        }
    }
}

/// The writers wait.
pub(crate) struct Hold(Link);

impl Hold {
    pub(crate) fn release(mut self) {
        self.0.execute("ROLLBACK").unwrap();
    }
}
