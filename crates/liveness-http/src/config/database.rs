//! The settings of the database.

use std::path::PathBuf;

use clap::Args;
use liveness_core::store::{OpenError, Store, StoreSettings};

use crate::url_file::UrlFile;

/// The settings of the database. It has no `Debug`, because the URL may hold a password.
#[derive(Clone, Args)]
pub struct DatabaseConfig {
    /// Where the records are kept: sqlite://PATH or postgres://…, any URI that libpq takes.
    #[arg(
        long,
        env = "LIVENESS_DATABASE_URL",
        default_value = "sqlite://liveness.db",
        hide_env_values = true
    )]
    pub database_url: String,

    /// File with the URL of the database, so that a password in it is not in the environment. A line break at its end does not
    /// count.
    #[arg(
        long,
        env = "LIVENESS_DATABASE_URL_FILE",
        value_name = "FILE",
        conflicts_with = "database_url"
    )]
    pub database_url_file: Option<UrlFile>,

    /// Connections to PostgreSQL; SQLite has one writer and four readers.
    #[arg(long, env = "LIVENESS_DATABASE_CONNECTIONS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub database_connections: u32,

    /// PEM file with the private key of the audit trail (Ed25519, PKCS#8), which `trail key --new` makes [default: beside the
    /// SQLite file, where it is made].
    #[arg(long, env = "LIVENESS_TRAIL_KEY_FILE", value_name = "FILE")]
    pub trail_key_file: Option<PathBuf>,
}

impl DatabaseConfig {
    /// The URL of the database.
    pub fn url(&self) -> &str {
        self.database_url_file.as_ref().map_or(&self.database_url, UrlFile::url)
    }

    /// Opens the store. Makes the SQLite file if there is none.
    pub(crate) fn open(&self) -> Result<Store, OpenError> {
        self.open_with(true)
    }

    /// Opens the store. The SQLite file must exist.
    pub(crate) fn open_existing(&self) -> Result<Store, OpenError> {
        self.open_with(false)
    }

    /// Opens the store. The SQLite file must exist, and the schema must be up to date.
    pub(crate) fn open_up_to_date(&self) -> Result<Store, OpenError> {
        let store = self.open_existing()?;
        store.check_schema()?;
        Ok(store)
    }

    fn open_with(&self, creates_file: bool) -> Result<Store, OpenError> {
        Store::open_with(self.url(), self.settings(creates_file))
    }

    pub(super) fn settings(&self, creates_file: bool) -> StoreSettings {
        StoreSettings {
            connections: self.database_connections,
            creates_file,
            ..StoreSettings::default()
        }
    }
}
