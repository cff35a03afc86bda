//! `make bench`: measures the filter against the alternatives on one Envoy, in one run. It judges nothing; the targets
//! are the reader's.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "measurements are numbers of a moderate size"
)]

mod authorizer;
mod cpu;
mod helpers;
mod load;
mod options;
mod report;
mod rounds;
mod row;
mod statistics;
mod subject;
mod table;

use std::fs;

pub use options::Options;

use cpu::Cores;
use helpers::Helpers;
use load::Protocol;
use report::{Machine, Report};

/// Measures what `options` ask for, prints it as tables and writes it as JSON.
///
/// # Panics
/// When something does not start, or answers with another status than it must.
pub fn run(options: Options) {
    let options = options.effective();
    // Built before any core is taken from the compiler.
    let module = options
        .module
        .clone()
        .unwrap_or_else(|| crate::wasm::filter_module().to_owned());
    drop(subject::empty_filter());
    let cores = Cores::of_this_machine();
    let preferred = cpu::prefer(None);
    cpu::pin(&[cores.load]);
    cpu::be_punctual();
    let helpers = Helpers::start(cores);

    let rows: Vec<_> = Protocol::ALL
        .into_iter()
        .flat_map(|protocol| row::rows(protocol, options.quick))
        .filter(|row| options.wants(row.name))
        .collect();
    let turns = rounds::run(&rows, &options, cores, &helpers);
    let report = Report {
        machine: Machine::this(cores, preferred),
        module_bytes: fs::metadata(&module).map_or(0, |file| file.len()),
        rows: report::rows(&rows, &turns),
    };
    print(&table::markdown(&report));
    report.write(&options.report);
}

#[allow(
    clippy::print_stdout,
    reason = "the tables are what the program is for"
)]
fn print(text: &str) {
    println!("{text}");
}
