//! Messages that return their text, a handler whose behavior a test chooses, and a place for audit entries.

#![expect(
    clippy::unwrap_used,
    reason = "a lock that is poisoned, or a bus with a mistake, ends the test"
)]

use std::sync::{Arc, Mutex};

use liveness_bus::{
    Access, Audit, AuditEntry, AuditSink, Bus, BusBuilder, BusError, Call, Cause, Context, ContextBuilder, Handler,
    Kind, Message, Module, Principal, RequestId, TraceContext, async_trait,
};
use liveness_core::{Claims, UserReference};
use serde::Deserialize;
use validator::Validate;

/// The fields of all messages here.
pub(crate) trait Text {
    fn text(self) -> String;
}

macro_rules! message {
    ($name:ident, $kind:ident, $access:expr, $audit:ident) => {
        #[derive(Debug, Clone, Default, Deserialize, Validate)]
        #[serde(rename_all = "camelCase")]
        pub(crate) struct $name {
            #[validate(length(min = 1, max = 9))]
            pub(crate) text: String,
            #[validate(range(min = 0, max = 9))]
            pub(crate) item_count: Option<i64>,
        }

        impl Message for $name {
            const NAME: &'static str = stringify!($name);
            const KIND: Kind = Kind::$kind;
            const ACCESS: Access = $access;
            const AUDIT: Audit = Audit::$audit;
            type Reply = String;

            fn concerns(&self) -> Option<i64> {
                self.item_count
            }

            fn decline(&self) -> Result<(), BusError> {
                match &*self.text {
                    "declined" => Err(BusError::Declined("declined")),
                    _ => Ok(()),
                }
            }

            fn summary(reply: &String) -> Option<&'static str> {
                reply.is_empty().then_some("There is no text.")
            }
        }

        impl Text for $name {
            fn text(self) -> String {
                self.text
            }
        }
    };
}

message!(PublicQuery, Query, Access::Public, LogOnly);
message!(KnownQuery, Query, Access::Authenticated, LogOnly);
message!(TellerQuery, Query, Access::Role("teller"), BeforeReply);
message!(CustomerQuery, Query, Access::UserWithRole("customer"), LogOnly);
message!(TellerCommand, Command, Access::Role("teller"), WithRecord);
message!(LoggedCommand, Command, Access::Role("teller"), LogOnly);

/// How a handler behaves.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Handling {
    Echo,
    /// It writes its audit entry with its record.
    WriteEntry,
    WriteEntryAndFail,
    /// It asks for its audit entry, but does not write it.
    OnlyAsk,
    Panic,
    Never,
    /// Its reply is the trace of its request.
    TellTrace,
}

impl<M: Message<Reply = String> + Text> Handler<M> for Handling {
    async fn handle(&self, message: M, call: &Call<'_>) -> Result<String, BusError> {
        match self {
            Self::Echo => {}
            Self::WriteEntry => call.entry_written(),
            Self::OnlyAsk => drop(call.audit_entry()),
            Self::WriteEntryAndFail => {
                call.entry_written();
                return Err(BusError::Conflict("it was there already"));
            }
            Self::Panic => panic!("the handler panics"),
            Self::Never => std::future::pending().await,
            Self::TellTrace => return Ok(call.trace().map(TraceContext::traceparent).unwrap_or_default()),
        }
        Ok(message.text())
    }
}

/// A module with all messages and the same handler.
pub(crate) fn module(handling: Handling) -> Module {
    Module::new("made up")
        .handle::<PublicQuery>(handling)
        .handle::<KnownQuery>(handling)
        .handle::<TellerQuery>(handling)
        .handle::<CustomerQuery>(handling)
        .handle::<TellerCommand>(handling)
        .handle::<LoggedCommand>(handling)
}

/// A list that a bus writes to and a test reads.
#[derive(Debug, Clone)]
pub(crate) struct Shared<T>(Arc<Mutex<Vec<T>>>);

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone> Shared<T> {
    pub(crate) fn push(&self, value: T) {
        self.0.lock().unwrap().push(value);
    }

    pub(crate) fn all(&self) -> Vec<T> {
        self.0.lock().unwrap().clone()
    }
}

pub(crate) type Entries = Shared<AuditEntry>;

impl Entries {
    /// The message and the outcome of each entry.
    pub(crate) fn outcomes(&self) -> Vec<(String, String)> {
        let outcome = |entry: AuditEntry| (entry.message.into_owned(), entry.outcome.into_owned());
        self.all().into_iter().map(outcome).collect()
    }
}

#[async_trait]
impl AuditSink for Entries {
    async fn append(&self, entry: AuditEntry) -> Result<(), Cause> {
        self.push(entry);
        Ok(())
    }
}

/// A sink that always fails.
pub(crate) struct BrokenSink;

#[async_trait]
impl AuditSink for BrokenSink {
    async fn append(&self, _: AuditEntry) -> Result<(), Cause> {
        Err("the sink is out of order".into())
    }
}

pub(crate) fn bus(handling: Handling) -> (Bus, Entries) {
    bus_with(handling, |builder| builder)
}

pub(crate) fn bus_with(handling: Handling, more: impl FnOnce(BusBuilder) -> BusBuilder) -> (Bus, Entries) {
    let entries = Entries::default();
    let builder = Bus::builder().module(module(handling)).audit_sink(entries.clone());
    (more(builder).build().unwrap(), entries)
}

pub(crate) fn context_of(principal: Principal) -> ContextBuilder {
    Context::builder(principal).request_id(RequestId::parse("r-1").unwrap())
}

pub(crate) fn nobody() -> Context {
    context_of(Principal::anonymous()).build()
}

pub(crate) fn teller() -> Context {
    context_of(Principal::new("t-1").with_role("teller")).build()
}

pub(crate) fn customer_principal() -> Principal {
    let user = Claims::of(UserReference::Id(7)).to_user(7);
    Principal::new("7").with_role("customer").with_user(user)
}

/// The reply's JSON.
pub(crate) async fn dispatch(bus: &Bus, name: &str, json: &str, context: &Context) -> Result<String, BusError> {
    let mut out = Vec::new();
    let outcome = bus.dispatch(name, json.as_bytes(), context, &mut out).await;
    // A failed message must not write a part of a reply.
    assert!(outcome.is_ok() || out.is_empty());
    outcome.map(|()| String::from_utf8(out).unwrap())
}

pub(crate) fn code<T>(outcome: &Result<T, BusError>) -> &'static str {
    outcome.as_ref().map_or_else(BusError::code, |_| "00")
}

/// The field and the code of every error.
pub(crate) fn problems<T: std::fmt::Debug>(outcome: Result<T, BusError>) -> Vec<(String, String)> {
    match outcome {
        Err(BusError::Invalid(errors)) => errors
            .into_iter()
            .map(|error| (error.field, error.code.into()))
            .collect(),
        other => panic!("{other:?}"),
    }
}
