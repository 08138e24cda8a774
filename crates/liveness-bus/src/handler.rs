//! What does the work of a message.

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
    /// What the caller is told; it is audited by its [code](BusError::code).
    fn handle(&self, message: M, call: &Call<'_>) -> impl Future<Output = Result<M::Reply, BusError>> + Send;
}

/// A handler without its type: its future is boxed once. The message and the reply stay in the frame, so that they are
/// not moved from hand to hand.
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
