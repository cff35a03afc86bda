//! Where the repository is, for everything that reads its files or builds its parts.

use std::path::{Path, PathBuf};

/// The repository's top.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the rig's package is a folder of the repository")
}

/// A path inside the repository.
#[must_use]
pub fn path(relative: &str) -> PathBuf {
    root().join(relative)
}
