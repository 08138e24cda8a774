//! A path that takes GET and HEAD, and refuses every other method in the usual envelope.

use actix_web::{FromRequest, Handler, Responder, web};

use crate::request::unrouted::method_not_allowed;

/// Adds a path that answers GET and HEAD with this handler.
pub(super) fn get_route<F, Args>(app: &mut web::ServiceConfig, path: &str, handler: F)
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    app.service(
        web::resource(path)
            .route(web::get().to(handler.clone()))
            .route(web::head().to(handler))
            .default_service(web::to(|request| method_not_allowed(request, "GET, HEAD"))),
    );
}
