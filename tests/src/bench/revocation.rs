//! Flips of policies and keys under load, with the real control plane: how long until every worker obeys? With the change
//! feed connected, and with the feed cut.
//!
//! The clock starts before the request for the flip is sent to the control plane's API, so the time of that is part of
//! every figure. Every worker has answered in the old way, and remembers to, before each flip. Connections that are spread over all workers ask again and again; that is also the load. A flip is in force when the
//! last of them gets the new answer, and an old answer on a connection that has had the new one is a relapse.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};

use super::helpers::Helpers;
use super::load::{Load, Protocol, Request, Requests};
use super::options::Options;
use super::stampede::connections;
use super::statistics::{Spread, percentile};
use super::subject::bare;
use crate::gateway::Gateway;
use crate::http::Call;
use crate::real_control_plane::RealControlPlane;
use crate::wire::{Mode, Wire};

const WORKERS: u32 = 2;
/// Connections that ask.
const PROBES: usize = 16;
/// Between two rounds of questions.
const PAUSE: Duration = Duration::from_millis(4);
/// So many rounds of new answers only end a flip.
const SETTLED: u32 = 5;
/// What stands for the flips of all kinds.
const ALL: &str = "all";
const FEED_CONNECTED: &str = "wasmcustom.mcp_key_auth.feed_connected";
/// A flip that takes longer is not waited for.
const PATIENCE: Duration = Duration::from_secs(45);

/// How long something is served that the change feed has not confirmed, while the feed is cut.
const UNCONFIRMED_MS: u32 = 2_000;
/// For so many flips with the feed, one without it: each takes nearly that long.
const CONNECTED_PER_CUT: u32 = 10;

/// The result.
#[derive(Debug, Serialize)]
pub(super) struct Revocation {
    /// While the feed is connected.
    pub(super) connected: Flips,
    /// While the feed is cut, and checks are answered.
    pub(super) feed_cut: FeedCut,
}

/// Flips whose bound is a time after which nothing unconfirmed is served.
#[derive(Debug, Serialize)]
pub(super) struct FeedCut {
    /// The bound, as configured.
    pub(super) unconfirmed_ttl_ms: u32,
    /// How they went.
    pub(super) flips: Flips,
    /// The median of all, by the bound.
    pub(super) median_of_bound: f64,
    /// The slowest of all, by the bound.
    pub(super) max_of_bound: f64,
}

/// Many flips.
#[derive(Debug, Serialize)]
pub(super) struct Flips {
    /// By kind of flip: how many, and milliseconds from before it was sent to the control plane to the last worker.
    pub(super) kinds: BTreeMap<&'static str, Kind>,
    /// Connections per worker of those that asked.
    pub(super) connections: Vec<u64>,
    /// Requests per second meanwhile.
    pub(super) rate: f64,
    /// Old answers on a connection that had had the new one already.
    pub(super) relapses: u64,
    /// Answers that are neither the old nor the new one.
    pub(super) strange: BTreeMap<u16, u64>,
}

/// Flips of one kind.
#[derive(Debug, Serialize)]
pub(super) struct Kind {
    /// How many.
    pub(super) count: usize,
    /// How long they took, in milliseconds.
    pub(super) ms: Spread,
    /// Exceeded by one of a hundred.
    pub(super) p99_ms: f64,
}

#[derive(Debug, Clone, Copy)]
enum Flip {
    SwitchOff,
    SwitchOn,
    Revoke,
    Enable,
}

impl Flip {
    const ALL: [Self; 4] = [Self::SwitchOff, Self::SwitchOn, Self::Revoke, Self::Enable];

    fn name(self) -> &'static str {
        match self {
            Self::SwitchOff => "requirement off",
            Self::SwitchOn => "requirement on",
            Self::Revoke => "key revoked",
            Self::Enable => "key enabled",
        }
    }
}

/// The owner's side.
struct Owner<'h> {
    helpers: &'h Helpers,
    control_plane: RealControlPlane,
    project: String,
    /// A key that stays good.
    key: String,
}

