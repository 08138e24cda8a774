//! The review page at `/admin`, on which an administrator looks at faces, and an officer erases them. Its files are compiled
//! into the binary.
//!
//! The page itself holds no data and needs no token. Its scripts call the API, with the token that the reviewer gets at an
//! identity provider ([`SignIn`]) or pastes. The files are in `assets/admin`, and are served unchanged.

mod sign_in;

use actix_web::web::ServiceConfig;
use serde_json::{Value, json};

pub use self::sign_in::{SignIn, SignInError};
use super::static_files::{Content, File, JSON, Policy, SCRIPT, STYLE, compiled_in, serve_file, serve_page};
use crate::token::TokenRules;

macro_rules! asset {
    ($name:literal, $media_type:expr) => {
        File {
            path: concat!("/admin/", $name),
            media_type: $media_type,
            content: compiled_in!("admin", $name),
        }
    };
}

const PAGE: Content = compiled_in!("admin", "index.html");

/// The files that are the same on every host.
fn files() -> [File; 26] {
    [
        asset!("style.css", STYLE),
        asset!("icon.svg", "image/svg+xml"),
        asset!("main.js", SCRIPT),
        asset!("api.js", SCRIPT),
        asset!("days.js", SCRIPT),
        asset!("deeds.js", SCRIPT),
        asset!("dialog.js", SCRIPT),
        asset!("elements.js", SCRIPT),
        asset!("face.js", SCRIPT),
        asset!("filters.js", SCRIPT),
        asset!("jwt.js", SCRIPT),
        asset!("list.js", SCRIPT),
        asset!("loading.js", SCRIPT),
        asset!("officer.js", SCRIPT),
        asset!("place.js", SCRIPT),
        asset!("provider.js", SCRIPT),
        asset!("purpose.js", SCRIPT),
        asset!("receipt.js", SCRIPT),
        asset!("record.js", SCRIPT),
        asset!("redirect.js", SCRIPT),
        asset!("refusal.js", SCRIPT),
        asset!("roles.js", SCRIPT),
        asset!("session.js", SCRIPT),
        asset!("settings.js", SCRIPT),
        asset!("sign_in.js", SCRIPT),
        asset!("wording.js", SCRIPT),
    ]
}

/// The review page with its settings. Without any, reviewers paste a token.
#[derive(Debug, Clone, Default)]
pub struct ReviewPage {
    sign_in: Option<SignIn>,
    rules: TokenRules,
}

impl ReviewPage {
    /// The same page, on which reviewers sign in at an identity provider.
    ///
    /// The page's own address, as the browser has it, is the redirect URI to register there.
    #[must_use]
    pub fn sign_in(mut self, sign_in: SignIn) -> Self {
        self.sign_in = Some(sign_in);
        self
    }

    /// The same page for tokens of these rules. It reads from them who is an officer, to offer what officers can do. Without
    /// this, tokens hold our own names of the roles in `role` or `roles`.
    #[must_use]
    pub fn token_rules(mut self, rules: &TokenRules) -> Self {
        self.rules = rules.clone();
        self
    }

    /// Adds the page to an actix application.
    ///
    /// Mount it under the same scope as the [`LivenessApi`](crate::LivenessApi): the page calls
    /// `api/BPMSelfService/commands/…`, relative to its own path.
    pub fn configure(&self, app: &mut ServiceConfig) {
        let policy = match &self.sign_in {
            None => Policy::default(),
            Some(sign_in) => Policy::talking_to(sign_in.origin()),
        };
        let settings = File {
            path: "/admin/settings.json",
            media_type: JSON,
            content: Content::plain(self.settings().to_string()),
        };
        for file in files().into_iter().chain([settings]) {
            serve_file(app, file, &policy);
        }
        serve_page(app, "/admin", PAGE, &policy);
    }

    /// What the page has to know. All of it is public.
    fn settings(&self) -> Value {
        json!({
            "signIn": self.sign_in.as_ref().map_or(Value::Null, SignIn::settings),
            "roles": {
                "claims": self.rules.role_claims(),
                "admin": self.rules.role_names.names_of("admin"),
                "officer": self.rules.role_names.names_of("officer"),
            },
        })
    }
}

/// Adds the review page without settings: `App::new().configure(|app| api.configure(app)).configure(admin::configure)`.
pub fn configure(app: &mut ServiceConfig) {
    ReviewPage::default().configure(app);
}
