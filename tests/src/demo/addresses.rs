//! Where each part of the demo is, told to the parts and to people.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

use super::edge_token::EdgeToken;
use super::{DemoFile, DemoProject, Ports};

/// The variable that both ends of the edge API read the token from.
const EDGE_TOKEN: &str = "MCP_KEY_AUTH_EDGE_TOKEN";

/// All on loopback.
#[derive(Debug)]
pub(super) struct Addresses {
    pub(super) gateway: SocketAddr,
    pub(super) admin: SocketAddr,
    pub(super) api: SocketAddr,
    pub(super) edge: SocketAddr,
    pub(super) mcp: SocketAddr,
}

impl Addresses {
    pub(super) fn of(ports: &Ports) -> Self {
        let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self {
            gateway: loopback(ports.gateway),
            admin: loopback(ports.admin),
            api: loopback(ports.api),
            edge: loopback(ports.edge),
            mcp: loopback(ports.mcp),
        }
    }

    /// The base URL of the control plane's public API.
    pub(super) fn api_url(&self) -> String {
        format!("http://{}", self.api)
    }

    /// The endpoint of an MCP server, through the gateway.
    pub(super) fn mcp_url(&self, server_id: &str) -> String {
        format!("http://{}/v3/mcp/{server_id}/mcp", self.gateway)
    }

    pub(super) fn control_plane_command(
        &self,
        binary: &Path,
        database: &str,
        token: &EdgeToken,
    ) -> Command {
        let mut command = Command::new(binary);
        command
            .arg("serve")
            .args(["--listen", &self.api.to_string()])
            .args(["--edge-listen", &self.edge.to_string()])
            .args(["--database", database])
            .args(["--mcp-url", &self.mcp_url("{server_id}")])
            .env(EDGE_TOKEN, token.expose());
        command
    }

    pub(super) fn mcp_server_command(&self, binary: &Path) -> Command {
        let mut command = Command::new(binary);
        command.args(["--listen", &self.mcp.to_string()]);
        command
    }

    pub(super) fn demo_file(&self, projects: Vec<DemoProject>) -> DemoFile {
        DemoFile {
            gateway: format!("http://{}", self.gateway),
            admin: format!("http://{}", self.admin),
            control_plane: self.api_url(),
            edge: format!("http://{}", self.edge),
            projects,
        }
    }
}
