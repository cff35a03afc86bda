//! README's tables of flags and metrics against the program itself: all that it has stands in them, and nothing else does.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on stops with a clear message"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use stack::http::Call;
use stack::real_control_plane::RealControlPlane;
use stack::repo;

#[test]
fn every_flag_of_serve_stands_in_readme_and_nothing_else_does() {
    let control_plane = stack::real_control_plane::help_of_serve();
    let flags: BTreeSet<_> = control_plane
        .split_whitespace()
        .filter(|word| word.starts_with("--") && word.len() > 2)
        .map(|word| {
            word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '-')
                .to_owned()
        })
        .filter(|flag| flag != "--help")
        .collect();
    let mut documented = first_column("## Control plane");
    documented.remove("");
    assert_eq!(documented, flags);
}

#[tokio::test]
async fn every_metric_stands_in_readme_with_its_labels_and_nothing_else_does() {
    let options = ["--metrics-listen", "127.0.0.1:0"];
    let control_plane = RealControlPlane::start_with(&options).await;
    // What has labels of its own appears with the first request, or the first error.
    for target in ["/readyz", "/api/v3/org/project/config"] {
        let public = control_plane.public_addr();
        Call::new(public, "GET", target).send().await;
    }
    let metrics = control_plane.metrics_addr().unwrap();
    let text = Call::new(metrics, "GET", "/metrics").send().await.text();
    let documented: BTreeMap<_, _> = rows("### Metrics")
        .iter()
        .map(|row| (row[0].trim_matches('`').to_owned(), row[1].clone()))
        .collect();
    assert_eq!(documented, exposed(&text));
}

/// The metrics of an exposition by their names, as README writes them, and types.
fn exposed(text: &str) -> BTreeMap<String, String> {
    let types = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .map(|line| line.split_once(' ').unwrap());
    types
        .map(|(name, kind)| {
            let suffix = match kind {
                "counter" => "_total",
                "info" => "_info",
                _ => "",
            };
            let name = format!("{name}{suffix}");
            let labels = labels(text, &name);
            let name = name.trim_start_matches("mcp_key_auth_control_plane_");
            (format!("{name}{labels}"), kind.to_owned())
        })
        .collect()
}

/// The names of a metric's labels in braces, if it has any; the buckets' `le` is none of its own.
fn labels(text: &str, name: &str) -> String {
    let series = text
        .lines()
        .filter_map(|line| line.strip_prefix(name))
        .find(|rest| rest.starts_with(['{', ' ', '_']))
        .unwrap_or_else(|| panic!("{name} has no series"));
    let names: Vec<_> = series
        .split_once('{')
        .map_or("", |(_, labels)| labels)
        .split("\",")
        .filter_map(|label| label.split_once("=\""))
        .map(|(name, _)| name)
        .filter(|name| *name != "le")
        .collect();
    match names.join(",") {
        none if none.is_empty() => none,
        names => format!("{{{names}}}"),
    }
}

/// The code words of the first column of the first table under `heading`.
fn first_column(heading: &str) -> BTreeSet<String> {
    rows(heading)
        .iter()
        .flat_map(|row| row[0].split(", "))
        .map(|word| word.trim().trim_matches('`').to_owned())
        .collect()
}

/// The cells of the first table under `heading`, row by row.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let readme = fs::read_to_string(repo::root().join("README.md")).unwrap();
    let (_, section) = readme.split_once(heading).expect(heading);
    section
        .lines()
        .skip_while(|line| !line.starts_with("| ---"))
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells = line.split('|').skip(1);
            cells.map(|cell| cell.trim().to_owned()).collect()
        })
        .collect()
}
