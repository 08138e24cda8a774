//! The review page at `/admin`, on which an administrator looks at faces and decides, and an officer erases faces. Its files are
//! compiled into the binary.
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

macro_rules! scripts {
    ($($name:literal),* $(,)?) => {
        [$(asset!($name, SCRIPT)),*]
    };
}

/// The files that are the same on every host.
fn files() -> impl Iterator<Item = File> {
    let of_style = [asset!("style.css", STYLE), asset!("icon.svg", "image/svg+xml")];
    let scripts = scripts![
        "main.js",
        "api.js",
        "attempts.js",
        "badge.js",
        "challenge_times.js",
        "challenges.js",
        "choice.js",
        "compare.js",
        "days.js",
        "decision.js",
        "deeds.js",
        "dialog.js",
        "elements.js",
        "face.js",
        "face_view.js",
        "filters.js",
        "jwt.js",
        "keys.js",
        "list.js",
        "loading.js",
        "notice.js",
        "officer.js",
        "place.js",
        "provider.js",
        "purpose.js",
        "queue.js",
        "reason_field.js",
        "reasons.js",
        "receipt.js",
        "record.js",
        "redirect.js",
        "refusal.js",
        "roles.js",
        "session.js",
        "settings.js",
        "sign_in.js",
        "verdict.js",
        "waiting.js",
        "walk.js",
        "wording.js",
    ];
    of_style.into_iter().chain(scripts)
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
        for file in files().chain([settings]) {
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
