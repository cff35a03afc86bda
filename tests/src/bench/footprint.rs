//! What the filter takes of the machine before it does anything: the module's size, and memory per VM.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::flood::Memory;
use super::helpers::Helpers;
use super::load::{Load, Protocol, Request, Requests};
use super::options::Options;
use super::row::MANY;
use super::statistics::Spread;
use super::subject::{Chain, PROJECT, Subject};
use crate::keys::mint_key;

const FEW_WORKERS: u32 = 1;
const MANY_WORKERS: u32 = 9;
/// The memory of a process that has just started varies by pages of the allocator.
const REPEATS: usize = 3;

/// Sizes in bytes.
#[derive(Debug, Serialize)]
pub(super) struct Footprint {
    /// The filter's module.
    pub(super) module: u64,
    /// The empty filter's module.
    pub(super) empty_module: u64,
    /// Resident memory that one more worker takes with the filter, less what it takes without any.
    pub(super) per_vm: i64,
    /// The same with the empty filter: what a VM costs by itself.
    pub(super) per_empty_vm: i64,
    /// Growth of one worker's Envoy by remembering many keys.
    pub(super) many_keys: i64,
    /// How many.
    pub(super) keys: u64,
}

/// Measures them. `module` is the filter's.
pub(super) fn run(module: &Path, options: &Options, helpers: &Helpers) -> Footprint {
    let ours = Subject::KeyFilter {
        local_entries: None,
    };
    let repeats = if options.quick { 1 } else { REPEATS };
    let resident = |subject: Subject, workers| {
        let measured = (0..repeats).map(|_| {
            let wanted = subject.options(Chain::Bare, helpers.servers(), options.module.as_deref());
            let gateway = helpers.start_wide(wanted.concurrency(workers));
            Memory::of(&gateway, helpers).resident as f64
        });
        Spread::of(measured).median as i64
    };
    let slope = |subject| {
        let more = resident(subject, MANY_WORKERS) - resident(subject, FEW_WORKERS);
        more / i64::from(MANY_WORKERS - FEW_WORKERS)
    };
    let without = slope(Subject::None);
    let size = |file: &Path| fs::metadata(file).map_or(0, |file| file.len());
    Footprint {
        module: size(module),
        empty_module: size(super::subject::empty_filter()),
        per_vm: slope(ours) - without,
        per_empty_vm: slope(Subject::EmptyWasm) - without,
        many_keys: remembering(ours, options, helpers),
        keys: MANY,
    }
}

fn remembering(subject: Subject, options: &Options, helpers: &Helpers) -> i64 {
    let gateway = helpers.start_narrow(subject.options(
        Chain::Bare,
        helpers.servers(),
        options.module.as_deref(),
    ));
    let requests = |seeds: std::ops::Range<u64>| {
        let path = format!("/mcp/{PROJECT}");
        let request = |seed| Request::plain(&path, Some(&mint_key(seed)));
        let requests: Vec<_> = seeds.map(request).collect();
        Arc::new(Requests::fixed(Protocol::Http1, &requests))
    };
    // Connections and buffers first, which are not what is asked for.
    Load::open(gateway.addr(), &requests(0..1)).exactly(MANY);
    let before = Memory::of(&gateway, helpers).resident.cast_signed();
    Load::open(gateway.addr(), &requests(0..MANY)).exactly(2 * MANY);
    Memory::of(&gateway, helpers).resident.cast_signed() - before
}
