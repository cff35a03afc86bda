//! Why no answer came, in words for people who do not know TLS.

use std::{io, net::SocketAddr, time::Duration};

use rustls::CertificateError;

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// The name leads nowhere.
    #[error(
        "the name {host} is not known ({reason}): check the URL's spelling and the name service"
    )]
    Name {
        host: String,
        #[source]
        reason: io::Error,
    },
    /// Nobody is there.
    #[error("nothing listens at {0}: check the port, and that the service runs")]
    Refused(SocketAddr),
    /// Nothing comes back.
    #[error("{address} does not answer within {} s: check the address and firewalls on the way", limit.as_secs())]
    Silent {
        address: SocketAddr,
        limit: Duration,
    },
    /// The system cannot connect.
    #[error("{address} cannot be reached: {reason}")]
    Connect {
        address: SocketAddr,
        #[source]
        reason: io::Error,
    },
    /// Its certificate is of no use.
    #[error("its certificate is not accepted: {0}")]
    Certificate(&'static str),
    /// It answers in another language than TLS.
    #[error("it does not speak TLS at this port: try http:// instead of https://, or another port")]
    NotTls,
    /// It wants something that a client of a public service does not have.
    #[error("the TLS handshake failed: {0}")]
    Handshake(String),
    /// It does not answer in HTTP.
    #[error(
        "it does not answer in HTTP ({0}): check the port; where it speaks TLS, write https://"
    )]
    NotHttp(String),
    /// The connection stands, and nothing comes.
    #[error("it took the request and did not answer within {} s", .0.as_secs())]
    NoAnswer(Duration),
}

impl Trouble {
    /// Why a connection to `address` was not made.
    pub(crate) fn connecting(address: SocketAddr, reason: io::Error) -> Self {
        match reason.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused(address),
            _ => Self::Connect { address, reason },
        }
    }

    /// Why a handshake failed.
    pub(crate) fn handshake(error: &io::Error) -> Self {
        let tls = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match tls {
            Some(rustls::Error::InvalidCertificate(reason)) => {
                Self::Certificate(certificate(reason))
            }
            Some(rustls::Error::InvalidMessage(_)) => Self::NotTls,
            Some(other) => Self::Handshake(other.to_string()),
            None => Self::Handshake(error.to_string()),
        }
    }
}

fn certificate(reason: &CertificateError) -> &'static str {
    match reason {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired; whoever runs the server must renew it"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet; check the clocks of both machines"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name; use the name in the certificate, or have one issued for this name"
        }
        CertificateError::UnknownIssuer => {
            "no authority that this machine trusts vouches for it; name the file of its authority with --ca"
        }
        CertificateError::Revoked => "its authority has revoked it",
        _ => "it is damaged, or of a kind that is not understood",
    }
}
