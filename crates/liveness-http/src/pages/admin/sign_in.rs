//! How reviewers sign in at an identity provider on the review page. The page does it; the host only tells it where.

use actix_web::http::Uri;
use serde_json::{Value, json};

use crate::http_client::is_loopback;

/// The scope that makes a sign-in one of OpenID Connect.
const OPENID: &str = "openid";

/// Why reviewers cannot sign in at the provider, as one line for the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignInError {
    /// Only one of the two settings is set.
    #[error(
        "LIVENESS_OIDC_ISSUER and LIVENESS_OIDC_CLIENT_ID: set both, or none, and the review page takes pasted tokens"
    )]
    Incomplete,
    /// The issuer is no address that a browser can be sent to.
    #[error(
        "LIVENESS_OIDC_ISSUER: it must be the identity provider's https:// URL, with a host name, and without a password, \
         a query or a fragment; or an http:// URL of this machine (loopback)"
    )]
    Issuer,
    /// The client id has characters that no client id has.
    #[error("LIVENESS_OIDC_CLIENT_ID: it must be 1 to 255 visible ASCII characters or spaces")]
    ClientId,
    /// The scopes have characters that no scope has.
    #[error("LIVENESS_OIDC_SCOPES: it must be names with spaces between them, such as `openid profile`")]
    Scopes,
    /// `serve --dev` accepts the tokens of its own key only.
    #[error(
        "LIVENESS_OIDC_ISSUER: `serve --dev` takes no tokens of a provider, only those that it prints; leave it out"
    )]
    Dev,
}

/// The sign-in of the review page at an identity provider: authorization code with PKCE, as a public client.
#[derive(Debug, Clone)]
pub struct SignIn {
    issuer: String,
    origin: String,
    client_id: String,
    scope: String,
    audience: Option<String>,
    role: String,
}

impl SignIn {
    /// A sign-in at the provider with this issuer, exactly as the provider writes it, by this client id.
    ///
    /// # Errors
    ///
    /// [`SignInError::Issuer`] and [`SignInError::ClientId`].
    pub fn new(issuer: &str, client_id: &str) -> Result<Self, SignInError> {
        let is_client_id =
            (1..=255).contains(&client_id.len()) && client_id.bytes().all(|b| (b' '..=b'~').contains(&b));
        if !is_client_id {
            return Err(SignInError::ClientId);
        }
        Ok(Self {
            issuer: issuer.to_owned(),
            origin: origin(issuer).ok_or(SignInError::Issuer)?,
            client_id: client_id.to_owned(),
            scope: OPENID.to_owned(),
            audience: None,
            role: "admin".to_owned(),
        })
    }

    /// Asks for these scopes, with spaces between them. `openid` is always asked for.
    ///
    /// # Errors
    ///
    /// [`SignInError::Scopes`].
    pub fn scopes(mut self, scopes: &str) -> Result<Self, SignInError> {
        // RFC 6749, section 3.3.
        let is_scope = |scope: &str| scope.bytes().all(|b| matches!(b, b'!' | b'#'..=b'[' | b']'..=b'~'));
        let mut names: Vec<_> = scopes.split_ascii_whitespace().collect();
        if !names.iter().all(|name| is_scope(name)) {
            return Err(SignInError::Scopes);
        }
        if !names.contains(&OPENID) {
            names.insert(0, OPENID);
        }
        self.scope = names.join(" ");
        Ok(self)
    }

    /// Asks for an access token with this audience. Some providers give an opaque token otherwise.
    #[must_use]
    pub fn audience(mut self, audience: &str) -> Self {
        self.audience = Some(audience.to_owned());
        self
    }

    /// The provider's name for the role `admin`, so that the page can say what is missing.
    #[must_use]
    pub fn role(mut self, role: &str) -> Self {
        role.clone_into(&mut self.role);
        self
    }

    /// The origin that the page has to talk to.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// What the page has to know. All of it is public: the browser shows it in the address of the provider.
    pub(super) fn settings(&self) -> Value {
        json!({
            "issuer": self.issuer,
            "clientId": self.client_id,
            "scope": self.scope,
            "audience": self.audience,
            "role": self.role,
        })
    }
}

/// The origin of an issuer, in characters that mean nothing else in a Content-Security-Policy.
fn origin(issuer: &str) -> Option<String> {
    if issuer.contains(['?', '#', '@']) {
        return None;
    }
    let uri: Uri = issuer.parse().ok()?;
    let host = uri.host()?;
    let is_name =
        |host: &str| !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    let is_allowed = match uri.scheme_str()? {
        "https" => true,
        "http" => is_loopback(host),
        _ => false,
    };
    let port = match (uri.port(), uri.authority()?.as_str().contains(':')) {
        (Some(port), _) => format!(":{port}"),
        (None, false) => String::new(),
        (None, true) => return None,
    };
    (is_allowed && is_name(host)).then(|| {
        format!(
            "{}://{}{port}",
            uri.scheme_str().unwrap_or("https"),
            host.to_ascii_lowercase()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin_of(issuer: &str) -> Result<String, SignInError> {
        SignIn::new(issuer, "page").map(|sign_in| sign_in.origin)
    }

    #[test]
    fn the_origin_is_scheme_host_and_port() {
        for (issuer, origin) in [
            ("https://login.example.com", "https://login.example.com"),
            ("https://Login.Example.com/", "https://login.example.com"),
            (
                "https://login.example.com:8443/realms/bank",
                "https://login.example.com:8443",
            ),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("http://localhost:3000/oidc", "http://localhost:3000"),
        ] {
            assert_eq!(origin_of(issuer).as_deref(), Ok(origin));
        }
    }

    #[test]
    fn an_issuer_is_a_url_that_a_browser_may_be_sent_to() {
        for issuer in [
            "",
            "login.example.com",
            "/realms/bank",
            "http://login.example.com",
            "ftp://login.example.com",
            "https://",
            "https://user:password@login.example.com",
            "https://login.example.com?tenant=1",
            "https://login.example.com#realm",
            "https://login.example.com:",
            "https://login.example.com:port",
            "https://login.example.com;script-src *",
            "https://login.example.com;script-src",
            "https://*.example.com",
            "https://login.example.com, https://other.example.com",
            "https://[::1]:3000",
            "javascript://127.0.0.1/%0aalert(1)",
        ] {
            assert_eq!(origin_of(issuer), Err(SignInError::Issuer), "{issuer}");
        }
    }

    #[test]
    fn openid_is_always_asked_for_and_once() {
        let sign_in = || SignIn::new("https://login.example.com", "page").unwrap();
        for (given, asked) in [
            ("openid", "openid"),
            ("", "openid"),
            (" profile  email ", "openid profile email"),
            ("profile openid", "profile openid"),
            (
                "api://liveness/review offline_access",
                "openid api://liveness/review offline_access",
            ),
        ] {
            assert_eq!(sign_in().scopes(given).unwrap().scope, asked);
        }
        for wrong in ["open\"id", "a\\b", "prüfen", "a\u{7}"] {
            assert_eq!(sign_in().scopes(wrong).unwrap_err(), SignInError::Scopes, "{wrong}");
        }
    }

    #[test]
    fn a_client_id_is_visible() {
        for id in ["", "a\nb", "prüfer", &"a".repeat(256)] {
            let refused = SignIn::new("https://login.example.com", id).unwrap_err();
            assert_eq!(refused, SignInError::ClientId, "{id}");
        }
    }
}
