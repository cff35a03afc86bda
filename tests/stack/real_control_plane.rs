//! Filter, Envoy and the real control plane together: what an owner does there is what clients get here.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use stack::deadline::eventually;
use stack::gateway::{Gateway, GatewayOptions};
use stack::http::Call;
use stack::real_control_plane::RealControlPlane;
use stack::upstream::Upstream;

const PATIENCE: Duration = Duration::from_secs(20);

/// Everything real but the upstream, with answers that live briefly, so that changes arrive within a test's time.
struct World {
    gateway: Gateway,
    control_plane: RealControlPlane,
    upstream: Upstream,
    org: String,
}

impl World {
    async fn start() -> Self {
        let control_plane = RealControlPlane::start().await;
        let upstream = Upstream::start().await;
        let gateway = Gateway::start(
            GatewayOptions::default()
                .control_plane(control_plane.edge_addr())
                .upstream(upstream.addr())
                .plugin(json!({
                    "cache": {"max_ttl_ms": 300, "max_negative_ttl_ms": 300},
                    "usage_interval_ms": 100,
                })),
        )
        .await;
        let org = control_plane.create_org("acme", Some("2025-06-01T00:00:00Z"));
        Self {
            gateway,
            control_plane,
            upstream,
            org,
        }
    }

    /// Waits until a request gets this status; on the way it may get only that and `meanwhile`.
    async fn becomes(&self, call: impl Fn() -> Call, meanwhile: u16, status: u16) {
        eventually(PATIENCE, &format!("status {status}"), async || {
            let answer = call().send().await;
            assert!(
                [meanwhile, status].contains(&answer.status),
                "{}",
                answer.text()
            );
            (answer.status == status).then_some(())
        })
        .await;
    }

    async fn require(&self, key: &str, require: bool) {
        let answer = Call::new(
            self.control_plane.public_addr(),
            "PATCH",
            "/api/v3/org/project/config",
        )
        .key(key)
        .json(&json!({"require_mcp_api_key": require}))
        .send()
        .await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["require_mcp_api_key"], require);
    }
}

#[tokio::test]
async fn the_announcements_switch_turns_the_gate_on_and_off() {
    let world = World::start().await;
    let project = world.control_plane.create_project(&world.org, "shop", None);
    let key = world.control_plane.create_key(&project, "ci", None);
    let keyless = || world.gateway.mcp(&project);
    let keyed = || world.gateway.mcp(&project).key(&key.raw);
    assert_eq!(keyless().send().await.status, 200, "off is the default");
    world.require(&key.raw, true).await;
    world.becomes(keyless, 200, 401).await;
    assert_eq!(keyed().send().await.status, 200);
    assert_eq!(
        world.upstream.last().header("x-mcp-key-id"),
        Some(key.id.clone())
    );
    world.require(&key.raw, false).await;
    world.becomes(keyless, 401, 200).await;
}

#[tokio::test]
async fn a_project_of_a_new_organisation_is_locked_from_the_start() {
    let world = World::start().await;
    for (created_at, status) in [("2026-02-28T23:59:59Z", 200), ("2026-03-01T00:00:00Z", 401)] {
        let org = world
            .control_plane
            .create_org(&format!("of {created_at}"), Some(created_at));
        let project = world.control_plane.create_project(&org, "first", None);
        assert_eq!(
            world.gateway.mcp(&project).send().await.status,
            status,
            "{created_at}"
        );
    }
}

#[tokio::test]
async fn revoked_expired_and_foreign_keys_are_refused_and_new_ones_work() {
    let world = World::start().await;
    let project = world
        .control_plane
        .create_project(&world.org, "shop", Some(true));
    let other = world
        .control_plane
        .create_project(&world.org, "other", Some(true));
    let foreign = world.control_plane.create_key(&other, "theirs", None);
    let expired = world
        .control_plane
        .create_key(&project, "old", Some("2026-01-01T00:00:00Z"));
    for bad in [&foreign.raw, &expired.raw] {
        let answer = world.gateway.mcp(&project).key(bad).send().await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.json()["error"]["slug"], "MCP_API_KEY_INVALID");
    }
    let key = world.control_plane.create_key(&project, "ours", None);
    let keyed = || world.gateway.mcp(&project).key(&key.raw);
    assert_eq!(keyed().send().await.status, 200);
    world.control_plane.revoke_key(&key.id);
    world.becomes(keyed, 200, 401).await;
    let entry = world
        .gateway
        .wait_for_access_log(|entry| entry["outcome"] == "denied_revoked_key")
        .await;
    assert_eq!(entry["key_id"], key.id.as_str());
}

#[tokio::test]
async fn a_server_is_found_through_its_project() {
    let world = World::start().await;
    let project = world
        .control_plane
        .create_project(&world.org, "shop", Some(true));
    let server = world.control_plane.create_server(&project, "mail");
    let key = world.control_plane.create_key(&project, "ci", None);
    let url = format!("/v3/mcp/{server}/mcp");
    assert_eq!(world.gateway.call("POST", &url).send().await.status, 401);
    assert_eq!(
        world
            .gateway
            .call("POST", &url)
            .key(&key.raw)
            .send()
            .await
            .status,
        200
    );
    assert_eq!(
        world.upstream.last().header("x-mcp-project-id"),
        Some(project)
    );
    let unknown = world
        .gateway
        .call("POST", "/v3/mcp/no-such-server")
        .key(&key.raw);
    assert_eq!(unknown.send().await.status, 404);
}

