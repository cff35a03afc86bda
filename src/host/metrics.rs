//! The filter's statistics, defined once per plugin. README's table of statistics is this file's.

use std::cell::Cell;

use proxy_wasm::hostcalls;
use proxy_wasm::types::{MetricType, Status};

use crate::check::Fault;
use crate::outcome::{CacheState, Outcome};

/// Ids of the defined metrics.
#[derive(Debug)]
pub(super) struct Metrics {
    outcomes: Vec<u32>,
    cache_states: Vec<u32>,
    checks: Results,
    reasons: Vec<u32>,
    checks_sent: u32,
    checks_shared: u32,
    check_latency: u32,
    waiters: Share,
    checks_in_flight: Share,
    cache_buckets: u32,
    shared_evictions: u32,
    local_entries: Share,
    local_evictions: u32,
    polls: Results,
    feed_connected: u32,
    feed_lag: u32,
    feed_resets: u32,
    feed_leader_changes: u32,
    streams_ended: u32,
    usage_reports: Results,
    usage_unattributed: u32,
}

/// This worker's part of a gauge that all workers have in common. It is taken out again when this is dropped: a plugin
/// that a reload replaces leaves nothing behind.
#[derive(Debug)]
struct Share {
    gauge: u32,
    told: Cell<usize>,
}

/// Counters of how callouts of one kind end.
#[derive(Debug)]
struct Results {
    answered: u32,
    faults: Vec<u32>,
}

/// Why something is asked.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reason {
    /// A request waits, and nothing is remembered.
    Unknown,
    /// A request waits, and what is remembered may not be served any more.
    Recheck,
    /// See [`crate::authenticator::Errand::Attribute`].
    Attribute,
    /// See [`crate::authenticator::Errand::Refresh`].
    Refresh,
    /// See [`crate::authenticator::Errand::Probe`].
    Probe,
    /// An open stream may have to end.
    Stream,
}

const REASONS: [&str; 6] = [
    "unknown",
    "recheck",
    "attribute",
    "refresh",
    "probe",
    "stream",
];

impl Metrics {
    /// Defines them all. Each call allocates in Envoy for good, so it happens once per configuration.
    pub(super) fn define() -> Result<Self, Status> {
        Ok(Self {
            outcomes: Outcome::all()
                .map(|outcome| counter(&format!("requests.outcome.{}", outcome.name())))
                .collect::<Result<_, _>>()?,
            cache_states: CacheState::ALL
                .iter()
                .map(|state| counter(&format!("lookups.cache.{}", state.name())))
                .collect::<Result<_, _>>()?,
            checks: Results::define("checks")?,
            reasons: REASONS
                .iter()
                .map(|reason| counter(&format!("checks_asked.reason.{reason}")))
                .collect::<Result<_, _>>()?,
            checks_sent: counter("checks_sent")?,
            checks_shared: counter("checks_shared")?,
            check_latency: define(MetricType::Histogram, "check_latency_ms")?,
            waiters: Share::define("waiters")?,
            checks_in_flight: Share::define("checks_in_flight")?,
            cache_buckets: gauge("cache_buckets")?,
            shared_evictions: counter("shared_evictions")?,
            local_entries: Share::define("local_entries")?,
            local_evictions: counter("local_evictions")?,
            polls: Results::define("feed_polls")?,
            feed_connected: gauge("feed_connected")?,
            feed_lag: gauge("feed_lag_ms")?,
            feed_resets: counter("feed_resets")?,
            feed_leader_changes: counter("feed_leader_changes")?,
            streams_ended: counter("streams_ended")?,
            usage_reports: Results::define("usage_reports")?,
            usage_unattributed: counter("usage_unattributed")?,
        })
    }

    /// A request ended with this outcome.
    pub(super) fn request(&self, outcome: Outcome, cache: CacheState) {
        increment(self.outcomes.get(outcome.index()), 1);
        increment(self.cache_states.get(cache as usize), 1);
    }

    /// Something is asked, for this reason.
    pub(super) fn check_asked(&self, reason: Reason) {
        increment(self.reasons.get(reason as usize), 1);
    }

    /// A check was handed to Envoy.
    pub(super) fn check_sent(&self) {
        increment(Some(&self.checks_sent), 1);
    }

