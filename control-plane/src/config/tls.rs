//! Which files the ports' TLS is made of.

use std::path::PathBuf;

use clap::Args;

use crate::serve::tls::{PemFile, TlsFiles};

/// TLS of each port; a port without is served in the clear.
#[derive(Debug, Clone, Args)]
pub struct TlsOptions {
    /// Serve the public API with TLS: PEM file of its certificate and the chain to its authority
    ///
    /// The files of either port are read again within seconds of a change, and at once on SIGHUP; bad
    /// ones are told in the log and change nothing.
    #[arg(
        long,
        env = "MCP_KEY_AUTH_TLS_CERT",
        value_name = "PATH",
        requires = "tls_key"
    )]
    pub tls_cert: Option<PathBuf>,
    /// PEM file of the private key of --tls-cert
    #[arg(
        long,
        env = "MCP_KEY_AUTH_TLS_KEY",
        value_name = "PATH",
        requires = "tls_cert"
    )]
    pub tls_key: Option<PathBuf>,
    /// Serve the edge API with TLS: PEM file of its certificate and the chain to its authority
    #[arg(
        long,
        env = "MCP_KEY_AUTH_EDGE_TLS_CERT",
        value_name = "PATH",
        requires = "edge_tls_key"
    )]
    pub edge_tls_cert: Option<PathBuf>,
    /// PEM file of the private key of --edge-tls-cert
    #[arg(
        long,
        env = "MCP_KEY_AUTH_EDGE_TLS_KEY",
        value_name = "PATH",
        requires = "edge_tls_cert"
    )]
    pub edge_tls_key: Option<PathBuf>,
    /// Take only callers of the edge API who show a certificate by one of the authorities in this PEM file
    ///
    /// They present the edge token as well. It goes for /healthz and /readyz of that port, too.
    #[arg(
        long,
        env = "MCP_KEY_AUTH_EDGE_TLS_CLIENT_CA",
        value_name = "PATH",
        requires = "edge_tls_cert"
    )]
    pub edge_tls_client_ca: Option<PathBuf>,
}

impl TlsOptions {
    /// Those of the public port.
    #[must_use]
    pub fn public(&self) -> Option<TlsFiles> {
        Some(TlsFiles {
            certificate: PemFile::new("--tls-cert", self.tls_cert.as_ref()?),
            key: PemFile::new("--tls-key", self.tls_key.as_ref()?),
            client_ca: None,
        })
    }

    /// Those of the edge port.
    #[must_use]
    pub fn edge(&self) -> Option<TlsFiles> {
        let client_ca = self.edge_tls_client_ca.as_ref();
        Some(TlsFiles {
            certificate: PemFile::new("--edge-tls-cert", self.edge_tls_cert.as_ref()?),
            key: PemFile::new("--edge-tls-key", self.edge_tls_key.as_ref()?),
            client_ca: client_ca.map(|path| PemFile::new("--edge-tls-client-ca", path)),
        })
    }
}
