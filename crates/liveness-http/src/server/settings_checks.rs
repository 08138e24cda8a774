//! Checks keys, limits and the address, as `serve` would use them. `serve` logs what should be fixed.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _};

use super::spans;
use super::tls::Tls;
use crate::config::ServeConfig;
use crate::environment::credential;
use crate::host::checks::findings::Findings;
use crate::host::checks::{files, trail, webhooks};
use crate::host::review_page::configured_page;
use crate::host::secret::{CREDENTIAL, configured_secret, secret_file};
use crate::host::verifier::configured_verifier;
use crate::policy_source::PolicySource;
use crate::request::{ForwardedHeader, TrustedProxies};
use crate::token::probe_jwks;

/// Checks what needs neither the network nor the port.
pub(crate) fn check(config: &ServeConfig, findings: &mut Findings) {
    key_files(config, findings);
    url_files(config, findings);
    if let PolicySource::File(path) = &config.policy.policy {
        files::policy_not_writable_by_others(path, findings);
    }
    trail::check_file(&config.database, findings);
    webhooks::check_files(config, findings);
    sign_in(config, findings);
    exposure(config, findings);
    forwarded_header(config, findings);
    if config.rate_limit.is_none() {
        findings.hint(
            "rate limit",
            "off",
            "set LIVENESS_RATE_LIMIT (20/s), unless a proxy limits what each caller may ask",
        );
    } else {
        findings.ok(
            "rate limit",
            "on, for each principal and each address without a valid token",
        );
    }
}

/// Checks what `serve` meets by itself: whether there is a key, and the port is free.
pub(crate) fn probe(config: &ServeConfig, findings: &mut Findings) {
    if config.dev {
        findings.ok("keys", "`serve --dev` makes one for itself");
    } else {
        keys(config, findings);
    }
    policy(config, findings);
    address(config, findings);
    spans::check(findings);
}

/// What the host would serve under. Each mistake is a finding.
fn policy(config: &ServeConfig, findings: &mut Findings) {
    match config.policy.load() {
        Ok(policy) => findings.ok("policy", policy.version()),
        Err(error) => {
            for line in error.lines() {
                findings.problem("policy", line, "`serve` does not start like this");
            }
        }
    }
}

fn keys(config: &ServeConfig, findings: &mut Findings) {
    match configured_verifier(config) {
        Err(error) => findings.problem("keys", error.to_string(), "`serve` does not start like this"),
        Ok(_) => {
            findings.ok("keys", "there is one to verify tokens by");
            if let Some(location) = &config.jwt_jwks {
                provider(location, findings);
            }
        }
    }
}

fn key_files(config: &ServeConfig, findings: &mut Findings) {
    if config.dev {
        return;
    }
    secret(config, findings);
    if let Some(path) = &config.jwt_public_key_file {
        files::not_writable_by_others("LIVENESS_JWT_PUBLIC_KEY_FILE", path, findings);
    }
    if let Some(file) = config.jwt_jwks.as_deref().filter(|location| !location.contains("://")) {
        files::not_writable_by_others("LIVENESS_JWT_JWKS", file.as_ref(), findings);
    }
    if let Some(path) = &config.jwt_revoked_file {
        files::not_writable_by_others("LIVENESS_JWT_REVOKED_FILE", path, findings);
    }
    // `any` says that there is none on purpose.
    let unset: Vec<_> = [
        (config.token.jwt_issuer.is_none(), "LIVENESS_JWT_ISSUER"),
        (config.token.jwt_audience.is_none(), "LIVENESS_JWT_AUDIENCE"),
    ]
    .into_iter()
    .filter_map(|(is_unset, setting)| is_unset.then_some(setting))
    .collect();
    if !unset.is_empty() {
        findings.hint(
            "keys",
            "a token for another service that is signed with the same key is good here",
            format!("set {} to what your tokens say", unset.join(" and ")),
        );
    }
}

/// The files of URLs, which hold a password or a key.
fn url_files(config: &ServeConfig, findings: &mut Findings) {
    let files = [
        ("LIVENESS_DATABASE_URL_FILE", &config.database.database_url_file),
        ("LIVENESS_KEYS_URL_FILE", &config.faces.keys_url_file),
        ("LIVENESS_WEBHOOK_URL_FILE", &config.webhooks.webhook_url_file),
    ];
    for (setting, file) in files {
        if let Some(file) = file {
            files::secret(setting, file.path(), findings);
        }
    }
}

fn secret(config: &ServeConfig, findings: &mut Findings) {
    if config.token.jwt_secret.is_some() {
        findings.hint(
            "keys",
            "LIVENESS_JWT_SECRET is in the environment, where it stays as long as the process runs",
            "put it into a file that only the server's user can read, and name that in LIVENESS_JWT_SECRET_FILE",
        );
    }
    match secret_file(&config.token) {
        Some(path) if credential(CREDENTIAL).as_ref() == Some(&path) => {
            findings.ok(
                "files",
                format!("LIVENESS_JWT_SECRET_FILE: systemd hands over {CREDENTIAL}"),
            );
        }
        Some(path) => files::secret("LIVENESS_JWT_SECRET_FILE", &path, findings),
        None => {}
    }
    // What cannot be read is told by who needs it.
    let Ok(Some(secret)) = configured_secret(&config.token) else {
        return;
    };
    if secret.bytes().iter().collect::<BTreeSet<_>>().len() < 10 {
        findings.warning(
            "keys",
            format!("{} can be guessed: it has few different characters", secret.setting()),
            "make another, with `head -c 48 /dev/urandom | base64 -w0`",
        );
    }
}

