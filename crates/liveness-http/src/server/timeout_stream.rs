//! Cuts off who is too slow: the deadlines of a connection that actix-web does not keep.
//!
//! Its own timer covers the head of the first request only; a second head, or an answer that is not read,
//! would hold a connection for ever. The pace of a body is watched where it is read, in `body`.

use std::borrow::Cow;
use std::cell::Cell;
use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_http::ConnectionType;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use liveness_bus::{BusError, RequestId};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use crate::request::body;
use crate::request::envelope::Failure;
use crate::server::tls::{Connection, Tls};

/// How long a connection may rest between two requests.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// How long a client may go on sending a body that was answered without being read: closing at once would
/// reset the connection, and the client would not see the answer.
pub(crate) const LINGER: Duration = Duration::from_secs(5);
/// How long the head of a request may take, and before the first one the handshake of TLS.
const HEAD: Duration = Duration::from_secs(5);
/// How long an answer may wait for its reader to take a byte of it.
const STALLED_ANSWER: Duration = Duration::from_secs(30);

/// What a connection waits for; shared by its stream and the handlers of its requests.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionState(Rc<Cell<Waiting>>);

#[derive(Debug, Clone, Copy)]
enum Waiting {
    /// For the rest of a head, or for the first byte of the next one.
    Head { until: Instant, has_begun: bool },
    /// For the answer.
    Answer { body_is_read: bool },
    /// For the end of a body that was answered without being read; nothing is said on the connection any more.
    End { until: Instant },
}

impl ConnectionState {
    /// The head has been read, and the request is being answered.
    fn request_begun(&self, has_body: bool) {
        self.0.set(Waiting::Answer {
            body_is_read: !has_body,
        });
    }

    /// The body has been read to its end.
    pub(crate) fn body_read(&self) {
        self.0.set(Waiting::Answer { body_is_read: true });
    }

    /// The answer is there; whether it is the last one on the connection, because its body was not read.
    fn request_answered(&self) -> bool {
        let is_last = matches!(self.0.get(), Waiting::Answer { body_is_read: false });
        self.0.set(if is_last {
            Waiting::End {
                until: Instant::now() + LINGER,
            }
        } else {
            // Bytes of the next head may have been read already, so its time runs from now.
            Waiting::Head {
                until: Instant::now() + KEEP_ALIVE + HEAD,
                has_begun: false,
            }
        });
        is_last
    }
}

/// Tells the connection of a request what it waits for. Wraps all that is served on a [`GuardedStream`].
pub(crate) async fn watch<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let connection = request.conn_data::<ConnectionState>().cloned();
    if let Some(connection) = &connection {
        connection.request_begun(body::is_announced(request.headers()));
    }
    let mut answer = next.call(request).await?;
    if connection.is_some_and(|connection| connection.request_answered()) {
        // actix-web would read on to the end of the chunks, for a next request.
        answer
            .response_mut()
            .head_mut()
            .set_connection_type(ConnectionType::Close);
    }
    Ok(answer)
}

/// A connection with deadlines.
#[derive(Debug)]
pub(crate) struct GuardedStream {
    stream: Connection,
    state: ConnectionState,
    head_timer: Pin<Box<Sleep>>,
    write_timer: Option<Pin<Box<Sleep>>>,
}

impl GuardedStream {
    /// Takes a connection over, once it is encrypted where it has to be.
    ///
    /// # Errors
    ///
    /// When the handshake fails or takes too long.
    pub(crate) async fn accept(stream: TcpStream, tls: Option<&Tls>) -> io::Result<Self> {
        Ok(Self::new(match tls {
            Some(tls) => timeout(HEAD, tls.accept(stream)).await??,
            None => Connection::Plain(stream),
        }))
    }

    fn new(stream: Connection) -> Self {
        let until = Instant::now() + HEAD;
        let waiting = Waiting::Head {
            until,
            has_begun: false,
        };
        Self {
            stream,
            state: ConnectionState(Rc::new(Cell::new(waiting))),
            head_timer: Box::pin(sleep_until(until)),
            write_timer: None,
        }
    }

    pub(crate) fn state(&self) -> &ConnectionState {
        &self.state
    }

