//! TLS for those without a proxy in front: the certificate and its key, read again when they change, and a connection
//! with TLS or without: `docs/operations.md#tls`.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::file_watcher::FileWatcher;

/// Why there can be no TLS; one line for the operator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// One of the two is missing.
    #[error("LIVENESS_TLS_CERT_FILE and LIVENESS_TLS_KEY_FILE: set both, or none for plain HTTP")]
    Incomplete,
    /// The file of the certificate cannot be used.
    #[error("LIVENESS_TLS_CERT_FILE: {0}: it must hold a certificate in PEM, and those that it was issued by: {1}")]
    Certificate(String, String),
    /// The file of the key cannot be used.
    #[error("LIVENESS_TLS_KEY_FILE: {0}: it must hold a private key in PEM: {1}")]
    Key(String, String),
    /// Each is good, but not for the other.
    #[error("LIVENESS_TLS_KEY_FILE: {0}: it does not belong to the certificate in LIVENESS_TLS_CERT_FILE: {1}")]
    Pair(String, String),
    /// The library of TLS cannot be used.
    #[error("TLS: {0}")]
    Library(#[from] rustls::Error),
    /// `serve --dev` prints lines for curl, which would not trust the certificate.
    #[error("LIVENESS_TLS_CERT_FILE: `serve --dev` speaks plain HTTP, on this machine only; leave it out")]
    Dev,
}

/// The certificate that the host shows, and where it comes from. Cloning it is cheap.
#[derive(Clone)]
pub(crate) struct Tls {
    identity: Arc<Identity>,
    files: FileWatcher,
    acceptor: TlsAcceptor,
}

impl Tls {
    /// Reads the two files, where they are given.
    ///
    /// # Errors
    ///
    /// When only one is given, or when they hold no certificate and the key to it.
    pub(crate) fn of(certificate: Option<&Path>, key: Option<&Path>) -> Result<Option<Self>, TlsError> {
        let files = match (certificate, key) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => Files {
                certificate: certificate.to_owned(),
                key: key.to_owned(),
            },
            _ => return Err(TlsError::Incomplete),
        };
        let watcher = FileWatcher::new(&[files.certificate.clone(), files.key.clone()]);
        let identity = Arc::new(Identity {
            current: RwLock::new(Arc::new(files.read()?)),
            files,
        });
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(Arc::<Identity>::clone(&identity));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Some(Self {
            identity,
            files: watcher,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        }))
    }

    /// Reads the files again whenever they change, for ever. A pair that is no good is told of, and changes nothing.
    pub(crate) async fn follow_files(self) {
        self.files.run(move || self.identity.reload()).await;
    }

    /// A connection with its handshake done.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<Connection> {
        let accepted = self.acceptor.accept(stream).await;
        // Anybody can make it fail: no more than a word for who looks for it.
        let stream = accepted.inspect_err(|error| log::debug!("TLS: {error}"))?;
        Ok(Connection::Tls(Box::new(stream)))
    }
}

/// The certificate and its key, as they were last good.
struct Identity {
    files: Files,
    current: RwLock<Arc<CertifiedKey>>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Identity {
    fn reload(&self) {
        match self.files.read() {
            Ok(identity) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(identity);
                log::info!("TLS: the certificate was read again");
            }
            Err(error) => log::warn!("TLS: the certificate from before is kept: {error}"),
        }
    }
}

#[derive(Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    fn read(&self) -> Result<CertifiedKey, TlsError> {
        let shown = |path: &Path| path.display().to_string();
        let no_certificate = |reason: String| TlsError::Certificate(shown(&self.certificate), reason);
        let chain: Result<Vec<_>, _> =
            CertificateDer::pem_file_iter(&self.certificate).and_then(|certificates| certificates.collect());
        let chain = chain.map_err(|error| no_certificate(error.to_string()))?;
        if chain.is_empty() {
            return Err(no_certificate("there is none".to_owned()));
        }
        let no_key = |reason: String| TlsError::Key(shown(&self.key), reason);
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|error| no_key(error.to_string()))?;
        CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(|error| match error {
            rustls::Error::InvalidCertificate(_) => no_certificate(error.to_string()),
            rustls::Error::InconsistentKeys(_) => TlsError::Pair(shown(&self.key), error.to_string()),
            error => no_key(error.to_string()),
        })
    }
}

/// A connection, with TLS or without.
#[derive(Debug)]
pub(crate) enum Connection {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Calls a method on whichever it is.
macro_rules! on_either {
    ($connection:expr, $stream:ident => $call:expr) => {
        match $connection.get_mut() {
            Connection::Plain(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
            Connection::Tls(stream) => {
                let $stream = Pin::new(stream.as_mut());
                $call
            }
        }
    };
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        on_either!(self, stream => stream.poll_read(cx, buffer))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        on_either!(self, stream => stream.poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_either!(self, stream => stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_either!(self, stream => stream.poll_shutdown(cx))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        on_either!(self, stream => stream.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }
}
