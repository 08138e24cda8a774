//! Handlers, which do the work of a message.

use std::future::Future;
use std::pin::Pin;

use crate::call::Call;
use crate::error::BusError;
use crate::message::Message;

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Does the work of a message that has passed the gate.
pub trait Handler<M: Message>: Send + Sync + 'static {
    /// Handles one message.
    ///
    /// # Errors
    ///
    /// The error that the caller gets. Its [code](BusError::code) goes into the audit entry.
    fn handle(&self, message: M, call: &Call<'_>) -> impl Future<Output = Result<M::Reply, BusError>> + Send;
}

/// A [`Handler`] as a trait object. Its future is boxed once. It takes the message from the frame and puts the reply
/// into the frame, so that large values are not moved more than once.
pub(crate) trait ErasedHandler<M: Message>: Send + Sync {
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
