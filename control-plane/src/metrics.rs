//! What the service counts of itself, for Prometheus; see README. It says nothing about single projects or keys, and **no
//! label takes a value that a caller makes up**: routes are told by their templates, everything else is a fixed word.

use std::sync::Arc;

use edge_api::check::{CheckResponse, Verdict};
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, info::Info},
    registry::Registry,
};

use self::{database::Database, http::Http};
use crate::{
    error::ApiError,
    store::{Counted, Store, Trouble},
};

mod database;
pub mod endpoint;
pub(crate) mod http;
#[cfg(target_os = "linux")]
mod process;

/// What every name begins with, but for those that are the same for every program.
const PREFIX: &str = "mcp_key_auth_control_plane";

/// The port that a request came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// That of project owners.
    Public,
    /// That of the filter.
    Edge,
}

/// All counters of a process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    http: Http,
    errors: Family<ErrorLabels, Counter>,
    checks: Family<CheckLabels, Counter>,
    connections_failed: Family<ConnectionLabels, Counter>,
    polls_waiting: Gauge,
    usage_batches: Family<ResultLabels, Counter>,
    usage_rows: Family<ResultLabels, Counter>,
    database_errors: Family<KindLabels, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ErrorLabels {
    api: &'static str,
    slug: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CheckLabels {
    verdict: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ConnectionLabels {
    port: &'static str,
    reason: &'static str,
}

/// Why a connection came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConnectionFailure {
    /// The system did not give it, such as for want of files.
    System,
    /// Its TLS handshake failed.
    Handshake,
    /// Its TLS handshake took too long.
    HandshakeTimeout,
}

/// A long poll that waits; not any more once this is dropped.
#[derive(Debug)]
pub(crate) struct WaitingPoll(Gauge);

impl Metrics {
    /// All at zero. `store` is looked at with each scrape.
    #[must_use]
    pub fn new(store: &Store) -> Self {
        let mut registry = Registry::default();
        #[cfg(target_os = "linux")]
        registry.register_collector(Box::new(process::Process::new()));
        let ours = registry.sub_registry_with_prefix(PREFIX);
        ours.register("build", "The program", build());
        ours.register_collector(Box::new(Database(store.clone())));
        let inner = Inner {
            http: Http::register(ours),
            errors: register(
                ours,
                "errors",
                "Requests answered with an error, by its slug",
            ),
            checks: register(ours, "checks", "Checks answered, by verdict"),
            connections_failed: register(
                ours,
                "connections_failed",
                "Connections that came to nothing, by reason",
            ),
            polls_waiting: register(ours, "polls_waiting", "Long polls under way"),
            usage_batches: register(
                ours,
                "usage_batches",
                "Usage batches, by what became of them",
            ),
            usage_rows: register(ours, "usage_rows", "Rows of the usage batches"),
            database_errors: register(ours, "database_errors", "Requests that the database failed"),
            registry,
        };
        inner.begin_at_zero();
        Self(Arc::new(inner))
    }

    /// Everything, in the text format of OpenMetrics.
    pub fn encode(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.0.registry)?;
        Ok(text)
    }

    /// Counts a request from now on until the value is dropped.
    pub(crate) fn begin(
        &self,
        api: Api,
        request: &axum::extract::Request,
    ) -> http::Observation<'_> {
        self.0.http.begin(api, request)
    }

    /// Counts an error that was answered.
    pub(crate) fn failed(&self, api: Api, error: &ApiError) {
        let labels = ErrorLabels {
            api: api.name(),
            slug: error.slug(),
        };
        self.0.errors.get_or_create(&labels).inc();
        let trouble = match error {
            ApiError::NotReady(Some(cause)) | ApiError::Internal(cause) => cause.trouble(),
            // The database kept a look at it waiting.
            ApiError::NotReady(None) => Some(Trouble::Timeout),
            _ => None,
        };
        if let Some(trouble) = trouble {
            let labels = KindLabels {
                kind: trouble.name(),
            };
            self.0.database_errors.get_or_create(&labels).inc();
        }
    }

    /// Counts a connection to the port of that name that came to nothing.
    pub(crate) fn lost_connection(&self, port: &'static str, failure: ConnectionFailure) {
        let reason = failure.name();
        let labels = ConnectionLabels { port, reason };
        self.0.connections_failed.get_or_create(&labels).inc();
    }

    /// Counts a check that was answered.
    pub(crate) fn checked(&self, answer: &CheckResponse) {
        let key = answer.key.as_ref().map(|key| key.verdict);
        let verdict = match answer.project {
            None => UNKNOWN_PROJECT,
            Some(_) => key.map_or(NO_KEY, verdict_name),
        };
        self.0.checks.get_or_create(&CheckLabels { verdict }).inc();
    }

    /// Counts a usage batch that was answered.
    pub(crate) fn took_usage(&self, counted: Counted, rows: usize) {
        let result = match counted {
            Counted::New => TAKEN,
            Counted::Repeated => REPEATED,
        };
        self.count_usage(result, rows);
    }

    /// Counts a usage batch that can never be counted.
    pub(crate) fn refused_usage(&self, rows: usize) {
        self.count_usage(REFUSED, rows);
    }

    /// Counts a long poll from now on until the value is dropped.
    pub(crate) fn poll_waits(&self) -> WaitingPoll {
        self.0.polls_waiting.inc();
        WaitingPoll(self.0.polls_waiting.clone())
    }

    fn count_usage(&self, result: &'static str, rows: usize) {
        let labels = ResultLabels { result };
        self.0.usage_batches.get_or_create(&labels).inc();
        let rows = u64::try_from(rows).unwrap_or(u64::MAX);
        self.0.usage_rows.get_or_create(&labels).inc_by(rows);
    }
}

