//! What is asked of the audit trail and its log.

use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::store::plans::Case;
use crate::store::plans::indexes::{ENTRIES_OF_CHECK, ENTRIES_OF_SENDER, ENTRIES_OF_USER, ENTRY};
use crate::store::tables::look_limit::{self, LimitedLook, LookLimit};
use crate::store::tables::trail::bound::ToldList;
use crate::store::tables::trail::filter::{TrailFilter, TrailPageRequest};
use crate::store::tables::trail::{entries, find as trail, log, looks, rows as log_rows, verified_lists};
use crate::store::tables::watching::tail;
use crate::{AuditEntry, AuditSubject, Timestamp};

pub(super) const CASES: &[Case] = &[
    // SQLite scans the table in its own order and stops at the limit.
    (
        "the newest audit entries",
        |conn| entries::newest(conn, 10).map(drop),
        &[(
            "SCAN liveness_audit_entries",
            "Backward using liveness_audit_entries_pkey",
        )],
    ),
    (
        "entries between two times",
        |conn| entries_of(conn, TrailFilter::default()),
        &[
            ENTRY,
            (
                "liveness_audit_entries_by_time (at>? AND at<?)",
                "liveness_audit_entries_by_time",
            ),
        ],
    ),
    (
        "entries of a user",
        |conn| entries_of(conn, of_a_user()),
        &[ENTRY, ENTRIES_OF_USER],
    ),
    (
        "entries of a user by sender and message",
        |conn| {
            entries_of(
                conn,
                TrailFilter {
                    principal: Some("p".into()),
                    message: Some("m".into()),
                    ..of_a_user()
                },
            )
        },
        &[ENTRY, ENTRIES_OF_USER],
    ),
    (
        "entries of a sender",
        |conn| entries_of(conn, of_a_sender()),
        &[ENTRY, ENTRIES_OF_SENDER],
    ),
    (
        "entries of a sender who may be a user",
        |conn| {
            entries_of(
                conn,
                TrailFilter {
                    principal: Some("1".into()),
                    ..TrailFilter::default()
                },
            )
        },
        &[ENTRY, ENTRIES_OF_USER, ENTRIES_OF_SENDER],
    ),
    (
        "entries of a sender by message",
        |conn| {
            entries_of(
                conn,
                TrailFilter {
                    message: Some("m".into()),
                    ..of_a_sender()
                },
            )
        },
        &[ENTRY, ENTRIES_OF_SENDER],
    ),
    (
        "entries of a message",
        |conn| {
            entries_of(
                conn,
                TrailFilter {
                    message: Some("m".into()),
                    ..TrailFilter::default()
                },
            )
        },
        &[
            ENTRY,
            (
                "liveness_audit_entries_of_message ((message,at)>(?,?) AND (message,at)<(?,?))",
                "liveness_audit_entries_of_message",
            ),
        ],
    ),
    (
        "entries that tell of a record",
        |conn| {
            entries_of(
                conn,
                TrailFilter {
                    liveness_check_id: Some(1),
                    principal: Some("p".into()),
                    message: Some("m".into()),
                    ..of_a_user()
                },
            )
        },
        &[
            ENTRY,
            (
                "liveness_audit_entries_of_check (liveness_check_id=?)",
                "liveness_audit_entries_of_check",
            ),
            (
                "liveness_audit_lists USING PRIMARY KEY (bucket=?)",
                "liveness_audit_lists_pkey",
            ),
            (
                "liveness_audit_entries_written (writer=? AND writer_count=?)",
                "liveness_audit_entries_written",
            ),
        ],
    ),
    (
        "the rows that lead to a list, to verify them",
        |conn| {
            let list = ToldList {
                leaf: 1,
                id: 1,
                writer: vec![1],
                count: 100,
                buckets: vec![1],
            };
            verified_lists::rows(conn, &[1], &[&list]).map(drop)
        },
        &[(
            "liveness_audit_lists USING PRIMARY KEY (bucket=? AND writer=? AND writer_count>? AND writer_count<?)",
            "liveness_audit_lists_pkey",
        )],
    ),
    (
        "looks at faces",
        |conn| looks::of(conn, 1, &[1, 2], &["m"]).map(drop),
        &[(
            "liveness_audit_entries_of_check (liveness_check_id=?)",
            "liveness_audit_entries_of_check",
        )],
    ),
    (
        "how many faces a principal has looked at",
        |conn| look_limit::newest(conn, &a_look()).map(drop),
        &[(
            "liveness_audit_entries_of_looks (principal=? AND at>?)",
            "liveness_audit_entries_of_looks",
        )],
    ),
    (
        "the entries that bind a record",
        |conn| log_rows::binding(conn, 1).map(drop),
        &[ENTRIES_OF_CHECK],
    ),
    (
        "the entry at a place",
        |conn| log_rows::at_place(conn, b"w", 1).map(drop),
        &[("liveness_audit_entries_written", "liveness_audit_entries_written")],
    ),
    (
        "the new entries of a writer",
        |conn| log_rows::new_entries(conn, b"w", 1, 9).map(drop),
        &[(
            "liveness_audit_entries_written (writer=? AND writer_count>?)",
            "liveness_audit_entries_written",
        )],
    ),
    (
        "the newest entry",
        |conn| tail::newest_id(conn).map(drop),
        &[("liveness_audit_entries", "liveness_audit_entries_pkey")],
    ),
    (
        "what others have written",
        |conn| tail::look(conn, 10_000, &[]).map(drop),
        &[(
            "liveness_audit_entries USING INTEGER PRIMARY KEY (rowid>?)",
            "liveness_audit_entries_pkey",
        )],
    ),
    (
        "what others have committed late",
        |conn| tail::look(conn, 10_000, &[9_998, 9_999]).map(drop),
        &[(
            "liveness_audit_entries USING INTEGER PRIMARY KEY (rowid",
            "liveness_audit_entries_pkey",
        )],
    ),
    (
        "the run of an entry",
        |conn| log::run_of(conn, b"w", 1).map(drop),
        &[(
            "liveness_trail_runs_of_writer (writer=? AND first_count<?)",
            "liveness_trail_runs_of_writer",
        )],
    ),
    (
        "the writers whose entries are looked for",
        |conn| log::open_writers(conn).map(drop),
        &[("liveness_trail_writers_open", "liveness_trail_writers_open")],
    ),
];

