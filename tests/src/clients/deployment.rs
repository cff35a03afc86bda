//! What the clients connect to: the MCP server, the gateway before it, the control plane, and a tap on either side of the
//! gateway.

use serde_json::{Value, json};

use super::fidelity::{self, Findings};
use super::program::Transport;
use super::tap::{Exchange, Tap};
use super::toolbox::Toolbox;
use super::upstream::Upstream;
use crate::deadline::{PATIENCE, eventually};
use crate::gateway::{Gateway, GatewayOptions};
use crate::http;
use crate::real_control_plane::RealControlPlane;

/// Everything, running.
#[derive(Debug)]
pub(super) struct Deployment {
    pub(super) gateway: Gateway,
    /// The same gateway, with the dead end for clients that look for a login.
    pub(super) dead_end: Gateway,
    control_plane: RealControlPlane,
    upstream: Upstream,
    before: Tap,
    behind: Tap,
    org: String,
    keys: Vec<String>,
    /// Projects that clients reach past the tap before the gateway, over connections of their own.
    untapped: Vec<String>,
}

/// A project, and what a client needs to know of it.
#[derive(Debug, Clone)]
pub(super) struct Project {
    pub(super) id: String,
    pub(super) key: String,
}

impl Deployment {
    /// Starts all of it. `change` gets the options of both gateways.
    pub(super) async fn start(
        toolbox: &Toolbox,
        change: impl Fn(GatewayOptions) -> GatewayOptions,
    ) -> Self {
        let control_plane = RealControlPlane::start().await;
        let upstream = Upstream::start(toolbox).await;
        let behind = Tap::start(upstream.addr()).await;
        let options = || {
            let options = GatewayOptions::default()
                .control_plane(control_plane.edge_addr())
                .upstream(behind.addr());
            change(options)
        };
        let gateway = Gateway::start(options()).await;
        let dead_end = options().plugin(json!({"oauth_dead_end": [{"host": "*"}]}));
        Self {
            before: Tap::start(gateway.addr()).await,
            org: control_plane.create_org("clients", None),
            dead_end: Gateway::start(dead_end).await,
            gateway,
            control_plane,
            upstream,
            behind,
            keys: Vec::new(),
            untapped: Vec::new(),
        }
    }

    /// Makes a project with a key.
    pub(super) fn create_project(&mut self, name: &str, locked: bool) -> Project {
        let id = self
            .control_plane
            .create_project(&self.org, name, Some(locked));
        let key = self.control_plane.create_key(&id, "client", None).raw;
        self.keys.push(key.clone());
        Project { id, key }
    }

    /// As [`create_project`](Self::create_project), open, for clients that connect to the gateway itself.
    pub(super) fn create_untapped_project(&mut self, name: &str) -> Project {
        let project = self.create_project(name, false);
        self.untapped.push(project.id.clone());
        project
    }

    /// Switches the project's requirement on, as its owner does, and returns when it is in force.
    pub(super) async fn lock(&self, project: &Project) {
        let config = format!(
            "http://{}/api/v3/org/project/config",
            self.control_plane.public_addr()
        );
        let patched = http::client()
            .patch(config)
            .header("x-api-key", &project.key)
            .json(&json!({"require_mcp_api_key": true}))
            .send()
            .await;
        let status = patched.expect("the settings API answers").status();
        assert_eq!(status, 200, "the project is locked");
        eventually(PATIENCE, "the lock is in force", async || {
            let refused = self.gateway.mcp(&project.id).send().await.status == 401;
            refused.then_some(())
        })
        .await;
    }

    /// Kills the control plane for good.
    pub(super) fn lose_control_plane(&mut self) {
        self.control_plane.kill();
    }

    /// The MCP server itself.
    pub(super) fn direct(&self, transport: Transport) -> String {
        endpoint(format!("http://{}/mcp", self.upstream.addr()), transport)
    }

    /// A project behind the gateway, with a tap on either side of it.
    pub(super) fn tapped(&self, project: &str, transport: Transport) -> String {
        let url = format!("http://{}/mcp/{project}", self.before.addr());
        endpoint(url, transport)
    }

    /// A project behind the gateway, nothing else in between.
    pub(super) fn through(gateway: &Gateway, project: &str, transport: Transport) -> String {
        endpoint(gateway.url(&format!("/mcp/{project}")), transport)
    }

    /// What the tap before the gateway has seen.
    pub(super) fn seen_before(&self) -> Vec<Exchange> {
        self.before.exchanges()
    }

    /// What the gateway made of all that went through both taps.
    pub(super) fn findings(&self) -> Findings {
        let untapped = &self.untapped;
        fidelity::compare(
            &self.before.exchanges(),
            &self.behind.exchanges(),
            &self.keys,
            untapped,
        )
    }
}

impl Project {
    /// The project's key.
    pub(super) fn raw_key(&self) -> &str {
        &self.key
    }

    /// The headers of a client that has the project's key.
    pub(super) fn headers(&self) -> Value {
        json!({"x-api-key": self.key})
    }
}

fn endpoint(url: String, transport: Transport) -> String {
    match transport {
        Transport::Http | Transport::OAuth => url,
        Transport::Sse => url + "/sse",
    }
}
