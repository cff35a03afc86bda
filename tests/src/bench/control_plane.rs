//! The control plane under load, on SQLite and on PostgreSQL: checks of many keys, and many waiting polls of the change
//! feed. It has one core for itself; the load, and PostgreSQL with all its processes, are on the other one.

use serde::Serialize;

use super::helpers::Helpers;
use super::options::Options;
use checks::Checks;
use polls::Polls;
use population::Population;
use site::{Database, Site};

mod checks;
mod fill;
mod polls;
mod population;
mod site;
mod table;

pub(super) use table::markdown;

/// What checks are called on the command line.
pub(super) const CHECKS: &str = "control plane: checks";
/// What polls are called on the command line.
pub(super) const POLLS: &str = "control plane: polls";

/// What was found out.
#[derive(Debug, Serialize)]
pub(super) struct ControlPlane {
    /// What the databases hold.
    pub(super) population: Population,
    /// Checks, per database.
    pub(super) checks: Option<Vec<Checks>>,
    /// Waiting polls, per database.
    pub(super) polls: Option<Vec<Polls>>,
}

/// Fills both databases and measures; `None` if neither was asked for.
pub(super) fn run(options: &Options, helpers: &Helpers) -> Option<ControlPlane> {
    let (with_checks, with_polls) = (options.wants(CHECKS), options.wants(POLLS));
    if !with_checks && !with_polls {
        return None;
    }
    let population = if options.quick {
        Population::new(2_000, 20)
    } else {
        Population::new(1_000_000, 10_000)
    };
    let sites: Vec<_> = Database::ALL
        .into_iter()
        .map(|database| Site::start(database, population, helpers))
        .collect();
    // Polls first: what a poll takes shows only in a process that has not yet had much memory.
    let polls = with_polls.then(|| {
        eprintln!("{POLLS}");
        let run = |site| polls::run(site, options, helpers);
        sites.iter().map(run).collect()
    });
    let checks = with_checks.then(|| {
        eprintln!("{CHECKS}");
        checks::run(&sites, options)
    });
    Some(ControlPlane {
        population,
        checks,
        polls,
    })
}
