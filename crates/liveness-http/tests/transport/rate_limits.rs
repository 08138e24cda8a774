//! How often one caller may ask: `LIVENESS_RATE_LIMIT`.

use serde_json::json;

use crate::engine::Engine;
use crate::server::{Answer, Server, admin, customer, report};
use crate::wire::{Header, LIST, STATUS, UPDATE, assert_refused, bearer, post, total_count};

const TOO_MANY: (u16, &str) = (429, "65");

fn limited(settings: &[(&str, &str)]) -> Server {
    Server::with(Engine::Sqlite, &[&[("LIVENESS_RATE_LIMIT", "2/h")], settings].concat())
}

fn ask(server: &Server, token: &str, headers: &[Header<'_>]) -> Answer {
    let authorization = bearer(token);
    post(
        server,
        STATUS,
        &[&[("Authorization", authorization.as_str())], headers].concat(),
        "",
    )
}

fn statuses(server: &Server, token: &str, headers: &[Header<'_>]) -> [u16; 3] {
    [(); 3].map(|()| ask(server, token, headers).status)
}

#[test]
fn every_principal_has_a_limit_of_their_own() {
    let server = limited(&[]);
    assert_eq!(statuses(&server, &customer(1), &[]), [200, 200, 429]);
    assert_eq!(statuses(&server, &customer(2), &[]), [200, 200, 429]);

    let answer = ask(&server, &customer(1), &[]);
    assert_refused("once more", &answer, TOO_MANY);
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=3600).contains(&seconds), "{seconds}");
}

#[test]
fn all_messages_of_a_principal_count_together() {
    let server = limited(&[]);
    let token = customer(1);
    assert_eq!(server.send("Unknown", &token, &json!({})).codes(), (404, "12"));
    assert_eq!(server.send(LIST, &token, &json!({})).codes(), (403, "57"));
    assert_refused("a command", &server.send(UPDATE, &token, &report("s", true)), TOO_MANY);
    assert_refused("unknown", &server.send("Unknown", &token, &json!({})), TOO_MANY);
    assert_eq!(total_count(&server), 0);
}

#[test]
fn without_a_valid_token_the_address_counts() {
    let server = limited(&[]);
    let forged = [("X-Forwarded-For", "41.58.12.100"), ("Forwarded", "for=41.58.12.100")];
    assert_eq!(statuses(&server, "x", &forged), [401, 401, 429]);
    assert_refused("without any", &post(&server, STATUS, &[], ""), TOO_MANY);
    assert_eq!(statuses(&server, &customer(1), &[]), [200, 200, 429]);
    assert_eq!(server.send(LIST, &admin(), &json!({})).codes(), (200, "00"));
}

#[test]
fn behind_a_trusted_proxy_every_client_counts_apart() {
    let server = limited(&[("LIVENESS_TRUSTED_PROXIES", "127.0.0.1")]);
    for address in ["41.58.12.100", "41.58.12.101"] {
        assert_eq!(
            statuses(&server, "x", &[("X-Forwarded-For", address)]),
            [401, 401, 429],
            "{address}"
        );
    }
}

#[test]
fn behind_a_trusted_proxy_a_client_cannot_choose_its_address() {
    let server = limited(&[("LIVENESS_TRUSTED_PROXIES", "127.0.0.1")]);
    for (number, expected) in [(1, 401), (2, 401), (3, 429), (4, 429)] {
        let [forwarded, real] = [format!("for=6.6.6.{number}"), format!("6.6.6.{number}")];
        let headers = [
            ("X-Forwarded-For", "41.58.12.100"),
            ("Forwarded", forwarded.as_str()),
            ("X-Real-IP", real.as_str()),
        ];
        assert_eq!(ask(&server, "x", &headers).status, expected, "{number}");
    }
}

#[test]
fn nobody_is_limited_unless_it_is_set() {
    for settings in [&[][..], &[("LIVENESS_RATE_LIMIT", "off")]] {
        let server = Server::with(Engine::Sqlite, settings);
        for _ in 0..50 {
            assert_eq!(ask(&server, &customer(1), &[]).status, 200);
            assert_eq!(ask(&server, "x", &[]).status, 401);
        }
    }
}

#[test]
fn health_is_not_limited() {
    let server = limited(&[]);
    for path in ["/health/live", "/health/ready"] {
        assert!((0..10).all(|_| server.get(path).status == 200), "{path}");
    }
}
