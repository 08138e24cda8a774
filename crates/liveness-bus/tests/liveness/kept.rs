//! Which parts of a report are stored exactly as received. The tests read them from the database file.

use std::sync::Arc;

use diesel::dsl::sql;
use diesel::sql_types::Text;
use diesel::{Connection as _, RunQueryDsl as _, SqliteConnection};
use liveness_bus::liveness::{self, Liveness, Settings};
use liveness_bus::testing::TestBus;
use liveness_bus::{Bus, Context};
use liveness_core::store::{Store, StoredUsers};

use crate::report::{SUBMIT, UPDATE};

#[expect(clippy::unwrap_used, reason = "a test that cannot be set up ends there")]
fn bus_on(path: &str) -> Bus {
    let store = Store::open(&format!("sqlite://{path}")).unwrap();
    store.migrate().unwrap();
    let users = Arc::new(StoredUsers::new(store.users().clone(), true));
    let module = liveness::module(Liveness::new(store.clone(), users, Settings::default()));
    Bus::builder().module(module).audit_sink(store).build().unwrap()
}

#[tokio::test]
async fn metadata_is_kept_to_the_letter() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("liveness.db").display().to_string();
    let bus = bus_on(&path);
    let customer = Context::builder(TestBus::customer_principal(1)).build();
    let metadata = r#"{ "z": 1.0, "lightingValue":9.30e-1,"spoof":[1e2 ,"\u00e9\/"], "z": null,"challengeCount" : 3}"#;
    let image_metadata = r#"{"b":-0.0,  "a":{}, "sessionDuration":7}"#;
    let body = format!(
        r#"{{"metadata":{metadata},"sessionId":"sdk-1","isSuccessful":true,"imageMetadata" : {image_metadata} }}"#
    );

    for command in [SUBMIT, UPDATE] {
        bus.dispatch(command, body.as_bytes(), &customer, &mut Vec::new())
            .await
            .unwrap();
    }

    let mut conn = SqliteConnection::establish(&path).unwrap();
    let kept: Vec<(String, String)> = sql::<(Text, Text)>("SELECT metadata, image_metadata FROM liveness_checks")
        .load(&mut conn)
        .unwrap();
    let expected = (metadata.to_owned(), image_metadata.to_owned());
    assert_eq!(kept, [expected.clone(), expected]);
}
