//! Everything that can befall the control plane and the gateway, one thing after the other, under load: all of it once,
//! and then again until `CHAOS_SECONDS` are over, by default a minute.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use stack::bootstrap;
use stack::deadline::eventually;
use stack::gateway::{Gateway, GatewayOptions};
use stack::real_control_plane::RealControlPlane;
use stack::upstream::Upstream;
use stack::wire::{Mode, Wire};

use cast::Cast;
use ledger::{Ledger, Who};
use streams::Streams;

mod cast;
mod ledger;
mod streams;

const PATIENCE: Duration = Duration::from_secs(20);
/// How long a trouble lasts: longer than what the gateway remembers goes without being confirmed.
const TROUBLE: Duration = Duration::from_secs(3);
/// How long it is calm after it. What comes in the last part of it must be as if nothing had been: it is longer than any
/// after-effect is excused by the ledger.
const CALM: Duration = Duration::from_secs(4);
/// How long connections of before a reload of the listener may go on.
const DRAIN: Duration = Duration::from_secs(2);

/// What befalls them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    /// The control plane is killed, and started again.
    Killed,
    /// It is started on an empty database, and then on its own again.
    Emptied,
    /// It is stopped, and goes on where it was.
    Paused,
    /// The listener is reloaded with a changed plugin configuration: a new plugin in the old VM.
    Reconfigured,
    /// Somebody else answers in its place.
    Garbage,
    /// Nobody listens.
    Refused,
    /// The listener is reloaded with another environment of the VM: a new VM.
    NewVm,
    /// Nothing arrives, and nothing says so.
    Partitioned,
    /// Connections are cut again and again.
    Cut,
    /// Everything takes longer, though not too long: no trouble at all.
    Slow,
}

const BLOWS: [Blow; 10] = [
    Blow::Killed,
    Blow::Emptied,
    Blow::Paused,
    Blow::Reconfigured,
    Blow::Garbage,
    Blow::Refused,
    Blow::NewVm,
    Blow::Partitioned,
    Blow::Cut,
    Blow::Slow,
];

struct Scene {
    gateway: Gateway,
    wire: Wire,
    control_plane: RealControlPlane,
    upstream: Upstream,
    cast: Arc<Cast>,
    ledger: Arc<Ledger>,
    revoked: usize,
    reloads: u64,
    /// What has befallen them so far.
    blows: Vec<Blow>,
}

impl Scene {
    async fn set() -> Self {
        let control_plane = RealControlPlane::start().await;
        let wire = Wire::start(control_plane.edge_addr()).await;
        let upstream = Upstream::start().await;
        upstream.stream_answers();
        let gateway = Gateway::start(
            GatewayOptions::default()
                .concurrency(2)
                .control_plane(wire.addr())
                .upstream(upstream.addr())
                // So that a trouble outlasts what is remembered.
                .plugin(
                    json!({"cache": {"unconfirmed_ttl_ms": 2_000, "max_negative_ttl_ms": 1_000}}),
                )
                // Streams come from the upstream; the load is answered by Envoy, since the gate is what is tested.
                .edit(|bootstrap| {
                    let load = json!({
                        "name": "load",
                        "match": {
                            "safe_regex": {"regex": "/mcp/[A-Za-z0-9_-]+"},
                            "headers": [{"name": ":method", "string_match": {"exact": "POST"}}],
                        },
                        "direct_response": {"status": 200, "body": {"inline_string": "{}"}},
                    });
                    bootstrap::routes(bootstrap).insert(0, load);
                })
                .reloadable(DRAIN),
        )
        .await;
        Self {
            cast: Cast::hire(&control_plane),
            ledger: Arc::default(),
            gateway,
            wire,
            control_plane,
            upstream,
            revoked: 0,
            reloads: 0,
            blows: Vec::new(),
        }
    }

    /// Deals one blow and puts things right again.
    async fn suffer(&mut self, blow: Blow) {
        self.blows.push(blow);
        match blow {
            Blow::Reconfigured | Blow::NewVm => return self.reload(blow).await,
            Blow::Slow => {
                self.wire.set(Mode::Delay(Duration::from_millis(150)));
                self.last(TROUBLE).await;
                return self.wire.set(Mode::Pass);
            }
            _ => {}
        }
        self.ledger.trouble_begins(&format!("{blow:?}"));
        match blow {
            Blow::Killed => self.control_plane.kill(),
            Blow::Emptied => {
                self.ledger.emptiness_begins();
                self.control_plane.restart_empty().await;
            }
            Blow::Paused => self.control_plane.pause(),
            Blow::Garbage => self.wire.set(Mode::Garbage),
            Blow::Refused => self.wire.set(Mode::Refuse),
            Blow::Partitioned => self.wire.set(Mode::Partition),
            Blow::Cut => self.wire.cut(),
            Blow::Reconfigured | Blow::NewVm | Blow::Slow => {}
        }
        self.last(TROUBLE / 2).await;
        self.revoke().await;
        if blow == Blow::Cut {
            for _ in 0..10 {
                self.last(TROUBLE / 20).await;
                self.wire.cut();
            }
        } else {
            self.last(TROUBLE / 2).await;
        }
        match blow {
            Blow::Killed => self.control_plane.restart().await,
            Blow::Emptied => {
                self.control_plane.restart().await;
                self.ledger.emptiness_ends();
            }
            Blow::Paused => self.control_plane.resume(),
            _ => self.wire.set(Mode::Pass),
        }
        self.ledger.trouble_ends();
    }

