//! Where a check came from: `docs/api.md#client-address` and `docs/api.md#what-is-stored-besides`.

use serde_json::{Value, json};

use crate::engine::{Engine, on_each_engine};
use crate::server::{Server, admin, customer, report};
use crate::wire::{Header, LIST, UPDATE, bearer, post, settled_log};

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

/// A server behind proxies in these networks, which name the client in this header.
fn behind_a_proxy(header: &str) -> Server {
    let settings = [
        ("LIVENESS_TRUSTED_PROXIES", "127.0.0.0/8, 10.0.0.0/8"),
        ("LIVENESS_FORWARDED_HEADER", header),
    ];
    Server::with(Engine::Sqlite, &settings)
}

#[test]
fn a_trusted_proxy_tells_the_rightmost_address_that_is_not_trusted() {
    let cases = [
        ("41.58.12.100", "41.58.12.100"),
        ("1.1.1.1, 41.58.12.100, 10.0.0.2", "41.58.12.100"),
        ("41.58.12.100:4711", "41.58.12.100"),
        ("41.58.12.100:5123, 127.0.0.1:99", "41.58.12.100"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("::ffff:41.58.12.100", "41.58.12.100"),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("1.1.1.1, unknown", "127.0.0.1"),
        ("41.58.12.100'; DROP TABLE x", "127.0.0.1"),
        ("", "127.0.0.1"),
    ];
    for header in ["x-forwarded-for", "X-Real-IP", "CF-Connecting-IP"] {
        let server = behind_a_proxy(header);
        for (value, expected) in cases {
            assert_eq!(
                recorded(&server, &[(header, value)])["ClientIp"],
                expected,
                "{header}: {value}"
            );
        }
        let twice = [(header, "1.1.1.1"), (header, "41.58.12.100")];
        assert_eq!(recorded(&server, &twice)["ClientIp"], "41.58.12.100", "{header}");
        assert_eq!(recorded(&server, &[])["ClientIp"], "127.0.0.1", "{header}");
    }
}

#[test]
fn the_header_of_rfc_7239_is_read_by_its_rules() {
    let server = behind_a_proxy("Forwarded");
    let cases = [
        ("for=41.58.12.100;proto=https", "41.58.12.100"),
        ("for=1.1.1.1, For=\"[2001:db8::1]:4711\"", "2001:db8::1"),
        ("for=_hidden", "127.0.0.1"),
        ("41.58.12.100", "127.0.0.1"),
    ];
    for (value, expected) in cases {
        assert_eq!(
            recorded(&server, &[("Forwarded", value)])["ClientIp"],
            expected,
            "{value}"
        );
    }
}

/// What clients of their own send beside what the proxy writes.
const FORGED: [Header<'_>; 6] = [
    ("Forwarded", "for=6.6.6.6"),
    ("X-Forwarded-For", "6.6.6.6"),
    ("X-Real-IP", "6.6.6.6"),
    ("CF-Connecting-IP", "6.6.6.6"),
    ("True-Client-IP", "6.6.6.6"),
    ("X-Client-IP", "6.6.6.6"),
];

fn no_header_but_the_proxys_has_an_effect(engine: Engine) {
    for (header, value) in [
        ("X-Forwarded-For", "41.58.12.100"),
        ("Forwarded", "for=41.58.12.100"),
        ("X-Real-IP", "41.58.12.100"),
    ] {
        let settings = [
            ("LIVENESS_TRUSTED_PROXIES", "127.0.0.1"),
            ("LIVENESS_FORWARDED_HEADER", header),
        ];
        let server = Server::with(engine, &settings);
        let forged = FORGED.into_iter().filter(|(name, _)| *name != header);
        let sent: Vec<_> = forged.chain([(header, value)]).collect();

        assert_eq!(recorded(&server, &sent)["ClientIp"], "41.58.12.100", "{header}");
        assert_eq!(recorded(&server, &sent[..5])["ClientIp"], "127.0.0.1", "{header}");

        let log = settled_log(&server);
        assert!(log.contains("client=41.58.12.100") && !log.contains("6.6.6.6"), "{log}");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let entries = runtime.block_on(server.store().trail().newest(10)).unwrap();
        let addresses: Vec<_> = entries.iter().filter_map(|entry| entry.client_address).collect();
        assert!(addresses.contains(&"41.58.12.100".parse().unwrap()), "{addresses:?}");
        assert!(!addresses.contains(&"6.6.6.6".parse().unwrap()), "{addresses:?}");
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
    no_header_but_the_proxys_has_an_effect,
    the_device_is_what_three_headers_say,
}
