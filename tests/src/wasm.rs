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
    MODULE.get_or_init(|| {
        let arguments = [
            "--package=mcp-key-auth",
            "--profile=filter",
            "--target=wasm32-wasip1",
        ];
        cargo_build::artifact(&arguments, |artifact| {
            let is_module = |file: &&PathBuf| {
                file.file_name()
                    .is_some_and(|name| name == "mcp_key_auth.wasm")
            };
            artifact.filenames.iter().find(is_module).cloned()
        })
    })
}
