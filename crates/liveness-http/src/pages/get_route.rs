//! A path that takes GET and HEAD, and refuses every other method in the usual envelope.

use actix_web::guard::fn_guard;
use actix_web::{FromRequest, Handler, Responder, web};

use crate::request::path::{any_slashes, is_plain};
use crate::request::unrouted::method_not_allowed;

/// Adds a path that answers GET and HEAD with this handler, in all its spellings.
pub(super) fn get_route<F, Args>(app: &mut web::ServiceConfig, path: &str, handler: F)
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    get_pattern(app, &any_slashes(path), handler);
}

/// Adds all paths of a pattern, with this handler for GET and HEAD.
pub(super) fn get_pattern<F, Args>(app: &mut web::ServiceConfig, pattern: &str, handler: F)
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    app.service(
        web::resource(pattern)
            .guard(fn_guard(is_plain))
            .route(web::get().to(handler.clone()))
            .route(web::head().to(handler))
            .default_service(web::to(|request| method_not_allowed(request, "GET, HEAD"))),
    );
}
