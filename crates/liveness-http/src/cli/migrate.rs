//! `migrate`: brings the schema up to date, and prints what it did.

use std::io::Write as _;

use clap::Args;

use super::failure::Failure;
use crate::config::DatabaseConfig;
use crate::face_keys::FaceConfig;

pub(super) const EXAMPLES: &str = "\
Examples:
  # `serve` does this when it starts. Before an upgrade, to see that it works:
  liveness-http migrate
  liveness-http migrate --database-url sqlite://copy-of-liveness.db

Nodes that migrate at once take turns. A migration that fails changes nothing.";

/// Which database to migrate, and with it the key store of the faces, if faces are sealed.
#[derive(Args)]
pub(super) struct Migrate {
    #[command(flatten)]
    faces: FaceConfig,

    #[command(flatten)]
    database: DatabaseConfig,
}

impl Migrate {
    pub(super) fn run(self) -> Result<(), Failure> {
        let store = self.faces.seal(self.database.open()?, self.database.url())?;
        let ran = store.migrate()?;
        let mut out = std::io::stdout().lock();
        for name in &ran {
            writeln!(out, "ran {name}")?;
        }
        match ran.len() {
            0 => writeln!(out, "the database's schema was up to date already")?,
            1 => writeln!(out, "1 migration ran: the database's schema is up to date")?,
            many => writeln!(out, "{many} migrations ran: the database's schema is up to date")?,
        }
        Ok(out.flush()?)
    }
}