    /// Ready, with an error, when the head has taken too long.
    fn poll_head_deadline(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let (until, has_begun) = match self.state.0.get() {
            // An answer is still being written, and has a deadline of its own.
            _ if self.write_timer.is_some() => return Poll::Pending,
            Waiting::Head { until, has_begun } => (until, has_begun),
            Waiting::End { until } => (until, false),
            Waiting::Answer { .. } => return Poll::Pending,
        };
        if self.head_timer.deadline() != until {
            self.head_timer.as_mut().reset(until);
        }
        ready!(self.head_timer.as_mut().poll(cx));
        if has_begun {
            self.last_word(&refused_head("408 Request Timeout", BusError::TooSlow), cx);
        }
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }

    /// The last word on this connection; what of it cannot be said at once is not said.
    fn last_word(&mut self, answer: &str, cx: &mut Context<'_>) {
        let _ = Pin::new(&mut self.stream).poll_write(cx, answer.as_bytes());
        let _ = Pin::new(&mut self.stream).poll_flush(cx);
    }

    /// Ready, with an error, when nobody has read what is written for too long.
    fn poll_write_deadline(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let timer = self
            .write_timer
            .get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + STALLED_ANSWER)));
        timer.as_mut().poll(cx).map(|()| io::ErrorKind::TimedOut.into())
    }

    fn written<T>(&mut self, result: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if result.is_pending() {
            return self.poll_write_deadline(cx).map(Err);
        }
        self.write_timer = None;
        if let Waiting::Head { has_begun, .. } = self.state.0.get() {
            let until = Instant::now() + KEEP_ALIVE + HEAD;
            self.state.0.set(Waiting::Head { until, has_begun });
        }
        // What follows may be silence, in which nothing else would wake the connection.
        if let Poll::Ready(late) = self.poll_head_deadline(cx) {
            return Poll::Ready(Err(late));
        }
        result
    }
}

impl AsyncRead for GuardedStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if read.is_pending() {
            return self.poll_head_deadline(cx).map(Err);
        }
        let has_bytes = buffer.filled().len() > before;
        if let (
            true,
            Waiting::Head {
                until,
                has_begun: false,
            },
        ) = (has_bytes, self.state.0.get())
        {
            let until = until.min(Instant::now() + HEAD);
            self.state.0.set(Waiting::Head { until, has_begun: true });
        }
        read
    }
}

impl AsyncWrite for GuardedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if let (Waiting::Head { .. }, Some(answer)) = (self.state.0.get(), bare_refusal(bytes)) {
            self.last_word(&answer, cx);
            return Poll::Ready(Ok(bytes.len()));
        }
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(result, cx)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Without TLS there is nothing to wait for; with it, what was encrypted may not have been sent.
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if flushed.is_pending() || self.write_timer.is_some() {
            return self.written(flushed, cx);
        }
        flushed
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
        self.written(result, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// An answer to a head that never became a request: the envelope, as everywhere.
fn refused_head(status: &str, refusal: BusError) -> String {
    let request_id = RequestId::random();
    let body = Failure::Bus(refusal).envelope(&request_id);
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncache-control: no-store\r\n\
         x-content-type-options: nosniff\r\nx-request-id: {request_id}\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len(),
    )
}

pub(crate) const HEAD_TOO_LARGE: BusError = BusError::Malformed(Cow::Borrowed("the head of the request is too large"));

/// What actix-http answers by itself to a head that it cannot read: a status and nothing else.
fn bare_refusal(bytes: &[u8]) -> Option<String> {
    // Answers with a face are large: they are not gone through.
    if !bytes.starts_with(b"HTTP/1.1 4") {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let (status, headers) = text.strip_prefix("HTTP/1.1 ")?.split_once("\r\n")?;
    let is_bare = headers.contains("content-length: 0\r\n") && !headers.contains("x-request-id");
    match status.get(..3)? {
        "400" if is_bare => Some(refused_head(
            status,
            BusError::Malformed("the head of the request is malformed".into()),
        )),
        "431" if is_bare => Some(refused_head(status, HEAD_TOO_LARGE)),
        _ => None,
    }
}
