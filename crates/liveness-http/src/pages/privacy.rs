//! What is kept of a person, why and for how long, at `/privacy`, for everybody: `docs/api.md#host-endpoints`.
//!
//! The page is made from the policy in force when the host starts. It has no scripts, and shows no person's data.

mod wording;

use actix_web::web::{Bytes, ServiceConfig};
use liveness_core::policy::Policy;

use self::wording::page;
use super::static_files::{self, Content, File, STYLE, compiled_in, serve_file, serve_page};

pub(crate) const PATH: &str = "/privacy";
pub(crate) const MEDIA_TYPE: &str = "text/html";

/// The page of what is kept, why and for how long. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct PrivacyPage(Bytes);

impl PrivacyPage {
    /// The page under a policy. `seals_faces` says whether faces are sealed before they are recorded.
    pub fn new(policy: &Policy, seals_faces: bool) -> Self {
        Self(page(policy, seals_faces).into())
    }

    /// Adds the page to an actix application, at `/privacy`.
    pub fn configure(&self, app: &mut ServiceConfig) {
        let policy = static_files::Policy::without_scripts();
        let style = File {
            path: "/privacy/style.css",
            media_type: STYLE,
            content: compiled_in!("privacy", "style.css"),
        };
        serve_file(app, style, &policy);
        serve_page(app, PATH, Content::plain(self.0.clone()), &policy);
    }
}
