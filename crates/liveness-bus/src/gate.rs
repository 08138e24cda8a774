//! A message with its type, from its input to its reply; and the gate that it has to pass.

use std::any::Any;
use std::borrow::Cow;
use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bus::{Pipeline, ReplyWriter};
use crate::decode::decode_into;
use crate::middleware::{BoxFuture, Frame};
use crate::validation::problems_of;
use crate::{BusError, Call, Context, Description, FieldError, Handler, Kind, Message, Meta};

/// A frame without its type. Middleware sees it through [`Frame`], so that nothing but the pipeline leads it on.
pub(crate) trait AnyFrame: Send {
    fn meta(&self) -> &'static Meta;
    fn message(&self) -> Option<&dyn Any>;
    fn has_reply(&self) -> bool;
    fn reply(&self) -> &dyn Any;
    fn reply_mut(&mut self) -> &mut dyn Any;
    fn pass_gate(&mut self, call: &Call<'_>) -> Result<(), BusError>;
    fn invoke<'c>(&'c mut self, call: &'c Call<'_>) -> BoxFuture<'c, Result<(), BusError>>;
}

/// Reads a message into its place, and gives back what could not be read.
type DecodeInto<M> = fn(&[u8], &mut Option<M>) -> Result<Vec<FieldError>, BusError>;

/// What a frame begins with.
pub(crate) enum Input<'b, M> {
    Message(M),
    Json(Cow<'b, [u8]>, DecodeInto<M>),
    /// A host gave up before there was a body.
    Failed(BusError),
    Taken,
}

struct TypedFrame<'b, M: Message> {
    input: Input<'b, M>,
    message: Option<M>,
    reply: Option<M::Reply>,
    handler: &'b dyn ErasedHandler<M>,
}

impl<M: Message> TypedFrame<'_, M> {
    /// Decodes, then validates: everything that is wrong is told at once. The message is left in its place.
    fn admit(&mut self, call: &Call<'_>) -> Result<(), BusError> {
        let mut problems = match std::mem::replace(&mut self.input, Input::Taken) {
            Input::Message(message) => {
                self.message = Some(message);
                Vec::new()
            }
            Input::Json(body, decode_into) => decode_into(&body, &mut self.message)?,
            Input::Failed(error) => return Err(error),
            Input::Taken => return Err(BusError::Internal("a frame passed the gate twice".into())),
        };
        if let Some(message) = &self.message {
            message.decline()?;
            problems_of(message, &mut problems);
        }
        match &self.message {
            Some(message) if problems.is_empty() => {
                if let Some(user) = message.concerns() {
                    call.set_concerned_user(user);
                }
            }
            _ => return Err(BusError::Invalid(problems)),
        }
        if M::KIND == Kind::Command && call.deadline().is_some_and(|deadline| deadline <= Instant::now()) {
            return Err(BusError::Unavailable(
                "the deadline passed before the command began".into(),
            ));
        }
        Ok(())
    }
}

impl<M: Message> AnyFrame for TypedFrame<'_, M> {
    fn meta(&self) -> &'static Meta {
        const { &Meta::of::<M>() }
    }

    fn message(&self) -> Option<&dyn Any> {
        self.message.as_ref().map(|message| message as &dyn Any)
    }

    fn has_reply(&self) -> bool {
        self.reply.is_some()
    }

    fn reply(&self) -> &dyn Any {
        &self.reply
    }

    fn reply_mut(&mut self) -> &mut dyn Any {
        &mut self.reply
    }

    /// Access, then decode, then validate: a body that its sender may not send is not even read.
    fn pass_gate(&mut self, call: &Call<'_>) -> Result<(), BusError> {
        match &self.input {
            // Why a host gave up may be that the user could not be looked up, so only the role is judged.
            Input::Failed(_) => M::ACCESS.check_role(call.principal())?,
            _ => M::ACCESS.check(call.principal())?,
        }
        let admitted = self.admit(call);
        if admitted.is_err() {
            // Nobody is shown what was not let in.
            self.message = None;
        }
        admitted
    }

    fn invoke<'c>(&'c mut self, call: &'c Call<'_>) -> BoxFuture<'c, Result<(), BusError>> {
        self.handler.handle_into(&mut self.message, call, &mut self.reply)
    }
}

/// A handler without its type: its future is boxed once. The message and the reply stay in the frame, so that they are
/// not moved from hand to hand.
trait ErasedHandler<M: Message>: Send + Sync {
    fn handle_into<'c>(
        &'c self,
        message: &'c mut Option<M>,
        call: &'c Call<'_>,
        reply: &'c mut Option<M::Reply>,
    ) -> BoxFuture<'c, Result<(), BusError>>;
}

impl<M: Message, H: Handler<M>> ErasedHandler<M> for H {
    fn handle_into<'c>(
        &'c self,
        message: &'c mut Option<M>,
        call: &'c Call<'_>,
        reply: &'c mut Option<M::Reply>,
    ) -> BoxFuture<'c, Result<(), BusError>> {
        Box::pin(async move {
            let message = message.take();
            let message = message.ok_or_else(|| BusError::Internal("a message was handled twice".into()))?;
            *reply = Some(self.handle(message, call).await?);
            Ok(())
        })
    }
}

/// A message's entry in the registry.
pub(crate) struct Registered<M: Message> {
    handler: Box<dyn ErasedHandler<M>>,
}

impl<M: Message> Registered<M> {
    pub(crate) fn new(handler: impl Handler<M>) -> Self {
        Self {
            handler: Box::new(handler),
        }
    }

    pub(crate) async fn run(
        &self,
        pipeline: &Pipeline,
        input: Input<'_, M>,
        context: &Context,
    ) -> Result<M::Reply, BusError> {
        let mut frame = TypedFrame {
            input,
            message: None,
            reply: None,
            handler: &*self.handler,
        };
        pipeline.run(Frame { inner: &mut frame }, context).await?;
        frame
            .reply
            .ok_or_else(|| BusError::Internal("a middleware answered without a reply".into()))
    }
}

/// What a host sends by name.
pub(crate) enum RawInput<'a> {
    Json(Cow<'a, [u8]>),
    Failed(BusError),
}

/// A message's entry in the registry, by name.
pub(crate) trait ByName: Send + Sync {
    fn description(&self) -> Option<Description>;

    fn dispatch<'a>(
        &'a self,
        pipeline: &'a Pipeline,
        input: RawInput<'a>,
        context: &'a Context,
        out: &'a mut dyn ReplyWriter,
    ) -> BoxFuture<'a, Result<(), BusError>>;
}

impl<M> ByName for Registered<M>
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
            RawInput::Json(body) => Input::Json(body, decode_into::<M>),
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
