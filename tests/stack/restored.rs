//! The real control plane's database is restored from a copy while Envoy cannot reach it, and is past its old revision
//! when Envoy can: nothing that was read before is served any more. Answers live for long here, so it is not their end
//! that does it.

use std::path::Path;
use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use stack::deadline::eventually;
use stack::gateway::{Gateway, GatewayOptions};
use stack::real_control_plane::{NewKey, RealControlPlane};
use stack::upstream::Upstream;

const PATIENCE: Duration = Duration::from_secs(20);

struct World {
    gateway: Gateway,
    control_plane: RealControlPlane,
    project: String,
    /// Another one, whose changes say nothing of the first.
    other: String,
    _upstream: Upstream,
}

impl World {
    async fn start() -> Self {
        let options = ["--check-ttl", "1h", "--negative-ttl", "1h"];
        let control_plane = RealControlPlane::start_with(&options).await;
        let upstream = Upstream::start().await;
        let hour_ms = 3_600_000;
        let cache = json!({"max_ttl_ms": hour_ms, "max_negative_ttl_ms": 600_000, "unconfirmed_ttl_ms": 600_000});
        let gateway = Gateway::start(
            GatewayOptions::default()
                .control_plane(control_plane.edge_addr())
                .upstream(upstream.addr())
                .concurrency(2)
                .plugin(json!({"cache": cache})),
        )
        .await;
        let org = control_plane.create_org("acme", None);
        Self {
            project: control_plane.create_project(&org, "shop", Some(true)),
            other: control_plane.create_project(&org, "other", Some(true)),
            gateway,
            control_plane,
            _upstream: upstream,
        }
    }

    fn new_key(&self, name: &str) -> NewKey {
        self.control_plane.create_key(&self.project, name, None)
    }

    /// Waits until every worker answers `status`; on the way there is nothing but that and `meanwhile`.
    async fn becomes(&self, key: &NewKey, meanwhile: u16, status: u16) {
        eventually(PATIENCE, &format!("{status} for {}", key.id), async || {
            let call = || self.gateway.mcp(&self.project).key(&key.raw).open();
            let answers = join_all((0..16).map(|_| call())).await;
            let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
            let expected = |got: &u16| [meanwhile, status].contains(got);
            assert!(statuses.iter().all(expected), "{statuses:?}");
            statuses.iter().all(|got| *got == status).then_some(())
        })
        .await;
    }

    /// Since the copy was made, `revoked` was revoked and `made_later` was made, and every worker knows both.
    async fn change_after_the_copy(&self, revoked: &NewKey) -> NewKey {
        self.becomes(revoked, 200, 200).await;
        let made_later = self.new_key("made later");
        self.control_plane.revoke_key(&revoked.id);
        self.becomes(revoked, 200, 401).await;
        self.becomes(&made_later, 401, 200).await;
        made_later
    }

    /// The copy takes the database's place, and more is changed in it than was lost, all while nobody serves; but nothing
    /// that concerns the project.
    fn put_back(&mut self, copy: &Path, is_said: bool) {
        self.control_plane.kill_and_put_back(copy);
        if is_said {
            self.control_plane.say_restored();
        }
        for n in 0..5 {
            self.control_plane
                .create_key(&self.other, &format!("new {n}"), None);
        }
    }

    async fn what_was_lost_counts_no_more(&self, revoked: &NewKey, made_later: &NewKey) {
        self.becomes(revoked, 401, 200).await;
        self.becomes(made_later, 200, 401).await;
    }
}

#[tokio::test]
async fn what_was_read_before_a_backup_was_restored_is_not_served_after() {
    let mut world = World::start().await;
    let key = world.new_key("ci");
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("backup.db");
    world.control_plane.back_up(&copy);
    let made_later = world.change_after_the_copy(&key).await;
    world.put_back(&copy, false);
    world.control_plane.restart().await;
    world.what_was_lost_counts_no_more(&key, &made_later).await;
}

#[tokio::test]
async fn what_was_read_before_any_copy_was_restored_is_not_served_after_it_was_said() {
    let mut world = World::start().await;
    let key = world.new_key("ci");
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    world.control_plane.kill_and_copy(&copy);
    world.control_plane.restart().await;
    // The same copy, again and again: each time it is another database.
    for _ in 0..2 {
        let made_later = world.change_after_the_copy(&key).await;
        world.put_back(&copy, true);
        world.control_plane.restart().await;
        world.what_was_lost_counts_no_more(&key, &made_later).await;
    }
}
