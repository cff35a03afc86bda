//! `.run/demo.json`: where everything is and which keys open it, for people and for scripts. It is the one place where
//! raw demo keys are kept, so only its owner can read it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// The file's content.
#[derive(Debug, Serialize, Deserialize)]
pub struct DemoFile {
    /// Envoy's base URL.
    pub gateway: String,
    /// The base URL of Envoy's admin interface.
    pub admin: String,
    /// The base URL of the control plane's public API.
    pub control_plane: String,
    /// The base URL of the control plane's edge API.
    pub edge: String,
    /// The demo projects: open, locked, locked in another organisation.
    pub projects: Vec<DemoProject>,
}

/// A project to try things with.
#[derive(Clone, Serialize, Deserialize)]
pub struct DemoProject {
    /// The project's id.
    pub id: String,
    /// The project's name.
    pub name: String,
    /// Whether MCP requests need a key, as it was when the demo started.
    pub require_mcp_api_key: bool,
    /// A key of the project.
    pub api_key: String,
    /// The id of the project's MCP server.
    pub server_id: String,
    /// The MCP endpoint, through the gateway.
    pub mcp_url: String,
}

impl std::fmt::Debug for DemoProject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DemoProject")
            .field("id", &self.id)
            .field("api_key", &"[redacted]")
            .finish_non_exhaustive()
    }
}

impl DemoFile {
    /// Reads a file that an earlier start left; `None` when there is none, or none that this version understands.
    pub fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }

    /// Writes the file so that it appears whole or not at all.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let temporary = path.with_extension("tmp");
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    }

    /// The key that an earlier start made for a project.
    pub fn key_of(&self, project_id: &str) -> Option<&str> {
        let project = self.projects.iter().find(|it| it.id == project_id);
        project.map(|project| project.api_key.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn demo_file() -> DemoFile {
        DemoFile {
            gateway: "http://127.0.0.1:10000".into(),
            admin: "http://127.0.0.1:9901".into(),
            control_plane: "http://127.0.0.1:8080".into(),
            edge: "http://127.0.0.1:8081".into(),
            projects: vec![DemoProject {
                id: "proj_demo_open".into(),
                name: "open".into(),
                require_mcp_api_key: false,
                api_key: "ak_secret".into(),
                server_id: "srv_demo_open".into(),
                mcp_url: "http://127.0.0.1:10000/v3/mcp/srv_demo_open/mcp".into(),
            }],
        }
    }

    #[test]
    fn only_the_owner_can_read_the_keys() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("demo.json");
        demo_file().write(&path).unwrap();
        demo_file().write(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let read = DemoFile::read(&path).unwrap();
        assert_eq!(read.key_of("proj_demo_open"), Some("ak_secret"));
        assert_eq!(read.key_of("another"), None);
    }

    #[test]
    fn debug_shows_no_key() {
        assert!(!format!("{:?}", demo_file()).contains("ak_secret"));
    }
}
