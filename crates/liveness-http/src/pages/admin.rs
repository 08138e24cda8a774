//! The review page at `/admin`, on which an administrator looks at faces. Its files are compiled into the binary.
//!
//! The page itself holds no data and needs no token. Its scripts call the API, with the token that the reviewer pastes. The
//! files are in `assets/admin`, and are served unchanged.

use actix_web::web::{Bytes, ServiceConfig};

use super::static_files::{SCRIPT, STYLE, serve_file, serve_page};

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

const PAGE: &str = include_str!("../../assets/admin/index.html");

const FILES: [File; 11] = [
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

/// Adds the review page to an actix application: `App::new().configure(|app| api.configure(app)).configure(admin::configure)`.
///
/// Mount it under the same scope as the [`LivenessApi`](crate::LivenessApi): the page calls
/// `api/BPMSelfService/commands/…`, relative to its own path.
pub fn configure(app: &mut ServiceConfig) {
    for (path, media_type, content) in FILES {
        serve_file(app, path, media_type, Bytes::from_static(content.as_bytes()));
    }
    serve_page(app, "/admin", Bytes::from_static(PAGE.as_bytes()));
}
