//! Tokens in the shape of well-known identity providers, by the settings that `docs/operations.md#identity-providers` gives.
//!
//! The claims in `claims_of/` are made up, in the providers' shapes. Only their times are added here.

use jsonwebtoken::get_current_timestamp;
use serde_json::{Value, json};

use crate::engine::Engine;
use crate::keys::KeyPair;
use crate::provider::Provider;
use crate::server::Server;
use crate::wire::{LIST, STATUS};

const OPERATIONS: &str = include_str!("../../../../../docs/operations.md");
/// By their headings there.
const PROVIDERS: [(&str, &str); 5] = [
    ("Keycloak", include_str!("claims_of/keycloak.json")),
    ("Auth0", include_str!("claims_of/auth0.json")),
    ("Azure AD", include_str!("claims_of/azure-ad.json")),
    ("Cognito", include_str!("claims_of/cognito.json")),
    ("Okta", include_str!("claims_of/okta.json")),
];

/// A server with the settings of a provider, whose keys are ours.
struct Tried {
    name: &'static str,
    server: Server,
    key: KeyPair,
    claims: Value,
}

impl Tried {
    fn all() -> impl Iterator<Item = Self> {
        PROVIDERS.into_iter().map(|(name, claims)| {
            let key = KeyPair::rsa();
            let provider = Provider::of(&[key.jwk("key")]);
            let url = provider.url();
            let mut settings = settings_of(name);
            let jwks = settings
                .iter_mut()
                .find(|(name, _)| *name == "LIVENESS_JWT_JWKS")
                .unwrap();
            assert!(jwks.1.starts_with("https://"));
            jwks.1 = &url;
            Self {
                name,
                server: Server::with(Engine::Sqlite, &settings),
                key,
                claims: serde_json::from_str(claims).unwrap(),
            }
        })
    }

    /// A token of the customer or the reviewer, but for one claim, which is left out where there is no value.
    fn token(&self, who: &str, changed: Option<(&str, Option<Value>)>) -> String {
        let mut claims = self.claims[who].clone();
        let now = get_current_timestamp();
        claims["iat"] = json!(now);
        claims["exp"] = json!(now + 300);
        match changed {
            Some((name, Some(value))) => claims[name] = value,
            Some((name, None)) => drop(claims.as_object_mut().unwrap().remove(name).unwrap()),
            None => {}
        }
        self.key.named_token("key", &claims)
    }

    /// The status of a customer's message, and that of an administrator's.
    fn access(&self, token: &str) -> [u16; 2] {
        [STATUS, LIST].map(|message| self.server.send(message, token, &json!({})).status)
    }

    fn claim(&self, setting: &str) -> &'static str {
        let settings = settings_of(self.name);
        let found = settings.iter().find(|(name, _)| *name == setting);
        found.unwrap().1
    }
}

/// The settings below a provider's heading.
fn settings_of(provider: &str) -> Vec<(&'static str, &'static str)> {
    let (_, chapter) = OPERATIONS.split_once(&format!("\n#### {provider}\n")).unwrap();
    let (_, block) = chapter.split_once("```text\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    block.lines().map(|line| line.split_once('=').unwrap()).collect()
}

#[test]
fn customers_and_reviewers_of_each_provider_may_do_what_is_theirs() {
    for tried in Tried::all() {
        let name = tried.name;
        assert_eq!(tried.access(&tried.token("customer", None)), [200, 403], "{name}");
        assert_eq!(tried.access(&tried.token("reviewer", None)), [403, 200], "{name}");
        let users = tried.server.send(
            "GetUserLivenessCheckQuery",
            &tried.token("reviewer", None),
            &json!({ "userId": 1234 }),
        );
        assert_eq!(users.data()["UserId2"], "USR-00001234", "{name}: {users:?}");
    }
}

#[test]
fn without_the_claim_of_the_roles_nobody_may_do_anything() {
    for tried in Tried::all() {
        let claim = tried.claim("LIVENESS_JWT_ROLE_CLAIM");
        // Of a path, the claim that it leads into.
        let claim = if claim.starts_with("realm_access") {
            "realm_access"
        } else {
            claim
        };
        for who in ["customer", "reviewer"] {
            assert_eq!(
                tried.access(&tried.token(who, Some((claim, None)))),
                [403, 403],
                "{}",
                tried.name
            );
        }
    }
}

#[test]
fn tokens_for_another_service_or_of_another_issuer_are_refused() {
    for tried in Tried::all() {
        let stand_in = tried.claims["reviewer"].get("aud").is_none();
        let audience = if stand_in { "client_id" } else { "aud" };
        for (claim, value) in [
            (audience, Some(json!("another"))),
            (audience, None),
            ("iss", Some(json!("https://another.example"))),
            ("iss", None),
            ("sub", None),
        ] {
            let refused = tried.token("reviewer", Some((claim, value)));
            assert_eq!(tried.access(&refused), [401, 401], "{} {claim}", tried.name);
        }
    }
}