#[tokio::test]
async fn killed_frozen_and_restarted_it_costs_nobody_a_401() {
    let mut world = World::start().await;
    let project = world
        .control_plane
        .create_project(&world.org, "shop", Some(true));
    let key = world.control_plane.create_key(&project, "ci", None);
    let cold = world
        .control_plane
        .create_project(&world.org, "cold", Some(false));
    assert_eq!(
        world
            .gateway
            .mcp(&project)
            .key(&key.raw)
            .send()
            .await
            .status,
        200
    );
    for trouble in ["killed", "frozen"] {
        if trouble == "killed" {
            world.control_plane.kill();
        } else {
            world.control_plane.pause();
        }
        for _ in 0..5 {
            let known = world.gateway.mcp(&project).key(&key.raw).send().await;
            assert_eq!(known.status, 200, "{trouble}: {}", known.text());
            let unknown = world.gateway.mcp(&cold).send().await;
            assert_eq!(unknown.status, 503, "{trouble}: {}", unknown.text());
            assert!(unknown.header("retry-after").is_some());
        }
        if trouble == "killed" {
            world.control_plane.restart().await;
        } else {
            world.control_plane.resume();
        }
        world
            .becomes(|| world.gateway.mcp(&project).key(&key.raw), 200, 200)
            .await;
        eventually(PATIENCE, "it answers again", async || {
            let checks = world.gateway.mcp(&format!("new-{trouble}")).send().await;
            (checks.status == 404).then_some(())
        })
        .await;
    }
    assert_eq!(world.gateway.mcp(&cold).send().await.status, 200);
}

#[tokio::test]
async fn owners_see_every_request_once_however_often_the_control_plane_is_killed() {
    let mut world = World::start().await;
    let project = world
        .control_plane
        .create_project(&world.org, "shop", Some(true));
    let key = world.control_plane.create_key(&project, "ci", None);
    let mut sent = BTreeMap::from([("allowed", 0_u64), ("denied_missing_key", 0)]);
    for _ in 0..5 {
        for _ in 0..40 {
            let keyed = world.gateway.mcp(&project).key(&key.raw);
            for (call, outcome, status) in [
                (keyed, "allowed", 200),
                (world.gateway.mcp(&project), "denied_missing_key", 401),
            ] {
                let answer = call.send().await;
                // While the control plane is away a lapsed refusal is no refusal: it is not the project's outcome.
                if answer.status == status {
                    *sent.get_mut(outcome).unwrap() += 1;
                } else {
                    assert_eq!(answer.status, 503, "{}", answer.text());
                }
            }
        }
        world.control_plane.kill();
        // It is missed for longer than an interval, so that a batch is lost.
        let failed = "wasmcustom.mcp_key_auth.usage_reports.result.";
        let lost = world.gateway.stats(failed).await;
        eventually(PATIENCE, "a report is lost", async || {
            (world.gateway.stats(failed).await != lost).then_some(())
        })
        .await;
        world.control_plane.restart().await;
    }
    let public = world.control_plane.public_addr();
    let told = async || {
        let path = "/api/v3/org/project/usage";
        let usage = Call::new(public, "GET", path).key(&key.raw).send().await;
        let rows = usage.json()["rows"].as_array().unwrap().clone();
        let count = |outcome: &str| -> u64 {
            rows.iter()
                .filter(|row| row["outcome"] == outcome)
                .map(|row| row["requests"].as_u64().unwrap())
                .sum()
        };
        BTreeMap::from(["allowed", "denied_missing_key"].map(|outcome| (outcome, count(outcome))))
    };
    let all = |told: &BTreeMap<&str, u64>| told.values().sum::<u64>();
    eventually(PATIENCE, "all requests are told", async || {
        (all(&told().await) >= all(&sent)).then_some(())
    })
    .await;
    // Whatever was counted twice comes within the next reports.
    world.gateway.mcp(&project).key(&key.raw).send().await;
    *sent.get_mut("allowed").unwrap() += 1;
    eventually(PATIENCE, "the last request is told", async || {
        (all(&told().await) >= all(&sent)).then_some(())
    })
    .await;
    assert_eq!(told().await, sent);
}

#[tokio::test]
async fn owners_are_told_what_a_lock_would_refuse_and_when_it_is_in_force() {
    let world = World::start().await;
    let project = world.control_plane.create_project(&world.org, "shop", None);
    let key = world.control_plane.create_key(&project, "ci", None);
    for _ in 0..3 {
        assert_eq!(world.gateway.mcp(&project).send().await.status, 200);
    }
    let public = world.control_plane.public_addr();
    let enforcement = async || {
        let path = "/api/v3/org/project/mcp_enforcement";
        Call::new(public, "GET", path)
            .key(&key.raw)
            .send()
            .await
            .json()
    };
    let summary =
        "Turning this on now would have refused 3 of 3 requests in the last 24 h: 3 without a key.";
    eventually(PATIENCE, "the preview counts them", async || {
        (enforcement().await["preview"]["summary"] == summary).then_some(())
    })
    .await;
    world.require(&key.raw, true).await;
    eventually(PATIENCE, "the gateway has it in force", async || {
        let in_force = enforcement().await["in_force"].clone();
        (in_force["envoys"] == 1 && in_force["envoys_in_force"] == 1).then_some(())
    })
    .await;
    assert_eq!(world.gateway.mcp(&project).send().await.status, 401);
}