/// The clients' side.
struct Clients {
    load: Load,
    asked: u64,
    relapses: u64,
    strange: BTreeMap<u16, u64>,
}

/// Makes the flips, one after the other.
pub(super) fn run(options: &Options, helpers: &Helpers) -> Revocation {
    let owner = Owner::new(helpers);
    let gateway = bare(options.module.as_deref()).concurrency(WORKERS);
    let edge = owner.control_plane.edge_addr();
    let connected = helpers.start_wide(gateway.control_plane(edge));
    Revocation {
        connected: flips(&connected, options.flips, &owner),
        feed_cut: with_the_feed_cut(options, &owner),
    }
}

fn with_the_feed_cut(options: &Options, owner: &Owner<'_>) -> FeedCut {
    let runtime = owner.helpers.runtime();
    let wire = runtime.block_on(Wire::start(owner.control_plane.edge_addr()));
    let gateway = owner.helpers.start_wide(
        bare(options.module.as_deref())
            .concurrency(WORKERS)
            .control_plane(wire.addr())
            .plugin(json!({"cache": {"unconfirmed_ttl_ms": UNCONFIRMED_MS}})),
    );
    runtime.block_on(gateway.wait_for_stat(FEED_CONNECTED, |value| value == 1, PATIENCE));
    wire.set(Mode::NoFeed);
    let kinds = Flip::ALL.len() as u32;
    let flips = flips(
        &gateway,
        kinds.max(options.flips / CONNECTED_PER_CUT),
        owner,
    );
    let all = flips.kinds[ALL].ms;
    let bound = f64::from(UNCONFIRMED_MS);
    FeedCut {
        unconfirmed_ttl_ms: UNCONFIRMED_MS,
        median_of_bound: all.median / bound,
        max_of_bound: all.max / bound,
        flips,
    }
}

/// Makes so many, each kind in its turn.
fn flips(gateway: &Gateway, count: u32, owner: &Owner<'_>) -> Flips {
    let requests = [Request::plain("/", None)];
    let requests = Arc::new(Requests::fixed(Protocol::Http1, &requests));
    let mut clients = Clients {
        load: Load::with_concurrency(gateway.addr(), &requests, PROBES),
        asked: 0,
        relapses: 0,
        strange: BTreeMap::new(),
    };
    let started = Instant::now();
    let mut times: BTreeMap<&'static str, Vec<f64>> = BTreeMap::new();
    for flip in Flip::ALL.iter().cycle().take(count as usize) {
        let took = owner.flip(*flip, &mut clients).as_secs_f64() * 1_000.0;
        times.entry(flip.name()).or_default().push(took);
    }
    let rate = clients.asked as f64 / started.elapsed().as_secs_f64();
    let all: Vec<f64> = times.values().flatten().copied().collect();
    times.insert(ALL, all);
    Flips {
        kinds: times
            .into_iter()
            .map(|(kind, times)| (kind, Kind::of(&times)))
            .collect(),
        connections: owner.helpers.runtime().block_on(connections(gateway)),
        rate,
        relapses: clients.relapses,
        strange: clients.strange,
    }
}

impl<'h> Owner<'h> {
    /// Of a project that requires keys.
    fn new(helpers: &'h Helpers) -> Self {
        let control_plane = helpers.runtime().block_on(RealControlPlane::start());
        let org = control_plane.create_org("bench", None);
        let project = control_plane.create_project(&org, "bench", Some(true));
        Self {
            helpers,
            key: control_plane.create_key(&project, "stays", None).raw,
            control_plane,
            project,
        }
    }

