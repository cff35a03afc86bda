//! The platform under the load: projects whose switches are flipped, keys that are revoked, keys that come into being.

use edge_api::id::Id;
use serde_json::json;
use stack::http::Call;
use stack::keys;
use stack::real_control_plane::{NewKey, RealControlPlane};

use control_plane::clock::{Clock, SystemClock};
use control_plane::model::api_key::ApiKey;
use control_plane::model::audit::Author;
use control_plane::model::limits::UNLIMITED;
use control_plane::model::masked_key::MaskedKey;
use control_plane::store::{Store, WhenMissing};

/// A real control plane with one organisation.
pub(super) struct Platform {
    pub(super) control_plane: RealControlPlane,
    org: String,
    /// As the commands use it. No command creates a key that was chosen, and so could be tried, before; and a process for
    /// each change would take the machine from the load.
    store: Store,
}

impl Platform {
    /// Answers live for ten minutes, refusals too: whatever changes sooner is the change feed's doing.
    pub(super) async fn start() -> Self {
        let control_plane =
            RealControlPlane::start_with(&["--check-ttl", "10m", "--negative-ttl", "10m"]).await;
        let url = control_plane.database().parse().expect("a database");
        Self {
            org: control_plane.create_org("acme", None),
            store: Store::open(&url, WhenMissing::Refuse)
                .await
                .expect("the database"),
            control_plane,
        }
    }

    pub(super) fn project(&self, name: &str, require: bool) -> String {
        self.control_plane
            .create_project(&self.org, name, Some(require))
    }

    pub(super) fn key(&self, project: &str) -> NewKey {
        self.control_plane.create_key(project, "flips", None)
    }

    /// Flips the switch as the project's owner does.
    pub(super) async fn require(&self, key: &NewKey, require: bool) {
        let addr = self.control_plane.public_addr();
        let answer = Call::new(addr, "PATCH", "/api/v3/org/project/config")
            .key(&key.raw)
            .json(&json!({"require_mcp_api_key": require}))
            .send()
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    pub(super) async fn revoke(&self, key: &NewKey) {
        let id = Id::parse(&key.id).expect("an id");
        let revoked = self
            .store
            .revoke_key(&Author::cli(SystemClock.now()), None, &id)
            .await;
        revoked.expect("a key");
    }

    /// Creates this very key.
    pub(super) async fn create(&self, project: &str, number: u64, raw: &str) {
        let key = ApiKey::new(
            Id::parse(&format!("key_chosen_{number}")).expect("an id"),
            Id::parse(project).expect("an id"),
            "chosen".parse().expect("a name"),
            SystemClock.now(),
            None,
            MaskedKey::of(raw),
        );
        let created = self
            .store
            .create_key(
                &Author::cli(key.created_at),
                &key,
                keys::sha256(raw),
                UNLIMITED,
            )
            .await;
        created.expect("a key");
    }
}
