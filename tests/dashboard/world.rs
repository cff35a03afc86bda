//! Everything real but the upstream, and a browser before it.

use serde_json::json;
use stack::browser::{Browser, becomes_true};
use stack::gateway::{Gateway, GatewayOptions};
use stack::http::Call;
use stack::real_control_plane::{NewKey, RealControlPlane};
use stack::upstream::Upstream;

/// A project with a key, behind a gateway, and a browser that is not signed in yet.
pub(crate) struct World {
    pub(crate) browser: Browser,
    pub(crate) control_plane: RealControlPlane,
    pub(crate) org: String,
    pub(crate) project: String,
    pub(crate) key: NewKey,
    pub(crate) gateway: Gateway,
    _upstream: Upstream,
}

/// The pages of a project, as their addresses name them.
pub(crate) const PAGES: [&str; 6] = [
    "settings",
    "settings?tab=configuration",
    "keys",
    "servers",
    "usage",
    "audit",
];

impl World {
    /// A project that requires no key.
    pub(crate) async fn start() -> Self {
        Self::with(false).await
    }

    /// A project that requires a key.
    pub(crate) async fn locked() -> Self {
        Self::with(true).await
    }

    async fn with(require: bool) -> Self {
        let upstream = Upstream::start().await;
        // The pages show where the gateway is, which is not known before it is started.
        let control_plane =
            RealControlPlane::start_with(&["--mcp-url", "http://gateway.test/v3/mcp/{server_id}"])
                .await;
        let options = GatewayOptions::default()
            .control_plane(control_plane.edge_addr())
            .upstream(upstream.addr())
            .plugin(json!({"usage_interval_ms": 100}));
        let gateway = Gateway::start(options).await;
        let org = control_plane.create_org("Acme", Some("2025-06-01T00:00:00Z"));
        let project = control_plane.create_project(&org, "Shop", Some(require));
        let key = control_plane.create_key(&project, "Owner", None);
        Self {
            browser: Browser::start().await,
            control_plane,
            org,
            project,
            key,
            gateway,
            _upstream: upstream,
        }
    }

    /// Goes to a page, `settings` for example.
    pub(crate) async fn open(&self, page: &str) {
        self.browser.open(&self.url(page)).await;
    }

    pub(crate) fn url(&self, page: &str) -> String {
        format!(
            "http://{}/dashboard/{page}",
            self.control_plane.public_addr()
        )
    }

    /// Signs in with the project's key.
    pub(crate) async fn sign_in(&self) {
        self.sign_in_with(&self.key.raw).await;
    }

    /// Signs in with a key of the project's organisation.
    pub(crate) async fn sign_in_to_organisation(&self) {
        let create = [
            "org", "key", "create", "--org", &self.org, "--name", "Admin",
        ];
        let key = self.control_plane.admin(&create);
        self.sign_in_with(key["key"].as_str().unwrap()).await;
    }

    /// Signs in with a key that is good.
    pub(crate) async fn sign_in_with(&self, key: &str) {
        self.open("").await;
        self.try_sign_in(key).await;
        self.browser.control("Sign out").await;
    }

    /// Fills in the page that asks for a key.
    pub(crate) async fn try_sign_in(&self, key: &str) {
        self.browser.field("API key").await.fill(key).await;
        self.browser.control("Sign in").await.click().await;
    }

    /// Calls the project's MCP server, with a key if there is one.
    pub(crate) async fn call(&self, key: Option<&str>) -> u16 {
        let call = self.gateway.mcp(&self.project);
        let call = match key {
            Some(key) => call.key(key),
            None => call,
        };
        call.send().await.status
    }

    /// Waits until calls with that key get this status.
    pub(crate) async fn becomes(&self, key: Option<&str>, status: u16) {
        let what = format!("calls get {status}");
        becomes_true(&what, async || self.call(key).await == status).await;
    }

    /// Asks the API with the project's key.
    pub(crate) fn api(&self, method: &str, path: &str) -> Call {
        let path = format!("/api/v3/org/project/{path}");
        Call::new(self.control_plane.public_addr(), method, path).key(&self.key.raw)
    }

    /// Asserts that no page complained so far: no script failed, and the policy forbade nothing.
    pub(crate) async fn assert_no_complaints(&self) {
        let complaints = self.browser.complaints().await;
        assert!(complaints.is_empty(), "{complaints:#?}");
    }
}
