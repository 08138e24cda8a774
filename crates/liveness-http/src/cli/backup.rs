//! `backup`: copies a SQLite database into a new file, beside any load, and checks the copy.
//!
//! The copy is made under another name, which only its owner may read. It gets its own name when it is whole and on the
//! disk. So whatever has the name can be restored.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use clap::Args;
use liveness_core::Shown;
use liveness_core::store::{RowCounts, Store};
use tempfile::NamedTempFile;

use super::failure::Failure;
use super::interrupt::unless_interrupted;
use super::sealed_store::open_with_keys;
use crate::config::DatabaseConfig;
use crate::face_keys::{FaceConfig, FaceKeysError};
use crate::operator::Operator;
use crate::trail_key;

pub(super) const EXAMPLES: &str = "\
The copy is one consistent snapshot, however busy the database is. It is checked: that
it is whole, has the schema, and no fewer rows than the database had before. Only then
does the file have its name. The file is new, and only its owner may read it; an
existing file is not overwritten.

Faces that are sealed stay sealed in it. Their wrapped keys are in another database, and
need a backup of their own: --keys makes it. So do faces in an object store. Keep it for a few days only: what was erased
can be opened with an older one, until the keys are rotated.

A backup is audited before its first byte is written, and with its SHA-256 when it is
done. To restore it, stop the server and put the file in the place of the database.

It is for SQLite. PostgreSQL has pg_dump and pg_basebackup.

Examples:
  liveness-http backup backup.db
  liveness-http backup \"backup-$(date +%F).db\"
  liveness-http backup --keys --face-keys file:face-keys keys.db";

const POSTGRES: &str = "`backup` is for SQLite: for PostgreSQL use pg_dump or pg_basebackup (docs/operations.md, Backup \
    and restore)";

/// What SQLite would take for a part of the copy, if it were beside it.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Which database, and where to.
#[derive(Args)]
pub(super) struct Backup {
    /// The file to make.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Copy the wrapped keys of the faces, and not the records.
    #[arg(long)]
    keys: bool,

    #[command(flatten)]
    faces: FaceConfig,

    #[command(flatten)]
    database: DatabaseConfig,
}

impl Backup {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let (url, name, copy_into): (_, _, CopyInto) = if self.keys {
            (self.faces.url(self.database.url())?, "backup --keys", copy_keys)
        } else {
            (self.database.url().to_owned(), "backup", copy_records)
        };
        if Store::file_of(&url)?.is_none() {
            return Err(Failure::of(POSTGRES));
        }
        refuse_existing(&self.file)?;
        let store = if self.keys {
            open_with_keys(&self.database, &self.faces)?
        } else {
            self.database.open_up_to_date()?
        };
        trail_key::sign_entries(&store, &self.database)?;
        let operator = Operator::current()?;
        let partial = partial_file(&self.file)?;
        operator.audit(&store, name, None, Shown::default()).await?;
        // If a signal ends this future, the partial file is removed.
        let Some(copied) = unless_interrupted(copy(&store, copy_into, &partial)).await? else {
            return Err(Failure::Interrupted("interrupted: no backup was made".to_owned()));
        };
        let (counts, sha256) = copied?;
        keep(partial, &self.file)?;
        let done = format!("done: {counts}; file SHA-256 {sha256}");
        operator.audit_step(&store, name, done, None).await?;
        let mut out = io::stdout().lock();
        writeln!(out, "{}: {counts}; SHA-256 {sha256}", self.file.display())?;
        Ok(out.flush()?)
    }
}

/// Refuses a name that is taken, and one beside which SQLite would find a part of another database.
fn refuse_existing(file: &Path) -> Result<(), Failure> {
    let beside = COMPANIONS.map(|end| {
        let mut name = file.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    });
    for file in std::iter::once(file).chain(beside.iter().map(PathBuf::as_path)) {
        // A link that leads nowhere is there too.
        if fs::symlink_metadata(file).is_ok() {
            return Err(taken(file));
        }
    }
    Ok(())
}

fn taken(file: &Path) -> Failure {
    Failure::of(format!(
        "{} is there already, and is not overwritten; name another file",
        file.display()
    ))
}

fn folder_of(file: &Path) -> &Path {
    let folder = file.parent().filter(|folder| *folder != Path::new(""));
    folder.unwrap_or(Path::new("."))
}

/// An empty file in the same folder, with mode 0600. Dropping it removes it.
fn partial_file(file: &Path) -> Result<NamedTempFile, Failure> {
    let mut partial = tempfile::Builder::new();
    let made = partial
        .prefix(".liveness-backup-")
        .suffix(".partial")
        .tempfile_in(folder_of(file));
    made.map_err(|error| Failure::new_file(file, &error))
}

/// Copies a database into a file, and says how many rows the copy has.
type CopyInto = fn(&Store, &Path) -> Result<String, Failure>;

fn copy_records(store: &Store, file: &Path) -> Result<String, Failure> {
    let counts = store.copy_into(file).map_err(|error| Failure::of(error.to_string()))?;
    let RowCounts {
        checks,
        faces,
        faces_in_objects,
        audit_entries,
        ..
    } = counts;
    let elsewhere = match faces_in_objects {
        0 => String::new(),
        many => format!(" ({many} of them in the object store, and not in this file)"),
    };
    Ok(format!(
        "{checks} records, {faces} faces{elsewhere}, {audit_entries} audit entries"
    ))
}

fn copy_keys(store: &Store, file: &Path) -> Result<String, Failure> {
    let keys = store.face_keys().ok_or(FaceKeysError::NotSet)?;
    let count = keys.copy_into(file).map_err(|error| Failure::of(error.to_string()))?;
    Ok(format!("{count} keys of faces"))
}

/// Copies a database on a thread of its own, and synchronizes the copy to the disk. Returns its SHA-256 too.
async fn copy(store: &Store, copy_into: CopyInto, partial: &NamedTempFile) -> Result<(String, String), Failure> {
    let (store, path) = (store.clone(), partial.path().to_owned());
    let copying = actix_web::rt::task::spawn_blocking(move || {
        let counts = copy_into(&store, &path)?;
        let written = |error| Failure::file("write", &path.display().to_string(), &error);
        let file = File::open(&path).map_err(written)?;
        file.sync_all().map_err(written)?;
        Ok((counts, sha256(file).map_err(written)?))
    });
    copying.await.map_err(|error| Failure::of(error.to_string()))?
}

fn sha256(mut file: File) -> io::Result<String> {
    struct Hashing(Context);
    impl io::Write for Hashing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut hashing = Hashing(Context::new(&SHA256));
    io::copy(&mut file, &mut hashing)?;
    let digest = hashing.0.finish();
    Ok(digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Gives the copy its name, unless the name was taken meanwhile, and makes the name durable.
fn keep(partial: NamedTempFile, file: &Path) -> Result<(), Failure> {
    refuse_existing(file)?;
    partial
        .persist_noclobber(file)
        .map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => taken(file),
            _ => Failure::new_file(file, &error.error),
        })?;
    let folder = folder_of(file);
    let synchronized = File::open(folder).and_then(|folder| folder.sync_all());
    synchronized.map_err(|error| Failure::file("write", &folder.display().to_string(), &error))
}
