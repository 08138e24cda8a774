//! A connection that ends when its client is too slow. actix-web keeps no such deadlines.
//!
//! Its own timer covers the head of the first request only. A second head, or an answer that is not read, could hold a
//! connection for ever. The pace of a body is checked where it is read, in `request/body.rs`; that of an answer here.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use memchr::memmem;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use super::address_shares::ConnectionPlace;
use super::malformed_head::{head_timeout, replacement_for};
use super::maybe_tls_stream::MaybeTlsStream;
use super::tls::Tls;
use crate::request::connection_state::{ConnectionState, HEAD_TIMEOUT, Phase};
use crate::request::pace::allowed_time;

/// What a client waits for that has sent `Expect: 100-continue`.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// A connection with deadlines.
#[derive(Debug)]
pub(super) struct TimeoutStream {
    stream: MaybeTlsStream,
    state: ConnectionState,
    head_timer: Pin<Box<Sleep>>,
    /// `None` while the client has taken all that was written.
    reader: Option<Reader>,
    /// What is left to be written of [`CONTINUE`].
    invitation: &'static [u8],
    /// Given back when the connection ends.
    _place: Option<ConnectionPlace>,
}

/// A client that is behind with reading.
#[derive(Debug)]
struct Reader {
    since: Instant,
    /// How much it has taken since then.
    taken: usize,
    timer: Pin<Box<Sleep>>,
}

impl Reader {
    fn new() -> Self {
        let since = Instant::now();
        Self {
            since,
            taken: 0,
            timer: Box::pin(sleep_until(since + allowed_time(0))),
        }
    }

    fn deadline(&self) -> Instant {
        self.since + allowed_time(self.taken)
    }

    /// Ready, with an error, when it does not keep the pace.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let deadline = self.deadline();
        if self.timer.deadline() != deadline {
            self.timer.as_mut().reset(deadline);
        }
        self.timer.as_mut().poll(cx).map(|()| io::ErrorKind::TimedOut.into())
    }
}

impl TimeoutStream {
    /// Takes a connection, and does the TLS handshake where there is a certificate.
    ///
    /// # Errors
    ///
    /// When the handshake fails or takes too long.
    pub(super) async fn accept(
        stream: TcpStream,
        tls: Option<&Tls>,
        place: Option<ConnectionPlace>,
    ) -> io::Result<Self> {
        let stream = match tls {
            // Boxed, so that a connection does not keep the memory of its handshake.
            Some(tls) => Box::pin(timeout(HEAD_TIMEOUT, tls.accept(stream))).await??,
            None => MaybeTlsStream::Plain(stream),
        };
        Ok(Self::new(stream, place))
    }

    fn new(stream: MaybeTlsStream, place: Option<ConnectionPlace>) -> Self {
        let head_until = Instant::now() + HEAD_TIMEOUT;
        Self {
            stream,
            state: ConnectionState::new(head_until),
            head_timer: Box::pin(sleep_until(head_until)),
            reader: None,
            invitation: &[],
            _place: place,
        }
    }

    pub(super) fn state(&self) -> &ConnectionState {
        &self.state
    }

    /// Ready, with an error, when the head has taken too long.
    fn poll_head_deadline(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        // While an answer is being written, its reader's pace applies.
        if self.reader.is_some() {
            return Poll::Pending;
        }
        let (until, has_begun) = match self.state.phase() {
            Phase::Head { until, has_begun } => (until, has_begun),
            Phase::Lingering { until } => (until, false),
            Phase::Answer { .. } => return Poll::Pending,
        };
        if self.head_timer.deadline() != until {
            self.head_timer.as_mut().reset(until);
        }
        ready!(self.head_timer.as_mut().poll(cx));
        if has_begun {
            self.write_last(&head_timeout(self.stream.is_tls()), cx);
        }
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }

    /// Writes the last answer on this connection. The part of it that the socket does not take at once is lost.
    fn write_last(&mut self, answer: &str, cx: &mut Context<'_>) {
        let _ = Pin::new(&mut self.stream).poll_write(cx, answer.as_bytes());
        let _ = Pin::new(&mut self.stream).poll_flush(cx);
    }

    /// Tells a client that its body is wanted, if it waits for that.
    fn poll_invite(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.state.expectation().take_invitation() {
            self.invitation = CONTINUE;
        }
        while !self.invitation.is_empty() {
            let result = Pin::new(&mut self.stream).poll_write(cx, self.invitation);
            let written = ready!(self.after_write(result, cx))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.invitation = &self.invitation[written..];
        }
        Poll::Ready(Ok(()))
    }

    /// Applies the deadlines to the result of a write.
    fn after_write(&mut self, result: Poll<io::Result<usize>>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match &result {
            Poll::Pending => return self.reader.get_or_insert_with(Reader::new).poll_late(cx).map(Err),
            Poll::Ready(Ok(taken)) => {
                if let Some(reader) = &mut self.reader {
                    // Whoever takes a byte now and then is late too.
                    if reader.deadline() <= Instant::now() {
                        return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                    }
                    reader.taken += taken;
                }
            }
            Poll::Ready(Err(_)) => return result,
        }
        self.state.answer_written();
        // The client may be silent from now on. Polling the timer makes it wake the connection.
        if let Poll::Ready(late) = self.poll_head_deadline(cx) {
            return Poll::Ready(Err(late));
        }
        result
    }

    /// Everything that was to be written has been, for now.
    fn after_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.reader.is_some() && !self.state.has_unwritten_slices() {
            self.reader = None;
            self.state.answer_written();
            if let Poll::Ready(late) = self.poll_head_deadline(cx) {
                return Poll::Ready(Err(late));
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Where the `100 Continue` of actix-http stands in what it writes. It comes too early: `request/expectation.rs`.
fn early_continue(state: &ConnectionState, bytes: &[u8]) -> Option<usize> {
    // Other answers may be large, and are not searched.
    state
        .expectation()
        .is_announced()
        .then(|| memmem::find(bytes, CONTINUE))?
}

impl AsyncRead for TimeoutStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if read.is_pending() {
            return self.poll_head_deadline(cx).map(Err);
        }
        if buffer.filled().len() > before {
            self.state.head_begun();
        } else if buffer.remaining() > 0 {
            self.state.client_left();
        }
        read
    }
}

impl AsyncWrite for TimeoutStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let replacement = replacement_for(bytes, self.stream.is_tls());
        if let (Phase::Head { .. }, Some(answer)) = (self.state.phase(), replacement) {
            self.write_last(&answer, cx);
            return Poll::Ready(Ok(bytes.len()));
        }
        let bytes = match early_continue(&self.state, bytes) {
            Some(0) => {
                self.state.expectation().announcement_removed();
                return Poll::Ready(Ok(CONTINUE.len()));
            }
            Some(start) => &bytes[..start],
            None => bytes,
        };
        ready!(self.poll_invite(cx))?;
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.after_write(result, cx)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_invite(cx))?;
        // Without TLS a flush never waits. With TLS, encrypted bytes may still have to be sent.
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Pending => self.reader.get_or_insert_with(Reader::new).poll_late(cx).map(Err),
            Poll::Ready(flushed) => {
                flushed?;
                self.after_flush(cx)
            }
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.after_write(result, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
