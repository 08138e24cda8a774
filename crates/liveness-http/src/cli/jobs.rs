//! `jobs`: lists durable jobs, and has those run again that were given up.

use std::io::{self, Write};

use clap::{Args, Subcommand};
use liveness_core::store::{Job, JobState, Store};
use serde_json::json;

use super::closing::close;
use super::failure::Failure;
use super::output_format::{OutputFormat, printable};
use crate::config::DatabaseConfig;
use crate::operator::Operator;
use crate::trail_key;

/// The name of the command in the audit trail.
const RETRY: &str = "jobs retry";
/// How many jobs are read or changed at a time.
const STEP: i64 = 200;

const LIST_EXAMPLES: &str = "\
Servers do some work by jobs, which are kept in the database: any node runs one that is
due. A job that failed again and again is given up, and is `dead` from then on. A job
that is done is not listed. With --format json, each job is a line.

Examples:
  liveness-http jobs list
  liveness-http jobs list --dead --format json";

const RETRY_EXAMPLES: &str = "\
Mend first what the last error says. A server then runs the job within a second, with
all its attempts.

Examples:
  liveness-http jobs retry 17
  liveness-http jobs retry --all";

#[derive(Subcommand)]
pub(super) enum Jobs {
    /// List the jobs that wait, run, or were given up.
    #[command(after_help = LIST_EXAMPLES)]
    List(List),

    /// Have a job run now that was given up.
    #[command(after_help = RETRY_EXAMPLES)]
    Retry(Retry),
}

/// Which jobs to list.
#[derive(Args)]
pub(super) struct List {
    /// List only those that were given up.
    #[arg(long)]
    dead: bool,

    /// For people, or one JSON object a line.
    #[arg(long, value_enum, default_value = "text")]
    format: OutputFormat,

    #[command(flatten)]
    database: DatabaseConfig,
}

/// Which jobs to have run again.
#[derive(Args)]
pub(super) struct Retry {
    /// The id of the job, as `jobs list` shows it.
    #[arg(required_unless_present = "all", conflicts_with = "all", value_parser = clap::value_parser!(i64).range(1..))]
    id: Option<i64>,

    /// All jobs that were given up.
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    database: DatabaseConfig,
}

impl Jobs {
    pub(super) async fn run(self) -> Result<(), Failure> {
        match self {
            Self::List(list) => list.run().await,
            Self::Retry(retry) => retry.run().await,
        }
    }
}

impl List {
    async fn run(self) -> Result<(), Failure> {
        let store = self.database.open_up_to_date()?;
        let mut out = io::stdout().lock();
        if matches!(self.format, OutputFormat::Text) {
            let [id, state, kind, attempts, run_at] = ["ID", "STATE", "KIND", "ATTEMPTS", "RUN AT"];
            writeln!(
                out,
                "{id:>6}  {state:7}  {kind:20}  {attempts:>8}  {run_at:24}  KEY  LAST ERROR"
            )?;
        }
        let mut after = 0;
        loop {
            let jobs = store.jobs().list(after, STEP).await?;
            let Some(last) = jobs.last() else { break };
            after = last.id;
            for job in jobs.iter().filter(|job| !self.dead || job.state == JobState::Dead) {
                self.write(&mut out, job)?;
            }
        }
        out.flush()?;
        close(&store);
        Ok(())
    }

    fn write(&self, out: &mut impl Write, job: &Job) -> io::Result<()> {
        match self.format {
            OutputFormat::Json => {
                let object = json!({
                    "id": job.id,
                    "state": job.state.name(),
                    "kind": job.kind,
                    "key": job.key,
                    "attempts": job.attempts,
                    "runAt": job.run_at.to_string(),
                    "createdAt": job.created_at.to_string(),
                    "lastError": job.last_error,
                });
                writeln!(out, "{object}")
            }
            OutputFormat::Text => {
                let (id, state, attempts) = (job.id, job.state.name(), job.attempts);
                let (kind, run_at) = (printable_or_dash(Some(&job.kind)), job.run_at.to_string());
                let (key, error) = (
                    printable_or_dash(job.key.as_deref()),
                    printable_or_dash(job.last_error.as_deref()),
                );
                writeln!(
                    out,
                    "{id:>6}  {state:7}  {kind:20}  {attempts:>8}  {run_at:24}  {key:3}  {error}"
                )
            }
        }
    }
}

/// The text, or `-` where there is none.
fn printable_or_dash(text: Option<&str>) -> String {
    match text {
        None | Some("") => "-".to_owned(),
        Some(text) => printable(text),
    }
}

impl Retry {
    async fn run(self) -> Result<(), Failure> {
        let store = self.database.open_up_to_date()?;
        trail_key::sign_entries(&store, &self.database)?;
        let operator = Operator::current()?;
        let which = match self.id {
            Some(id) => format!("job {id}"),
            None => "all that were given up".to_owned(),
        };
        operator.audit_step(&store, RETRY, which.clone(), None).await?;
        let many = match self.id {
            Some(id) => u64::from(store.jobs().retry(id).await?),
            None => retry_all(&store).await?,
        };
        operator
            .audit_step(&store, RETRY, format!("done; {which}"), Some(many))
            .await?;
        close(&store);
        let mut out = io::stdout().lock();
        match (self.id, many) {
            (Some(id), 0) => {
                return Err(Failure::of(format!(
                    "job {id} was not given up, or is not there; `jobs list --dead` shows those that were"
                )));
            }
            (Some(id), _) => writeln!(out, "job {id} runs now, with all its attempts")?,
            (None, many) => writeln!(out, "{many} jobs run now, with all their attempts")?,
        }
        Ok(out.flush()?)
    }
}

/// Has all jobs run again that were given up, and returns how many these were.
async fn retry_all(store: &Store) -> Result<u64, Failure> {
    let mut many = 0;
    loop {
        let some = store.jobs().retry_some(STEP).await?;
        if some == 0 {
            return Ok(many);
        }
        many += some;
    }
}
