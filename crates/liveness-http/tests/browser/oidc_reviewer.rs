//! A reviewer who signs in at an identity provider: the page, a host that takes the provider's tokens, and the provider.

use serde_json::{Value, json};

use crate::oidc_provider::Provider;
use crate::reviewer::{Reviewer, full_run};

/// What the host is called in the tokens that are meant for it.
pub const AUDIENCE: &str = "https://liveness.example/review";
/// What is complained of on the provider's own screens.
const OF_PROVIDER: [&str; 3] = ["fonts.googleapis.com", "/favicon.ico", "/interaction/"];

pub struct OidcReviewer {
    pub reviewer: Reviewer,
    pub provider: Provider,
}

impl OidcReviewer {
    /// Before a host with one record, and a provider that knows the page.
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// The same with settings of the host's, which come after those of the sign-in.
    pub fn with(settings: &[(&str, &str)]) -> Self {
        let mut provider = Provider::start();
        let issuer = provider.issuer().to_owned();
        let jwks = format!("{issuer}/jwks");
        let of_sign_in = [
            ("LIVENESS_JWT_JWKS", &*jwks),
            ("LIVENESS_JWT_ISSUER", &issuer),
            ("LIVENESS_JWT_AUDIENCE", AUDIENCE),
            ("LIVENESS_JWT_LEEWAY", "0s"),
            ("LIVENESS_OIDC_ISSUER", &issuer),
            ("LIVENESS_OIDC_CLIENT_ID", "review-page"),
            ("LIVENESS_OIDC_SCOPES", "openid profile"),
        ];
        let reviewer = Reviewer::with(&[&of_sign_in[..], settings].concat());
        provider.tell(&format!("page http://{}/admin", reviewer.server.address()));
        Self { reviewer, provider }
    }

    /// Records a run of a user, whose token says what this host asks for.
    pub fn record(&self, user: i64, session: &str) {
        let claims =
            json!({ "sub": user.to_string(), "role": "customer", "iss": self.provider.issuer(), "aud": AUDIENCE });
        self.reviewer.record_from(&claims, &[], &full_run(session));
    }

    /// From the page to the provider, and back as this person, who agrees to everything.
    pub fn sign_in(&self, name: &str) {
        self.reviewer.browser.click("#sign-in");
        self.give_name(name);
        self.agree();
    }

    /// At the provider's first screen.
    pub fn give_name(&self, name: &str) {
        let browser = &self.reviewer.browser;
        browser.fill("input[name=login]", name);
        browser.fill("input[name=password]", "any");
        browser.click("button[type=submit]");
    }

    /// At its second.
    pub fn agree(&self) {
        self.reviewer.browser.click("input[value=consent] ~ button");
    }

    /// Waits until the page says that nobody is signed in, and why; nothing of the way there is left.
    pub fn is_refused(&self, why: &str, hash: &str) {
        let browser = &self.reviewer.browser;
        browser.sees(why);
        let page = format!("http://{}/admin{hash}", self.reviewer.server.address());
        assert_eq!(browser.script("return location.href"), json!(page));
        assert_eq!(self.kept(), json!([0, 0, ""]));
        assert_eq!(
            browser.script("return document.querySelector('#sign-out')"),
            json!(null)
        );
        assert_eq!(browser.script("return document.activeElement.id"), json!("sign-in"));
    }

    /// How much lies in the two kinds of storage, and the cookies.
    pub fn kept(&self) -> Value {
        self.reviewer
            .browser
            .script("return [localStorage.length, sessionStorage.length, document.cookie]")
    }

    /// How often this document has asked the provider for tokens.
    pub fn token_requests(&self) -> Value {
        let asked =
            "return performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/token')).length";
        self.reviewer.browser.script(asked)
    }

    /// Ends the test, as [`Reviewer::leave`].
    pub fn leave(self, known: &[&str]) {
        self.reviewer.leave(&[known, &OF_PROVIDER].concat());
    }
}
