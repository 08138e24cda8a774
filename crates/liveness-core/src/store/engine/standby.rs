//! Commits on PostgreSQL so that a cancelled wait for a synchronous standby is an error.
//!
//! PostgreSQL reports such a commit as a success, with a WARNING that neither libpq nor diesel hands on. The row is then on
//! the primary only, and a failover loses it.

/// A part of the message when the standbys did not confirm a commit.
pub(crate) const NOT_CONFIRMED: &str = "not confirmed by a synchronous standby";

/// COMMIT, and a function of a migration of ours that fails unless as many synchronous standbys have the commit as the
/// server asks for. Both are one message.
pub(crate) const COMMIT: &str = "COMMIT; SELECT liveness_confirm_commit()";
