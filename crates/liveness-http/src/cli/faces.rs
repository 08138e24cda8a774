//! `faces`: rotates the keys of faces, and seals faces that were recorded in clear.

use std::io::Write as _;

use clap::{Args, Subcommand};
use liveness_core::store::{Rotated, RotationError, Store};
use liveness_core::{AuditEntry, AuditSubject, Shown};

use super::closing::close;
use super::failure::Failure;
use super::interrupt::unless_interrupted;
use super::progress::Progress;
use super::sealed_store::open_with_keys;
use crate::config::DatabaseConfig;
use crate::face_keys::{FaceConfig, FaceKeysError};
use crate::face_sealing::{SEAL, Sealed, seal_old_faces};
use crate::operator::Operator;
use crate::trail_key;

/// The name of the command in the audit trail.
const ROTATE: &str = "faces rotate";

const ROTATE_EXAMPLES: &str = "\
A new key-encryption key is made, all keys of faces are wrapped anew with it, and the
old one is destroyed. From then on, no older backup of the key store opens a face, so
what was erased is unreadable everywhere. Servers go on meanwhile. If it is
interrupted, the same command goes on.

Back the folder of the key-encryption keys up again afterwards, and the key store.

Examples:
  liveness-http faces rotate --face-keys file:face-keys";

const SEAL_EXAMPLES: &str = "\
Faces that were recorded before LIVENESS_FACE_KEYS was set lie in clear. This seals
them, a few at a time, while servers record. If it is interrupted, the same command
does the rest. On PostgreSQL, the role must own the tables.

Parts of what was in clear stay in unused space of the database until it is written
anew. --compact does that at the end; nobody can record meanwhile, and the disk needs
room for a copy. Backups from before keep the faces in clear: delete them.

Examples:
  liveness-http faces seal --face-keys file:face-keys
  liveness-http faces seal --compact --face-keys file:face-keys";

#[derive(Subcommand)]
pub(super) enum Faces {
    /// Make a new key-encryption key, and destroy the old one.
    #[command(after_help = ROTATE_EXAMPLES)]
    Rotate(Rotate),

    /// Seal the faces that were recorded in clear. A server does so too, by a job.
    #[command(after_help = SEAL_EXAMPLES)]
    Seal(Seal),
}

/// Which keys to rotate.
#[derive(Args)]
pub(super) struct Rotate {
    #[command(flatten)]
    faces: FaceConfig,

    #[command(flatten)]
    database: DatabaseConfig,
}

/// Which faces to seal.
#[derive(Args)]
pub(super) struct Seal {
    /// Write the database anew at the end, so that nothing is left of what was in clear. Nobody can record meanwhile.
    #[arg(long)]
    compact: bool,

    #[command(flatten)]
    faces: FaceConfig,

    #[command(flatten)]
    database: DatabaseConfig,
}

impl Faces {
    pub(super) async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Rotate(rotate) => rotate.run().await,
            Self::Seal(seal) => seal.run().await,
        }
    }
}

impl Rotate {
    async fn run(self) -> Result<(), Failure> {
        let store = open_with_keys(&self.database, &self.faces)?;
        trail_key::sign_entries(&store, &self.database)?;
        let operator = Operator::current()?;
        operator.audit(&store, ROTATE, None, Shown::default()).await?;
        let rotating = on_a_thread(&store, rotate);
        let Some(rotated) = unless_interrupted(rotating).await? else {
            return Err(Failure::Interrupted(
                "interrupted: the same command goes on with it".to_owned(),
            ));
        };
        let rotated = rotated??;
        operator.audit(&store, ROTATE, None, rotated.shown()).await?;
        close(&store);
        let mut out = std::io::stdout().lock();
        writeln!(
            out,
            "{} keys of faces are wrapped by {}; destroyed: {}",
            rotated.rewrapped,
            rotated.current,
            rotated.destroyed_names()
        )?;
        Ok(out.flush()?)
    }
}

fn rotate(store: &Store) -> Result<Rotated, Failure> {
    let keys = store.face_keys().ok_or(FaceKeysError::NotSet)?;
    let bar = Progress::new(None, "", "{spinner} {human_pos} keys wrapped anew");
    keys.rotate(|many| bar.set(many)).map_err(|error| match error {
        RotationError::Keeper(error) => FaceKeysError::from(error).into(),
        other => Failure::of(other.to_string()),
    })
}

impl Seal {
    async fn run(self) -> Result<(), Failure> {
        let store = open_with_keys(&self.database, &self.faces)?;
        trail_key::sign_entries(&store, &self.database)?;
        let operator = Operator::current()?;
        operator.audit(&store, SEAL, None, Shown::default()).await?;
        let entry = operator.entry(SEAL, None, AuditSubject::default());
        let sealing = on_a_thread(&store, move |store| seal_all(store, entry));
        let Some(sealed) = unless_interrupted(sealing).await? else {
            return Err(Failure::Interrupted(
                "interrupted: the same command seals the rest".to_owned(),
            ));
        };
        let sealed = sealed??;
        operator.audit(&store, SEAL, None, sealed.shown()).await?;
        if self.compact {
            on_a_thread(&store, |store| Ok(store.compact_faces()?)).await??;
        }
        close(&store);
        let mut out = std::io::stdout().lock();
        let sealed = sealed.faces;
        match (self.compact, sealed) {
            (true, _) => writeln!(out, "{sealed} faces were sealed, and the database was written anew")?,
            (false, 0) => writeln!(out, "no face was in clear")?,
            (false, _) => writeln!(
                out,
                "{sealed} faces were sealed; parts of them stay in unused space until `faces seal --compact`"
            )?,
        }
        Ok(out.flush()?)
    }
}

/// Seals all faces that are in clear.
fn seal_all(store: &Store, entry: AuditEntry) -> Result<Sealed, Failure> {
    let total = u64::try_from(store.faces_in_clear()?).unwrap_or_default();
    let bar = Progress::new(
        Some(total),
        "{bar:40} {human_pos} of {human_len} faces, {eta} left",
        "{spinner} {human_pos} faces",
    );
    let sealed = seal_old_faces(store, entry, |sealed| {
        bar.set(sealed);
        true
    });
    Ok(sealed?)
}

/// Runs what blocks. When it is interrupted, the process ends, and with it the thread.
async fn on_a_thread<T: Send + 'static>(
    store: &Store,
    work: impl FnOnce(&Store) -> Result<T, Failure> + Send + 'static,
) -> Result<Result<T, Failure>, Failure> {
    let store = store.clone();
    let working = actix_web::rt::task::spawn_blocking(move || work(&store));
    working.await.map_err(|error| Failure::of(error.to_string()))
}
