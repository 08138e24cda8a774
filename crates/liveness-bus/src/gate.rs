//! The gate, which every message must pass: it checks access, decodes the body, then validates the message.

use std::any::Any;
use std::borrow::Cow;
use std::time::Instant;

use crate::call::Call;
use crate::decode::Decoded;
use crate::error::BusError;
use crate::handler::{BoxFuture, ErasedHandler};
use crate::message::{Kind, Message, Meta};
use crate::middleware::ErasedFrame;
use crate::validation::find_broken_rules;

/// Decodes a message, and says which fields could not be decoded.
type Decode<M> = fn(&[u8]) -> Result<Decoded<M>, BusError>;

/// What a message is made from.
pub(crate) enum Input<'b, M> {
    Message(M),
    Json(Cow<'b, [u8]>, Decode<M>),
    /// The host could not read the body.
    Failed(BusError),
    /// The input has been used.
    Taken,
}

/// A message with its type, from its input to its reply.
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

    /// Decodes the message, then validates it. All wrong fields are reported at once. The message stays in the frame.
    fn admit(&mut self, call: &Call<'_>) -> Result<(), BusError> {
        let (mut problems, mut empty_texts) = (Vec::new(), Vec::new());
        match std::mem::replace(&mut self.input, Input::Taken) {
            Input::Message(message) => self.message = Some(message),
            Input::Json(body, decode) => {
                let decoded = decode(&body)?;
                (problems, empty_texts) = (decoded.problems, decoded.empty_texts);
                self.message = decoded.message;
            }
            Input::Failed(error) => return Err(error),
            Input::Taken => return Err(BusError::Internal("a frame passed the gate twice".into())),
        }
        if let Some(message) = &self.message {
            message.decline()?;
            find_broken_rules(message, &empty_texts, &mut problems);
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

    /// Checks access first, so that the body of a sender who may not send it is never decoded.
    fn pass_gate(&mut self, call: &Call<'_>) -> Result<(), BusError> {
        match &self.input {
            // Perhaps the host failed because it could not look up the user, so only the role is checked.
            Input::Failed(_) => M::ACCESS.check_role(call.principal())?,
            _ => M::ACCESS.check(call.principal())?,
        }
        let admitted = self.admit(call);
        if admitted.is_err() {
            // Middleware must not see a message that was refused.
            self.message = None;
        }
        admitted
    }

    fn invoke<'c>(&'c mut self, call: &'c Call<'_>) -> BoxFuture<'c, Result<(), BusError>> {
        self.handler.handle_into(&mut self.message, call, &mut self.reply)
    }
}