    /// A request waits for a check that another one had sent.
    pub(super) fn check_shared(&self) {
        increment(Some(&self.checks_shared), 1);
    }

    /// A check ended, or was not made.
    pub(super) fn check_ended(&self, fault: Option<Fault>) {
        self.checks.count(fault);
    }

    /// From sending a check to its end, whatever that was.
    pub(super) fn check_latency(&self, milliseconds: u64) {
        ignore(hostcalls::record_metric(self.check_latency, milliseconds));
    }

    /// Requests that wait and checks under way in this worker.
    pub(super) fn occupancy(&self, waiters: usize, checks_in_flight: usize) {
        self.waiters.tell(waiters);
        self.checks_in_flight.tell(checks_in_flight);
    }

    /// A bucket of the shared cache was written for the first time.
    pub(super) fn bucket_created(&self) {
        increment(Some(&self.cache_buckets), 1);
    }

    /// So many entries of a bucket made room for another one before their life was over.
    pub(super) fn shared_evicted(&self, count: u32) {
        if count > 0 {
            increment(Some(&self.shared_evictions), count.into());
        }
    }

    /// Entries in this worker's own cache.
    pub(super) fn local_entries(&self, count: usize) {
        self.local_entries.tell(count);
    }

    /// An entry made room for another one.
    pub(super) fn local_evicted(&self) {
        increment(Some(&self.local_evictions), 1);
    }

    /// A poll of the feed ended.
    pub(super) fn feed_polled(&self, fault: Option<Fault>) {
        self.polls.count(fault);
        let connected = u64::from(fault.is_none());
        ignore(hostcalls::record_metric(self.feed_connected, connected));
    }

    /// How long ago the feed last confirmed what is remembered.
    pub(super) fn feed_lag(&self, milliseconds: u64) {
        ignore(hostcalls::record_metric(self.feed_lag, milliseconds));
    }

    /// Following the feed began anew.
    pub(super) fn feed_began_anew(&self) {
        increment(Some(&self.feed_resets), 1);
    }

    /// This worker has become the one that polls.
    pub(super) fn feed_leader_changed(&self) {
        increment(Some(&self.feed_leader_changes), 1);
    }

    /// Open streams were ended.
    pub(super) fn streams_ended(&self, count: i64) {
        increment(Some(&self.streams_ended), count);
    }

    /// A report of usage ended.
    pub(super) fn usage_reported(&self, fault: Option<Fault>) {
        self.usage_reports.count(fault);
    }

    /// A request was counted without its project.
    pub(super) fn usage_unattributed(&self) {
        increment(Some(&self.usage_unattributed), 1);
    }
}

impl Share {
    fn define(name: &str) -> Result<Self, Status> {
        Ok(Self {
            gauge: gauge(name)?,
            told: Cell::default(),
        })
    }

    fn tell(&self, count: usize) {
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let by = number(count) - number(self.told.replace(count));
        if by != 0 {
            increment(Some(&self.gauge), by);
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.tell(0);
    }
}

impl Results {
    fn define(kind: &str) -> Result<Self, Status> {
        Ok(Self {
            answered: counter(&format!("{kind}.result.answered"))?,
            faults: Fault::ALL
                .iter()
                .map(|fault| counter(&format!("{kind}.result.{}", fault.name())))
                .collect::<Result<_, _>>()?,
        })
    }

    fn count(&self, fault: Option<Fault>) {
        let counter = match fault {
            None => Some(&self.answered),
            Some(fault) => self.faults.get(fault as usize),
        };
        increment(counter, 1);
    }
}

fn counter(name: &str) -> Result<u32, Status> {
    define(MetricType::Counter, name)
}

fn gauge(name: &str) -> Result<u32, Status> {
    define(MetricType::Gauge, name)
}

fn define(kind: MetricType, name: &str) -> Result<u32, Status> {
    hostcalls::define_metric(kind, &format!("mcp_key_auth.{name}"))
}

fn increment(counter: Option<&u32>, by: i64) {
    if let Some(&counter) = counter {
        ignore(hostcalls::increment_metric(counter, by));
    }
}

/// A statistic that Envoy does not take is no reason to fail a request.
fn ignore(_: Result<(), Status>) {}
