//! Where a check came from: `docs/api.md#client-address` and `docs/api.md#what-is-stored-besides`.

use serde_json::{Value, json};

use crate::engine::{Engine, on_each_engine};
use crate::server::{Server, admin, customer, report};
use crate::wire::{Header, LIST, UPDATE, bearer, post};

/// Records a check with these headers, and gives back what an administrator sees of it.
fn recorded(server: &Server, headers: &[Header<'_>]) -> Value {
    let authorization = bearer(&customer(1));
    let known = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/json"),
    ];
    let answer = post(
        server,
        UPDATE,
        &[&known, headers].concat(),
        report("s", true).to_string(),
    );
    assert_eq!(answer.codes(), (200, "00"), "{headers:?}");
    let page = server.send(LIST, &admin(), &json!({ "pageSize": 1 }));
    assert_eq!(page.data()["Items"][0]["Id"], answer.data()["id"]);
    page.data()["Items"][0].clone()
}

#[test]
fn nobody_but_a_trusted_proxy_is_believed() {
    let forged = [
        ("X-Forwarded-For", "41.58.12.100"),
        ("Forwarded", "for=41.58.12.100"),
        ("X-Real-IP", "41.58.12.100"),
        ("True-Client-IP", "41.58.12.100"),
    ];
    for trusted in ["", "10.0.0.0/8", "127.0.0.2/32,::1"] {
        let server = Server::with(Engine::Sqlite, &[("LIVENESS_TRUSTED_PROXIES", trusted)]);
        assert_eq!(recorded(&server, &forged)["ClientIp"], "127.0.0.1", "{trusted}");
    }
    assert_eq!(
        recorded(&Server::start(Engine::Sqlite), &forged)["ClientIp"],
        "127.0.0.1"
    );
}

#[test]
fn a_trusted_proxy_tells_the_rightmost_address_that_is_not_trusted() {
    let server = Server::with(
        Engine::Sqlite,
        &[("LIVENESS_TRUSTED_PROXIES", "127.0.0.0/8, 10.0.0.0/8")],
    );
    let cases: [(&[Header<'_>], &str); 16] = [
        (&[], "127.0.0.1"),
        (&[("X-Forwarded-For", "41.58.12.100")], "41.58.12.100"),
        (
            &[("X-Forwarded-For", "1.1.1.1, 41.58.12.100, 10.0.0.2")],
            "41.58.12.100",
        ),
        (
            &[("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "41.58.12.100")],
            "41.58.12.100",
        ),
        (&[("X-Forwarded-For", "41.58.12.100:4711")], "41.58.12.100"),
        (&[("X-Forwarded-For", "2001:DB8::1")], "2001:db8::1"),
        (&[("X-Forwarded-For", "::ffff:41.58.12.100")], "41.58.12.100"),
        (&[("X-Forwarded-For", "10.0.0.3, 10.0.0.2")], "10.0.0.3"),
        (&[("X-Forwarded-For", "1.1.1.1, unknown")], "127.0.0.1"),
        (&[("X-Forwarded-For", "41.58.12.100'; DROP TABLE x")], "127.0.0.1"),
        (&[("X-Forwarded-For", "")], "127.0.0.1"),
        (&[("Forwarded", "for=41.58.12.100;proto=https")], "41.58.12.100"),
        (
            &[("Forwarded", "for=1.1.1.1, For=\"[2001:db8::1]:4711\"")],
            "2001:db8::1",
        ),
        (
            &[("Forwarded", "for=_hidden"), ("X-Forwarded-For", "1.1.1.1")],
            "127.0.0.1",
        ),
        (
            &[("X-Forwarded-For", "1.1.1.1"), ("Forwarded", "for=41.58.12.100")],
            "41.58.12.100",
        ),
        (&[("X-Real-IP", "1.1.1.1")], "127.0.0.1"),
    ];
    for (headers, expected) in cases {
        assert_eq!(recorded(&server, headers)["ClientIp"], expected, "{headers:?}");
    }
}

/// The device that is stored for these values of the three headers.
fn device(server: &Server, values: [Option<&str>; 3]) -> Value {
    let names = ["User-Agent", "X-Device-Platform", "X-App-Version"].into_iter();
    let headers: Vec<_> = names
        .zip(values)
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    let check = recorded(server, &headers);
    serde_json::from_str(check["DeviceInfo"].as_str().unwrap()).unwrap()
}

fn the_device_is_what_three_headers_say(engine: Engine) {
    let server = Server::start(engine);
    let as_json = |[user_agent, platform, version]: [Option<&str>; 3]| json!({ "userAgent": user_agent, "devicePlatform": platform, "appVersion": version });
    let longer = "ü".repeat(513);
    let longest = &longer[..2 * 512];
    for values in [
        [None; 3],
        [Some("sdk/2.1"), Some("Android"), Some("2.1.0")],
        [None, Some("iOS"), None],
        [Some(r#""}, {"a": \u0000"#), Some("<b>"), Some("'; --")],
        [Some(longest); 3],
    ] {
        assert_eq!(device(&server, values), as_json(values));
    }
    assert_eq!(device(&server, [Some(&longer); 3]), as_json([Some(longest); 3]));
}

on_each_engine! {
    the_device_is_what_three_headers_say,
}
