//! `control-plane ready`: asks the server on this machine whether it can serve, as a container's health check does.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::http::StatusCode;
use clap::Args;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};

use crate::client::{
    Client,
    target::{InvalidTarget, Target},
    trouble::Trouble,
};

/// Which server, in the words of `serve`.
#[derive(Debug, Clone, Args)]
pub struct ReadyOptions {
    /// Address of its public API
    #[arg(
        long,
        env = "MCP_KEY_AUTH_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "IP:PORT"
    )]
    pub listen: SocketAddr,
    /// The certificate that it shows, if it serves TLS
    #[arg(long, env = "MCP_KEY_AUTH_TLS_CERT", value_name = "PATH")]
    pub tls_cert: Option<PathBuf>,
}

/// Why it is not ready.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// It was not reached.
    #[error("the server is not ready: {0}")]
    NotReached(String),
    /// It says so.
    #[error("the server is not ready: it answers {0}")]
    Answers(u16),
    /// The certificate cannot be read.
    #[error("--tls-cert {0}: {1}; name the file that the server is given")]
    Certificate(PathBuf, String),
    /// The address cannot be asked.
    #[error("--listen: {0}")]
    Address(#[from] InvalidTarget),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

impl From<Trouble> for NotReady {
    fn from(trouble: Trouble) -> Self {
        Self::NotReached(trouble.to_string())
    }
}

/// Asks once.
pub async fn ask(options: &ReadyOptions) -> Result<(), NotReady> {
    let scheme = match options.tls_cert {
        Some(_) => "https",
        None => "http",
    };
    let address = on_this_machine(options.listen);
    let target: Target = format!("{scheme}://{address}/readyz").parse()?;
    let own = match &options.tls_cert {
        Some(path) => Some(read(path)?),
        None => None,
    };
    let client = Client::with(trusting(own)?);
    match client.get(&target, &target.path(), &[]).await?.status {
        StatusCode::OK => Ok(()),
        other => Err(NotReady::Answers(other.as_u16())),
    }
}

/// Where a server that listens everywhere is found from here.
fn on_this_machine(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn read(path: &Path) -> Result<CertificateDer<'static>, NotReady> {
    let bad = |error: &dyn ToString| NotReady::Certificate(path.to_owned(), error.to_string());
    let pem = std::fs::read(path).map_err(|error| bad(&error))?;
    CertificateDer::from_pem_slice(&pem).map_err(|_| bad(&"it holds no certificate in PEM form"))
}

/// TLS that takes this certificate and no other.
fn trusting(certificate: Option<CertificateDer<'static>>) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier = ThisOne {
        certificate,
        algorithms: provider.signature_verification_algorithms,
    };
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

/// Accepts one certificate, whatever its names: the server's own, which is for those who call it from elsewhere.
#[derive(Debug)]
struct ThisOne {
    certificate: Option<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for ThisOne {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.certificate.as_ref() == Some(end_entity) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::UnknownIssuer.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_listens_everywhere_is_on_this_machine() {
        for (listen, asked) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::1]:8080"),
            ("10.0.0.7:80", "10.0.0.7:80"),
        ] {
            assert_eq!(on_this_machine(listen.parse().unwrap()).to_string(), asked);
        }
    }
}
