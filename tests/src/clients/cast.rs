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
    pub(super) nature: Nature,
    command: Box<dyn Fn() -> Command + Send + Sync>,
}

/// What a client can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    /// It runs sessions step by step, and logs in only if it is told to.
    Sdk,
    /// It does in a page of another origin, which the server itself lets nobody read.
    Browser,
    /// It runs sessions, and looks for a login whenever it gets a 401.
    Bridge,
    /// It connects and says what became of it, and looks for a login whenever it gets a 401.
    Host,
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
        let all = [Http, Sse, OAuth];
        let named =
            |name: &str, package: &str| format!("{name} {}", toolbox.package_version(package));
        let client = |nature, name: String, transports: &[Transport]| Self {
            name,
            transports: transports.to_vec(),
            nature,
            command: Box::new(|| panic!("no program")),
        };
        let mut clients = Vec::new();
        for version in [1, 2] {
            let name = format!("Python `mcp` {}", toolbox.sdk_version(version));
            clients.push(client(Nature::Sdk, name, &all).run(python(version)));
        }
        let v1 = named("TypeScript `sdk`", "@modelcontextprotocol/sdk");
        let v2 = named("TypeScript `client`", "@modelcontextprotocol/client");
        clients.push(client(Nature::Sdk, v1.clone(), &all).run(javascript("typescript/run-v1.js")));
        clients.push(client(Nature::Sdk, v2, &all).run(javascript("typescript/run-v2.js")));
        let rust = format!("Rust `rmcp` {}", rmcp_version());
        clients.push(client(Nature::Sdk, rust, &[Http]).run(move || Command::new(&rmcp)));
        let browser = toolbox.clone();
        let page = format!("{v1} in a browser");
        clients.push(client(Nature::Browser, page, &all).run(move || browser.browser()));
        let bridge = named("`mcp-remote`", "mcp-remote");
        clients.push(
            client(Nature::Bridge, bridge, &[Http, Sse]).run(javascript("hosts/mcp-remote.js")),
        );
        let host = named("Claude Code", "@anthropic-ai/claude-code");
        clients
            .push(client(Nature::Host, host, &[Http, Sse]).run(javascript("hosts/claude-code.js")));
        clients
    }

    fn run(self, command: impl Fn() -> Command + Send + Sync + 'static) -> Self {
        Self {
            command: Box::new(command),
            ..self
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
