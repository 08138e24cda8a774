//! `trail`: verifies the audit trail, writes it as files, and shows its key.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use liveness_core::Shown;
use liveness_core::store::TrailPart;
use liveness_core::trail::TrailKey;

use super::failure::Failure;
use super::progress::Progress;
use crate::config::{DatabaseConfig, WitnessConfig};
use crate::face_place::FacePlaceConfig;
use crate::operator::Operator;
use crate::trail_key;
use crate::witness::{Unwitnessed, Witness, Witnessed};

const BAR: &str = "{wide_bar} {pos}/{len} entries";
const BAR_WITHOUT_TOTAL: &str = "{spinner} {pos} entries";

/// What to do with the audit trail.
#[derive(Subcommand)]
pub(super) enum Trail {
    /// Recompute the trail from the database, and name every row that was changed, taken away or put in.
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(Verify),

    /// Write the log as files that other programs verify.
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(Export),

    /// Show the public key of the trail, or make a key.
    #[command(after_help = KEY_EXAMPLES)]
    Key(Key),
}

const VERIFY_EXAMPLES: &str = "\
It compares all entries, records and faces with the signed log, while the server runs,
and prints a line for each row that is not as it was. The exit code is then 1. If there is
a witness (LIVENESS_TRAIL_WITNESS), it is asked whether it has seen another log.

Examples:
  liveness-http trail verify";

const EXPORT_EXAMPLES: &str = "\
The folder is new or empty. It gets the newest checkpoint, the tiles of hashes and the
entries, in the form of C2SP tlog-tiles: any web server can serve it. No entry names a
person. docs/trail.md says how other programs verify it.

Examples:
  liveness-http trail export trail-of-today";

const KEY_EXAMPLES: &str = "\
Without --new, it prints the public key as a C2SP vkey: give it to whoever verifies the
trail. A new key is for a new trail: one that exists goes on with the key that it has.

Examples:
  liveness-http trail key
  liveness-http trail key --new trail.pem --name bank.example/liveness";

/// Which trail to verify.
#[derive(Args)]
pub(super) struct Verify {
    #[command(flatten)]
    database: DatabaseConfig,

    #[command(flatten)]
    place: FacePlaceConfig,

    #[command(flatten)]
    witness: WitnessConfig,
}

/// Which trail to write, and where to.
#[derive(Args)]
pub(super) struct Export {
    /// The folder to write to.
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    #[command(flatten)]
    database: DatabaseConfig,
}

/// Which key to show or make.
#[derive(Args)]
pub(super) struct Key {
    /// Make a key, in a new file that only its owner may read.
    #[arg(long, value_name = "FILE")]
    new: Option<PathBuf>,

    /// The name of the log, such as a URL without its scheme [default: made of the key].
    #[arg(long, requires = "new")]
    name: Option<String>,

    #[command(flatten)]
    database: DatabaseConfig,
}

impl Trail {
    pub(super) async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Verify(verify) => verify.run(),
            Self::Export(export) => export.run().await,
            Self::Key(key) => key.run(),
        }
    }
}

impl Verify {
    fn run(self) -> Result<(), Failure> {
        let store = self.place.place_to_read(self.database.open_up_to_date()?)?;
        let key = trail_key::existing_key(&self.database)?;
        let bar = Progress::new(Some(0), BAR, BAR_WITHOUT_TOTAL);
        let progress = |done, total| {
            bar.set_total(total);
            bar.set(done);
        };
        let mut verified = store.trail().verify(&key, false, TrailPart::WHOLE, progress)?;
        drop(bar);
        let witnessed = match &self.witness.trail_witness {
            Some(address) => {
                let witness = Witness::new(address.clone(), store, key.verifier().clone());
                Some(ask(witness, &mut verified.findings)?)
            }
            None => None,
        };
        let mut out = io::stdout().lock();
        for finding in &verified.findings {
            writeln!(out, "{finding}")?;
        }
        writeln!(
            out,
            "{} entries in the log, {} of them signed, {} waiting; {} records and {} faces compared; log {}",
            verified.size,
            verified.signed,
            verified.pending,
            verified.records,
            verified.faces,
            key.origin()
        )?;
        if verified.last_unbound_record > 0 {
            writeln!(
                out,
                "records are bound from id {} on: those before are from an older version",
                verified.last_unbound_record + 1
            )?;
        }
        if let Some(witnessed) = witnessed {
            writeln!(out, "{witnessed}")?;
        }
        let found = match verified.findings.len() {
            0 => "nothing was changed, taken away or put in".to_owned(),
            1 => "1 finding".to_owned(),
            many => format!("{many} findings"),
        };
        writeln!(out, "{found}")?;
        out.flush()?;
        if verified.findings.is_empty() {
            Ok(())
        } else {
            Err(Failure::AlreadyReported)
        }
    }
}

/// Asks the witness, and verifies what is kept of its answers. Returns what it says, as one line.
fn ask(mut witness: Witness, findings: &mut Vec<String>) -> Result<String, Failure> {
    let name = witness.name().to_owned();
    let failed = |error: Unwitnessed| Failure::of(format!("the witness {name}: {error}"));
    findings.extend(witness.verify_kept().map_err(failed)?);
    match witness.ask().map_err(failed)? {
        Witnessed::Cosigned(entries) => Ok(format!("{entries} entries cosigned by {name}")),
        Witnessed::NoCheckpoint => Ok(format!("nothing for {name} to cosign yet")),
        Witnessed::Finding(finding) => {
            findings.push(finding);
            Ok(format!("{name} does not cosign this log"))
        }
    }
}

impl Export {
    async fn run(self) -> Result<(), Failure> {
        let store = self.database.open_up_to_date()?;
        let key = trail_key::existing_key(&self.database)?;
        trail_key::sign_entries(&store, &self.database)?;
        let name = self.folder.display().to_string();
        fs::create_dir_all(&self.folder).map_err(|error| Failure::new_file(&self.folder, &error))?;
        let mut listed = fs::read_dir(&self.folder).map_err(|error| Failure::file("read", &name, &error))?;
        if listed.next().is_some() {
            return Err(Failure::of(format!("{name} is not empty: name a new folder")));
        }
        Operator::current()?
            .audit(&store, "trail export", None, Shown::default())
            .await?;
        let bar = Progress::new(Some(0), BAR, BAR_WITHOUT_TOTAL);
        let progress = |done, total| {
            bar.set_total(total);
            bar.set(done);
        };
        let size = store.trail().export(&key, &self.folder, progress)?;
        drop(bar);
        let mut out = io::stdout().lock();
        writeln!(out, "{name}: {size} entries; verify with {}", key.vkey())?;
        Ok(out.flush()?)
    }
}

impl Key {
    fn run(self) -> Result<(), Failure> {
        let vkey = match &self.new {
            None => trail_key::existing_key(&self.database)?.vkey(),
            Some(file) => {
                let made = match &self.name {
                    Some(name) => TrailKey::generate_named(name),
                    None => TrailKey::generate(),
                };
                let made = made.map_err(|error| Failure::of(format!("cannot make a key: {error}")))?;
                trail_key::write_new(file, &made).map_err(|error| Failure::new_file(file, &error))?;
                made.key.vkey()
            }
        };
        let mut out = io::stdout().lock();
        writeln!(out, "{vkey}")?;
        Ok(out.flush()?)
    }
}
