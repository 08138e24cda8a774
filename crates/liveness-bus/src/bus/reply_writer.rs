//! Where the bus writes the JSON of a reply.

/// Where [`Bus::dispatch`](crate::Bus::dispatch) writes a reply. A `Vec<u8>` gets only the JSON. A host can implement this
/// to put the JSON into an envelope.
pub trait ReplyWriter: Send {
    /// Called before the JSON is written, with the message's [summary](crate::Message::summary) of the reply.
    fn begin(&mut self, _summary: Option<&'static str>) {}

    /// The buffer that the JSON is appended to.
    fn buffer(&mut self) -> &mut Vec<u8>;

    /// Called after the JSON is written.
    fn end(&mut self) {}
}

impl ReplyWriter for Vec<u8> {
    fn buffer(&mut self) -> &mut Self {
        self
    }
}
