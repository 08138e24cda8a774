//! tower: a stack for one message, static and boxed. It has no registry.

use std::hint::black_box;
use std::sync::Arc;

use liveness_bus::{BusError, Context, Message};
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt as _, service_fn};

use crate::contestants::by_hand::noop;
use crate::messages::{OneOf10, add, customer, teller};
use crate::{Measure, Scenario, now};

pub(crate) const STATIC: &str = "tower, static";
pub(crate) const BOXED: &str = "tower, boxed";

/// A request owns what comes with it.
struct Request {
    message: OneOf10,
    context: Arc<Context>,
}

async fn handle(request: Request) -> Result<u64, BusError> {
    add(request.message, &request.context).await
}

/// The same, static and boxed.
macro_rules! both {
    ($measure:ident, $context:expr, $service:expr) => {{
        let context = Arc::new($context);
        $measure.operation(STATIC, sent($service, Arc::clone(&context)));
        $measure.operation(BOXED, sent(BoxCloneSyncService::new($service), context));
    }};
}

pub(crate) fn run(scenario: Scenario, measure: &mut impl Measure) {
    let stack = ServiceBuilder::new();
    match scenario {
        Scenario::Send { middlewares: 0 } => both!(measure, teller(), stack.clone().service(service_fn(handle))),
        Scenario::Send { middlewares: 1 } => both!(
            measure,
            teller(),
            stack.clone().map_future(noop).service(service_fn(handle))
        ),
        Scenario::Send { .. } => both!(
            measure,
            teller(),
            stack
                .clone()
                .map_future(noop)
                .map_future(noop)
                .map_future(noop)
                .service(service_fn(handle))
        ),
        Scenario::SendRefused => both!(
            measure,
            customer(),
            stack.clone().filter(check).service(service_fn(handle))
        ),
        _ => {}
    }
}

fn check(request: Request) -> Result<Request, BoxError> {
    OneOf10::ACCESS.check(request.context.principal())?;
    Ok(request)
}

fn sent<S: Service<Request, Response = u64>>(
    mut service: S,
    context: Arc<Context>,
) -> impl FnMut() -> Result<u64, S::Error> {
    move || {
        now(async {
            let request = Request {
                message: black_box(OneOf10::EXAMPLE),
                context: Arc::clone(black_box(&context)),
            };
            service.ready().await?.call(request).await
        })
    }
}
