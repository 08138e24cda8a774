//! `openapi`: the API as an OpenAPI 3.1 document.

use std::io::Write as _;

use clap::Args;

use super::failure::Failure;
use crate::host::host_document;

pub(super) const EXAMPLES: &str = "\
Examples:
  liveness-http openapi > openapi.json
  liveness-http openapi | npx openapi-typescript > schema.d.ts";

/// It has no options.
#[derive(Args)]
pub(super) struct OpenApi {}

impl OpenApi {
    pub(super) fn run(self) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{:#}", host_document()?)?;
        Ok(out.flush()?)
    }
}
