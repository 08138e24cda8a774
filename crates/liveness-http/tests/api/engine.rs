//! The engines, and on each a database of a test's own.

use std::path::{Path, PathBuf};

use liveness_core::store::{Store, StoreSettings};
use liveness_core::trail::TrailKey;
use tempfile::TempDir;

use crate::cluster::TestDatabase;
use crate::trail_key_file::trail_key_file;

/// What keeps the database.
#[derive(Clone, Copy, Debug)]
pub enum Engine {
    Sqlite,
    Postgres,
    Citus,
}

/// Runs each of these tests on every engine.
macro_rules! on_each_engine {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            use $crate::engine::Engine;

            #[test]
            fn sqlite() {
                super::$test(Engine::Sqlite);
            }

            #[test]
            #[ignore = "needs PostgreSQL: .ci/test"]
            fn postgres() {
                super::$test(Engine::Postgres);
            }

            #[test]
            #[ignore = "needs Citus: LIVENESS_TEST_CITUS"]
            fn citus() {
                super::$test(Engine::Citus);
            }
        }
    )+};
}

pub(crate) use on_each_engine;

/// An empty database: a file in a folder, or one of the server beside a folder. It ends with this.
pub struct Database {
    folder: TempDir,
    postgres: Option<TestDatabase>,
}

impl Database {
    pub fn create(engine: Engine) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            postgres: match engine {
                Engine::Sqlite => None,
                Engine::Postgres => Some(TestDatabase::create()),
                Engine::Citus => Some(TestDatabase::on_citus()),
            },
        }
    }

    /// What a server on it has to be told: on SQLite nothing, because its file is the default in its folder.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let Some(database) = &self.postgres else {
            return Vec::new();
        };
        vec![
            ("LIVENESS_DATABASE_URL", database.url()),
            ("LIVENESS_TRAIL_KEY_FILE", self.trail_key_file().display().to_string()),
            // So few that the servers of many tests at once fit.
            ("LIVENESS_DATABASE_CONNECTIONS", "4".to_owned()),
            // `.ci/test` starts its server without these, which makes databases three times as fast.
            ("LIVENESS_ACCEPT", "fsync,full_page_writes".to_owned()),
        ]
    }

    /// Where a server on it runs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its file, where it is SQLite's.
    pub fn file(&self) -> PathBuf {
        assert!(self.postgres.is_none(), "it is no file");
        self.folder().join("liveness.db")
    }

    /// It, where it is a server's.
    pub fn postgres(&self) -> Option<&TestDatabase> {
        self.postgres.as_ref()
    }

    /// Where the key of its audit trail is, or will be.
    pub fn trail_key_file(&self) -> PathBuf {
        match &self.postgres {
            None => self.folder().join("liveness.trail.pem"),
            Some(_) => trail_key_file().to_owned(),
        }
    }

    /// The key of its audit trail, which is made if there is none.
    pub fn trail_key(&self) -> TrailKey {
        let file = self.trail_key_file();
        if !file.exists() {
            std::fs::copy(trail_key_file(), &file).unwrap();
        }
        TrailKey::from_pem(&std::fs::read_to_string(file).unwrap()).unwrap()
    }

    /// Opened beside whoever else uses it, with the key of the trail.
    pub fn store(&self) -> Store {
        let url = match &self.postgres {
            None => format!("sqlite://{}", self.file().display()),
            Some(database) => database.url(),
        };
        let settings = StoreSettings {
            connections: 2,
            ..StoreSettings::default()
        };
        let store = Store::open_with(&url, settings).unwrap();
        store.trail().sign_entries(&self.trail_key()).unwrap();
        store
    }
}
