//! PostgreSQL's own programs: those of `POSTGRES_BIN`, of Debian's package, or on the path. As root on a Debian without
//! them, the package is installed.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::debian_packages;
use crate::envoy_binary::lock_cache;

/// Where Debian puts a folder per version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The folder with `initdb` and `postgres`. Installs them when they are not there; safe for several processes at once.
pub(crate) fn folder() -> Result<PathBuf> {
    if let Some(given) = env::var_os("POSTGRES_BIN") {
        let given = PathBuf::from(given);
        if !is_complete(&given) {
            bail!(
                "POSTGRES_BIN: there is no initdb and postgres in {}",
                given.display()
            );
        }
        return Ok(given);
    }
    if let Some(found) = find() {
        return Ok(found);
    }
    // One process installs, the others wait for it here.
    let _lock = lock_cache()?;
    if let Some(found) = find() {
        return Ok(found);
    }
    install().context(
        "the tests need PostgreSQL: install it (initdb and postgres), set POSTGRES_BIN to the folder of its programs, or run \
         this as root on Debian so that it can be installed",
    )?;
    find().context("PostgreSQL was installed, but there is no initdb and postgres")
}

fn find() -> Option<PathBuf> {
    let versions = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let mut folders: Vec<_> = versions.map(|entry| entry.path().join("bin")).collect();
    // The newest first.
    folders.sort_by_key(|folder| {
        let version = folder.parent().and_then(Path::file_name);
        std::cmp::Reverse(
            version
                .and_then(OsStr::to_str)
                .and_then(|name| name.parse::<u32>().ok()),
        )
    });
    folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    folders.into_iter().find(|folder| is_complete(folder))
}

fn is_complete(folder: &Path) -> bool {
    ["initdb", "postgres"]
        .iter()
        .all(|name| folder.join(name).is_file())
}

fn install() -> Result<()> {
    debian_packages::require_root()?;
    // No server is to run but those of the tests.
    let clusters = Path::new("/etc/postgresql-common");
    fs::create_dir_all(clusters)?;
    fs::write(
        clusters.join("createcluster.conf"),
        "create_main_cluster = false\n",
    )?;
    debian_packages::install(&["postgresql"])
}