    /// Makes one flip and tells how long it took to be in force everywhere.
    fn flip(&self, flip: Flip, clients: &mut Clients) -> Duration {
        let path = format!("/mcp/{}", self.project);
        let keyless = Request::plain(&path, None);
        let new_key = || {
            let key = self.control_plane.create_key(&self.project, "flips", None);
            let keyed = Request::plain(&path, Some(&key.raw));
            (format!("/api/v3/org/project/api_keys/{}", key.id), keyed)
        };
        match flip {
            Flip::SwitchOff => {
                clients.settle(&keyless, 401);
                clients.ask_during(&keyless, 401, 200, || self.require(false))
            }
            Flip::SwitchOn => {
                clients.settle(&keyless, 200);
                clients.ask_during(&keyless, 200, 401, || self.require(true))
            }
            Flip::Revoke => {
                let (api_key, keyed) = new_key();
                clients.settle(&keyed, 200);
                clients.ask_during(&keyed, 200, 401, || self.change("DELETE", &api_key, None))
            }
            Flip::Enable => {
                let (api_key, keyed) = new_key();
                let disable = |disabled| {
                    let body = json!({"disabled": disabled});
                    self.change("PATCH", &api_key, Some(body));
                };
                disable(true);
                clients.settle(&keyed, 401);
                clients.ask_during(&keyed, 401, 200, || disable(false))
            }
        }
    }

    fn require(&self, require: bool) {
        let body = json!({"require_mcp_api_key": require});
        self.change("PATCH", "/api/v3/org/project/config", Some(body));
    }

    /// Makes a change as the project's owner does. Its answer comes after the change is committed.
    fn change(&self, method: &str, path: &str, body: Option<Value>) {
        let change = Call::new(self.control_plane.public_addr(), method, path).key(&self.key);
        let change = match body {
            Some(body) => change.json(&body),
            None => change,
        };
        let answer = self.helpers.runtime().block_on(change.send());
        assert!(
            (200..300).contains(&answer.status),
            "{method} {path}: {} {}",
            answer.status,
            answer.text()
        );
    }
}

impl Clients {
    /// Makes every worker know the old state.
    fn settle(&mut self, request: &Request, status: u16) {
        let started = Instant::now();
        let mut settled = 0;
        while settled < SETTLED {
            let answers = self.sweep(request);
            let all = answers.iter().all(|(answer, _)| *answer == status);
            settled = if all { settled + 1 } else { 0 };
            assert!(
                started.elapsed() < PATIENCE,
                "never {status} everywhere: {answers:?}"
            );
        }
    }

    /// Asks while `change` is made, until all answers are new; tells how long that took, the change included.
    fn ask_during(
        &mut self,
        request: &Request,
        old: u16,
        new: u16,
        change: impl FnOnce() + Send,
    ) -> Duration {
        let mut first_new = vec![None; PROBES];
        let started = Instant::now();
        thread::scope(|scope| {
            let changing = scope.spawn(change);
            let mut settled = 0;
            while settled < SETTLED {
                let mut all = true;
                for ((status, sent), first_new) in self.sweep(request).iter().zip(&mut first_new) {
                    all &= *status == new;
                    if *status == new {
                        first_new.get_or_insert(*sent);
                    } else if *status == old {
                        self.relapses += u64::from(first_new.is_some());
                    } else {
                        *self.strange.entry(*status).or_default() += 1;
                    }
                }
                settled = if all { settled + 1 } else { 0 };
                assert!(
                    started.elapsed() < PATIENCE,
                    "a change from {old} to {new} is not in force after {PATIENCE:?}"
                );
            }
            changing.join().expect("the change is made");
        });
        let last = first_new.into_iter().flatten().max();
        let last = last.expect("every connection had the new answer");
        last.saturating_duration_since(started)
    }

    fn sweep(&mut self, request: &Request) -> Vec<(u16, Instant)> {
        thread::sleep(PAUSE);
        let answers = self.load.sweep(request);
        self.asked += answers.len() as u64;
        answers
    }
}

impl Kind {
    fn of(times: &[f64]) -> Self {
        let mut sorted: Vec<u64> = times.iter().map(|ms| (ms * 1_000.0) as u64).collect();
        sorted.sort_unstable();
        Self {
            count: times.len(),
            ms: Spread::of(times.iter().copied()),
            p99_ms: percentile(&sorted, 0.99) as f64 / 1_000.0,
        }
    }
}
