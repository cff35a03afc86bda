//! The file that tells a supervisor where the service listens.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde_json::json;

use super::ServeError;

/// Where the service listens.
#[derive(Debug)]
pub(super) struct Addresses {
    pub(super) public: SocketAddr,
    pub(super) edge: SocketAddr,
    /// Nowhere, unless it is wanted.
    pub(super) metrics: Option<SocketAddr>,
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
            let url = |address: SocketAddr| format!("http://{address}");
            let mut text = json!({
                "public": url(addresses.public),
                "edge": url(addresses.edge),
            });
            if let (Some(metrics), Some(all)) = (addresses.metrics, text.as_object_mut()) {
                all.insert("metrics".to_owned(), url(metrics).into());
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
