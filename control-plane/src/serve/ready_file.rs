//! The file that tells a supervisor where the service listens.

use std::{
    fmt, fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde_json::json;
use tokio::net::TcpListener;

use super::ServeError;

/// Where the service listens.
#[derive(Debug)]
pub(super) struct Addresses {
    pub(super) public: Address,
    pub(super) edge: Address,
    /// Nowhere, unless it is wanted.
    pub(super) metrics: Option<Address>,
}

/// Where a port is. Shown as a URL.
#[derive(Debug, Clone, Copy)]
pub(super) struct Address {
    scheme: &'static str,
    socket: SocketAddr,
}

impl Address {
    /// Where `listener` is, with or without TLS.
    pub(super) fn of(listener: &TcpListener, tls: bool) -> io::Result<Self> {
        Ok(Self {
            scheme: if tls { "https" } else { "http" },
            socket: listener.local_addr()?,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.socket)
    }
}

/// A written ready file; removed when dropped.
#[derive(Debug)]
pub(super) struct ReadyFile(Option<PathBuf>);

impl ReadyFile {
    /// Removes what a killed process may have left: its addresses are not ours.
    pub(super) fn clear(path: Option<&Path>) -> Result<(), ServeError> {
        let Some(path) = path else { return Ok(()) };
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(ServeError::ReadyFile(path.to_owned(), error))
            }
            _ => Ok(()),
        }
    }

    /// Writes the file, if one is wanted, whole or not at all.
    pub(super) fn write(path: Option<PathBuf>, addresses: &Addresses) -> Result<Self, ServeError> {
        if let Some(path) = &path {
            let mut text = json!({
                "public": addresses.public.to_string(),
                "edge": addresses.edge.to_string(),
            });
            if let (Some(metrics), Some(all)) = (addresses.metrics, text.as_object_mut()) {
                all.insert("metrics".to_owned(), metrics.to_string().into());
            }
            let mut part = path.clone().into_os_string();
            part.push(".part");
            fs::write(&part, format!("{text}\n"))
                .and_then(|()| fs::rename(&part, path))
                .map_err(|error| ServeError::ReadyFile(path.clone(), error))?;
        }
        Ok(Self(path))
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        if let Some(path) = &self.0
            && let Err(error) = fs::remove_file(path)
        {
            tracing::warn!(%error, path = %path.display(), "cannot remove the ready file");
        }
    }
}
