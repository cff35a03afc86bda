//! Asking other services over HTTP. A connection is made step by step, so that each step can be told of
//! when it fails. It uses no proxy and follows no redirect.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::TlsConnector;

use self::{target::Target, trouble::Trouble};

pub(crate) mod answer;
pub mod target;
pub(crate) mod trouble;

/// How long each step may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);

/// Connects to targets.
pub(crate) struct Client {
    tls: Arc<ClientConfig>,
}

/// Why the given authorities cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum InvalidAuthority {
    /// The file cannot be read.
    #[error("--ca {0}: {1}; name a PEM file with certificates of authorities")]
    Unreadable(PathBuf, #[source] io::Error),
    /// There is none in it.
    #[error("--ca {0}: it holds no certificate in PEM form; name a file that does")]
    Empty(PathBuf),
    /// TLS cannot be used at all.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// A connection in the clear or within TLS.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Client {
    /// Trusts the system's authorities, and those in the file.
    pub(crate) fn new(ca: Option<&Path>) -> Result<Self, InvalidAuthority> {
        let mut roots = RootCertStore::empty();
        // A machine may have none; then the file's are all there are.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(path) = ca {
            let pem = std::fs::read(path)
                .map_err(|error| InvalidAuthority::Unreadable(path.to_owned(), error))?;
            let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
            let (added, _) = roots.add_parsable_certificates(certificates.unwrap_or_default());
            if added == 0 {
                return Err(InvalidAuthority::Empty(path.to_owned()));
            }
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self::with(tls))
    }

    /// Speaks TLS as `tls` says.
    pub(crate) fn with(mut tls: ClientConfig) -> Self {
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self { tls: Arc::new(tls) }
    }

    /// A new connection to `target`.
    pub(crate) async fn connect(&self, target: &Target) -> Result<Box<dyn Stream>, Trouble> {
        let tcp = reach(target).await?;
        if !target.is_tls() {
            return Ok(Box::new(tcp));
        }
        let name = ServerName::try_from(target.host())
            .map_err(|error| Trouble::Handshake(error.to_string()))?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        match timeout(LIMIT, connector.connect(name, tcp)).await {
            Ok(Ok(stream)) => Ok(Box::new(stream)),
            Ok(Err(error)) => Err(Trouble::handshake(&error)),
            Err(_) => Err(Trouble::NoAnswer(LIMIT)),
        }
    }
}

/// Connects to one of the target's addresses; if none works, the last one's trouble is told.
async fn reach(target: &Target) -> Result<TcpStream, Trouble> {
    let host = target.host();
    let unknown = |reason| Trouble::Name {
        host: target.host(),
        reason,
    };
    let addresses: Vec<SocketAddr> =
        match timeout(LIMIT, lookup_host((host.as_str(), target.port()))).await {
            Ok(found) => found.map_err(unknown)?.collect(),
            Err(_) => return Err(unknown(io::ErrorKind::TimedOut.into())),
        };
    let mut trouble = unknown(io::ErrorKind::NotFound.into());
    for address in addresses {
        trouble = match timeout(LIMIT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(reason)) => Trouble::connecting(address, reason),
            Err(_) => Trouble::Silent {
                address,
                limit: LIMIT,
            },
        };
    }
    Err(trouble)
}
