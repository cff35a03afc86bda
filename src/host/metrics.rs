//! The filter's statistics, defined once per plugin. README's table of statistics is this file's.

use proxy_wasm::hostcalls;
use proxy_wasm::types::{MetricType, Status};

use crate::check::Fault;
use crate::outcome::{CacheState, Outcome};

/// Ids of the defined metrics.
#[derive(Debug)]
pub(super) struct Metrics {
    outcomes: Vec<u32>,
    cache_states: Vec<u32>,
    answered: u32,
    faults: Vec<u32>,
    sent: u32,
    shared: u32,
    background: u32,
    latency: u32,
    waiters: u32,
    in_flight: u32,
    buckets: u32,
}

impl Metrics {
    /// Defines them all. Each call allocates in Envoy for good, so it happens once per configuration.
    pub(super) fn define() -> Result<Self, Status> {
        let counter = |name: &str| {
            hostcalls::define_metric(MetricType::Counter, &format!("mcp_key_auth.{name}"))
        };
        let gauge = |name: &str| {
            hostcalls::define_metric(MetricType::Gauge, &format!("mcp_key_auth.{name}"))
        };
        Ok(Self {
            outcomes: Outcome::all()
                .map(|outcome| counter(&format!("requests.outcome.{}", outcome.name())))
                .collect::<Result<_, _>>()?,
            cache_states: CacheState::ALL
                .iter()
                .map(|state| counter(&format!("lookups.cache.{}", state.name())))
                .collect::<Result<_, _>>()?,
            answered: counter("checks.result.answered")?,
            faults: Fault::ALL
                .iter()
                .map(|fault| counter(&format!("checks.result.{}", fault.name())))
                .collect::<Result<_, _>>()?,
            sent: counter("checks_sent")?,
            shared: counter("checks_shared")?,
            background: counter("checks_background")?,
            latency: hostcalls::define_metric(
                MetricType::Histogram,
                "mcp_key_auth.check_latency_ms",
            )?,
            waiters: gauge("waiters")?,
            in_flight: gauge("checks_in_flight")?,
            buckets: gauge("cache_buckets")?,
        })
    }

    /// A request ended with this outcome.
    pub(super) fn request(&self, outcome: Outcome, cache: CacheState) {
        increment(self.outcomes.get(outcome.index()));
        increment(self.cache_states.get(cache as usize));
    }

    /// A check was handed to Envoy.
    pub(super) fn check_sent(&self) {
        increment(Some(&self.sent));
    }

    /// A request waits for a check that another one had sent.
    pub(super) fn check_shared(&self) {
        increment(Some(&self.shared));
    }

    /// A check is sent for which no request waits.
    pub(super) fn check_background(&self) {
        increment(Some(&self.background));
    }

    /// A check ended, or was not made.
    pub(super) fn check_ended(&self, fault: Option<Fault>) {
        increment(match fault {
            None => Some(&self.answered),
            Some(fault) => self.faults.get(fault as usize),
        });
    }

    /// From sending a check to its end, whatever that was.
    pub(super) fn check_latency(&self, milliseconds: u64) {
        ignore(hostcalls::record_metric(self.latency, milliseconds));
    }

    /// Requests that wait and checks under way changed by so many in this worker.
    pub(super) fn occupancy_changed(&self, waiters: i64, in_flight: i64) {
        for (gauge, by) in [(self.waiters, waiters), (self.in_flight, in_flight)] {
            if by != 0 {
                ignore(hostcalls::increment_metric(gauge, by));
            }
        }
    }

    /// A bucket of the shared cache was written for the first time.
    pub(super) fn bucket_created(&self) {
        ignore(hostcalls::increment_metric(self.buckets, 1));
    }
}

fn increment(counter: Option<&u32>) {
    if let Some(&counter) = counter {
        ignore(hostcalls::increment_metric(counter, 1));
    }
}

/// A statistic that Envoy does not take is no reason to fail a request.
fn ignore(_: Result<(), Status>) {}
