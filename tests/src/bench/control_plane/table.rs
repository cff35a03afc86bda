//! The control plane's part of the report, for a terminal.

use std::fmt::Write;

use super::ControlPlane;
use super::checks::Figures;
use super::site::Database;
use crate::bench::table::thousands;

/// Its tables, after a line on what was measured how.
pub(in crate::bench) fn markdown(report: &ControlPlane) -> String {
    let mut text = format!(
        "\nControl plane, {} keys in {} projects, on one core; the load and PostgreSQL's processes on the other. Median \
         (quartiles) of the rounds; latency from when a check was due.\n",
        thousands(report.population.keys as f64),
        thousands(report.population.projects as f64),
    );
    if let Some(checks) = &report.checks {
        text.push_str(
            "\n| checks | per second | CPU per check, µs | p50, ms | p99 | p99.9 |\n\
             | --- | ---: | ---: | ---: | ---: | ---: |\n",
        );
        for checks in checks {
            row(&mut text, checks.database, "saturated", &checks.saturated);
            for (rate, figures) in &checks.paced {
                let pace = format!("{}/s", thousands(f64::from(*rate)));
                row(&mut text, checks.database, &pace, figures);
            }
        }
    }
    if let Some(polls) = &report.polls {
        text.push_str(
            "\n| polls | waiting | answered after the change's answer: p50, ms | p99 | max | p99 after its request | memory \
             per poll |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
        );
        for run in polls {
            writeln!(
                text,
                "| {}, {} changes | {} | {:.1} | {:.1} | {:.1} | {:.1} | {:.1} KiB |",
                run.database.name(),
                run.changes,
                thousands(run.waiting as f64),
                run.p50_ms,
                run.p99_ms,
                run.max_ms,
                run.p99_from_request_ms,
                run.bytes_per_poll / 1024.0
            )
            .expect("a string");
        }
    }
    text
}

fn row(text: &mut String, database: Database, pace: &str, figures: &Figures) {
    let mut cpu = format!(
        "{:.1} ({:.1}–{:.1})",
        figures.cpu_us.median, figures.cpu_us.q1, figures.cpu_us.q3
    );
    if database == Database::Postgres {
        write!(
            cpu,
            " + {:.1} in PostgreSQL",
            figures.database_cpu_us.median
        )
        .expect("a string");
    }
    writeln!(
        text,
        "| {}, {pace} | {} ({}–{}) | {cpu} | {:.2} | {:.2} ({:.2}–{:.2}) | {:.2} |",
        database.name(),
        thousands(figures.throughput.median),
        thousands(figures.throughput.q1),
        thousands(figures.throughput.q3),
        figures.p50_us.median / 1_000.0,
        figures.p99_us.median / 1_000.0,
        figures.p99_us.q1 / 1_000.0,
        figures.p99_us.q3 / 1_000.0,
        figures.p999_us.median / 1_000.0,
    )
    .expect("a string");
}
