//! Where the repository is, for everything that reads its files or builds its parts.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The repository's top.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        // Cargo tells a program that it runs where its package is. What was true when the program was built is second
        // best: checkouts that share a target directory share programs too.
        let ours = std::env::var("CARGO_PKG_NAME").is_ok_and(|name| name == env!("CARGO_PKG_NAME"));
        let told = std::env::var("CARGO_MANIFEST_DIR").ok();
        let package = told.filter(|_| ours);
        let package = package.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").to_owned());
        let top = Path::new(&package).parent();
        top.expect("the rig's package is a folder of the repository")
            .to_owned()
    })
}

/// A path inside the repository.
#[must_use]
pub fn path(relative: &str) -> PathBuf {
    root().join(relative)
}
