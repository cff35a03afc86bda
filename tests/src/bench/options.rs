//! The command line of the benchmark.

use std::path::PathBuf;

use clap::Parser;
use serde::Serialize;

/// Measures the filter against the alternatives on one Envoy, and writes target/bench/report.json.
#[derive(Debug, Clone, Parser, Serialize)]
pub struct Options {
    /// Does everything, with tiny counts: a test of the benchmark, not a measurement
    #[arg(long)]
    pub quick: bool,
    /// Only rows and measurements whose name contains this; may be repeated
    #[arg(long, value_name = "PART OF A NAME")]
    pub only: Vec<String>,
    /// Rounds in which every row has its turn
    #[arg(long, default_value_t = 5)]
    pub rounds: u32,
    /// How often all Envoys are started afresh; each time with all rounds
    #[arg(long, default_value_t = 2)]
    pub restarts: u32,
    /// Milliseconds of a row's turn at saturation
    #[arg(long, default_value_t = 400)]
    pub saturate_ms: u64,
    /// Milliseconds of a row's turn at a fixed rate
    #[arg(long, default_value_t = 500)]
    pub paced_ms: u64,
    /// Requests per second at the fixed rate
    #[arg(long, default_value_t = 4_000)]
    pub rate: u32,
    /// Made-up keys in the flood
    #[arg(long, default_value_t = 1_000_000)]
    pub flood: u64,
    /// Flips of a key or a policy for the revocation latency
    #[arg(long, default_value_t = 200)]
    pub flips: u32,
    /// Measures this module instead of the filter of this checkout
    #[arg(long)]
    pub module: Option<PathBuf>,
    /// Where the report goes
    #[arg(long, default_value = "target/bench/report.json")]
    pub report: PathBuf,
}

impl Options {
    /// With the tiny counts of `--quick`, if it is given.
    #[must_use]
    pub fn effective(self) -> Self {
        if !self.quick {
            return self;
        }
        Self {
            rounds: 1,
            restarts: 1,
            saturate_ms: 50,
            paced_ms: 100,
            rate: 1_000,
            flood: 2_000,
            flips: 6,
            ..self
        }
    }

    /// Whether something of this name was asked for.
    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| name.contains(part.as_str()))
    }
}
