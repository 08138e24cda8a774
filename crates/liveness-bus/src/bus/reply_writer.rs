//! Where the JSON of a reply goes.

/// Where [`Bus::dispatch`](crate::Bus::dispatch) writes a reply. A `Vec<u8>` takes its JSON alone; a host may put it into an envelope.
pub trait ReplyWriter: Send {
    /// Called before the reply's JSON, with the sentence that tells what it means.
    fn begin(&mut self, _summary: Option<&'static str>) {}

    /// What the JSON is appended to.
    fn buffer(&mut self) -> &mut Vec<u8>;

    /// Called after the reply's JSON.
    fn end(&mut self) {}
}

impl ReplyWriter for Vec<u8> {
    fn buffer(&mut self) -> &mut Self {
        self
    }
}
