//! Many waiting polls of the change feed: how soon after a change each has its answer, and what memory one takes.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Serialize;
use serde_json::{Value, json};

use super::site::{Database, Site};
use crate::bench::cpu::resident;
use crate::bench::helpers::Helpers;
use crate::bench::load::{Load, Protocol, Request, Requests};
use crate::bench::options::Options;
use crate::bench::statistics::percentile;
use crate::deadline::PATIENCE;
use crate::http::Call;
use crate::scripted_control_plane::EDGE_TOKEN;

/// The control plane rests when it uses less than a tenth of its core for so long.
const REST: Duration = Duration::from_millis(50);
/// The longest wait that the control plane grants.
const WAIT_MS: u64 = 60_000;

/// What one database gave.
#[derive(Debug, Serialize)]
pub(in crate::bench) struct Polls {
    /// Which it is.
    pub(in crate::bench) database: Database,
    /// How many polls waited, each on a connection of its own.
    pub(in crate::bench) waiting: usize,
    /// How many changes there were.
    pub(in crate::bench) changes: u32,
    /// From when the change was answered to the answer of a poll; 0 if that was earlier. Over all changes.
    pub(in crate::bench) p50_ms: f64,
    /// The same.
    pub(in crate::bench) p99_ms: f64,
    /// The same.
    pub(in crate::bench) max_ms: f64,
    /// The same from when the change was asked for.
    pub(in crate::bench) p99_from_request_ms: f64,
    /// Resident memory of the control plane per waiting poll, its connection included.
    pub(in crate::bench) bytes_per_poll: f64,
}

/// Measures one site.
pub(super) fn run(site: &Site, options: &Options, helpers: &Helpers) -> Polls {
    let (waiting, changes) = if options.quick { (50, 2) } else { (1_000, 20) };
    allow_connections();
    let owner = Owner { site, helpers };
    let process = site.control_plane.process_id();
    let mut memory = None;
    let (mut after_answer, mut after_request) = (Vec::new(), Vec::new());
    // Whatever is made once for all polls.
    owner.revision();
    owner.rests();
    let before = resident(process);
    let nothing = Request::plain("/", None);
    let nothing = Arc::new(Requests::fixed(Protocol::Http1, [nothing]));
    let mut load = Load::with_concurrency(site.control_plane.edge_addr(), &nothing, waiting);
    for change in 0..changes {
        load.ask_each(&poll(owner.revision(), WAIT_MS));
        owner.wait_for_polls(waiting);
        memory.get_or_insert_with(|| resident(process));
        let (answers, requested, answered) = thread::scope(|scope| {
            let changing = scope.spawn(|| owner.change(change % 2 == 0));
            let answers = load.each_answer();
            let (requested, answered) = changing.join().expect("the change is made");
            (answers, requested, answered)
        });
        for answer in answers {
            assert_eq!(answer.status, 200, "a poll");
            assert!(answer.answered > requested, "the poll had waited");
            let since = |moment| {
                answer
                    .answered
                    .saturating_duration_since(moment)
                    .as_micros()
            };
            after_answer.push(since(answered) as u64);
            after_request.push(since(requested) as u64);
        }
    }
    after_answer.sort_unstable();
    after_request.sort_unstable();
    let ms = |sorted: &[u64], share| percentile(sorted, share) as f64 / 1_000.0;
    let grown = memory.unwrap_or(before).saturating_sub(before);
    Polls {
        database: site.database,
        waiting,
        changes,
        p50_ms: ms(&after_answer, 0.5),
        p99_ms: ms(&after_answer, 0.99),
        max_ms: ms(&after_answer, 1.0),
        p99_from_request_ms: ms(&after_request, 0.99),
        bytes_per_poll: grown as f64 / waiting as f64,
    }
}

/// Both ends of a thousand connections are more files than a process often may have open.
fn allow_connections() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, wanted).expect("as many files as are allowed");
}

fn poll(after: u64, wait_ms: u64) -> Request {
    Request {
        path: format!("{}?after={after}&wait_ms={wait_ms}", edge_api::CHANGES_PATH),
        headers: vec![("authorization", format!("Bearer {EDGE_TOKEN}"))],
        body: None,
    }
}

/// Who asks the control plane beside the polls.
struct Owner<'a> {
    site: &'a Site,
    helpers: &'a Helpers,
}

impl Owner<'_> {
    /// Changes a project's policy; tells when that was asked for and when it was answered.
    fn change(&self, require: bool) -> (Instant, Instant) {
        let change = Call::new(
            self.site.control_plane.public_addr(),
            "PATCH",
            "/api/v3/org/project/config",
        )
        .key(&self.site.population.good_key(0))
        // Projects are filled in as locked, so that the first change unlocks.
        .json(&json!({ "require_mcp_api_key": !require }));
        let requested = Instant::now();
        let answer = self.helpers.runtime().block_on(change.send());
        let answered = Instant::now();
        assert_eq!(answer.status, 200, "{}", answer.text());
        (requested, answered)
    }

    fn revision(&self) -> u64 {
        let request = poll(0, 0);
        let mut call = Call::new(self.site.control_plane.edge_addr(), "GET", &request.path);
        for (name, value) in &request.headers {
            call = call.header(name, value);
        }
        let answer = self.helpers.runtime().block_on(call.send());
        let answer: Value = serde_json::from_str(&answer.text()).expect("JSON");
        answer["revision"].as_u64().expect("a revision")
    }

    /// Waits until so many polls are under way and nothing else is.
    fn wait_for_polls(&self, count: usize) {
        let addr = self.site.control_plane.metrics_addr().expect("metrics");
        let started = Instant::now();
        loop {
            let call = Call::new(addr, "GET", "/metrics");
            let metrics = self.helpers.runtime().block_on(call.send()).text();
            let wanted = format!("polls_waiting {count}");
            if metrics.lines().any(|line| line.ends_with(&wanted)) {
                break;
            }
            assert!(started.elapsed() < PATIENCE, "too few polls:\n{metrics}");
        }
        self.rests();
    }

    fn rests(&self) {
        let started = Instant::now();
        loop {
            let before = self.site.meter.micros();
            thread::sleep(REST);
            if self.site.meter.micros() - before < REST.as_micros() as f64 / 10.0 {
                return;
            }
            assert!(
                started.elapsed() < PATIENCE,
                "the control plane never rests"
            );
        }
    }
}
