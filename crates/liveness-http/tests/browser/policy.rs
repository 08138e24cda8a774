//! What the page may do, and to whom it is given.

use liveness_http::admin;
use serde_json::json;

use crate::engine::Engine;
use crate::in_process::serve;
use crate::reviewer::Reviewer;
use crate::server::Server;

const FILES: [&str; 5] = [
    "/admin",
    "/admin/main.js",
    "/admin/style.css",
    "/admin/icon.svg",
    "/admin/settings.json",
];
/// What scripts may talk to when a token is pasted.
const ALONE: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

fn request(method: &str, address: &str, path: &str) -> ureq::http::Response<ureq::Body> {
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("http://{address}{path}"))
        .body(())
        .unwrap();
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .build()
        .new_agent();
    agent.run(request).unwrap()
}

#[test]
fn every_file_comes_with_the_policy_and_is_only_looked_at() {
    let server = Server::start(Engine::Sqlite);

    for path in FILES {
        let mut got = request("GET", server.address(), path);
        let head = request("HEAD", server.address(), path);
        let refused = request("POST", server.address(), path);

        assert_eq!(
            (got.status().as_u16(), head.status().as_u16(), refused.status().as_u16()),
            (200, 200, 405),
            "{path}"
        );
        assert!(!got.body_mut().read_to_string().unwrap().is_empty());
        assert_eq!(refused.headers()["allow"], "GET, HEAD");
        let policy = got.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert_eq!(policy, ALONE);
        for (name, value) in [
            ("cache-control", "no-cache"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(got.headers()[name], value, "{path}");
        }
        assert!(got.headers().contains_key("x-request-id"));
    }
    assert_eq!(
        request("GET", server.address(), "/admin/").headers()["location"],
        "../admin"
    );
    assert_eq!(request("GET", server.address(), "/admin/nothing.js").status(), 404);
}

#[test]
fn the_policy_names_the_origin_of_the_provider_and_nothing_else() {
    let settings = [
        ("LIVENESS_OIDC_ISSUER", "https://Login.example.com:8443/realms/bank"),
        ("LIVENESS_OIDC_CLIENT_ID", "review page"),
        ("LIVENESS_OIDC_SCOPES", "profile"),
        ("LIVENESS_JWT_AUDIENCE", "liveness"),
        ("LIVENESS_ROLE_NAMES", "admin=face-reviewer"),
    ];
    let server = Server::with(Engine::Sqlite, &settings);
    let expected = ALONE.replace(
        "connect-src 'self'",
        "connect-src 'self' https://login.example.com:8443",
    );

    for path in FILES {
        let got = request("GET", server.address(), path);
        assert_eq!(got.headers()["content-security-policy"], *expected, "{path}");
    }
    let docs = request("GET", server.address(), "/docs");
    assert_eq!(docs.headers()["content-security-policy"], ALONE);
    let mut told = request("GET", server.address(), "/admin/settings.json");
    let told: serde_json::Value = told.body_mut().read_json().unwrap();
    let expected = json!({ "signIn": {
        "issuer": "https://Login.example.com:8443/realms/bank", "clientId": "review page", "scope": "openid profile",
        "audience": "liveness", "role": "face-reviewer",
    }, "roles": { "claims": ["role", "roles"], "admin": ["face-reviewer"], "officer": ["officer"] } });
    assert_eq!(told, expected);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn a_script_that_got_into_the_page_would_not_run() {
    let reviewer = Reviewer::new();
    reviewer.open("");
    reviewer.browser.sees("Sign in");

    let attempts = "const script = document.createElement('script'); script.textContent = \"document.title = 'taken'\"; \
        document.body.append(script); document.body.insertAdjacentHTML('beforeend', \
        '<img src=x onerror=\"document.title = 1\"><form action=\"/\"><button>x</button></form>'); \
        document.body.style.cssText = ''; return document.title";
    let title = reviewer.browser.script(attempts);

    assert_eq!(title, json!("Sign in · Liveness review"));
    let complaints = reviewer.browser.complaints().join("\n");
    assert!(complaints.contains("Content Security Policy"), "{complaints}");
    assert!(complaints.contains("script-src 'self'"), "{complaints}");
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn under_a_scope_of_the_hosts_own_it_is_the_same_page() {
    let reviewer = Reviewer::new();
    let address = serve(|app| {
        app.service(actix_web::web::scope("/bank").configure(admin::configure));
    });

    reviewer.browser.open(&format!("http://{address}/bank/admin/#/checks"));

    reviewer.browser.sees("Sign in");
    crate::reviewer::sign_in(&reviewer.browser, &crate::server::admin());
    reviewer.browser.sees("The answer (HTTP 404) was not understood.");
    let asked = "return performance.getEntriesByType('resource').pop().name";
    let expected = format!("http://{address}/bank/api/BPMSelfService/commands/RetrieveLivenessChecksQuery");
    assert_eq!(reviewer.browser.script(asked), json!(expected));
    reviewer.leave(&["status of 404"]);
}
