//! One role owns the tables and migrates, and another serves: docs/operations.md, Two roles.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use crate::cluster::Cluster;
use crate::node::{Node, SECRET, admin, customer, officer, until};
use crate::trail_key_file::trail_key_file;

/// A database whose tables belong to `liveness_owner`.
fn owned_database(cluster: &Cluster) {
    for sql in [
        "CREATE ROLE liveness_owner LOGIN",
        "CREATE ROLE liveness LOGIN",
        "CREATE DATABASE liveness OWNER liveness_owner",
    ] {
        cluster.psql("postgres", sql);
    }
}

fn grant(cluster: &Cluster, more: &[&str]) {
    let grants = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/grants.sql");
    let granted = Command::new(crate::cluster::bin("psql"))
        .args(["-q", "-v", "ON_ERROR_STOP=1", "-v", "role=liveness"])
        .args(more)
        .arg("-f")
        .arg(grants)
        .arg(url_of("liveness_owner", cluster))
        .output()
        .unwrap();
    assert!(granted.status.success(), "{granted:?}");
}

fn url_of(role: &str, cluster: &Cluster) -> String {
    cluster.url("liveness").replace("postgres@", &format!("{role}@"))
}

fn liveness(arguments: &[&str], role: &str, cluster: &Cluster) -> Output {
    Command::new(env!("CARGO_BIN_EXE_liveness-http"))
        .args(arguments)
        .env_clear()
        .env("LIVENESS_JWT_SECRET", SECRET)
        .env("LIVENESS_BIND", "127.0.0.1:0")
        .env("LIVENESS_DATABASE_URL", url_of(role, cluster))
        .env("LIVENESS_TRAIL_KEY_FILE", trail_key_file())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_role_that_serves_erases_only_where_that_was_granted() {
    let cluster = Cluster::start();
    owned_database(&cluster);
    let migrated = liveness(&["migrate"], "liveness_owner", &cluster);
    assert!(migrated.status.success(), "{}", text(&migrated.stderr));
    let (of_check, of_user) = (
        json!({ "id": 1, "reason": "asked for" }),
        json!({ "userId": 1, "reason": "asked for" }),
    );
    let messages = [
        ("PlaceLegalHoldCommand", &of_user, [200, 200]),
        ("LiftLegalHoldCommand", &of_user, [200, 200]),
        ("EraseFaceCommand", &of_check, [500, 200]),
        ("EraseUserCommand", &of_user, [500, 200]),
    ];
    for (place, more) in [&[][..], &["-v", "erasures=yes"]].into_iter().enumerate() {
        grant(&cluster, more);
        let node = Node::start_with(&url_of("liveness", &cluster), &[("LIVENESS_NO_MIGRATE", "true")]);
        node.wait_until_ready();
        if place == 0 {
            let image =
                "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
            let submitted = json!({ "sessionId": "a", "isSuccessful": true, "imageBase64": image });
            let recorded = node.send("SubmitLivenessCheckCommand", &customer(1), None, &submitted);
            assert_eq!(recorded.unwrap().status, 200);
        }
        for (message, body, expected) in &messages {
            let answer = node.send(message, &officer(), None, body).unwrap();
            assert_eq!(answer.status, expected[place], "{message}: {answer:?} {}", node.log());
        }
        let doctor = text(&liveness(&["doctor"], "liveness", &cluster).stdout);
        let told = "liveness_checks: UPDATE";
        assert_eq!(doctor.contains(told), place == 1, "{doctor}");
    }
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_role_that_serves_can_neither_change_nor_delete_what_was_recorded() {
    let cluster = Cluster::start();
    owned_database(&cluster);
    let migrated = liveness(&["migrate"], "liveness_owner", &cluster);
    assert!(migrated.status.success(), "{}", text(&migrated.stderr));
    grant(&cluster, &[]);

    let size_signed = || cluster.psql("liveness", "SELECT max(size) FROM liveness_trail_checkpoints");
    // With nothing to migrate, the setting makes no difference.
    for is_set in ["true", "false"] {
        let before: u64 = size_signed().parse().unwrap_or_default();
        let mut node = Node::start_with(&url_of("liveness", &cluster), &[("LIVENESS_NO_MIGRATE", is_set)]);
        node.wait_until_ready();
        let image = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
        let submitted = json!({ "sessionId": is_set, "isSuccessful": true, "imageBase64": image });
        let updated = json!({ "sessionId": is_set, "isSuccessful": false });
        let of_user = json!({ "selfServiceUserId": 1 });
        let of_check = json!({ "id": 1 });
        for (message, token, body) in [
            ("SubmitLivenessCheckCommand", customer(1), &submitted),
            ("UpdateLivenessCheckCommand", customer(1), &updated),
            ("CheckLivenessStatusQuery", customer(1), &json!({})),
            ("GetUserLivenessCheckQuery", admin(), &of_user),
            ("RetrieveLivenessChecksQuery", admin(), &json!({})),
            ("GetLivenessCheckQuery", admin(), &of_check),
        ] {
            let answer = node.send(message, &token, Some(is_set), body).unwrap();
            assert_ne!(answer.status, 500, "{message}: {answer:?} {}", node.log());
            assert_ne!(answer.status, 503, "{message}: {answer:?} {}", node.log());
        }
        // The integrator signs what is new at the latest when the node ends.
        assert_eq!(node.terminate(), Some(0), "{}", node.log());
        let signed: u64 = size_signed().parse().unwrap();
        assert!(signed > before, "{signed} {before}");
        assert!(!node.log().contains("permission denied"), "{}", node.log());
    }

    for table in ["liveness_audit_entries", "liveness_checks", "liveness_images"] {
        for statement in [
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
            format!("UPDATE {table} SET self_service_user_id = 2"),
            format!("ALTER TABLE {table} ADD COLUMN more TEXT"),
            format!("DROP TABLE {table}"),
        ] {
            assert_denied(&cluster, &statement);
        }
    }
    assert_denied(&cluster, "CREATE TABLE more (id INTEGER)");
    assert_denied(
        &cluster,
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('1')",
    );

    let (own, owner) = (
        liveness(&["doctor"], "liveness", &cluster),
        liveness(&["doctor"], "liveness_owner", &cluster),
    );
    assert!(
        !text(&own.stdout).contains("may change or delete"),
        "{}",
        text(&own.stdout)
    );
    let told =
        "the server's role may change or delete what was recorded (liveness_audit_entries: DELETE, TRUNCATE, UPDATE";
    assert!(text(&owner.stdout).contains(told), "{}", text(&owner.stdout));

    cluster.set("synchronous_standby_names", "nobody");
    assert!(until(
        || cluster.psql("postgres", "SHOW synchronous_standby_names") == "nobody"
    ));
    for (role, is_told) in [("liveness", true), ("postgres", false)] {
        let doctor = text(&liveness(&["doctor"], role, &cluster).stdout);
        assert_eq!(
            doctor.contains("GRANT pg_read_all_stats to the role"),
            is_told,
            "{doctor}"
        );
    }
}

fn assert_denied(cluster: &Cluster, statement: &str) {
    let tried = Command::new(crate::cluster::bin("psql"))
        .args(["-q", "-c", statement])
        .arg(url_of("liveness", cluster))
        .output()
        .unwrap();
    let said = text(&tried.stderr);
    assert!(
        said.contains("permission denied") || said.contains("must be owner"),
        "{statement}: {said}"
    );
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_host_that_must_not_migrate_refuses_a_schema_that_is_not_up_to_date() {
    let cluster = Cluster::start();
    owned_database(&cluster);

    let refused = liveness(&["serve", "--no-migrate"], "liveness", &cluster);

    let said = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    let last = said.lines().last().unwrap_or_default();
    assert!(
        last.contains(
            "the database's schema is not up to date: it lacks 2026-11-23-000000_liveness; run `migrate` first"
        ),
        "{said}"
    );
    assert_eq!(
        cluster.psql(
            "liveness",
            "SELECT count(*) FROM pg_class WHERE relname LIKE 'liveness%'"
        ),
        "0"
    );
}
