//! The example of a bank on PostgreSQL that mounts the liveness check, tried as its callers would.

use actix_web::{App, HttpServer};
use diesel::prelude::*;
use serde_json::json;

use crate::cluster::TestDatabase;
use crate::node::{SECRET, customer, post};

#[path = "../../examples/embedding_postgres.rs"]
mod example;

/// The bank on a database and a port of its own, with one customer; serves until the process ends, and gives back where.
fn start_bank(database: &TestDatabase) -> String {
    let pool = example::open_bank(&database.url()).unwrap();
    let jane = "INSERT INTO customers (id, login, name) VALUES (7, 'jane', 'Jane Doe')";
    diesel::sql_query(jane).execute(&mut pool.get().unwrap()).unwrap();
    let liveness = example::mount_liveness(&pool, SECRET.as_bytes()).unwrap();
    let (told, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let app = move || App::new().configure(|app| example::configure(app, &liveness));
            let server = HttpServer::new(app).workers(1).disable_signals();
            let server = server.bind(("127.0.0.1", 0)).unwrap();
            told.send(server.addrs()[0].to_string()).unwrap();
            server.run().await.unwrap();
        });
    });
    address.recv().unwrap()
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn our_tables_stand_in_a_schema_of_their_own_beside_the_banks() {
    let database = TestDatabase::create();
    let address = start_bank(&database);
    let agent = ureq::Agent::new_with_defaults();
    let send = |message: &str, body| post(&agent, &address, message, &customer(7), None, &body).unwrap();

    let recorded = send(
        "SubmitLivenessCheckCommand",
        json!({ "sessionId": "s-1", "isSuccessful": true }),
    );
    let frozen = send("FreezeCardCommand", json!({ "reason": "lost" }));
    let branches = agent.get(format!("http://{address}/branches")).call().unwrap();

    assert_eq!((recorded.codes(), frozen.codes()), ((200, "00"), (200, "00")));
    assert_eq!(branches.into_body().read_to_string().unwrap(), r#"["Lagos","Abuja"]"#);
    let is_recorded = "SELECT self_service_user_id, session_id FROM liveness.liveness_checks";
    assert_eq!(database.sql(is_recorded), "7|s-1");
    let entries = "SELECT string_agg(message || ' ' || outcome, ', ' ORDER BY id) FROM liveness.liveness_audit_entries";
    assert_eq!(
        database.sql(entries),
        "SubmitLivenessCheckCommand 00, FreezeCardCommand 00"
    );
    let public = "SELECT string_agg(tablename, ' ') FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(database.sql(public), "customers");
    assert_eq!(
        database.sql("SELECT card_is_frozen FROM public.customers WHERE id = 7"),
        "t"
    );
}
