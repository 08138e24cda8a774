//! The messages of a bus, found by type or by name.

use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ReplyWriter;
use crate::context::Context;
use crate::decode::decode;
use crate::error::BusError;
use crate::event::Subscription;
use crate::gate::{Input, TypedFrame};
use crate::handler::{BoxFuture, ErasedHandler, Handler};
use crate::message::{Description, Message, Meta};
use crate::middleware::Frame;
use crate::pipeline::Pipeline;

/// All messages of a bus, and the pipeline that runs them.
///
/// The keys are known when the program is written, so that the maps need no hash function that resists attacks.
pub(super) struct Registry {
    pub(super) pipeline: Pipeline,
    pub(super) by_type: FxHashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    pub(super) by_name: FxHashMap<&'static str, (Meta, Arc<dyn JsonDispatch>)>,
    pub(super) subscriptions: Vec<Subscription>,
}

/// A message in the registry: its type and its handler.
pub(super) struct Registered<M: Message> {
    handler: Box<dyn ErasedHandler<M>>,
}

impl<M: Message> Registered<M> {
    pub(super) fn new(handler: impl Handler<M>) -> Self {
        Self {
            handler: Box::new(handler),
        }
    }

    pub(super) async fn run(
        &self,
        pipeline: &Pipeline,
        input: Input<'_, M>,
        context: &Context,
    ) -> Result<M::Reply, BusError> {
        let mut frame = TypedFrame::new(input, &*self.handler);
        pipeline.run(Frame { inner: &mut frame }, context).await?;
        frame
            .into_reply()
            .ok_or_else(|| BusError::Internal("a middleware answered without a reply".into()))
    }
}

/// The input of a message that is sent by name.
pub(super) enum RawInput<'a> {
    Json(Cow<'a, [u8]>),
    /// The host could not read the body.
    Failed(BusError),
}

/// A [`Registered`] message whose type is only known inside: it is decoded from JSON, and its reply is written as JSON.
pub(super) trait JsonDispatch: Send + Sync {
    fn description(&self) -> Option<Description>;

    fn dispatch<'a>(
        &'a self,
        pipeline: &'a Pipeline,
        input: RawInput<'a>,
        context: &'a Context,
        out: &'a mut dyn ReplyWriter,
    ) -> BoxFuture<'a, Result<(), BusError>>;
}

impl<M> JsonDispatch for Registered<M>
where
    M: Message + DeserializeOwned,
    M::Reply: Serialize,
{
    fn description(&self) -> Option<Description> {
        M::description()
    }

    fn dispatch<'a>(
        &'a self,
        pipeline: &'a Pipeline,
        input: RawInput<'a>,
        context: &'a Context,
        out: &'a mut dyn ReplyWriter,
    ) -> BoxFuture<'a, Result<(), BusError>> {
        let input = match input {
            RawInput::Json(body) => Input::Json(body, decode::<M>),
            RawInput::Failed(error) => Input::Failed(error),
        };
        Box::pin(async move {
            let reply = self.run(pipeline, input, context).await?;
            out.begin(M::summary(&reply));
            serde_json::to_writer(out.buffer(), &reply).map_err(|error| BusError::Internal(error.into()))?;
            out.end();
            Ok(())
        })
    }
}
