//! A client that speaks TLS: one request on a connection of its own, over the protocol that is agreed on.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::certificates::{Authority, Certificate};
use crate::deadline::{PATIENCE, within};

/// What it trusts, shows and offers.
#[derive(Debug, Clone)]
pub struct TlsClient {
    config: ClientConfig,
}

/// What came back.
#[derive(Debug)]
pub struct TlsAnswer {
    /// The status.
    pub status: u16,
    /// The value of `x-request-id`.
    pub request_id: Option<String>,
    /// What was agreed on by ALPN.
    pub protocol: Option<String>,
    /// The server's certificate.
    pub certificate: CertificateDer<'static>,
}

impl TlsClient {
    /// One that trusts `authority` and speaks these protocols, best first.
    ///
    /// # Panics
    /// When the authority is none.
    #[must_use]
    pub fn new(authority: &Authority, protocols: &[&str]) -> Self {
        Self::with(authority, protocols, None)
    }

    /// One that also shows a certificate.
    ///
    /// # Panics
    /// When the authority or the certificate is none.
    #[must_use]
    pub fn showing(authority: &Authority, protocols: &[&str], own: &Certificate) -> Self {
        Self::with(authority, protocols, Some(own))
    }

    fn with(authority: &Authority, protocols: &[&str], own: Option<&Certificate>) -> Self {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(authority.pem().as_bytes());
        roots.add(root.unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match own {
            None => builder.with_no_client_auth(),
            Some(own) => {
                let chain = CertificateDer::from_pem_slice(own.certificate.as_bytes()).unwrap();
                let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap();
                builder.with_client_auth_cert(vec![chain], key).unwrap()
            }
        };
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().into())
            .collect();
        Self { config }
    }

    /// `GET https://localhost<path>`, wherever that is.
    ///
    /// # Panics
    /// When it takes too long.
    pub async fn get(&self, addr: SocketAddr, path: &str) -> io::Result<TlsAnswer> {
        within(PATIENCE, path, self.try_get(addr, path)).await
    }

    async fn try_get(&self, addr: SocketAddr, path: &str) -> io::Result<TlsAnswer> {
        let tcp = TcpStream::connect(addr).await?;
        let connector = TlsConnector::from(Arc::new(self.config.clone()));
        let name = ServerName::try_from("localhost").unwrap();
        let tls = connector.connect(name, tcp).await?;
        let (_, session) = tls.get_ref();
        let protocol = session.alpn_protocol();
        let protocol = protocol.map(|name| String::from_utf8_lossy(name).into_owned());
        let certificate = session.peer_certificates().unwrap()[0].clone().into_owned();
        let io = TokioIo::new(tls);
        let request = Request::get(format!("https://localhost{path}"))
            .header("host", "localhost")
            .body(Empty::<Bytes>::new())
            .unwrap();
        let response = if protocol.as_deref() == Some("h2") {
            let (mut sender, connection) =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
                    .await
                    .map_err(io::Error::other)?;
            tokio::spawn(connection);
            sender.send_request(request).await
        } else {
            let (mut sender, connection) = hyper::client::conn::http1::handshake(io)
                .await
                .map_err(io::Error::other)?;
            tokio::spawn(connection);
            sender.send_request(request).await
        };
        let response = response.map_err(io::Error::other)?;
        let answer = TlsAnswer {
            status: response.status().as_u16(),
            request_id: response
                .headers()
                .get("x-request-id")
                .map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned()),
            protocol,
            certificate,
        };
        response
            .into_body()
            .collect()
            .await
            .map_err(io::Error::other)?;
        Ok(answer)
    }
}
