//! TLS, for hosts without a proxy in front: `docs/operations.md#tls`. The certificate and its key are read again when their
//! files change.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use prometheus_client::metrics::gauge::Gauge;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use super::maybe_tls_stream::MaybeTlsStream;
use crate::file_watcher::FileWatcher;
use crate::host::start_error::TlsError;
use crate::text_file;

/// The certificate of the host, and the files that it comes from. Cloning it is cheap.
#[derive(Clone)]
pub(crate) struct Tls {
    identity: Arc<Identity>,
    watcher: FileWatcher,
    acceptor: TlsAcceptor,
}

impl Tls {
    /// Reads the two files. Returns `None` when neither is given.
    ///
    /// # Errors
    ///
    /// When only one is given, or when they do not hold a certificate and its key.
    pub(crate) fn load(certificate: Option<&Path>, key: Option<&Path>) -> Result<Option<Self>, TlsError> {
        let files = match (certificate, key) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => IdentityFiles {
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
            watcher,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        }))
    }

    /// Reads the files again after each change. A pair that cannot be used is logged and tried again, and the old one is kept.
    /// This never returns.
    pub(super) async fn watch_files(self) {
        self.watcher.run(move || self.identity.reload()).await;
    }

    /// 1 while the files have changed and cannot be used.
    pub(super) fn is_stale(&self) -> &Gauge {
        self.watcher.is_stale()
    }

    /// Does the handshake.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<MaybeTlsStream> {
        let accepted = self.acceptor.accept(stream).await;
        // Any client can make the handshake fail, so this must not fill the log.
        let stream = accepted.inspect_err(|error| log::debug!("TLS: {error}"))?;
        Ok(MaybeTlsStream::Tls(Box::new(stream)))
    }
}

/// The last good certificate and key.
struct Identity {
    files: IdentityFiles,
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
    fn reload(&self) -> Result<(), String> {
        let identity = self.files.read();
        let identity = identity.map_err(|error| format!("TLS: the certificate from before is kept: {error}"))?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(identity);
        log::info!("TLS: the certificate was read again");
        Ok(())
    }
}

#[derive(Debug)]
struct IdentityFiles {
    certificate: PathBuf,
    key: PathBuf,
}

impl IdentityFiles {
    fn read(&self) -> Result<CertifiedKey, TlsError> {
        let shown = |path: &Path| path.display().to_string();
        let no_certificate = |reason: String| TlsError::Certificate(shown(&self.certificate), reason);
        let pem = text_file::read(&self.certificate).map_err(|error| no_certificate(error.to_string()))?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        let chain = chain.map_err(|error| no_certificate(error.to_string()))?;
        if chain.is_empty() {
            return Err(no_certificate("there is none".to_owned()));
        }
        let no_key = |reason: String| TlsError::Key(shown(&self.key), reason);
        let pem = text_file::read(&self.key).map(Zeroizing::new);
        let pem = pem.map_err(|error| no_key(error.to_string()))?;
        let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| no_key(error.to_string()))?;
        CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(|error| match error {
            rustls::Error::InvalidCertificate(_) => no_certificate(error.to_string()),
            rustls::Error::InconsistentKeys(_) => TlsError::Pair(shown(&self.key), error.to_string()),
            error => no_key(error.to_string()),
        })
    }
}
