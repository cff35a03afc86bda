//! Changes under load: how soon each of many is in force on every worker, and that no answer on the way is one that the
//! bound does not allow. A worker that has given the new answer once never gives the old one again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use stack::bootstrap;
use stack::gateway::{Gateway, GatewayOptions};
use stack::keys::mint_key;
use stack::real_control_plane::NewKey;
use stack::wire::{Mode, Wire};

use board::Board;
use crowd::Crowd;
use distribution::Distribution;
use platform::Platform;

mod board;
pub(crate) mod connection;
mod crowd;
mod distribution;
mod platform;

const PATIENCE: Duration = Duration::from_secs(20);
const WORKERS: usize = 2;
/// The load that is aimed at. A client that waits for an answer leaves out what would be due meanwhile, so a busy machine,
/// or a rig built without optimisation on a slow one, brings less; `make bench` makes such changes under what it can bear.
const PER_SECOND: u32 = 2_000;
/// The least that the test is worth anything with.
const LEAST_PER_SECOND: f64 = 500.0;
/// Within this a change is in force on every worker, for 99 of 100.
const BOUND: Duration = Duration::from_secs(1);
/// The others get as long as it takes another worker to take the feed over, and some for a busy machine.
const LATEST: Duration = Duration::from_secs(3);

/// Two workers before a control plane on the other end of `wire`.
async fn gateway(wire: &Wire, cache: serde_json::Value) -> Gateway {
    Gateway::start(
        GatewayOptions::default()
            .concurrency(u32::try_from(WORKERS).expect("a small number"))
            .control_plane(wire.addr())
            .plugin(json!({"cache": cache}))
            // Envoy answers in the upstream's place: what is measured is the gate.
            .edit(|bootstrap| {
                for route in bootstrap::routes(bootstrap) {
                    route.as_object_mut().expect("a route").remove("route");
                    route["direct_response"] =
                        json!({"status": 200, "body": {"inline_string": "{}"}});
                }
            }),
    )
    .await
}

/// The changes, each with all that is asked about it. Projects and keys are made before the load begins: commands block
/// this thread, on which other changes may be half done.
struct Flips {
    platform: Platform,
    board: Arc<Board>,
}

/// A project, and a key of it.
type Owner = (String, NewKey);

impl Flips {
    fn owner(&self, name: &str, require: bool) -> Owner {
        let project = self.platform.project(name, require);
        let key = self.platform.key(&project);
        (project, key)
    }

    /// One project that nobody touches: its key must work throughout.
    fn add_bystander(&self) {
        let (project, key) = self.owner("steady", true);
        let bystander = self.board.add("steady", &project, Some(&key.raw), 200);
        self.board.settle(bystander);
    }

    /// A project with so many keys.
    fn owners(&self, name: &str, count: u64) -> Vec<Owner> {
        let project = self.platform.project(name, true);
        (0..count)
            .map(|_| (project.clone(), self.platform.key(&project)))
            .collect()
    }

    /// Switches one project on and off by turns. Clients with a key notice nothing.
    async fn toggle(&self, lane: usize, (project, key): Owner, count: u64) -> Vec<Duration> {
        let keyed = self
            .board
            .add("toggled, with its key", &project, Some(&key.raw), 200);
        self.board.settle(keyed);
        let keyless = self.board.add("toggled", &project, None, 200);
        let mut times = Vec::new();
        for number in 0..count {
            let require = number % 2 == 0;
            let status = if require { 401 } else { 200 };
            let change = async || self.platform.require(&key, require).await;
            let turn = self
                .board
                .turn((lane, keyless), status, pause(number), change);
            times.push(turn.await);
        }
        times
    }

    /// Revokes one key after the other.
    async fn revoke(&self, lane: usize, owners: Vec<Owner>) -> Vec<Duration> {
        let mut times = Vec::new();
        for (number, (project, key)) in (0..).zip(owners) {
            let subject = self.board.add("revoked", &project, Some(&key.raw), 200);
            let change = async || self.platform.revoke(&key).await;
            let turn = self.board.turn((lane, subject), 401, pause(number), change);
            times.push(turn.await);
            self.board.settle(subject);
        }
        times
    }