fn of_a_user() -> TrailFilter {
    TrailFilter {
        self_service_user_id: Some(1),
        ..TrailFilter::default()
    }
}

fn of_a_sender() -> TrailFilter {
    TrailFilter {
        principal: Some("p".into()),
        ..TrailFilter::default()
    }
}

/// Reads a page in the middle of the entries that match, from behind the entry 1.
fn entries_of(conn: &mut Connection<'_>, filter: TrailFilter) -> Result<(), StoreError> {
    conn.execute(AN_ENTRY)?;
    let filter = TrailFilter {
        from: Timestamp::from_unix_millis(1),
        to: Timestamp::from_unix_millis(19_000),
        ..filter
    };
    let page = TrailPageRequest {
        before: Some(1),
        skip: 1,
        size: 20,
    };
    let found = trail::search(conn, &filter, page)?;
    assert!(found.is_some(), "there is an entry 1");
    Ok(())
}

fn a_look() -> LimitedLook {
    let entry = AuditEntry {
        at: Timestamp::from_unix_millis(19_000).unwrap(),
        request_id: String::new(),
        principal: "p".into(),
        issuer: Some("i".into()),
        actor: None,
        roles: String::new(),
        self_service_user_id: None,
        message: "m".into(),
        outcome: "00".into(),
        client_address: None,
        subject: AuditSubject::default(),
    };
    let limit = LookLimit {
        faces_a_day: 500,
        messages: &["m", "n"],
    };
    LimitedLook::new(entry, limit)
}

/// Adds an entry, unless it is there.
const AN_ENTRY: &str = "INSERT INTO liveness_audit_entries (id, at, request_id, principal, roles, message, outcome) \
    VALUES (1, 1, '', '', '', '', '') ON CONFLICT DO NOTHING";
