//! `access`: who may send which message, as the registry of the bus says.

use std::io::Write as _;

use clap::Args;
use liveness_bus::{Audit, Kind, Meta};
use serde_json::json;

use super::failure::Failure;
use super::output_format::OutputFormat;
use crate::host::bus_in_memory;

pub(super) const EXAMPLES: &str = "\
Examples:
  liveness-http access
  liveness-http access --format json";

/// How to print the access matrix.
#[derive(Args)]
pub(super) struct Access {
    /// For people, or for programs.
    #[arg(long, value_enum, default_value = "text")]
    format: OutputFormat,
}

impl Access {
    pub(super) fn run(self) -> Result<(), Failure> {
        let mut rows: Vec<_> = bus_in_memory()?.messages().iter().map(row).collect();
        let mut out = std::io::stdout().lock();
        match self.format {
            OutputFormat::Json => {
                let object = |[message, kind, who, trace]: &[String; 4]| json!({ "message": message, "kind": kind, "who": who, "trace": trace });
                let objects: Vec<_> = rows.iter().map(object).collect();
                serde_json::to_writer_pretty(&mut out, &objects).map_err(std::io::Error::from)?;
                writeln!(out)?;
            }
            OutputFormat::Text => {
                rows.insert(0, ["MESSAGE", "KIND", "WHO", "TRACE"].map(str::to_owned));
                let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
                let [first, second, third] = [width(0), width(1), width(2)];
                for [message, kind, who, trace] in &rows {
                    writeln!(out, "{message:first$}  {kind:second$}  {who:third$}  {trace}")?;
                }
            }
        }
        Ok(out.flush()?)
    }
}

fn row(meta: &Meta) -> [String; 4] {
    let kind = match meta.kind() {
        Kind::Command => "command",
        Kind::Query => "query",
    };
    let trace = match meta.audit() {
        Audit::WithRecord => "audit entry with the record",
        Audit::BeforeReply => "audit entry before the reply",
        Audit::LogOnly => "line in the log",
    };
    [
        meta.name().to_owned(),
        kind.to_owned(),
        meta.access().describe(),
        trace.to_owned(),
    ]
}
