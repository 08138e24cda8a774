//! How long the store waits for a database.

use std::time::Duration;

/// How long a call waits for the database.
pub(crate) const WAIT: Duration = Duration::from_secs(5);
/// How long the first call waits for a database that has gone away. Later calls fail at once until it is back. The pool
/// tries to connect again at the same interval.
pub(crate) const RETRY: Duration = Duration::from_secs(1);
