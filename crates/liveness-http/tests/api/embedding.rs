//! The example of a bank that mounts the liveness check, tried as its callers would.

use diesel::prelude::*;
use liveness_core::store::{SqlitePool, Store};
use serde_json::{Value, json};

use crate::in_process::serve;
use crate::server::{Answer, SECRET, admin, customer, post, report, token};

#[path = "../../examples/embedding.rs"]
mod example;

/// The bank on a port of its own, with one customer, until the test ends.
fn with_bank(test: impl FnOnce(&str, &SqlitePool)) {
    let folder = tempfile::tempdir().unwrap();
    let pool = example::open_bank(&folder.path().join("bank.db")).unwrap();
    let jane = "INSERT INTO customers (id, login, name) VALUES (7, 'jane', 'Jane Doe')";
    diesel::sql_query(jane).execute(&mut pool.get().unwrap()).unwrap();
    let (liveness, events) = example::mount_liveness(&pool, SECRET.as_bytes()).unwrap();
    let address = serve(move |app| example::configure(app, &liveness));
    test(&address, &pool);
    events.stop(std::time::Duration::from_secs(30));
}

#[derive(Debug, QueryableByName)]
struct Process {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    customer_id: i64,
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

/// The processes that the bank has started, once there are so many.
fn processes(pool: &SqlitePool, how_many: usize) -> Vec<(i64, String)> {
    loop {
        let conn = &mut pool.get().unwrap();
        let all: Vec<Process> = diesel::sql_query("SELECT customer_id, name FROM processes ORDER BY rowid")
            .load(conn)
            .unwrap();
        if all.len() >= how_many {
            return all
                .into_iter()
                .map(|process| (process.customer_id, process.name))
                .collect();
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// Prints what is sent and answered: `cargo test -p liveness-http --test api a_process_starts -- --nocapture`
#[test]
#[expect(clippy::print_stdout, reason = "a transcript of what happened when")]
fn a_process_starts_when_a_customer_passes_and_when_a_card_is_frozen() {
    with_bank(|address, pool| {
        let tell = |message: &str, body: Value| {
            let answer = send(address, message, &customer(7), &body);
            println!("customer 7 sends {message} {body}");
            println!("the bank answers {}", answer.json);
            assert_eq!(answer.codes(), (200, "00"));
        };
        tell("UpdateLivenessCheckCommand", report("s-1", false));
        tell("SubmitLivenessCheckCommand", report("s-2", true));
        assert_eq!(processes(pool, 1), [(7, "open an account".to_owned())]);
        tell("SubmitLivenessCheckCommand", report("s-3", true));
        tell("FreezeCardCommand", json!({ "reason": "lost" }));
        let expected = [(7, "open an account".to_owned()), (7, "print a new card".to_owned())];
        assert_eq!(processes(pool, 2), expected);
    });
}

fn send(address: &str, message: &str, token: &str, body: &Value) -> Answer {
    post(
        address,
        message,
        &[("Authorization", &format!("Bearer {token}"))],
        body.to_string().as_bytes(),
    )
}

#[test]
fn the_banks_own_route_goes_on() {
    with_bank(|address, _| {
        let branches = ureq::get(format!("http://{address}/branches"))
            .call()
            .unwrap()
            .body_mut()
            .read_to_string();
        assert_eq!(branches.unwrap(), r#"["Lagos","Abuja"]"#);
    });
}

#[test]
fn the_banks_customers_are_the_users() {
    with_bank(|address, _| {
        let by_login = token(&json!({ "sub": "jane", "role": "customer" }));
        let by_nobody = token(&json!({ "sub": "8", "role": "customer" }));

        let recorded = send(address, "SubmitLivenessCheckCommand", &by_login, &report("s-1", true));
        let refused = send(address, "SubmitLivenessCheckCommand", &by_nobody, &report("s-2", true));
        let listed = send(address, "RetrieveLivenessChecksQuery", &admin(), &json!({}));

        assert_eq!((recorded.codes(), refused.codes()), ((200, "00"), (403, "57")));
        let item = &listed.data()["Items"][0];
        assert_eq!(item["SelfServiceUserId"], json!(7));
        assert_eq!(
            (&item["UserId2"], &item["DisplayName"]),
            (&json!("jane"), &json!("Jane Doe"))
        );
    });
}

#[test]
fn the_banks_message_passes_the_same_gate() {
    with_bank(|address, pool| {
        let frozen = send(address, "FreezeCardCommand", &customer(7), &json!({ "reason": "lost" }));
        let invalid = send(address, "FreezeCardCommand", &customer(7), &json!({ "reason": "" }));
        let refused = send(address, "FreezeCardCommand", &admin(), &json!({ "reason": "lost" }));

        assert_eq!((frozen.codes(), frozen.data()), ((200, "00"), &json!(true)));
        assert_eq!(
            (invalid.codes(), &invalid.json["errors"][0]["field"]),
            ((400, "30"), &json!("reason"))
        );
        assert_eq!(refused.codes(), (403, "57"));

        let store = Store::from_sqlite_pool(pool.clone()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let entries = runtime.block_on(store.trail().newest(10)).unwrap();
        let outcomes: Vec<_> = entries.iter().map(|entry| (&*entry.message, &*entry.outcome)).collect();
        assert_eq!(
            outcomes,
            [
                ("FreezeCardCommand", "57"),
                ("FreezeCardCommand", "30"),
                ("FreezeCardCommand", "00")
            ]
        );
    });
}

#[test]
fn the_banks_phones_may_write_the_path_and_the_type_as_any_phone_does() {
    with_bank(|address, _| {
        let ask = |path: &str, headers: &[(&str, &str)]| {
            let token = format!("Bearer {}", customer(7));
            let request = ureq::post(format!("http://{address}{path}")).header("Authorization", token);
            let request = headers
                .iter()
                .fold(request, |request, (name, value)| request.header(*name, *value));
            let request = request.config().http_status_as_error(false).build();
            Answer::of(request.send("{}").unwrap())
        };
        let plain = "/api/BPMSelfService/commands/CheckLivenessStatusQuery";
        let json = ("Content-Type", "text/json; charset=us-ascii");

        for path in [plain, "//api/BPMSelfService//commands/CheckLivenessStatusQuery/"] {
            assert_eq!(ask(path, &[json]).codes(), (200, "00"), "{path}");
        }
        assert_eq!(ask(&plain.replace('S', "%53"), &[json]).codes(), (404, "12"));
        let upgrade = ask(plain, &[json, ("Connection", "upgrade")]);
        assert_eq!(
            (upgrade.codes(), upgrade.header("connection")),
            ((200, "00"), Some("close"))
        );
        assert_eq!(ask(plain, &[json, ("Content-Encoding", "utf-8")]).codes(), (200, "00"));
        assert_eq!(ask(plain, &[("Content-Type", "text/plain")]).codes(), (415, "30"));
    });
}

#[test]
fn customers_that_cannot_be_looked_up_are_asked_to_come_again() {
    with_bank(|address, pool| {
        diesel::sql_query("ALTER TABLE customers RENAME TO customers_elsewhere")
            .execute(&mut pool.get().unwrap())
            .unwrap();

        let refused = send(address, "CheckLivenessStatusQuery", &customer(7), &json!({}));

        assert_eq!(refused.codes(), (503, "91"));
    });
}
