//! `control-plane doctor` against real gateways: each finding is provoked, and told.

mod connections;
mod disagreements;
mod gateways;
mod keys;

use stack::gateway::{Gateway, GatewayOptions};
use stack::real_control_plane::{Doctor, Examined, NewKey, RealControlPlane};
use stack::upstream::Upstream;

/// Everything real, with a locked project `pr_shop` and a key of it.
struct World {
    gateway: Gateway,
    control_plane: RealControlPlane,
    _upstream: Upstream,
    org: String,
    key: NewKey,
}

impl World {
    async fn start() -> Self {
        Self::with(|options| options).await
    }

    /// With a gateway that is changed like this.
    async fn with(change: impl FnOnce(GatewayOptions) -> GatewayOptions) -> Self {
        let control_plane = RealControlPlane::start().await;
        let upstream = Upstream::start().await;
        let options = GatewayOptions::default()
            .control_plane(control_plane.edge_addr())
            .upstream(upstream.addr());
        let gateway = Gateway::start(change(options)).await;
        let org = control_plane.create_org("acme", None);
        let shop = ["project", "create", "--org", &org, "--name", "shop"];
        let shop = [
            &shop[..],
            &["--id", "pr_shop", "--require-mcp-api-key", "true"],
        ]
        .concat();
        control_plane.admin(&shop);
        let key = control_plane.create_key("pr_shop", "ci", None);
        Self {
            gateway,
            control_plane,
            _upstream: upstream,
            org,
            key,
        }
    }

    /// An open project `pr_open`, and its key.
    fn open_project(&self) -> NewKey {
        let open = ["project", "create", "--org", &self.org, "--name", "open"];
        let open = [
            &open[..],
            &["--id", "pr_open", "--require-mcp-api-key", "false"],
        ]
        .concat();
        self.control_plane.admin(&open);
        self.control_plane.create_key("pr_open", "ci", None)
    }

    fn url(&self, path: &str) -> String {
        self.gateway.url(path)
    }

    /// Of the locked project, asking nobody but the gateway.
    fn doctor(&self) -> Doctor {
        Doctor::of(&self.url("/mcp/pr_shop"))
    }

    async fn as_owner(&self, doctor: Doctor) -> Examined {
        let public = format!("http://{}", self.control_plane.public_addr());
        doctor.control_plane(&public).examine().await
    }

    async fn as_operator(&self, doctor: Doctor) -> Examined {
        doctor
            .database(&self.control_plane.database())
            .examine()
            .await
    }
}

/// Asserts what became of the request and why.
#[track_caller]
fn assert_finds(examined: &Examined, code: i32, cause: &str) {
    let found = (examined.code, examined.cause());
    assert_eq!(found, (code, cause), "{}", examined.text);
}
