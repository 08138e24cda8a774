//! A handler reads in which trace its request is, and passes it on.

use liveness_bus::{Principal, TraceContext};

use crate::messages::{Handling, bus, context_of, dispatch, nobody};

#[tokio::test]
async fn a_handler_reads_the_trace_of_its_request() {
    let sent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let context = context_of(Principal::anonymous())
        .trace(TraceContext::parse(sent))
        .build();
    let (bus, _) = bus(Handling::TellTrace);
    let told = dispatch(&bus, "PublicQuery", r#"{"text":"x"}"#, &context).await;
    assert_eq!(told.unwrap(), format!("{sent:?}"));
    let told = dispatch(&bus, "PublicQuery", r#"{"text":"x"}"#, &nobody()).await;
    assert_eq!(told.unwrap(), r#""""#);
}
