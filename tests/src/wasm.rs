//! The filter's wasm module, built from this checkout.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::cargo_build;

/// Builds the module as it is shipped, once per process, and tells where it lies.
///
/// # Panics
/// When it does not build.
pub fn filter_module() -> &'static Path {
    static MODULE: OnceLock<PathBuf> = OnceLock::new();
    MODULE.get_or_init(|| module("mcp-key-auth", "mcp_key_auth.wasm"))
}

/// Builds the module of a package in the profile of shipped modules, and tells where it lies.
///
/// # Panics
/// When it does not build.
pub(crate) fn module(package: &str, file_name: &str) -> PathBuf {
    let package = format!("--package={package}");
    let arguments = [&*package, "--profile=filter", "--target=wasm32-wasip1"];
    cargo_build::artifact(&arguments, |artifact| {
        let is_module = |file: &&PathBuf| file.file_name().is_some_and(|name| name == file_name);
        artifact.filenames.iter().find(is_module).cloned()
    })
}
