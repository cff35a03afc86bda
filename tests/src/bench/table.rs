//! The report as Markdown, for README and the terminal.

use std::fmt::Write;

use super::load::Protocol;
use super::report::{Report, RowReport};
use super::statistics::Spread;

/// All tables.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut text = String::new();
    for protocol in Protocol::ALL {
        rows(&mut text, report, protocol);
    }
    text
}

fn rows(text: &mut String, report: &Report, protocol: Protocol) {
    let title = match protocol {
        Protocol::Http1 => "HTTP/1.1",
        Protocol::Http2 => "HTTP/2",
    };
    let head = format!(
        "\n| {title} | CPU per request, µs | × empty wasm | × `api_key_auth` | requests/s | p50, µs | p99 | p99.9 |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
    );
    text.push_str(&head);
    let of_protocol = |row: &&RowReport| row.protocol == protocol;
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
            "| {} | {cpu} | {} | {} | {throughput} | {:.0} | {:.0} | {:.0} |",
            row.name,
            ratio(row.to_empty_wasm),
            ratio(row.to_api_key_auth),
            row.p50_us.median,
            row.p99_us.median,
            row.p999_us.median,
        )
        .expect("a string");
    }
}

/// A number as people read it: `12,345`.
fn thousands(number: f64) -> String {
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
