//! Pages of other origins: `docs/api.md#browsers`.

use ureq::http::HeaderMap;

use crate::engine::Engine;
use crate::server::{Server, admin, command, customer};
use crate::wire::{Header, LIST, STATUS, UPDATE, Wire, assert_refused, bearer, head};

const ORIGINS: &str = "https://localhost,capacitor://localhost, ionic://localhost,http://localhost:8100";
const STRANGERS: [&str; 6] = [
    "https://evil.example",
    "https://localhost.evil.example",
    "http://localhost",
    "https://localhost:8100",
    "HTTPS://LOCALHOST",
    "null",
];
const JSON: Header<'_> = ("Content-Type", "application/json");

fn server() -> Server {
    Server::with(Engine::Sqlite, &[("LIVENESS_CORS_ORIGINS", ORIGINS)])
}

fn preflight(server: &Server, path: &str, origin: &str) -> (u16, HeaderMap) {
    let mut wire = Wire::to(server);
    wire.send(format!(
        "OPTIONS {path} HTTP/1.1\r\nHost: x\r\nOrigin: {origin}\r\nAccess-Control-Request-Method: POST\r\n\
         Access-Control-Request-Headers: authorization,content-type,idempotency-key\r\n\r\n"
    ));
    wire.head()
}

/// What a header says, as words in small letters.
fn words(headers: &HeaderMap, name: &str) -> Vec<String> {
    let values = headers.get_all(name).iter().map(|value| value.to_str().unwrap());
    let words = values.flat_map(|value| value.split(','));
    words.map(|word| word.trim().to_ascii_lowercase()).collect()
}

fn assert_names(case: &str, headers: &HeaderMap, origin: Option<&str>) {
    let named: Vec<_> = headers.get_all("access-control-allow-origin").iter().collect();
    let expected: Vec<_> = origin.into_iter().collect();
    assert_eq!(named, expected, "{case}: {headers:?}");
    assert!(
        words(headers, "vary").contains(&"origin".to_owned()),
        "{case}: {headers:?}"
    );
    assert!(
        !headers.contains_key("access-control-allow-credentials"),
        "{case}: {headers:?}"
    );
}

#[test]
fn a_preflight_is_answered_before_the_token_and_the_limits() {
    let settings = [("LIVENESS_CORS_ORIGINS", ORIGINS), ("LIVENESS_RATE_LIMIT", "1/h")];
    let server = Server::with(Engine::Sqlite, &settings);
    for origin in ORIGINS.split(',').map(str::trim) {
        for path in [
            "/api/BPMSelfService/commands/CheckLivenessStatusQuery",
            "//api/BPMSelfService/commands/UpdateLivenessCheckCommand/",
            "/health/ready",
        ] {
            let (status, headers) = preflight(&server, path, origin);
            assert_eq!(status, 204, "{origin} {path}");
            assert_names(path, &headers, Some(origin));
            assert!(words(&headers, "access-control-allow-methods").contains(&"post".to_owned()));
            let allowed = words(&headers, "access-control-allow-headers");
            for header in [
                "authorization",
                "content-type",
                "idempotency-key",
                "x-request-id",
                "x-device-platform",
                "x-app-version",
                "prefer",
            ] {
                assert!(allowed.contains(&header.to_owned()), "{header}: {allowed:?}");
            }
            let vary = words(&headers, "vary");
            for header in ["access-control-request-method", "access-control-request-headers"] {
                assert!(vary.contains(&header.to_owned()), "{vary:?}");
            }
            let seconds: u32 = headers["access-control-max-age"].to_str().unwrap().parse().unwrap();
            assert!(seconds > 0);
            assert!(headers.contains_key("x-request-id"));
        }
    }
}

