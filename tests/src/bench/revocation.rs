//! Flips of policies and keys under load, with the real control plane: how long until every worker obeys?
//!
//! Connections that are spread over all workers ask again and again; that is also the load. A flip is in force when the
//! last of them gets the new answer, and an old answer on a connection that has had the new one is a relapse.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::json;

use super::helpers::Helpers;
use super::load::{Load, Protocol, Request, Requests};
use super::options::Options;
use super::stampede::connections;
use super::statistics::{Spread, percentile};
use super::subject::bare;
use crate::http::Call;
use crate::real_control_plane::RealControlPlane;

const WORKERS: u32 = 2;
/// Connections that ask.
const PROBES: usize = 16;
/// Between two rounds of questions.
const PAUSE: Duration = Duration::from_millis(4);
/// So many rounds of new answers only end a flip.
const SETTLED: u32 = 5;
/// A flip that takes longer is not waited for.
const PATIENCE: Duration = Duration::from_secs(45);

/// The result.
#[derive(Debug, Serialize)]
pub(super) struct Revocation {
    /// By kind of flip: how many, and milliseconds from the control plane's confirmation to the last worker.
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
    Create,
}

impl Flip {
    const ALL: [Self; 4] = [Self::SwitchOff, Self::SwitchOn, Self::Revoke, Self::Create];

    fn name(self) -> &'static str {
        match self {
            Self::SwitchOff => "requirement off",
            Self::SwitchOn => "requirement on",
            Self::Revoke => "key revoked",
            Self::Create => "key created",
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
    let control_plane = helpers.runtime().block_on(RealControlPlane::start());
    let org = control_plane.create_org("bench", None);
    let project = control_plane.create_project(&org, "bench", Some(true));
    let key = control_plane.create_key(&project, "stays", None).raw;
    let gateway = helpers.start_wide(
        bare(options.module.as_deref())
            .concurrency(WORKERS)
            .control_plane(control_plane.edge_addr()),
    );
    let requests = [Request::plain("/", None)];
    let requests = Arc::new(Requests::fixed(Protocol::Http1, &requests));
    let mut clients = Clients {
        load: Load::with_concurrency(gateway.addr(), &requests, PROBES),
        asked: 0,
        relapses: 0,
        strange: BTreeMap::new(),
    };
    let owner = Owner {
        helpers,
        control_plane,
        project,
        key,
    };
    let started = Instant::now();
    let mut times: BTreeMap<&'static str, Vec<f64>> = BTreeMap::new();
    for flip in Flip::ALL.iter().cycle().take(options.flips as usize) {
        let took = owner.flip(*flip, &mut clients).as_secs_f64() * 1_000.0;
        times.entry(flip.name()).or_default().push(took);
    }
    let rate = clients.asked as f64 / started.elapsed().as_secs_f64();
    let all: Vec<f64> = times.values().flatten().copied().collect();
    times.insert("all", all);
    Revocation {
        kinds: times
            .into_iter()
            .map(|(kind, times)| (kind, Kind::of(&times)))
            .collect(),
        connections: helpers.runtime().block_on(connections(&gateway)),
        rate,
        relapses: clients.relapses,
        strange: clients.strange,
    }
}

impl Owner<'_> {
    /// Makes one flip and tells how long after its confirmation it was in force everywhere.
    fn flip(&self, flip: Flip, clients: &mut Clients) -> Duration {
        let path = format!("/mcp/{}", self.project);
        let keyless = Request::plain(&path, None);
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
                let key = self.control_plane.create_key(&self.project, "goes", None);
                let request = Request::plain(&path, Some(&key.raw));
                clients.settle(&request, 200);
                clients.ask_during(&request, 200, 401, || {
                    self.control_plane.revoke_key(&key.id);
                })
            }
            Flip::Create => {
                let key = self.control_plane.create_key(&self.project, "comes", None);
                let request = Request::plain(&path, Some(&key.raw));
                clients.ask_during(&request, 401, 200, || {})
            }
        }
    }

    fn require(&self, require: bool) {
        let addr = self.control_plane.public_addr();
        let change = Call::new(addr, "PATCH", "/api/v3/org/project/config")
            .key(&self.key)
            .json(&json!({"require_mcp_api_key": require}));
        let answer = self.helpers.runtime().block_on(change.send());
        assert_eq!(answer.status, 200, "{}", answer.text());
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

    /// Asks while `change` is made, until all answers are new; tells how long that was after `change` returned.
    fn ask_during(
        &mut self,
        request: &Request,
        old: u16,
        new: u16,
        change: impl FnOnce() + Send,
    ) -> Duration {
        let confirmed = OnceLock::new();
        let mut first_new = vec![None; PROBES];
        thread::scope(|scope| {
            let changing = scope.spawn(|| {
                change();
                confirmed.get_or_init(Instant::now);
            });
            let started = Instant::now();
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
        last.saturating_duration_since(*confirmed.wait())
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
