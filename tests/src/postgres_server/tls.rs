//! A server that is also reached by TCP, with TLS, under the name localhost.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use super::Owner;
use crate::certificates::Authority;

/// Where it listens, and what it shows.
#[derive(Debug)]
pub(super) struct Tls {
    pub(super) port: u16,
    authority: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

impl Tls {
    /// Makes an authority and a certificate by it, in files of `dir` that `owner` may read.
    pub(super) fn new(dir: &Path, owner: Option<Owner>) -> Self {
        let authority = Authority::new();
        let issued = authority.issue(&["localhost"]);
        let write = |name: &str, text: &str| {
            let path = dir.join(name);
            fs::write(&path, text).expect(name);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect(name);
            if let Some(owner) = owner {
                chown(&path, Some(owner.user), Some(owner.group)).expect(name);
            }
            path
        };
        Self {
            port: free_port(),
            authority: write("authority.pem", &authority.pem()),
            certificate: write("certificate.pem", &issued.certificate),
            key: write("key.pem", &issued.key),
        }
    }

    /// The settings of the server.
    pub(super) fn settings(&self) -> [String; 5] {
        [
            "listen_addresses=localhost".to_owned(),
            format!("port={}", self.port),
            "ssl=on".to_owned(),
            format!("ssl_cert_file={}", self.certificate.display()),
            format!("ssl_key_file={}", self.key.display()),
        ]
    }

    /// The certificate of the authority.
    pub(super) fn authority(&self) -> &Path {
        &self.authority
    }
}

/// One that was free a moment ago; PostgreSQL cannot ask for one itself.
fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("its number").port()
}
