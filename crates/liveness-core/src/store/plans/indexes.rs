//! The names of indexes: on SQLite, and on PostgreSQL.

pub(super) const OF_USER: &str = "liveness_checks_of_user";

pub(super) const PASSED: &str = "liveness_checks_passed";

pub(super) const STANDS: (&str, &str) = (
    "liveness_checks_standing (self_service_user_id=?)",
    "liveness_checks_standing",
);

pub(super) const BY_TIME: &str = "liveness_checks_by_time";

/// The keyed digests of images.
pub(super) const IMAGE_DIGEST: (&str, &str) = (
    "liveness_checks_image_digest (image_digest=?",
    "liveness_checks_image_digest",
);

pub(super) const FAILED: &str = "liveness_checks_failed";

pub(super) const FACELESS: &str = "liveness_checks_faceless";

pub(super) const PRE_REGISTERED: &str = "liveness_checks_by_pre_registration";

pub(super) const JUDGED: (&str, &str) = ("liveness_checks_judged (", "liveness_checks_judged");

pub(super) const UNDECIDED: (&str, &str) = ("liveness_checks_undecided (", "liveness_checks_undecided");

pub(super) const DECIDED: (&str, &str) = ("liveness_checks_decided (", "liveness_checks_decided");

/// Either of two indexes. The engine chooses.
pub(super) const OF_BOTH: (&str, &str) = ("USING INDEX liveness_checks_", "liveness_checks_");

pub(super) const TOTAL: (&str, &str) = ("sqlite_autoindex_liveness_check_totals_1", "liveness_check_totals_pkey");

pub(super) const SESSION: (&str, &str) = ("liveness_sessions USING PRIMARY KEY", "liveness_sessions_pkey");

pub(super) const CHECK: (&str, &str) = ("liveness_checks USING INTEGER PRIMARY KEY", "liveness_checks_pkey");

pub(super) const USER: (&str, &str) = ("liveness_users USING INTEGER PRIMARY KEY", "liveness_users_pkey");

pub(super) const USER_ID: (&str, &str) = (
    "sqlite_autoindex_liveness_users_1 (user_id=?)",
    "liveness_users_user_id_key",
);

pub(super) const ATTEMPTS: (&str, &str) = ("liveness_attempts USING PRIMARY KEY", "liveness_attempts_pkey");

pub(super) const ISSUED: (&str, &str) = (
    "liveness_issued_sessions USING PRIMARY KEY (self_service_user_id=?",
    "liveness_issued_sessions_pkey",
);

pub(super) const UNUSED: (&str, &str) = (
    "liveness_issued_sessions_unused (expires_at>? AND expires_at<?)",
    "liveness_issued_sessions_unused",
);

pub(super) const OPEN: (&str, &str) = (
    "liveness_issued_sessions_open (self_service_user_id=? AND expires_at>?)",
    "liveness_issued_sessions_open",
);

pub(super) const ENTRIES_OF_CHECK: (&str, &str) =
    ("liveness_audit_entries_of_check", "liveness_audit_entries_of_check");

/// An entry by its id: the one before which a page begins, and those that a record led to.
pub(super) const ENTRY: (&str, &str) = (
    "liveness_audit_entries USING INTEGER PRIMARY KEY",
    "liveness_audit_entries_pkey",
);

pub(super) const ENTRIES_OF_USER: (&str, &str) = (
    "liveness_audit_entries_of_user ((self_service_user_id,at)>(?,?) AND (self_service_user_id,at)<(?,?))",
    "liveness_audit_entries_of_user",
);

pub(super) const ENTRIES_OF_SENDER: (&str, &str) = (
    "liveness_audit_entries_by_others ((principal,at)>(?,?) AND (principal,at)<(?,?))",
    "liveness_audit_entries_by_others",
);

pub(super) const HOLD: (&str, &str) = ("liveness_legal_holds USING PRIMARY KEY", "liveness_legal_holds_pkey");

pub(super) const SUBSCRIPTION: (&str, &str) = (
    "liveness_event_subscriptions USING PRIMARY KEY",
    "liveness_event_subscriptions_pkey",
);
