//! The review page at `/admin`: files in the binary, for the browser of whoever must look at faces.
//!
//! It holds nobody's data and needs no token: it asks the commands' route, with the token that the reviewer pastes. What
//! it looks like is in `assets/admin`, in files that are served as they stand there.

use actix_web::web::{Bytes, ServiceConfig};

use crate::pages::static_files::{HTML, SCRIPT, STYLE, file, without_slash};

/// A path, its media type and its content.
type File = (&'static str, &'static str, &'static str);

macro_rules! asset {
    ($name:literal, $media_type:expr) => {
        (
            concat!("/admin/", $name),
            $media_type,
            include_str!(concat!("../../assets/admin/", $name)),
        )
    };
}

const FILES: [File; 12] = [
    ("/admin", HTML, include_str!("../../assets/admin/index.html")),
    asset!("style.css", STYLE),
    asset!("icon.svg", "image/svg+xml"),
    asset!("main.js", SCRIPT),
    asset!("api.js", SCRIPT),
    asset!("elements.js", SCRIPT),
    asset!("list.js", SCRIPT),
    asset!("loading.js", SCRIPT),
    asset!("place.js", SCRIPT),
    asset!("record.js", SCRIPT),
    asset!("sign_in.js", SCRIPT),
    asset!("wording.js", SCRIPT),
];

/// Adds the review page to an actix application, beside a [`LivenessApi`](crate::LivenessApi) and under the same scope:
/// `App::new().configure(|app| api.configure(app)).configure(admin::configure)`.
///
/// The page asks `api/BPMSelfService/commands/…`, relative to where it stands itself.
pub fn configure(app: &mut ServiceConfig) {
    for (path, media_type, content) in FILES {
        file(app, path, media_type, Bytes::from_static(content.as_bytes()));
    }
    without_slash(app, "/admin/", "../admin");
}
