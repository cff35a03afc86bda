//! README's table of flags against the program's own help: every flag stands in it, and nothing else does.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on stops with a clear message"
)]

use std::collections::BTreeSet;
use std::fs;

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

/// The code words of the first column of the first table under `heading`.
fn first_column(heading: &str) -> BTreeSet<String> {
    let readme = fs::read_to_string(repo::root().join("README.md")).unwrap();
    let (_, section) = readme.split_once(heading).expect(heading);
    section
        .lines()
        .skip_while(|line| !line.starts_with("| ---"))
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .flat_map(|line| {
            let cell = line.split('|').nth(1).unwrap();
            cell.split(", ")
                .map(|word| word.trim().trim_matches('`').to_owned())
                .collect::<Vec<_>>()
        })
        .collect()
}
