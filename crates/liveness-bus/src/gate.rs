//! A message with its type, from its input to its reply; and the gate that it has to pass.

use std::any::Any;
use std::borrow::Cow;
use std::time::Instant;

use crate::call::Call;
use crate::error::{BusError, FieldError};
use crate::handler::{BoxFuture, ErasedHandler};
use crate::message::{Kind, Message, Meta};
use crate::middleware::ErasedFrame;
use crate::validation::find_broken_rules;

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

pub(crate) struct TypedFrame<'b, M: Message> {
    input: Input<'b, M>,
    message: Option<M>,
    reply: Option<M::Reply>,
    handler: &'b dyn ErasedHandler<M>,
}

impl<'b, M: Message> TypedFrame<'b, M> {
    pub(crate) fn new(input: Input<'b, M>, handler: &'b dyn ErasedHandler<M>) -> Self {
        Self {
            input,
            message: None,
            reply: None,
            handler,
        }
    }

    pub(crate) fn into_reply(self) -> Option<M::Reply> {
        self.reply
    }

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
            find_broken_rules(message, &mut problems);
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

impl<M: Message> ErasedFrame for TypedFrame<'_, M> {
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