    /// Has a new plugin, or a new VM, take the new connections over, and waits until the old ones are closed.
    async fn reload(&mut self, blow: Blow) {
        self.reloads += 1;
        let number = self.reloads;
        self.ledger.drain_begins();
        self.gateway
            .reload_listener(|bootstrap| {
                if blow == Blow::NewVm {
                    let vm = &mut bootstrap::plugin(bootstrap)["vm_config"];
                    vm["environment_variables"]["key_values"] =
                        json!({"RELOAD": number.to_string()});
                } else {
                    bootstrap::edit_plugin_configuration(bootstrap, |configuration| {
                        configuration["retry_after_s"] = (10 + number).into();
                    });
                }
            })
            .await;
        self.revoke().await;
        eventually(PATIENCE, "the old connections are closed", async || {
            let draining = "listener_manager.total_filter_chains_draining";
            (self.gateway.stat(draining).await == 0).then_some(())
        })
        .await;
        self.ledger.drain_ends();
    }

    /// Nothing happens but a revocation: late enough that it meets no after-effects, and early enough to be in force
    /// before the next trouble.
    async fn calm_down(&mut self) {
        self.last(CALM / 2).await;
        self.revoke().await;
        self.last(CALM / 2).await;
    }

    /// Revokes the next victim's key, while there are some.
    async fn revoke(&mut self) {
        let victim = self.revoked;
        if let Some(key) = self.cast.victims.get(victim) {
            self.revoked += 1;
            self.ledger.revocation_begins(victim);
            tokio::task::block_in_place(|| self.control_plane.revoke_key(&key.id));
            self.ledger.revocation_ends(victim);
        }
    }

    /// Lets the clients go on for a while.
    async fn last(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Envoy and its VMs live, and nobody waits any more.
    async fn is_sound(&mut self) {
        assert_eq!(self.gateway.exited(), None);
        for (name, value) in self.gateway.stats("wasm.").await {
            assert!(!name.contains("vm_reload") || value == 0, "{name}: {value}");
        }
        assert!(
            !self.gateway.log().contains("panicked"),
            "{}",
            self.gateway.log()
        );
        for gauge in ["waiters", "checks_in_flight"] {
            let name = format!("wasmcustom.mcp_key_auth.{gauge}");
            self.gateway
                .wait_for_stat(&name, |value| value == 0, PATIENCE)
                .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_refuses_no_good_key_and_admits_no_revoked_one() {
    let seconds = std::env::var("CHAOS_SECONDS").map_or(60, |text| {
        text.parse().expect("CHAOS_SECONDS is a number of seconds")
    });
    let mut scene = Scene::set().await;
    let clients = scene.cast.enter(scene.gateway.addr(), &scene.ledger);
    let mut streams = Streams::open(&scene.gateway, &scene.upstream, &scene.cast).await;
    scene.calm_down().await;
    let started = Instant::now();
    let once = BLOWS.into_iter();
    let again = once.clone().cycle();
    let again = again.take_while(|_| started.elapsed() < Duration::from_secs(seconds));
    for blow in once.chain(again) {
        scene.suffer(blow).await;
        scene.calm_down().await;
        scene.ledger.answers();
        let gone = streams.count_gone().await;
        match blow {
            // An empty control plane says that the project does not exist; a drain closes what is open.
            Blow::Emptied | Blow::Reconfigured | Blow::NewVm => {
                streams = Streams::open(&scene.gateway, &scene.upstream, &scene.cast).await;
            }
            _ => assert_eq!(gone, 0, "{blow:?} ended streams"),
        }
    }
    let (answers, longest) = scene.ledger.answers();
    drop(clients);
    drop(streams);
    scene.is_sound().await;

    println!(
        "{} blows in {:?}, longest wait {longest:?}: {answers:?}",
        scene.blows.len(),
        started.elapsed()
    );
    for blow in BLOWS {
        assert!(scene.blows.contains(&blow), "never {blow:?}");
    }
    let count = |wanted: &dyn Fn(Who, u16) -> bool| -> u64 {
        let wanted = answers
            .iter()
            .filter(|((who, status), _)| wanted(*who, *status));
        wanted.map(|(_, count)| count).sum()
    };
    // The troubles were real, and so was the load.
    assert!(count(&|_, _| true) > seconds * 100, "{answers:?}");
    assert!(count(&|_, status| status == 503) > 0, "{answers:?}");
    for victim in (0..scene.revoked).filter(|victim| !Ledger::is_sleeper(*victim)) {
        assert!(
            answers.contains_key(&(Who::Victim(victim), 401)),
            "{victim}: {answers:?}"
        );
    }
}
