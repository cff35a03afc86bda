//! TLS of a port, made of PEM files.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{NoServerSessionStorage, WebPkiClientVerifier},
};

pub(super) mod renewal;

/// Offered by ALPN, best first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The files that a port's TLS is made of.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The port's certificate, and those that lead to its authority.
    pub certificate: PemFile,
    /// The certificate's private key.
    pub key: PemFile,
    /// Who vouches for the port's callers; nobody has to if there is none.
    pub client_ca: Option<PemFile>,
}

/// A file, and the flag that names it.
#[derive(Debug, Clone)]
pub struct PemFile {
    flag: &'static str,
    path: PathBuf,
}

/// The content of the files. It holds a private key: `Debug` prints nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Pems {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

/// Why the files make no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{0}: {1}; name a PEM file that the control plane may read")]
    Unreadable(PemFile, #[source] io::Error),
    /// A file does not hold what it is named for.
    #[error("{0}: it holds no {1} in PEM form; name a file that does")]
    NothingInIt(PemFile, &'static str),
    /// The key is another certificate's.
    #[error(
        "{0}: it is not the private key of the certificate in {1}; name the two that belong together"
    )]
    OtherKey(PemFile, PemFile),
    /// A certificate or key is of a kind that cannot be used.
    #[error("{0}: {1}; name a file with another one")]
    Unusable(PemFile, String),
}

impl TlsFiles {
    /// Reads all files.
    pub(super) fn read(&self) -> Result<Pems, TlsError> {
        Ok(Pems {
            certificate: self.certificate.read()?,
            key: self.key.read()?,
            client_ca: self.client_ca.as_ref().map(PemFile::read).transpose()?,
        })
    }

    /// What a port with these contents of the files serves with.
    pub(super) fn configure(&self, pems: &Pems) -> Result<Arc<ServerConfig>, TlsError> {
        let chain = self.certificate.certificates(&pems.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&pems.key)
            .map_err(|_| TlsError::NothingInIt(self.key.clone(), "private key"))?;
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| self.certificate.unusable(&error))?;
        let builder = match (&self.client_ca, &pems.client_ca) {
            (Some(file), Some(pem)) => {
                let mut roots = RootCertStore::empty();
                for certificate in file.certificates(pem)? {
                    roots
                        .add(certificate)
                        .map_err(|error| file.unusable(&error))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider)
                    .build()
                    .map_err(|error| file.unusable(&error))?;
                builder.with_client_cert_verifier(verifier)
            }
            _ => builder.with_no_client_auth(),
        };
        let mut config = builder
            .with_single_cert(chain, key)
            .map_err(|error| match error {
                rustls::Error::InconsistentKeys(_) => {
                    TlsError::OtherKey(self.key.clone(), self.certificate.clone())
                }
                rustls::Error::InvalidCertificate(_) => self.certificate.unusable(&error),
                _ => self.key.unusable(&error),
            })?;
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
        if self.client_ca.is_some() {
            // A resumed session would outlive the authority that vouched for it.
            config.session_storage = Arc::new(NoServerSessionStorage {});
        }
        Ok(Arc::new(config))
    }
}

impl PemFile {
    /// The file at `path`, which `flag` names.
    #[must_use]
    pub fn new(flag: &'static str, path: &Path) -> Self {
        let path = path.to_owned();
        Self { flag, path }
    }

    fn read(&self) -> Result<Vec<u8>, TlsError> {
        std::fs::read(&self.path).map_err(|error| TlsError::Unreadable(self.clone(), error))
    }

    /// At least one.
    fn certificates(&self, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        match certificates {
            Ok(certificates) if !certificates.is_empty() => Ok(certificates),
            _ => Err(TlsError::NothingInIt(self.clone(), "certificate")),
        }
    }

    fn unusable(&self, error: &impl ToString) -> TlsError {
        TlsError::Unusable(self.clone(), error.to_string())
    }
}

impl fmt::Display for PemFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.flag, self.path.display())
    }
}

impl fmt::Debug for Pems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pems(…)")
    }
}
