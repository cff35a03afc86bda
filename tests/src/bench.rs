//! `make bench`: measures the filter against the alternatives on one Envoy, in one run. It judges nothing; the targets
//! are the reader's.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "measurements are numbers of a moderate size"
)]

mod authorizer;
mod control_plane;
mod cpu;
mod flood;
mod footprint;
mod helpers;
mod load;
mod options;
mod report;
mod revocation;
mod rounds;
mod row;
mod stampede;
mod statistics;
mod steady;
mod subject;
mod table;

pub use options::Options;

use cpu::Cores;
use helpers::Helpers;
use load::Protocol;
use report::{Machine, Report};

use crate::real_control_plane;

/// Measures what `options` ask for, prints it as tables and writes it as JSON.
///
/// # Panics
/// When something does not start, or answers with another status than it must.
pub fn run(options: Options) {
    let options = options.effective();
    // Built before any core is taken from the compiler.
    let with_control_plane =
        options.wants(control_plane::CHECKS) || options.wants(control_plane::POLLS);
    if with_control_plane || options.wants("revocation") {
        real_control_plane::build();
    }
    let rows: Vec<_> = Protocol::ALL
        .into_iter()
        .flat_map(|protocol| row::rows(protocol, options.quick))
        .filter(|row| options.wants(row.name))
        .collect();
    let on_envoy = ["footprint", "stampede", "steady", "flood", "revocation"];
    let module = options.module.clone();
    let module = if !rows.is_empty() || on_envoy.into_iter().any(|name| options.wants(name)) {
        subject::empty_filter();
        subject::floor_filter();
        module.unwrap_or_else(|| crate::wasm::filter_module().to_owned())
    } else {
        module.unwrap_or_default()
    };
    let cores = Cores::of_this_machine();
    let preferred = cpu::prefer(None);
    cpu::pin(&[cores.load]);
    cpu::be_punctual();
    let helpers = Helpers::start(cores);

    let measured = rounds::run(&rows, &options, &helpers);
    let report = Report {
        machine: Machine::this(cores, preferred),
        options: options.clone(),
        rows: report::rows(&rows, &measured),
        footprint: measure(&options, "footprint", || {
            footprint::run(&module, &options, &helpers)
        }),
        stampede: measure(&options, "stampede", || stampede::run(&options, &helpers)),
        steady: measure(&options, "steady", || steady::run(&options, &helpers)),
        flood: measure(&options, "flood", || flood::run(&options, &helpers)),
        revocation: measure(&options, "revocation", || {
            revocation::run(&options, &helpers)
        }),
        control_plane: control_plane::run(&options, &helpers),
    };
    print(&table::markdown(&report));
    report.write(&options.report);
}

fn measure<T>(options: &Options, name: &str, run: impl FnOnce() -> T) -> Option<T> {
    options.wants(name).then(|| {
        eprintln!("{name}");
        run()
    })
}

#[allow(
    clippy::print_stdout,
    reason = "the tables are what the program is for"
)]
fn print(text: &str) {
    println!("{text}");
}
