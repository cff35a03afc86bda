//! The MCP server behind the gateway: the official TypeScript SDKs, see `tests/clients/server`.

use std::net::SocketAddr;

use serde_json::Value;

use super::program::Program;
use super::toolbox::Toolbox;

/// The running server. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Upstream {
    addr: SocketAddr,
    _program: Program,
}

impl Upstream {
    /// Starts it on a free port.
    pub(super) async fn start(toolbox: &Toolbox) -> Self {
        let mut program =
            Program::start("the MCP server", toolbox.javascript(&[], "server/main.js"));
        let line = program.line().await.expect("the MCP server's address");
        let ready: Value = serde_json::from_str(&line).expect("a line of JSON");
        let addr = ready["listening"]
            .as_str()
            .and_then(|addr| addr.parse().ok());
        Self {
            addr: addr.unwrap_or_else(|| panic!("the MCP server says {line}")),
            _program: program,
        }
    }

    /// Where it listens.
    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }
}
