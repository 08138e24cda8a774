//! Brings the schema up to date. The migrations are compiled in.

use diesel::sqlite::SqliteConnection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

use super::error::OpenError;

const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

pub(super) fn run(conn: &mut SqliteConnection) -> Result<(), OpenError> {
    let applied = conn
        .run_pending_migrations(SQLITE)
        .map_err(|error| OpenError(format!("cannot migrate the database: {error}")))?;
    for version in applied {
        log::info!("migrated the database to {version}");
    }
    Ok(())
}
