//! What the bus writes to a reply writer.

use liveness_bus::{BusError, Call, Frame, Middleware, Next, ReplyWriter, async_trait};

use crate::messages::{Handling, PublicQuery, bus, bus_with, nobody};

#[derive(Default)]
struct Envelope(Vec<u8>);

impl ReplyWriter for Envelope {
    fn begin(&mut self, summary: Option<&'static str>) {
        self.0.extend(format!("<{}>", summary.unwrap_or("-")).bytes());
    }

    fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    fn end(&mut self) {
        self.0.extend(b"</>");
    }
}

#[tokio::test]
async fn a_reply_stands_between_begin_and_end() {
    let (bus, _) = bus(Handling::Echo);
    let mut envelope = Envelope::default();

    bus.dispatch("PublicQuery", br#"{"text":"h\ni"}"#, &nobody(), &mut envelope)
        .await
        .unwrap();

    assert_eq!(String::from_utf8(envelope.0).unwrap(), r#"<->"h\ni"</>"#);
}

/// Replaces the reply by an empty one, which has a summary.
struct Emptying;

#[async_trait]
impl Middleware for Emptying {
    async fn handle(&self, frame: &mut Frame<'_>, _: &Call<'_>, _: Next<'_>) -> Result<(), BusError> {
        assert!(frame.set_reply::<PublicQuery>(String::new()));
        Ok(())
    }
}

#[tokio::test]
async fn the_summary_is_that_of_the_reply() {
    let (bus, _) = bus_with(Handling::Echo, |builder| builder.inside(Emptying));
    let mut envelope = Envelope::default();

    bus.dispatch("PublicQuery", br#"{"text":"x"}"#, &nobody(), &mut envelope)
        .await
        .unwrap();

    assert_eq!(String::from_utf8(envelope.0).unwrap(), r#"<There is no text.>""</>"#);
}

#[tokio::test]
async fn a_failure_writes_nothing() {
    let (bus, _) = bus(Handling::Panic);
    let mut envelope = Envelope::default();

    for body in [&br#"{"text":"x"}"#[..], b"no JSON"] {
        bus.dispatch("PublicQuery", body, &nobody(), &mut envelope)
            .await
            .unwrap_err();
    }

    assert_eq!(envelope.0, b"");
}

#[tokio::test]
async fn a_reply_is_appended_to_what_is_there() {
    let (bus, _) = bus(Handling::Echo);
    let mut out = b"before ".to_vec();

    bus.dispatch("PublicQuery", br#"{"text":"x"}"#, &nobody(), &mut out)
        .await
        .unwrap();

    assert_eq!(out, br#"before "x""#);
}
