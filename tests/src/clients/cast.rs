//! Which clients are run, how each is started, and what it can do.

use std::process::Command;

use super::program::{Program, Transport};
use super::toolbox::Toolbox;
use crate::cargo_build;

/// A client, and how its program is started.
pub(super) struct Client {
    /// What it is called, with its version.
    pub(super) name: String,
    pub(super) transports: Vec<Transport>,
    /// Whether it can run a session step by step; a host that only connects cannot.
    pub(super) sessions: bool,
    command: Box<dyn Fn() -> Command + Send + Sync>,
}

impl Client {
    /// All of them, in the order of the table.
    pub(super) fn all(toolbox: &Toolbox) -> Vec<Self> {
        use Transport::{Http, OAuth, Sse};
        let rmcp = cargo_build::binary("stack", "rmcp-client");
        let python = |version: usize| {
            let toolbox = toolbox.clone();
            move || toolbox.python(version, &format!("python/v{version}.py"))
        };
        let javascript = |program: &'static str| {
            let toolbox = toolbox.clone();
            move || toolbox.javascript(&[], program)
        };
        let version = |package: &str| toolbox.package_version(package);
        let all = [Http, Sse, OAuth];
        vec![
            Self::new(
                &format!("Python `mcp` {}", toolbox.sdk_version(1)),
                &all,
                python(1),
            ),
            Self::new(
                &format!("Python `mcp` {}", toolbox.sdk_version(2)),
                &all,
                python(2),
            ),
            Self::new(
                &format!("TypeScript `sdk` {}", version("@modelcontextprotocol/sdk")),
                &all,
                javascript("typescript/v1.js"),
            ),
            Self::new(
                &format!(
                    "TypeScript `client` {}",
                    version("@modelcontextprotocol/client")
                ),
                &all,
                javascript("typescript/v2.js"),
            ),
            Self::new(
                &format!("Rust `rmcp` {}", rmcp_version()),
                &[Http],
                move || Command::new(&rmcp),
            ),
        ]
    }

    fn new(
        name: &str,
        transports: &[Transport],
        command: impl Fn() -> Command + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.to_owned(),
            transports: transports.to_vec(),
            sessions: true,
            command: Box::new(command),
        }
    }

    /// Starts its program.
    pub(super) fn start(&self) -> Program {
        Program::start(&self.name, (self.command)())
    }
}

/// The version of `rmcp`, as the lock file has it.
fn rmcp_version() -> String {
    let lock = std::fs::read_to_string(crate::repo::path("Cargo.lock")).expect("Cargo.lock");
    let (_, after) = lock
        .split_once("name = \"rmcp\"\nversion = \"")
        .expect("rmcp in Cargo.lock");
    after.split('"').next().unwrap_or_default().to_owned()
}
