//! The rules of the house that a compiler does not know, as tests over the sources. Style is rustfmt's and clippy's
//! business, not this file's.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on stops with a clear message"
)]

use std::fs;
use std::path::Path;

/// The longest a file may be, in lines. Long before that it holds two nouns.
const MAX_LINES: usize = 400;

/// Words that only some files may say.
struct Reserved {
    words: &'static [&'static str],
    /// Where the rule holds: beginnings of paths.
    within: &'static [&'static str],
    /// Where the words are at home: beginnings of paths.
    home: &'static [&'static str],
    rule: &'static str,
}

const RESERVED: &[Reserved] = &[
    Reserved {
        words: &["proxy_wasm"],
        within: &["src/"],
        home: &["src/lib.rs", "src/host.rs", "src/host/"],
        rule: "only src/host knows that Envoy exists",
    },
    Reserved {
        words: &[
            "SystemTime",
            "Instant::now",
            "get_current_time",
            ".elapsed()",
        ],
        within: &["src/"],
        home: &["src/host.rs", "src/host/"],
        rule: "only src/host reads a clock; everything else takes `now` as an argument",
    },
    Reserved {
        words: &[
            "sqlx::",
            "\"SELECT ",
            "\"INSERT ",
            "\"UPDATE ",
            "\"DELETE FROM ",
        ],
        within: &[
            "src/",
            "control-plane/src/",
            "control-plane/api/",
            "tests/src/",
        ],
        home: &[
            "control-plane/src/store.rs",
            "control-plane/src/store/",
            // A million keys, which would take hours through the API.
            "tests/src/bench/control_plane/fill.rs",
        ],
        rule: "only control-plane/src/store speaks SQL",
    },
];

#[test]
fn every_source_file_keeps_the_rules_of_the_house() {
    let root = stack::repo::root();
    let mut sources = Vec::new();
    collect(root, root, &mut sources);
    for expected in ["src/lib.rs", "control-plane/src/main.rs", "tests/tidy.rs"] {
        let found = sources.iter().any(|(path, _)| path == expected);
        assert!(found, "{expected} was not looked at");
    }
    let problems: Vec<_> = sources
        .iter()
        .flat_map(|(path, text)| problems(path, text))
        .collect();
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

/// What is wrong with one file; `path` is relative to the repository's top.
fn problems(path: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut complain = |what: String| problems.push(format!("{path}: {what}"));
    if path.ends_with("/mod.rs") {
        complain("is named mod.rs; a module foo is foo.rs beside a folder foo".to_owned());
    }
    if !text.starts_with("//! ") {
        complain("does not begin with `//! ` and a sentence that says what it is".to_owned());
    }
    let lines = text.lines().count();
    if lines > MAX_LINES {
        complain(format!(
            "has {lines} lines, more than {MAX_LINES}: split it"
        ));
    }
    let begins_with = |places: &[&str]| places.iter().any(|place| path.starts_with(place));
    for reserved in RESERVED {
        if !begins_with(reserved.within) || begins_with(reserved.home) {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if let Some(word) = reserved.words.iter().find(|word| code.contains(**word)) {
                complain(format!(
                    "line {}: says {word}; {}",
                    number + 1,
                    reserved.rule
                ));
            }
        }
    }
    problems
}

/// All Rust files below `dir`, but those of hidden folders and of build output.
fn collect(root: &Path, dir: &Path, sources: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && !path.join("CACHEDIR.TAG").exists() {
                collect(root, &path, sources);
            }
        } else if name.ends_with(".rs") {
            let relative = path.strip_prefix(root).unwrap();
            let text = fs::read_to_string(&path).unwrap();
            sources.push((relative.to_string_lossy().into_owned(), text));
        }
    }
}

#[test]
fn each_rule_can_be_broken() {
    for (path, text, complaint) in [
        ("src/cache/mod.rs", "//! Cache.\n", "mod.rs"),
        ("src/cache.rs", "use x;\n", "does not begin with"),
        (
            "src/cache.rs",
            "//! Cache.\nuse proxy_wasm::x;\n",
            "line 2: says proxy_wasm",
        ),
        (
            "src/cache.rs",
            "//! Cache.\nlet now = Instant::now();\n",
            "reads a clock",
        ),
        (
            "control-plane/src/app.rs",
            "//! App.\nsqlx::query(q);\n",
            "speaks SQL",
        ),
        (
            "control-plane/src/app.rs",
            "//! App.\nrun(\"SELECT 1\");\n",
            "speaks SQL",
        ),
    ] {
        let found = problems(path, text).join("\n");
        assert!(found.contains(complaint), "{text:?}: {found:?}");
    }
    let long = format!("//! Long.\n{}", "\n".repeat(MAX_LINES));
    assert!(problems("src/a.rs", &long).join("").contains("split it"));
    for (path, text) in [
        (
            "src/host/clock.rs",
            "//! Clock.\nuse proxy_wasm::x; SystemTime\n",
        ),
        (
            "control-plane/src/store/key.rs",
            "//! Keys.\nsqlx::query(\"SELECT 1\");\n",
        ),
        (
            "control-plane/src/clock.rs",
            "//! Clock.\nSystemTime::now()\n",
        ),
        ("src/cache.rs", "//! Cache.\n// Not an Instant::now().\n"),
    ] {
        assert_eq!(problems(path, text), Vec::<String>::new());
    }
}