impl Inner {
    /// A counter that is there from the start shows its first rise as one.
    fn begin_at_zero(&self) {
        let verdicts = [
            Verdict::Valid,
            Verdict::Unknown,
            Verdict::Revoked,
            Verdict::Expired,
            Verdict::Disabled,
            Verdict::OtherProject,
        ];
        for verdict in verdicts
            .map(verdict_name)
            .into_iter()
            .chain([NO_KEY, UNKNOWN_PROJECT])
        {
            drop(self.checks.get_or_create(&CheckLabels { verdict }));
        }
        for result in [TAKEN, REPEATED, REFUSED] {
            drop(self.usage_batches.get_or_create(&ResultLabels { result }));
            drop(self.usage_rows.get_or_create(&ResultLabels { result }));
        }
        for api in [Api::Public, Api::Edge] {
            for failure in [
                ConnectionFailure::System,
                ConnectionFailure::Handshake,
                ConnectionFailure::HandshakeTimeout,
            ] {
                let (port, reason) = (api.name(), failure.name());
                let labels = ConnectionLabels { port, reason };
                drop(self.connections_failed.get_or_create(&labels));
            }
        }
        for trouble in Trouble::ALL {
            let labels = KindLabels {
                kind: trouble.name(),
            };
            drop(self.database_errors.get_or_create(&labels));
        }
    }
}

impl ConnectionFailure {
    fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Handshake => "handshake",
            Self::HandshakeTimeout => "handshake_timeout",
        }
    }
}

impl Api {
    /// The value of the label `api`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Edge => "edge",
        }
    }
}

impl Drop for WaitingPoll {
    fn drop(&mut self) {
        self.0.dec();
    }
}

const NO_KEY: &str = "no_key";
const UNKNOWN_PROJECT: &str = "unknown_project";
const TAKEN: &str = "taken";
const REPEATED: &str = "repeated";
const REFUSED: &str = "refused";

fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Valid => "valid",
        Verdict::Unknown => "unknown",
        Verdict::Revoked => "revoked",
        Verdict::Expired => "expired",
        Verdict::Disabled => "disabled",
        Verdict::OtherProject => "other_project",
    }
}

fn build() -> Info<[(&'static str, &'static str); 1]> {
    Info::new([("version", env!("CARGO_PKG_VERSION"))])
}

fn register<M>(registry: &mut Registry, name: &str, help: &str) -> M
where
    M: prometheus_client::registry::Metric + Clone + Default,
{
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}
