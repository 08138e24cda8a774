//! `serve` on the command line. The work is in `server.rs` of the crate.

/// The log levels. actix-http is silent, because it logs malformed requests as errors, and anybody could fill the log.
pub(super) const LOG_LEVELS: &str = "info,actix_http=off,actix_server=warn";

pub(super) const EXAMPLES: &str = "\
Examples:
  # Try it out: a key for this run, tokens, and curl lines to paste
  liveness-http serve --dev

  # With tokens signed with a secret that their issuer knows too
  export LIVENESS_JWT_SECRET=$(head -c 48 /dev/urandom | base64 -w0)
  liveness-http serve --bind 127.0.0.1:8081

Every setting is a flag and an environment variable. `liveness-http doctor` takes
the same settings, and checks them.";
