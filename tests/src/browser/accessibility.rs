//! The rules of accessibility that a machine can check, by axe-core, which is fetched from PyPI once.

use std::fs;
use std::sync::OnceLock;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{python_packages, repo};

const REQUIREMENTS: &str = "tests/dashboard/requirements.txt";

/// Checks the page, and hands over what was found.
pub(super) const CHECK: &str = r"
    const done = arguments[arguments.length - 1];
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    axe.run(document, { runOnly: { type: 'tag', values: tags } }).then((found) => done(found.violations), (error) => done(String(error)));
";

/// The script that adds the checker to a page.
pub(super) fn checker() -> &'static str {
    static CHECKER: OnceLock<String> = OnceLock::new();
    CHECKER.get_or_init(|| read().unwrap_or_else(|error| panic!("{error:#}")))
}

/// What [`CHECK`] handed over, in words.
pub(super) fn barriers(violations: &Value) -> Vec<String> {
    let violations = violations
        .as_array()
        .unwrap_or_else(|| panic!("the page was not checked: {violations}"));
    let places = violations.iter().flat_map(|violation| {
        let places = violation["nodes"].as_array().into_iter().flatten();
        places.map(|place| format!("{}: {}", violation["help"], place["html"]))
    });
    places.collect()
}

fn read() -> Result<String> {
    let packages = python_packages::installed("axe", &repo::path(REQUIREMENTS))?;
    let script = packages.join("axe_playwright_python/axe.min.js");
    fs::read_to_string(&script).with_context(|| format!("there is no {}", script.display()))
}
