//! The report as Markdown, for README and the terminal.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::control_plane;
use super::load::Protocol;
use super::report::{Report, RowReport};
use super::revocation::Flips;
use super::statistics::Spread;

/// All tables, after a line on what was measured where.
pub(super) fn markdown(report: &Report) -> String {
    let (machine, options) = (&report.machine, &report.options);
    let mut text = format!(
        "Envoy {}, one worker on a core of its own ({}, {} cores, Linux {}); median (quartiles) of {} rounds; latency at \
         {} requests/s.\n",
        machine.envoy,
        machine.processor,
        machine.cores,
        machine.kernel,
        options.rounds * options.restarts,
        thousands(options.rate.into()),
    );
    for protocol in Protocol::ALL {
        rows(&mut text, report, protocol);
    }
    let facts = facts(report);
    if !facts.is_empty() {
        text.push_str("\n| measured | result |\n| --- | --- |\n");
        for (what, result) in facts {
            writeln!(text, "| {what} | {result} |").expect("a string");
        }
    }
    text.extend(report.control_plane.as_ref().map(control_plane::markdown));
    text
}

fn rows(text: &mut String, report: &Report, protocol: Protocol) {
    let of_protocol = |row: &&RowReport| row.protocol == protocol;
    if !report.rows.iter().any(|row| of_protocol(&row)) {
        return;
    }
    let title = match protocol {
        Protocol::Http1 => "HTTP/1.1",
        Protocol::Http2 => "HTTP/2",
    };
    let head = format!(
        "\n| {title} | CPU per request, µs | × empty wasm | × `api_key_auth` | requests/s | × `ext_authz` HTTP \
         | p50, µs | p99 | p99.9 |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
    );
    text.push_str(&head);
    for row in report.rows.iter().filter(of_protocol) {
        let ratio = |ratio: Option<Spread>| {
            ratio.map_or_else(
                || "–".to_owned(),
                |r| format!("{:.2} ({:.2}–{:.2})", r.median, r.q1, r.q3),
            )
        };
        let mut cpu = format!(
            "{:.1} ({:.1}–{:.1})",
            row.cpu_us.median, row.cpu_us.q1, row.cpu_us.q3
        );
        if row.helper_cpu_us.median >= 1.0 {
            write!(cpu, " + {:.1} elsewhere", row.helper_cpu_us.median).expect("a string");
        }
        let mut throughput = thousands(row.throughput.median);
        if row.busy.median < 0.9 {
            write!(throughput, " (Envoy {:.0} % busy)", row.busy.median * 100.0).expect("a string");
        }
        writeln!(
            text,
            "| {} | {cpu} | {} | {} | {throughput} | {} | {:.0} | {:.0} | {:.0} |",
            name(row),
            ratio(row.to_empty_wasm),
            ratio(row.to_api_key_auth),
            ratio(row.throughput_to_ext_authz),
            row.p50_us.median,
            row.p99_us.median,
            row.p999_us.median,
        )
        .expect("a string");
    }
}

/// The row's name, with the count of its keys where that is what matters.
fn name(row: &RowReport) -> String {
    let keys = format!("{} keys", thousands(row.keys as f64));
    row.name.replace("many keys", &keys)
}

/// Everything that is no row of the big table.
fn facts(report: &Report) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let mut fact = |what: String, result: String| facts.push((what, result));
    if let Some(size) = &report.footprint {
        fact(
            "module".to_owned(),
            format!(
                "{} KiB (empty filter: {} KiB)",
                size.module / 1024,
                size.empty_module / 1024
            ),
        );
        fact(
            "memory per VM".to_owned(),
            format!(
                "{} (empty filter: {})",
                mebibytes(size.per_vm),
                mebibytes(size.per_empty_vm)
            ),
        );
        fact(
            format!(
                "memory for {} keys on one worker",
                thousands(size.keys as f64)
            ),
            mebibytes(size.many_keys),
        );
    }
    for run in report.stampede.iter().flatten() {
        fact(
            format!(
                "{} requests at once with one {} key, {} workers",
                thousands(run.requests as f64),
                if run.good { "new" } else { "bad" },
                run.workers
            ),
            format!("{} callouts; answers {:?}", run.callouts, run.statuses),
        );
    }
    if let Some(run) = &report.steady {
        fact(
            format!(
                "{} requests/s over {} keys for {:.0} s",
                thousands(run.rate.into()),
                thousands(run.keys as f64),
                run.seconds
            ),
            format!(
                "{} callouts after warm-up ({} during it), p99 {:.0} µs",
                run.callouts, run.warm_up_callouts, run.p99_us
            ),
        );
    }
    for run in report.flood.iter().flatten() {
        let grown = |from: u64, to: u64| mebibytes(to.cast_signed() - from.cast_signed());
        fact(
            format!(
                "{} made-up keys{}",
                thousands(run.keys as f64),
                if run.budgeted {
                    ""
                } else {
                    ", half of them for made-up projects, no budget"
                }
            ),
            format!(
                "heap {} (after the first tenth: {}), resident {}; {}",
                grown(run.before.allocated, run.after.allocated),
                grown(run.early.allocated, run.after.allocated),
                grown(run.before.resident, run.after.resident),
                shares(&run.statuses)
            ),
        );
    }
    if let Some(run) = &report.revocation {
        flips(&mut fact, "", &run.connected);
        let cut = &run.feed_cut;
        let prefix = format!("feed cut, bound {} ms: ", cut.unconfirmed_ttl_ms);
        flips(&mut fact, &prefix, &cut.flips);
        fact(
            "feed cut: time by the bound".to_owned(),
            format!(
                "median {:.2}, max {:.2}",
                cut.median_of_bound, cut.max_of_bound
            ),
        );
    }
    facts
}

fn flips(fact: &mut impl FnMut(String, String), prefix: &str, run: &Flips) {
    for (kind, times) in &run.kinds {
        fact(
            format!(
                "{prefix}{} flips, from sending to the last worker: {kind}",
                times.count
            ),
            format!(
                "median {:.0} ms, p99 {:.0} ms, max {:.0} ms",
                times.ms.median, times.p99_ms, times.ms.max
            ),
        );
    }
    fact(
        format!("{prefix}flips under {} requests/s", thousands(run.rate)),
        format!(
            "{} relapses, other answers: {:?}",
            run.relapses, run.strange
        ),
    );
}

/// What part of all answers had which status.
fn shares(statuses: &BTreeMap<u16, u64>) -> String {
    let all: u64 = statuses.values().sum();
    let share = |count: u64| 100.0 * count as f64 / all as f64;
    let shares = statuses
        .iter()
        .map(|(status, count)| format!("{:.1} % {status}", share(*count)));
    shares.collect::<Vec<_>>().join(", ")
}

fn mebibytes(bytes: i64) -> String {
    format!("{:+.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// A number as people read it: `12,345`.
pub(super) fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
