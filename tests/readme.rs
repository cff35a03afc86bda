//! README's tables against the code: every configuration field and flag stands in its table, and nothing else does.

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
fn every_configuration_field_stands_in_readme_and_nothing_else_does() {
    let source = fs::read_to_string(repo::root().join("src/config/raw.rs")).unwrap();
    // What each structure's fields are called from the outside.
    let structures = [
        ("RawConfig", ""),
        ("RawControlPlane", "control_plane."),
        ("RawRule", "rules[]."),
        ("RawExempt", "exempt[]."),
        ("RawKeySource", "key_sources[]."),
        ("RawCache", "cache."),
        ("RawLimits", "limits."),
    ];
    let parents = [
        "control_plane",
        "rules",
        "exempt",
        "key_sources",
        "cache",
        "limits",
    ];
    let mut fields = BTreeSet::new();
    for (structure, prefix) in structures {
        let (_, body) = source
            .split_once(&format!("struct {structure} {{"))
            .expect(structure);
        let body = body.split_once("\n}").unwrap().0;
        for line in body.lines().map(str::trim) {
            let field = line
                .strip_prefix("pub(super) ")
                .or_else(|| line.strip_prefix("pub(crate) "))
                .and_then(|rest| rest.split_once(':'));
            if let Some((field, _)) = field
                && !(prefix.is_empty() && parents.contains(&field))
            {
                fields.insert(format!("{prefix}{field}"));
            }
        }
    }
    assert_eq!(first_column("## Configuring the filter"), fields);
}

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
