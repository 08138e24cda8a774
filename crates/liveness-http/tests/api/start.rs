//! How the binary starts, or says in one line why not.

use std::process::Output;

use serde_json::json;

use crate::durability::until;
use crate::engine::{Engine, on_each_engine};
use crate::server::{SECRET, Server, command, customer, report};

const ANY_PORT: (&str, &str) = ("LIVENESS_BIND", "127.0.0.1:0");
const KEY: (&str, &str) = ("LIVENESS_JWT_SECRET", SECRET);

fn refusal(arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let environment = environment.iter().copied();
    let Output { status, stderr, .. } = command(arguments)
        .env("RUST_LOG", "warn")
        .envs(environment)
        .current_dir(folder.path())
        .output()
        .unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn without_a_key_it_says_which_settings_would_do() {
    let (code, said) = refusal(&["serve"], &[]);

    assert_eq!(code, Some(1));
    assert_eq!(
        said,
        "liveness-http: there is no key to verify tokens by: set LIVENESS_JWT_SECRET or LIVENESS_JWT_SECRET_FILE (HS256, \
         at least 32 bytes), LIVENESS_JWT_PUBLIC_KEY_FILE (PEM; RS256, ES256 or EdDSA) or LIVENESS_JWT_JWKS (an identity provider's keys: \
         URL or file), or try it out with `serve --dev`\n"
    );
}

#[test]
fn a_start_up_error_is_one_line_that_names_the_setting() {
    const DATABASE: &str = "LIVENESS_DATABASE_URL";
    const FILE: &str = "LIVENESS_JWT_PUBLIC_KEY_FILE";
    const SECRET_FILE: &str = "LIVENESS_JWT_SECRET_FILE";
    const JWKS: &str = "LIVENESS_JWT_JWKS";
    const CERTIFICATE: &str = "LIVENESS_TLS_CERT_FILE";
    const TLS_KEY: &str = "LIVENESS_TLS_KEY_FILE";
    const FACES: &str = "LIVENESS_FACES_URL";
    let cases: [(&[(&str, &str)], &str); 25] = [
        (
            &[KEY, ANY_PORT, (FACES, "s3://faces/of-a-test")],
            "LIVENESS_FACES_URL: faces outside the database are always sealed, and there are no keys; set LIVENESS_FACE_KEYS",
        ),
        (
            &[
                KEY,
                ANY_PORT,
                ("LIVENESS_FACE_KEYS", "file:keys"),
                (FACES, "s3://faces"),
                ("AWS_ACCESS_KEY_ID", "no secret"),
            ],
            "LIVENESS_FACES_URL: the place of the faces refuses: Generic S3 error: Missing SecretAccessKey",
        ),
        (
            &[("LIVENESS_JWT_SECRET", "short")],
            "LIVENESS_JWT_SECRET: the secret must have at least 32 bytes",
        ),
        (
            &[(SECRET_FILE, "none")],
            "LIVENESS_JWT_SECRET_FILE: cannot read none: No such file",
        ),
        (
            &[(SECRET_FILE, "/dev/null")],
            "LIVENESS_JWT_SECRET_FILE: /dev/null: the secret must have at least 32 bytes",
        ),
        (
            &[("LIVENESS_JWT_SECRET", SECRET), (SECRET_FILE, "none")],
            "LIVENESS_JWT_SECRET and LIVENESS_JWT_SECRET_FILE (none): set one of them",
        ),
        (
            &[(FILE, "none.pem")],
            "LIVENESS_JWT_PUBLIC_KEY_FILE: cannot read none.pem",
        ),
        (
            &[(FILE, "/dev/null")],
            "LIVENESS_JWT_PUBLIC_KEY_FILE: /dev/null: it must hold",
        ),
        (
            &[(JWKS, "none.json")],
            "LIVENESS_JWT_JWKS: none.json: it cannot be read",
        ),
        (
            &[(JWKS, "/dev/null")],
            "LIVENESS_JWT_JWKS: /dev/null: it is no JSON object with a list of keys",
        ),
        (
            &[(JWKS, "/dev/zero")],
            "LIVENESS_JWT_JWKS: /dev/zero: it is larger than 256 KiB",
        ),
        (
            &[KEY, (JWKS, "http://idp.example/keys")],
            "LIVENESS_JWT_JWKS: it must be a file, an https:// URL",
        ),
        (
            &[KEY, (JWKS, "ftp://127.0.0.1/keys")],
            "LIVENESS_JWT_JWKS: it must be a file, an https:// URL",
        ),
        (
            &[KEY, (JWKS, "http://me:secret@127.0.0.1/")],
            "LIVENESS_JWT_JWKS: it must be a file, an https:// URL without",
        ),
        (
            &[KEY, (CERTIFICATE, "cert.pem")],
            "LIVENESS_TLS_CERT_FILE and LIVENESS_TLS_KEY_FILE: set both",
        ),
        (
            &[KEY, (TLS_KEY, "key.pem")],
            "LIVENESS_TLS_CERT_FILE and LIVENESS_TLS_KEY_FILE: set both",
        ),
        (
            &[KEY, (CERTIFICATE, "/dev/null"), (TLS_KEY, "/dev/null")],
            "LIVENESS_TLS_CERT_FILE: /dev/null: it must hold a certificate in PEM",
        ),
        (
            &[KEY, ("LIVENESS_OIDC_ISSUER", "https://login.example.com")],
            "LIVENESS_OIDC_ISSUER and LIVENESS_OIDC_CLIENT_ID: set both",
        ),
        (
            &[KEY, ("LIVENESS_OIDC_CLIENT_ID", "review-page")],
            "LIVENESS_OIDC_ISSUER and LIVENESS_OIDC_CLIENT_ID: set both",
        ),
        (
            &[
                KEY,
                ("LIVENESS_OIDC_ISSUER", "http://login.example.com"),
                ("LIVENESS_OIDC_CLIENT_ID", "review-page"),
            ],
            "LIVENESS_OIDC_ISSUER: it must be the identity provider's https:// URL",
        ),
        (
            &[
                KEY,
                ("LIVENESS_OIDC_ISSUER", "https://login.example.com"),
                ("LIVENESS_OIDC_CLIENT_ID", "review-page"),
                ("LIVENESS_OIDC_SCOPES", "open\"id"),
            ],
            "LIVENESS_OIDC_SCOPES: it must be names with spaces between them",
        ),
        (
            &[KEY, ("LIVENESS_BIND", "256.0.0.1:80")],
            "LIVENESS_BIND: cannot listen on 256.0.0.1:80",
        ),
        (
            &[KEY, ANY_PORT, (DATABASE, "mysql://x")],
            "LIVENESS_DATABASE_URL: the database URL must be sqlite://PATH",
        ),
        (
            &[KEY, ANY_PORT, (DATABASE, "sqlite:///no/such/x.db")],
            "LIVENESS_DATABASE_URL: cannot open",
        ),
        (
            &[KEY, ANY_PORT, ("LIVENESS_JWT_REVOKED_FILE", "/no/such/list")],
            "LIVENESS_JWT_REVOKED_FILE: /no/such/list: ",
        ),
    ];
    for (environment, expected) in cases {
        let (code, said) = refusal(&["serve"], environment);
        assert_eq!((code, said.lines().count()), (Some(1), 1), "{said}");
        assert!(said.starts_with(&format!("liveness-http: {expected}")), "{said}");
    }
}

#[test]
fn the_keys_of_a_provider_need_an_issuer_and_an_audience() {
    const ISSUER: &str = "LIVENESS_JWT_ISSUER";
    const AUDIENCE: &str = "LIVENESS_JWT_AUDIENCE";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    let okp = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    std::fs::write(&file, format!(r#"{{"keys":[{okp},{{"kty":"oct"}}]}}"#)).unwrap();
    let jwks = ("LIVENESS_JWT_JWKS", file.to_str().unwrap());
    let cases: [(&[(&str, &str)], _); 5] = [
        (&[jwks], [true, true]),
        (&[KEY, jwks], [true, true]),
        (&[jwks, (ISSUER, "https://issuer.example")], [false, true]),
        (&[jwks, (AUDIENCE, "liveness")], [true, false]),
        (&[jwks, (AUDIENCE, "any")], [true, false]),
    ];
    for (environment, missing) in cases {
        let (code, said) = refusal(&["serve"], environment);
        assert_eq!((code, said.lines().count()), (Some(1), 1), "{said}");
        assert!(
            said.starts_with("liveness-http: LIVENESS_JWT_JWKS: an identity provider signs"),
            "{said}"
        );
        assert_eq!(
            [ISSUER, AUDIENCE].map(|setting| said.contains(setting)),
            missing,
            "{said}"
        );
    }
}

#[test]
fn a_setting_that_cannot_be_read_is_named() {
    let cases = [
        ("LIVENESS_DATABASE_CONNECTIONS", "0", "1..=1000"),
        ("LIVENESS_STATUS_RULE", "latest", "any-successful or latest-verified"),
        ("LIVENESS_TRUSTED_PROXIES", "proxy", "neither a network"),
        ("LIVENESS_SHUTDOWN_GRACE", "soon", "must be a duration such as 30s"),
        ("LIVENESS_RATE_LIMIT", "many", "20/s"),
        ("LIVENESS_MAX_IMAGE_BYTES", "big", "invalid digit"),
        ("LIVENESS_PROVISION_USERS", "maybe", "true"),
        ("LIVENESS_ROLE_NAMES", "admin", "admin=liveness-reviewer,officer=dpo"),
        ("LIVENESS_ROLE_NAMES", "admin=", "admin=liveness-reviewer,officer=dpo"),
        (
            "LIVENESS_ROLE_NAMES",
            "reviewer=admin",
            "customer, admin, officer or auditor",
        ),
        ("LIVENESS_ROLE_NAMES", "admin=customer", "a name for customer"),
    ];
    for (name, value, expected) in cases {
        let (code, said) = refusal(&["serve"], &[(name, value)]);
        let flag = format!(
            "--{}",
            name.trim_start_matches("LIVENESS_").to_lowercase().replace('_', "-")
        );
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(&flag) && said.contains(expected), "{said}");
    }
}

#[test]
fn a_dev_server_takes_no_tokens_of_a_provider() {
    let provider = [
        ("LIVENESS_OIDC_ISSUER", "https://login.example.com"),
        ("LIVENESS_OIDC_CLIENT_ID", "review-page"),
    ];
    let (code, said) = refusal(&["serve", "--dev"], &provider);

    assert_eq!(code, Some(1));
    assert!(
        said.contains("LIVENESS_OIDC_ISSUER: `serve --dev` takes no tokens"),
        "{said}"
    );
}

#[test]
fn a_dev_server_listens_on_loopback_only() {
    let (code, said) = refusal(&["serve", "--dev", "--bind", "0.0.0.0:0"], &[]);

    assert_eq!(code, Some(1));
    assert!(said.contains("listens on a loopback address only"), "{said}");
}

fn the_log_holds_no_secret(engine: Engine) {
    let server = Server::start(engine);
    let token = customer(1);
    let mut body = report("s-1", true);
    body["imageBase64"] = json!("canary-of-a-face");
    body["metadata"] = json!({ "canary": "canary-of-an-sdk" });

    server.send("SubmitLivenessCheckCommand", &token, &body);
    server.request(
        "SubmitLivenessCheckCommand",
        &[("Authorization", "Bearer canary-of-a-token")],
        b"{}",
    );

    // The log is read by a thread, which may be later than the answers.
    until(|| server.log().contains("SubmitLivenessCheckCommand code=30") && server.log().contains("token=malformed"));
    let log = server.log();
    assert!(
        !log.contains("canary") && !log.contains(&token) && !log.contains(SECRET),
        "{log}"
    );
}

on_each_engine! {
    the_log_holds_no_secret,
}
