//! Which paths are the same path, and which are not.

use super::{JSON, assert_unharmed, good};
use crate::engine::Engine;
use crate::server::{Answer, Server, admin, customer};
use crate::wire::{LIST, UPDATE, Wire, assert_refused, bearer, exchange, settled_log, total_count};

/// Sends an update to this path.
fn update_at(server: &Server, path: &str, token: &str) -> Answer {
    let body = good();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\n{}: {}\r\nAuthorization: {token}\r\nContent-Length: {}\r\n\r\n",
        JSON.0,
        JSON.1,
        body.len()
    );
    exchange(server, head + &body)
}

#[test]
fn slashes_that_follow_each_other_are_one_and_those_at_the_end_none() {
    let server = Server::start(Engine::Sqlite);
    let [customer, admin] = [bearer(&customer(1)), bearer(&admin())];
    let paths = [
        "//api/BPMSelfService/commands/UpdateLivenessCheckCommand",
        "/api/BPMSelfService/commands/UpdateLivenessCheckCommand/",
        "/api//BPMSelfService///commands/UpdateLivenessCheckCommand",
        "/api/BPMSelfService/commands//UpdateLivenessCheckCommand",
        "////api/BPMSelfService/commands/UpdateLivenessCheckCommand////",
        "/api/BPMSelfService/commands/UpdateLivenessCheckCommand/?x=%20//",
        "http://liveness//api/BPMSelfService/commands/UpdateLivenessCheckCommand/",
    ];
    for (path, recorded) in paths.iter().zip(1..) {
        assert_eq!(update_at(&server, path, &customer).codes(), (200, "00"), "{path}");
        assert_eq!(total_count(&server), recorded);
        assert_refused(path, &update_at(&server, path, &admin), (403, "57"));
        assert_refused(path, &update_at(&server, path, "Bearer x"), (401, "63"));
    }
    let log = settled_log(&server);
    assert!(
        log.contains(&format!("{UPDATE} code=00 ")) && log.contains(&format!("{UPDATE} code=57 ")),
        "{log}"
    );
    assert!(!log.contains("//api"), "{log}");
    let metrics = ureq::get(format!("http://{}/metrics", server.address()))
        .call()
        .unwrap();
    let metrics = metrics.into_body().read_to_string().unwrap();
    let counted = format!(
        "liveness_requests_total{{message=\"{UPDATE}\",status_code=\"00\"}} {}",
        paths.len()
    );
    assert!(metrics.contains(&counted), "{metrics}");
}

#[test]
fn the_pages_have_the_same_spellings() {
    let server = Server::start(Engine::Sqlite);
    for path in [
        "//health/live",
        "/health//ready/",
        "/metrics/",
        "//metrics",
        "/openapi.json/",
        "/docs//main.js",
        "//admin",
        "/admin//main.js",
        "//admin/style.css/",
        // It leads to the page without a slash at its end, to which its files are relative.
        "/admin/",
        "/docs///",
        "//docs//",
    ] {
        let url = format!("http://{}{path}", server.address());
        assert_eq!(ureq::get(url).call().unwrap().status(), 200, "{path}");
    }
    let refused = exchange(&server, "DELETE //health/live/ HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_refused("another method", &refused, (405, "12"));
    assert_eq!(refused.header("allow"), Some("GET, HEAD"));
}

#[test]
fn what_is_percent_encoded_or_in_another_case_is_another_path() {
    let server = Server::start(Engine::Sqlite);
    let token = bearer(&customer(1));
    let paths = [
        "/api/BPMSelfService/commands/%55pdateLivenessCheckCommand",
        "/api/BPMSelfService/commands/UpdateLivenessCheckComman%64",
        "/%61pi/BPMSelfService/commands/UpdateLivenessCheckCommand",
        "/api/BPMSelfService%2fcommands/UpdateLivenessCheckCommand",
        "/api/BPMSelfService/commands/%2FUpdateLivenessCheckCommand",
        "/api/BPMSelfService/commands/UpdateLivenessCheckCommand%2f",
        "/api/BPMSelfService/commands/UpdateLivenessCheckCommand%20",
        "/api/BPMSelfService/commands/UpdateLivenessCheckCommand%00",
        "//api/BPMSelfService/commands/%55pdateLivenessCheckCommand/",
        "/api/BPMSelfService/commands/%",
        "/api/bpmselfservice/commands/updatelivenesscheckcommand",
        "/Api/BPMSelfService/commands/UpdateLivenessCheckCommand",
        "/api/BPMSelfService/Commands/UpdateLivenessCheckCommand",
        "/health/%6Cive",
        "/health/liv%65",
        "/%6detrics",
        "/%6fpenapi.json",
        "/ad%6din",
        "/ad%6din/",
        "/admin/main%2ejs",
        "/%64ocs",
        "/Health/live",
        "/METRICS",
    ];
    for path in paths {
        assert_refused(path, &update_at(&server, path, &token), (404, "12"));
        let got = exchange(&server, format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert_refused(path, &got, (404, "12"));
    }
    // In the place of the name, case is told to those only whom we know.
    let other_case = "/api/BPMSelfService/commands/updatelivenesscheckcommand";
    assert_refused(other_case, &update_at(&server, other_case, &token), (404, "12"));
    assert_unharmed(&server);
}

#[test]
fn the_roles_hold_for_every_spelling() {
    let server = Server::start(Engine::Sqlite);
    let token = bearer(&customer(1));
    for path in [
        format!("//api/BPMSelfService/commands/{LIST}"),
        format!("/api/BPMSelfService/commands/{LIST}//"),
    ] {
        let mut wire = Wire::to(&server);
        wire.send(format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n"
        ));
        assert_refused(&path, &wire.answer(), (403, "57"));
    }
}
