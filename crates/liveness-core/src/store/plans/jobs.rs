//! What is asked of jobs.

use crate::jobs::JobKind;
use crate::store::plans::Case;
use crate::store::tables::jobs::{adding, leases, operating};

pub(super) const CASES: &[Case] = &[
    (
        "when a job is due next by its own time",
        |conn| leases::next_due(conn, KIND).map(drop),
        &[("liveness_jobs_takeable (kind=?)", "liveness_jobs_takeable")],
    ),
    (
        "a job that is due",
        // None is due before 0.
        |conn| leases::take(conn, KIND, [0; 16], -1, 1).map(drop),
        &[(
            "liveness_jobs_takeable (kind=? AND takeable_at<?)",
            "liveness_jobs_takeable",
        )],
    ),
    (
        "when a job is due next",
        |conn| leases::next(conn, KIND).map(drop),
        &[("liveness_jobs_takeable (kind=?)", "liveness_jobs_takeable")],
    ),
    (
        "how many jobs there are",
        |conn| operating::count(conn, &[KIND], 0).map(drop),
        &[
            ("liveness_jobs_takeable (kind=?)", "liveness_jobs_takeable"),
            ("liveness_jobs_dead (kind=?)", "liveness_jobs_dead"),
        ],
    ),
    (
        "a page of jobs",
        |conn| operating::list(conn, 10_000, 100, 0).map(drop),
        &[("liveness_jobs USING INTEGER PRIMARY KEY", "liveness_jobs_pkey")],
    ),
    (
        "jobs that were given up",
        |conn| operating::dead(conn, 100).map(drop),
        &[("liveness_jobs_dead", "liveness_jobs_dead")],
    ),
    (
        "jobs of a key that were given up",
        |conn| leases::delete_dead(conn, "7", "none"),
        &[("liveness_jobs_dead (kind=?)", "liveness_jobs_dead")],
    ),
    (
        "a periodic job that ends",
        |conn| adding::end_periodic(conn, KIND),
        &[("liveness_jobs_of_key (kind=? AND key=?)", "liveness_jobs_of_key")],
    ),
    (
        "the job of a key",
        |conn| operating::of_key(conn, "7", "7").map(drop),
        &[("liveness_jobs_of_key (kind=? AND key=?)", "liveness_jobs_of_key")],
    ),
];

const KIND: JobKind = JobKind::new("7");
