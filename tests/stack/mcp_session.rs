//! Whole MCP sessions through a real Envoy with the real control plane: the official SDK's client on one side, its
//! server on the other. Neither knows of the gateway.

use serde_json::json;
use stack::deadline::{PATIENCE, eventually};
use stack::gateway::{Gateway, GatewayOptions};
use stack::mcp_server::{McpServer, Pace, Steps};
use stack::real_control_plane::RealControlPlane;
use stack::scripted_control_plane::EDGE_TOKEN;

mod client;

use client::{Client, text};

/// One project with one MCP server, behind the gateway.
struct Deployment {
    gateway: Gateway,
    mcp_server: McpServer,
    steps: Steps,
    api_key: String,
    project_url: String,
    server_url: String,
    _control_plane: RealControlPlane,
}

impl Deployment {
    async fn start(require_mcp_api_key: bool) -> Self {
        let control_plane = RealControlPlane::start().await;
        let org = control_plane.create_org("demo", None);
        let project = control_plane.create_project(&org, "project", Some(require_mcp_api_key));
        let server = control_plane.create_server(&project, "server");
        let api_key = control_plane.create_key(&project, "key", None).raw;
        let (pace, steps) = Pace::by_hand();
        let mcp_server = McpServer::start_with(pace).await;
        let options = GatewayOptions::default()
            .control_plane(control_plane.edge_addr())
            .upstream(mcp_server.addr())
            .edge_token(Some(EDGE_TOKEN));
        let gateway = Gateway::start(options).await;
        Self {
            project_url: gateway.url(&format!("/mcp/{project}")),
            server_url: gateway.url(&format!("/v3/mcp/{server}/mcp")),
            gateway,
            mcp_server,
            steps,
            api_key,
            _control_plane: control_plane,
        }
    }

    /// A session from its first message to its last, with everything that can be on the wire between.
    async fn whole_session(&self, url: &str, api_key: Option<&str>) {
        let mut client = Client::connect(url, api_key).await.unwrap();
        assert_eq!(self.mcp_server.sessions().await, 1);
        let tools = client.tools().await;
        assert_eq!(tools, ["add", "announce", "count", "echo"]);
        let sum = client.call("add", json!({"a": 2, "b": 40})).await;
        assert_eq!(text(sum), "42");
        self.watch_it_count(&mut client).await;
        self.hear_an_announcement(&mut client).await;
        client.close().await;
        eventually(PATIENCE, "the session is deleted", async || {
            (self.mcp_server.sessions().await == 0).then_some(())
        })
        .await;
    }

    /// Progress arrives while the tool still runs: it cannot go on before we let it.
    async fn watch_it_count(&self, client: &mut Client) {
        let counted = tokio::spawn(client.call("count", json!({"to": 3})));
        self.steps.allow(1);
        assert_eq!(client.progress().await, 1.0);
        assert!(!counted.is_finished());
        self.steps.allow(2);
        assert_eq!(client.progress().await, 2.0);
        assert_eq!(client.progress().await, 3.0);
        assert_eq!(text(counted.await.unwrap()), "counted to 3");
    }

    /// What the server says unasked arrives on the stream that the client opened with GET.
    async fn hear_an_announcement(&self, client: &mut Client) {
        eventually(PATIENCE, "the session can be told", async || {
            (self.mcp_server.announce() == 1).then_some(())
        })
        .await;
        client.list_changed().await;
    }

    /// What the gateway's access log holds of the requests with this method.
    async fn wait_for_outcome(&self, method: &str, outcome: &str) {
        let logged =
            |entry: &serde_json::Value| entry["method"] == method && entry["outcome"] == outcome;
        self.gateway.wait_for_access_log(logged).await;
    }
}

#[tokio::test]
async fn a_session_with_a_key_works_on_a_locked_project() {
    let deployment = Deployment::start(true).await;
    let key = Some(deployment.api_key.as_str());
    for url in [&deployment.project_url, &deployment.server_url] {
        deployment.whole_session(url, key).await;
    }
    for method in ["POST", "GET", "DELETE"] {
        deployment.wait_for_outcome(method, "allowed").await;
    }
}

#[tokio::test]
async fn a_session_without_a_key_is_refused_on_a_locked_project() {
    let deployment = Deployment::start(true).await;
    for url in [&deployment.project_url, &deployment.server_url] {
        let error = Client::connect(url, None).await.err().unwrap().to_string();
        assert!(error.contains("Auth required"), "{error}");
    }
    assert_eq!(deployment.mcp_server.sessions().await, 0);
}

#[tokio::test]
async fn a_session_needs_no_key_on_an_open_project() {
    let deployment = Deployment::start(false).await;
    for url in [&deployment.project_url, &deployment.server_url] {
        deployment.whole_session(url, None).await;
    }
}
