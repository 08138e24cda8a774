//! A server of a test: a thread for each connection, with TLS or without.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A connection of a client.
pub trait Connection: Read + Write {}

impl<T: Read + Write> Connection for T {}

/// Hands each connection that comes to a thread of its own. Returns the address.
pub fn serve(
    listener: TcpListener,
    tls: Option<ServerConfig>,
    answer: impl Fn(Box<dyn Connection>) + Clone + Send + 'static,
) -> String {
    let (address, tls) = (listener.local_addr().unwrap(), tls.map(Arc::new));
    thread::spawn(move || {
        for connection in listener.incoming() {
            let (answer, connection) = (answer.clone(), connection.unwrap());
            let session = tls.clone().map(|tls| ServerConnection::new(tls).unwrap());
            thread::spawn(move || match session {
                Some(session) => answer(Box::new(StreamOwned::new(session, connection))),
                None => answer(Box::new(connection)),
            });
        }
    });
    address.to_string()
}