/// A request, and what it is answered with.
type Case<'a> = (&'a str, String, (u16, &'a str));

#[test]
fn every_answer_names_the_origin_and_errors_do_too() {
    let server = server();
    let [customer, admin] = [bearer(&customer(1)), bearer(&admin())];
    let [customer, admin] = [("Authorization", customer.as_str()), ("Authorization", admin.as_str())];
    let origin = ("Origin", "capacitor://localhost");
    let message = |name, headers: &[Header<'_>]| head(name, &[headers, &[origin]].concat());
    let at = |line: &str| format!("{line} HTTP/1.1\r\nHost: x\r\nOrigin: {}\r\n\r\n", origin.1);
    let length = ("Content-Length", "2");
    let cases: [Case<'_>; 12] = [
        ("good", message(STATUS, &[customer]), (200, "00")),
        ("a page", at("GET /health/live"), (200, "00")),
        ("fields", message(UPDATE, &[customer, JSON, length]) + "{}", (400, "30")),
        ("no token", message(STATUS, &[]), (401, "63")),
        (
            "a bad token",
            message(STATUS, &[("Authorization", "Bearer x")]),
            (401, "63"),
        ),
        ("role", message(LIST, &[customer]), (403, "57")),
        ("no command", message("Unknown", &[admin]), (404, "12")),
        ("no route", at("POST /nowhere"), (404, "12")),
        ("method", at("GET /api/BPMSelfService/commands/X"), (405, "12")),
        ("no preflight", at("OPTIONS /health/live"), (405, "12")),
        (
            "size",
            message(UPDATE, &[customer, JSON, ("Content-Length", "90000000")]),
            (413, "13"),
        ),
        ("type", message(UPDATE, &[customer, length]) + "{}", (415, "30")),
    ];
    for (case, request, expected) in cases {
        let mut wire = Wire::to(&server);
        wire.send(request);
        let answer = wire.answer();
        assert_eq!(answer.codes(), expected, "{case}");
        assert_names(case, &answer.headers, Some(origin.1));
        let exposed = words(&answer.headers, "access-control-expose-headers");
        for header in ["x-request-id", "retry-after", "preference-applied"] {
            assert!(exposed.contains(&header.to_owned()), "{case}: {exposed:?}");
        }
    }
}

#[test]
fn a_busy_host_names_the_origin_too() {
    let settings = [
        ("LIVENESS_CORS_ORIGINS", ORIGINS),
        ("LIVENESS_RATE_LIMIT", "2/h"),
        ("LIVENESS_MAX_REQUESTS_IN_FLIGHT", "1"),
    ];
    let server = Server::with(Engine::Sqlite, &settings);
    let authorization = bearer(&customer(1));
    let headers = [
        ("Authorization", authorization.as_str()),
        JSON,
        ("Origin", "https://localhost"),
    ];
    let ask = || {
        let mut wire = Wire::to(&server);
        wire.send(head(STATUS, &headers));
        wire.answer()
    };
    let mut slow = Wire::to(&server);
    slow.send(head(
        UPDATE,
        &[&headers[..], &[("Expect", "100-continue"), ("Content-Length", "2")]].concat(),
    ));
    assert_eq!(slow.head().0, 100);
    let busy = ask();
    assert_refused("overload", &busy, (503, "91"));
    assert_names("overload", &busy.headers, Some("https://localhost"));
    assert!(busy.header("retry-after").is_some());

    slow.send("{}");
    let refused = slow.answer();
    assert_eq!(refused.codes(), (400, "30"));
    assert_names("after 100", &refused.headers, Some("https://localhost"));

    assert_eq!(ask().status, 200);
    let limited = ask();
    assert_refused("limit", &limited, (429, "65"));
    assert_names("limit", &limited.headers, Some("https://localhost"));
}

#[test]
fn an_origin_that_is_not_named_is_allowed_nothing() {
    let server = server();
    let path = "/api/BPMSelfService/commands/CheckLivenessStatusQuery";
    let authorization = bearer(&customer(1));
    let token = ("Authorization", authorization.as_str());
    for stranger in STRANGERS {
        let (_, headers) = preflight(&server, path, stranger);
        assert_names(stranger, &headers, None);
        for name in headers.keys() {
            assert!(!name.as_str().starts_with("access-control-"), "{stranger}: {name}");
        }
        let mut wire = Wire::to(&server);
        wire.send(head(STATUS, &[token, ("Origin", stranger)]));
        let answer = wire.answer();
        assert_eq!(answer.codes(), (200, "00"), "{stranger}");
        assert_names(stranger, &answer.headers, None);
        assert!(answer.header("access-control-expose-headers").is_none(), "{stranger}");
    }
    let two = [
        token,
        ("Origin", "https://localhost"),
        ("Origin", "https://evil.example"),
    ];
    for headers in [&[token][..], &two] {
        let mut wire = Wire::to(&server);
        wire.send(head(STATUS, headers));
        assert_names("none, or two", &wire.answer().headers, None);
    }
}

#[test]
fn it_is_off_unless_origins_are_named() {
    for settings in [&[][..], &[("LIVENESS_CORS_ORIGINS", "")]] {
        let server = Server::with(Engine::Sqlite, settings);
        let (status, headers) = preflight(&server, "/health/live", "https://localhost");
        assert_eq!(status, 405);
        for name in headers.keys() {
            assert!(!name.as_str().starts_with("access-control-"), "{name}");
        }
        assert!(!headers.contains_key("vary"));
    }
}

#[test]
fn a_wrong_origin_ends_the_start_with_one_line() {
    for (origins, expected) in [
        ("https://a.example, https://b.example/", "write https://b.example"),
        ("*", "name the origins"),
        ("null", "name the origins"),
        ("portal.example", "is no origin such as https://portal.example"),
    ] {
        let ended = command(&["serve"])
            .env("LIVENESS_JWT_SECRET", crate::server::SECRET)
            .env("LIVENESS_CORS_ORIGINS", origins)
            .output()
            .unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(!ended.status.success(), "{origins}");
        assert!(
            said.contains(expected) && said.contains("--cors-origins"),
            "{origins}: {said}"
        );
    }
}
