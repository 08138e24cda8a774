//! SQL in the documents does what they say.

use serde_json::json;

use super::blocks;
use super::commands::{chapter, with_records};
use crate::cluster::Cluster;
use crate::engine::{Engine, on_each_engine};
use crate::faults::execute;
use crate::server::{admin, command};

fn sql_below(heading: &str) -> Vec<String> {
    let text = blocks::read("docs/operations.md");
    let blocks = blocks::of(chapter(&text, heading), "sql");
    blocks.into_iter().map(ToOwned::to_owned).collect()
}

fn totals_that_somebody_spoiled_are_put_right(engine: Engine) {
    let server = with_records(engine);
    let repair = sql_below("## Costs that stay flat").concat();
    let spoil =
        "UPDATE liveness_check_totals SET checks = 40; UPDATE liveness_sessions SET created_at = 0, newest_at = 0;";

    let script = format!("{spoil} {repair}");
    execute(server.database(), &script, &script);

    let server = server.restart();
    let totals = [
        json!({}),
        json!({ "selfServiceUserId": 2 }),
        json!({ "sessionId": "session-3" }),
    ]
    .map(|filter| server.send("RetrieveLivenessChecksQuery", &admin(), &filter).data()["TotalCount"].clone());
    assert_eq!(totals, [json!(3), json!(1), json!(1)]);
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn the_roles_that_operators_make_may_make_the_tables() {
    for (statements, role) in sql_below("## PostgreSQL").iter().zip(["liveness", "liveness_owner"]) {
        let cluster = Cluster::start();
        for statement in statements.lines() {
            cluster.psql("postgres", statement);
        }

        let url = format!("postgres://{role}@127.0.0.1:{}/liveness", cluster.port());
        let migrated = command(&["migrate", "--database-url", &url]).output().unwrap();

        assert!(migrated.status.success(), "{migrated:?}");
    }
}

on_each_engine! {
    totals_that_somebody_spoiled_are_put_right,
}