/// Whether the tokens that reviewers are given at the provider can be good here.
fn sign_in(config: &ServeConfig, findings: &mut Findings) {
    if let Err(error) = configured_page(config) {
        return findings.problem("sign-in", error.to_string(), "`serve` does not start like this");
    }
    let Some(issuer) = &config.oidc.oidc_issuer else {
        return findings.ok("sign-in", "reviewers paste a token");
    };
    findings.ok("sign-in", format!("reviewers sign in at {issuer}"));
    if config.jwt_jwks.is_none() && config.jwt_public_key_file.is_none() {
        findings.warning(
            "sign-in",
            "no key of the provider is known, so what reviewers are given there is refused here",
            "set LIVENESS_JWT_JWKS to the provider's jwks_uri",
        );
    }
    if config
        .token
        .jwt_issuer
        .as_ref()
        .is_some_and(|expected| expected != issuer)
    {
        findings.hint(
            "sign-in",
            "LIVENESS_JWT_ISSUER is not LIVENESS_OIDC_ISSUER",
            "fine if the provider's access tokens name another issuer than its ID tokens",
        );
    }
}

/// `serve` starts without the identity provider, but accepts its tokens only once it has answered.
fn provider(location: &str, findings: &mut Findings) {
    match probe_jwks(location) {
        Ok(probe) => {
            findings.ok(
                "keys",
                format!("LIVENESS_JWT_JWKS: {} of its keys are used", probe.usable),
            );
            for rejected in probe.rejected {
                let found = format!("LIVENESS_JWT_JWKS: not used: {rejected}");
                findings.hint("keys", found, "fine if no token that is meant for us is signed with it");
            }
        }
        Err(reason) => findings.problem(
            "keys",
            format!("LIVENESS_JWT_JWKS: {reason}"),
            "until it is reached, the provider's tokens are refused: name its jwks_uri, and let this machine reach it",
        ),
    }
}

/// Checks the certificate. Returns whether one is configured.
fn tls(config: &ServeConfig, findings: &mut Findings) -> bool {
    let tls = Tls::load(config.tls_cert_file.as_deref(), config.tls_key_file.as_deref());
    if let Some(path) = &config.tls_key_file {
        files::secret("LIVENESS_TLS_KEY_FILE", path, findings);
    }
    match tls {
        Err(error) => findings.problem("TLS", error.to_string(), "`serve` does not start like this"),
        Ok(Some(_)) => findings.ok("TLS", "the certificate and its key belong together"),
        Ok(None) => return false,
    }
    true
}

fn address(config: &ServeConfig, findings: &mut Findings) {
    listening("LIVENESS_BIND", &config.bind, findings);
    if let Some(bind) = &config.operations_bind {
        listening("LIVENESS_OPERATIONS_BIND", bind, findings);
    }
}

/// Tries to listen on the address of a setting.
fn listening(setting: &str, bind: &str, findings: &mut Findings) {
    let addresses: Vec<SocketAddr> = match bind.to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(error) => {
            let found = format!("{setting}: {bind} is no address: {error}");
            return findings.problem("address", found, "it must be ADDRESS:PORT, such as 127.0.0.1:8080");
        }
    };
    match TcpListener::bind(&*addresses) {
        Ok(_) => findings.ok("address", format!("{bind} can be listened on")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => findings.hint(
            "address",
            format!("somebody listens on {bind}"),
            format!("fine if that is this service; else choose another {setting}"),
        ),
        Err(error) => findings.problem(
            "address",
            format!("cannot listen on {bind}: {error}"),
            format!("choose an address of this machine, and a port from 1024, in {setting}"),
        ),
    }
}

/// Says whose word on the client's address counts. Only an operator can see whether the proxy writes that header.
fn forwarded_header(config: &ServeConfig, findings: &mut Findings) {
    let header = &config.forwarded_header;
    if config.trusted_proxies != TrustedProxies::default() {
        findings.hint(
            "address",
            format!("the client's address is what the proxy writes into {header}"),
            "let the proxy write it on every request, or name the header that it writes in LIVENESS_FORWARDED_HEADER",
        );
    } else if *header != ForwardedHeader::default() {
        findings.warning(
            "address",
            format!("{header} is not read, because no proxy is trusted"),
            "name the proxy that writes it in LIVENESS_TRUSTED_PROXIES",
        );
    }
}

/// Checks whether anybody on the network can read what is sent.
fn exposure(config: &ServeConfig, findings: &mut Findings) {
    let Ok(mut addresses) = config.bind.to_socket_addrs() else {
        return;
    };
    let is_for_others = addresses.any(|address| !address.ip().is_loopback());
    let has_proxy = config.trusted_proxies != TrustedProxies::default();
    if tls(config, findings) && !has_proxy {
        return;
    }
    match (is_for_others, has_proxy) {
        (true, false) => findings.warning(
            "address",
            "tokens and faces are sent over the network in the clear",
            "listen on loopback behind a proxy with TLS, and name the proxy in LIVENESS_TRUSTED_PROXIES; or set \
             LIVENESS_TLS_CERT_FILE and LIVENESS_TLS_KEY_FILE",
        ),
        (true, true) => findings.hint(
            "address",
            "whoever reaches the port can go around the proxy",
            "let only the proxy reach it",
        ),
        (false, false) => findings.hint(
            "address",
            "behind a proxy every record would have the proxy's address",
            "name it in LIVENESS_TRUSTED_PROXIES (127.0.0.1, ::1)",
        ),
        (false, true) => findings.ok("address", "on loopback, behind a proxy whose word is taken"),
    }
}
