//! Gateways that know other things than the control plane that is asked: not yet, or from another one.

use edge_api::check::Verdict;
use serde_json::json;
use stack::gateway::{Gateway, GatewayOptions};
use stack::http::Call;
use stack::real_control_plane::{Doctor, Examined, NewKey, RealControlPlane};
use stack::scripted_control_plane::{EDGE_TOKEN, ScriptedControlPlane};
use stack::upstream::Upstream;

use super::assert_finds;

/// A gateway that asks `theirs`, while the doctor asks `ours`: there, `pr_shop` is locked and the key is good.
struct World {
    gateway: Gateway,
    ours: RealControlPlane,
    theirs: ScriptedControlPlane,
    _upstream: Upstream,
    key: NewKey,
}

impl World {
    async fn start() -> Self {
        let (ours, theirs) = (
            RealControlPlane::start().await,
            ScriptedControlPlane::start().await,
        );
        let upstream = Upstream::start().await;
        let options = GatewayOptions::default()
            .control_plane(theirs.addr())
            .upstream(upstream.addr());
        let org = ours.create_org("acme", None);
        let shop = ["project", "create", "--org", &org, "--name", "shop"];
        let shop = [
            &shop[..],
            &["--id", "pr_shop", "--require-mcp-api-key", "true"],
        ]
        .concat();
        ours.admin(&shop);
        let key = ours.create_key("pr_shop", "ci", None);
        Self {
            gateway: Gateway::start(options).await,
            ours,
            theirs,
            _upstream: upstream,
            key,
        }
    }

    /// As if some gateway reported that it enforces this revision of ours.
    async fn report(&self, in_force: u64) {
        let batch = json!({"envoy": "e", "instance": format!("i{in_force}"), "sequence": 1,
            "in_force": in_force, "rows": []});
        let report = Call::new(self.ours.edge_addr(), "POST", "/edge/v1/usage")
            .header("authorization", format!("Bearer {EDGE_TOKEN}"))
            .json(&batch);
        let answer = report.send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    async fn examine(&self) -> [Examined; 2] {
        let doctor = Doctor::of(&self.gateway.url("/mcp/pr_shop")).key(&self.key.raw);
        let public = format!("http://{}", self.ours.public_addr());
        [
            doctor.clone().control_plane(&public).examine().await,
            doctor.database(&self.ours.database()).examine().await,
        ]
    }

    async fn assert_finds(&self, code: i32, cause: &str) {
        for examined in self.examine().await {
            assert_finds(&examined, code, cause);
        }
    }
}

#[tokio::test]
async fn a_lock_that_is_not_in_force_is_told_from_one_that_is_not_heeded() {
    let world = World::start().await;
    world.theirs.set_project("pr_shop", false);
    world.assert_finds(0, "lock_not_in_force").await;
    world.report(1).await;
    world.assert_finds(0, "lock_not_in_force").await;
    world.report(1_000).await;
    // The gateway with revision 1 is still one of two workers.
    world.assert_finds(0, "lock_not_in_force").await;

    let world = World::start().await;
    world.theirs.set_project("pr_shop", false);
    world.report(1_000).await;
    world.assert_finds(0, "not_enforced").await;
    let [owner, _] = world.examine().await;
    assert_eq!(owner.step("in force"), ("ok", "on 1 of 1 gateways"));
}

#[tokio::test]
async fn a_key_that_is_not_in_force_is_told_from_one_that_is_not_known() {
    let world = World::start().await;
    world.theirs.set_project("pr_shop", true);
    world.assert_finds(1, "key_not_in_force").await;
    world.report(1_000).await;
    world.assert_finds(1, "other_control_plane").await;
}

#[tokio::test]
async fn a_dead_key_that_still_opens_is_told() {
    let world = World::start().await;
    world.theirs.set_project("pr_shop", true);
    world
        .theirs
        .set_key(&world.key.raw, "key_1", "pr_shop", Verdict::Valid, None);
    world.assert_finds(0, "key_accepted").await;
    world.ours.revoke_key(&world.key.id);
    world.assert_finds(0, "dead_key_accepted").await;
}
