//! A control plane on its core, on a filled database.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::fill::fill;
use super::population::{CYCLE, Population};
use crate::bench::cpu::{self, Meter};
use crate::bench::helpers::Helpers;
use crate::http::Call;
use crate::postgres_server::PostgresServer;
use crate::real_control_plane::RealControlPlane;

/// Where the data are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::bench) enum Database {
    /// A file.
    Sqlite,
    /// A server on the load's core.
    Postgres,
}

impl Database {
    pub(super) const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// The running control plane. What is declared first ends first.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) control_plane: RealControlPlane,
    pub(super) meter: Meter,
    server: Option<PostgresServer>,
    pub(super) database: Database,
    pub(super) population: Population,
}

impl Site {
    /// Sets up the database, fills it, and starts a control plane on it that has not done anything yet.
    pub(super) fn start(database: Database, population: Population, helpers: &Helpers) -> Self {
        eprintln!(
            "control plane: fills {} with {} keys",
            database.name(),
            population.keys
        );
        let cores = helpers.cores();
        let options = ["--metrics-listen", "127.0.0.1:0"];
        let server = (database == Database::Postgres).then(PostgresServer::start);
        let runtime = helpers.runtime();
        let mut control_plane = cpu::on_cores(&[cores.envoy], cores.load, || {
            runtime.block_on(async {
                match &server {
                    None => RealControlPlane::start_with(&options).await,
                    Some(server) => {
                        RealControlPlane::start_on(server.url("postgres"), &options).await
                    }
                }
            })
        });
        control_plane.kill();
        runtime.block_on(fill(database, &control_plane.database(), population));
        cpu::on_cores(&[cores.envoy], cores.load, || {
            runtime.block_on(control_plane.restart());
        });
        let process = control_plane.process_id();
        cpu::prefer(Some(process));
        let site = Self {
            control_plane,
            meter: Meter::of_process(process),
            server,
            database,
            population,
        };
        runtime.block_on(site.assert_verdicts());
        site
    }

    /// Processor time of all processes of the database server by their ids; none for a file.
    pub(super) fn database_micros(&self) -> BTreeMap<u32, f64> {
        let processes = self.server.iter().flat_map(PostgresServer::processes);
        processes
            .filter_map(|id| Some((id, Meter::of_process(id).micros_if_alive()?)))
            .collect()
    }

    /// Makes sure that the load asks about keys of every kind and is told the truth; later only statuses are looked at.
    async fn assert_verdicts(&self) {
        let keys = (0..CYCLE).map(|index| index * self.population.projects);
        for key in keys {
            let request = self.population.check(key);
            let mut call = Call::new(self.control_plane.edge_addr(), "POST", &request.path)
                .body(request.body.unwrap_or_default());
            for (name, value) in &request.headers {
                call = call.header(name, value);
            }
            let answer = call.send().await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let answer: Value = serde_json::from_str(&answer.text()).expect("JSON");
            let expected = serde_json::to_value(self.population.verdict(key)).expect("JSON");
            assert_eq!(answer["key"]["verdict"], expected, "key {key}: {answer}");
        }
    }
}
