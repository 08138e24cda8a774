//! `policy try`: what another policy would make of the records that are there.

use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::Args;
use liveness_core::policy::Policy;
use liveness_core::store::{CheckFilter, PageRequest, Rejudged, Store};
use liveness_core::verdict::VerdictOutcome;

use crate::cli::closing::close;
use crate::cli::failure::Failure;
use crate::cli::interrupt::unless_interrupted;
use crate::cli::progress::Progress;
use crate::config::DatabaseConfig;
use crate::policy_source::{PolicyConfig, PolicySource};

pub(super) const EXAMPLES: &str = "\
Each record whose verdict would change is a line: its id, the verdict that it has, the
verdict that it would have, and the rules that would speak. The last lines say how many
records would change from what to what. Records from before records were judged have no
verdict: none.

A rule about what is not stored, such as whether an image decodes, says what it said
when the record was judged.

Examples:
  liveness-http policy try enforce --summary
  liveness-http policy try policy.toml > changes.tsv";

/// How many records are read at once.
const STEP: i64 = 2000;

/// Which policy, and which records.
#[derive(Args)]
pub(super) struct Trial {
    /// The policy: record, enforce, or a TOML file.
    #[arg(value_name = "FILE")]
    policy: PolicySource,

    /// Only say how many would change.
    #[arg(long)]
    summary: bool,

    #[command(flatten)]
    database: DatabaseConfig,
}

impl Trial {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let config = PolicyConfig { policy: self.policy };
        let policy = config.load()?;
        let store = self.database.open_up_to_date()?;
        let mut changes = Changes::default();
        let ended = unless_interrupted(changes.find(&store, policy, self.summary)).await?;
        close(&store);
        match ended {
            None => Err(Failure::Interrupted(format!(
                "interrupted: {} records were judged, and there are more",
                changes.judged
            ))),
            Some(found) => {
                found?;
                changes.print()
            }
        }
    }
}

/// What would change.
#[derive(Default)]
struct Changes {
    judged: u64,
    /// How many records would change from one verdict to another.
    by_verdict: BTreeMap<(Option<VerdictOutcome>, VerdictOutcome), u64>,
}

impl Changes {
    async fn find(&mut self, store: &Store, policy: Policy, is_quiet: bool) -> Result<(), Failure> {
        let all = store
            .checks()
            .page(CheckFilter::default(), PageRequest { number: 1, size: 1 });
        let total = u64::try_from(all.await?.total).ok();
        let progress = Progress::new(
            total,
            "{bar:40} {human_pos} of {human_len} records, {eta} left",
            "{spinner} {human_pos} records",
        );
        let mut rejudging = store.checks().rejudging(policy);
        loop {
            let judged = rejudging.next(STEP).await?;
            if judged.is_empty() {
                return Ok(());
            }
            self.judged += judged.len() as u64;
            for one in judged.iter().filter(|one| one.was != Some(one.would_be.outcome)) {
                *self.by_verdict.entry((one.was, one.would_be.outcome)).or_default() += 1;
                if !is_quiet {
                    progress.print(&line(one))?;
                }
            }
            progress.set(self.judged);
        }
    }

    fn print(&self) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        for ((was, would_be), records) in &self.by_verdict {
            writeln!(out, "{} -> {}: {records} records", word(*was), would_be.as_str())?;
        }
        let changed: u64 = self.by_verdict.values().sum();
        writeln!(out, "{changed} of {} records would change", self.judged)?;
        Ok(out.flush()?)
    }
}

fn line(one: &Rejudged) -> String {
    let codes: Vec<_> = one.would_be.reasons.iter().map(|reason| reason.code.as_ref()).collect();
    let would_be = one.would_be.outcome.as_str();
    format!("{}\t{}\t{would_be}\t{}", one.id, word(one.was), codes.join(" "))
}

fn word(outcome: Option<VerdictOutcome>) -> &'static str {
    outcome.map_or("none", VerdictOutcome::as_str)
}
