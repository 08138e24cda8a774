//! `checks export`: writes the records to a file. They are audited before they leave the database, and memory stays constant.

mod exporter;
mod filter_words;
mod output;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum as _};
use liveness_core::store::{CheckFilter, PageRequest, Store};
use liveness_core::{SessionId, Shown, Timestamp};

use self::exporter::Exporter;
use self::filter_words::{DecisionWord, VerdictWord};
use self::output::{Form, Format, Output};
use super::closing::close;
use super::failure::Failure;
use super::interrupt::unless_interrupted;
use super::progress::Progress;
use super::reason::reason;
use super::sealed_store;
use crate::config::DatabaseConfig;
use crate::face_keys::FaceConfig;
use crate::operator::Operator;
use crate::trail_key;

const EXAMPLES: &str = "\
Records come oldest first, with the fields of RetrieveLivenessChecksQuery: a line
of JSON each, or CSV with a header. Every record that was acknowledged before the
export began is in it.

An export is audited before its first byte is written, with its filters. The ids of
the records are in audit entries of their own, before the records are written. With
--faces there is also an audit entry for each face and its user, with the digest of
the face, before the face is written. Faces need a --reason, which is in all of these
entries.

In CSV every cell is quoted. What a spreadsheet would take for a formula, at the
start of a cell or behind one of , ; | tab, is given an apostrophe. With --bom, Excel
shows names in any script.

The file is new, and only its owner may read it; an existing file is not overwritten.
An export that fails in the middle says how many records it had written, and keeps
the incomplete file.

Examples:
  liveness-http checks export > checks.ndjson
  liveness-http checks export --user 1234 --faces --reason 'Ticket 4711' \\
      --output user-1234.ndjson
  liveness-http checks export --format csv --bom --output march.csv \\
      --from 2026-03-01T00:00:00Z --before 2026-04-01T00:00:00Z \\
      --is-successful false --has-image true
  liveness-http checks export | head -n 3";

/// The name of the command in the audit trail.
const COMMAND: &str = "checks export";
#[derive(Subcommand)]
pub(super) enum Checks {
    /// Write the records to a file, or to standard output.
    #[command(after_help = EXAMPLES)]
    Export(Export),
}

/// Which records, and where to.
#[derive(Args)]
pub(super) struct Export {
    /// A line of JSON for each record, or CSV.
    #[arg(long, value_enum, default_value = "ndjson")]
    format: Format,

    /// Begin CSV with a byte order mark, so that Excel reads it as UTF-8.
    #[arg(long)]
    bom: bool,

    /// The file to make, or - for standard output.
    #[arg(long, short, default_value = "-", value_name = "FILE")]
    output: PathBuf,

    /// Only records of this user, by id.
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(i64).range(1..))]
    user: Option<i64>,

    /// Only records of users of this pre-registration.
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(i64).range(1..))]
    pre_registration: Option<i64>,

    /// Only records of this session of the SDK.
    #[arg(long, value_name = "SESSION", value_parser = session)]
    session: Option<String>,

    /// Only records made then or later, such as 2026-03-22T14:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<Timestamp>,

    /// Only records made earlier.
    #[arg(long, visible_alias = "to", value_name = "TIME", value_parser = time)]
    before: Option<Timestamp>,

    /// Only records of runs that succeeded, by the SDK's word, or of those that did not.
    #[arg(long, value_name = "true|false")]
    is_successful: Option<bool>,

    /// Only records with a face, or those without one.
    #[arg(long, value_name = "true|false")]
    has_image: Option<bool>,

    /// Only records with this verdict.
    #[arg(long, value_enum, value_name = "VERDICT")]
    verdict: Option<VerdictWord>,

    /// Only records on which people decided this; none for those that are undecided.
    #[arg(long, value_enum, value_name = "DECISION")]
    decision: Option<DecisionWord>,

    /// The faces too, as data URIs. Each is audited, with the reason.
    #[arg(long, requires = "reason")]
    faces: bool,

    /// Why the records are exported, for the audit trail: 1 to 1,000 characters.
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: Option<String>,

    #[command(flatten)]
    face_keys: FaceConfig,

    #[command(flatten)]
    database: DatabaseConfig,
}

fn session(text: &str) -> Result<String, String> {
    let session = SessionId::parse(text).map_err(|violation| violation.message().to_owned())?;
    Ok(session.as_str().to_owned())
}

fn time(text: &str) -> Result<Timestamp, String> {
    text.parse()
        .map_err(|violation: liveness_core::Violation| violation.message().to_owned())
}

impl Checks {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let Self::Export(export) = self;
        export.run().await
    }
}

impl Export {
    fn form_in_words(&self) -> String {
        let format = self.format.to_possible_value();
        let format = format.as_ref().map_or("", |format| format.get_name());
        let faces = if self.faces { ", with faces" } else { "" };
        format!("{format}{faces}")
    }

    async fn run(self) -> Result<(), Failure> {
        if self.bom && self.format != Format::Csv {
            return Err(Failure::Usage("--bom is for --format csv only".to_owned()));
        }
        if self.from.zip(self.before).is_some_and(|(from, before)| from > before) {
            return Err(Failure::of("--before must not be before --from"));
        }
        let store = if self.faces {
            sealed_store::open(&self.database, &self.face_keys)?
        } else {
            self.database.open_up_to_date()?
        };
        trail_key::sign_entries(&store, &self.database)?;
        let operator = Operator::current()?;
        let filter = CheckFilter {
            pre_registration_id: self.pre_registration,
            self_service_user_id: self.user,
            session_id: self.session.clone(),
            from: self.from,
            to: self.before,
            is_successful: self.is_successful,
            has_image: self.has_image,
            verdict: self.verdict.map(Into::into),
            decision: self.decision.map(Into::into),
        };
        let total = known_total(&store, &filter).await?;
        // The audit entry comes before the file. An export that cannot be audited does not begin.
        let begun = Shown {
            filter: filter.named(),
            purpose: self.reason.clone(),
            detail: Some(self.form_in_words()),
            ..Shown::default()
        };
        operator.audit(&store, COMMAND, self.user, begun).await?;
        let form = Form {
            format: self.format,
            bom: self.bom,
            with_faces: self.faces,
        };
        let mut exporter = Exporter {
            operator,
            store,
            user: self.user,
            with_faces: self.faces,
            reason: self.reason,
            progress: Progress::new(
                total,
                "{bar:40} {human_pos} of {human_len} records, {eta} left",
                "{spinner} {human_pos} records",
            ),
            output: Some(Output::create(&self.output, form)?),
            written: 0,
        };
        let ended = unless_interrupted(exporter.export_all(filter)).await?;
        close(&exporter.store);
        let done = format!("{} records were written", exporter.written);
        match ended {
            None => Err(Failure::Interrupted(format!(
                "interrupted: {done}, and more were asked for"
            ))),
            Some(Err(failure)) => Err(failure.after(&format!("{done}, and more were asked for"))),
            Some(Ok(())) => Ok(()),
        }
    }
}

/// How many records there are, where that is known without counting.
async fn known_total(store: &Store, filter: &CheckFilter) -> Result<Option<u64>, Failure> {
    if filter.from.is_some() || filter.to.is_some() {
        return Ok(None);
    }
    let page = store.checks().page(filter.clone(), PageRequest { number: 1, size: 1 });
    Ok(u64::try_from(page.await?.total).ok())
}