    /// Creates one key after the other; each was tried, and refused, before.
    async fn create(&self, lane: usize, project: String, count: u64) -> Vec<Duration> {
        let mut times = Vec::new();
        for number in 0..count {
            let key = mint_key(number);
            let subject = self.board.add("created", &project, Some(&key), 401);
            let change = async || self.platform.create(&project, number, &key).await;
            let turn = self.board.turn((lane, subject), 200, pause(number), change);
            times.push(turn.await);
            self.board.settle(subject);
        }
        times
    }
}

/// Anything up to a tick of the filter, and another time for every change.
fn pause(number: u64) -> Duration {
    Duration::from_millis(number * 37 % 100)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_changes_under_load_are_in_force_within_a_second() {
    /// How often each of the four changes is made.
    const FLIPS: u64 = 50;
    let platform = Platform::start().await;
    let wire = Wire::start(platform.control_plane.edge_addr()).await;
    let gateway = gateway(&wire, json!({"max_negative_ttl_ms": 600_000})).await;
    let crowd = Crowd::connect(&gateway).await;
    let flips = Flips {
        board: Board::new(crowd.size()),
        platform,
    };
    flips.add_bystander();
    let toggled = [
        flips.owner("toggled", false),
        flips.owner("toggled too", false),
    ];
    let victims = flips.owners("revoking", FLIPS);
    let creating = flips.platform.project("creating", true);
    let [first, second] = toggled;
    let started = Instant::now();
    let load = crowd.start(&flips.board, PER_SECOND);
    let (first, second, revoked, created) = tokio::join!(
        flips.toggle(0, first, FLIPS),
        flips.toggle(1, second, FLIPS),
        flips.revoke(2, victims),
        flips.create(3, creating, FLIPS),
    );
    let per_second = flips.board.answers() as f64 / started.elapsed().as_secs_f64();
    drop(load);

    let toggled = [first, second].concat();
    for (kind, times) in [
        ("toggled", &toggled),
        ("revoked", &revoked),
        ("created", &created),
    ] {
        println!("{kind}, {}", Distribution::of(times.clone()));
    }
    let all = Distribution::of([toggled, revoked, created].concat());
    println!("all, {all}, at {per_second:.0} requests per second");
    assert!(per_second >= LEAST_PER_SECOND, "{per_second:.0} per second");
    assert!(all.percentile(99) <= BOUND, "{all}");
    assert!(all.percentile(100) <= LATEST, "{all}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_feed_cut_changes_are_in_force_within_the_unconfirmed_time() {
    const UNCONFIRMED: Duration = Duration::from_millis(1_500);
    const MARGIN: Duration = Duration::from_millis(500);
    /// How often each of the three changes is made.
    const FLIPS: u64 = 8;
    let platform = Platform::start().await;
    let wire = Wire::start(platform.control_plane.edge_addr()).await;
    let gateway = gateway(
        &wire,
        json!({"max_negative_ttl_ms": 600_000, "unconfirmed_ttl_ms": 1_500}),
    )
    .await;
    let crowd = Crowd::connect(&gateway).await;
    let flips = Flips {
        board: Board::new(crowd.size()),
        platform,
    };
    flips.add_bystander();
    let toggled = flips.owner("toggled", false);
    let victims = flips.owners("revoking", FLIPS);
    let creating = flips.platform.project("creating", true);
    let started = Instant::now();
    let load = crowd.start(&flips.board, PER_SECOND);
    gateway
        .wait_for_stat(
            "wasmcustom.mcp_key_auth.feed_connected",
            |value| value == 1,
            PATIENCE,
        )
        .await;
    wire.set(Mode::NoFeed);
    let (toggled, revoked, created) = tokio::join!(
        flips.toggle(0, toggled, FLIPS),
        flips.revoke(1, victims),
        flips.create(2, creating, FLIPS),
    );
    let per_second = flips.board.answers() as f64 / started.elapsed().as_secs_f64();
    drop(load);

    let all = Distribution::of([toggled, revoked, created].concat());
    println!("without a feed, {all}, at {per_second:.0} requests per second");
    assert!(per_second >= LEAST_PER_SECOND, "{per_second:.0} per second");
    assert!(all.percentile(100) <= UNCONFIRMED + MARGIN, "{all}");
}
