//! jsonrpsee: methods by name. Its middleware is that of its server, which is not run here.

use std::hint::black_box;

use jsonrpsee_core::server::RpcModule;
use jsonrpsee_types::{ErrorCode, ErrorObjectOwned, Params};
use liveness_bus::{BusError, Context, Message};
use serde::de::DeserializeOwned;

use crate::messages::{
    AddQuery, OneOf10, OneOf700, Registry, ReportCommand, add, customer, report, report_json, teller,
};
use crate::{Crowd, Measure, Scenario, now};

pub(crate) const NAME: &str = "jsonrpsee 0.26.1";

impl Registry for RpcModule<Context> {
    #[inline(never)]
    fn register<const N: usize>(mut self) -> Self {
        let method = self.register_async_method(AddQuery::<N>::NAME, |params, context, _| async move {
            add(admit::<AddQuery<N>>(&params, &context)?, &context)
                .await
                .map_err(told)
        });
        method.expect("each name is there once");
        self
    }
}

/// Where the hand-written `match` does it too.
fn admit<M: Message + DeserializeOwned>(params: &Params<'_>, context: &Context) -> Result<M, ErrorObjectOwned> {
    M::ACCESS.check(context.principal()).map_err(told)?;
    let message: M = params.parse()?;
    let invalid = |errors| ErrorObjectOwned::owned(ErrorCode::InvalidParams.code(), errors, None::<()>);
    message.validate().map_err(|errors| invalid(errors.to_string()))?;
    Ok(message)
}

fn told(error: BusError) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(ErrorCode::InternalError.code(), error.to_string(), None::<()>)
}

fn request(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#)
}

pub(crate) fn run(scenario: Scenario, crowd: &Crowd, measure: &mut impl Measure) {
    let of_10 = |context| {
        let mut module = RpcModule::new(context).with_10();
        let method = module.register_async_method(ReportCommand::NAME, |params, context, _| async move {
            report(admit::<ReportCommand>(&params, &context)?, &context)
                .await
                .map_err(told)
        });
        method.expect("each name is there once");
        module
    };
    let (module, request) = match scenario {
        Scenario::Named { middlewares: 0 } => (of_10(teller()), request(OneOf10::NAME, OneOf10::JSON)),
        Scenario::NamedRefused => (of_10(customer()), request(OneOf10::NAME, OneOf10::JSON)),
        Scenario::NamedOf700 => (
            RpcModule::new(teller()).with_700(crowd.jsonrpsee),
            request(OneOf700::NAME, OneOf700::JSON),
        ),
        Scenario::Named300B | Scenario::Named200Kb => {
            (of_10(teller()), request(ReportCommand::NAME, &report_json(scenario)))
        }
        _ => return,
    };
    measure.operation(
        NAME,
        || now(black_box(&module).raw_json_request(black_box(&request), 1)),
    );
}
