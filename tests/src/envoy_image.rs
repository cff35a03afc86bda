//! The Docker image of Envoy: the pinned binary and the glibc it runs with, built without a registry.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::{envoy_binary, repo};

const DOCKERFILE: &str = "envoy/Dockerfile";
const REPOSITORY: &str = "mcp-key-auth-envoy";

/// The image's tag. Builds the image unless it is there; safe for several processes at once.
pub(crate) fn tag() -> Result<String> {
    let binary = envoy_binary::path()?;
    let libraries = libraries_of(&binary)?;
    let tag = format!(
        "{REPOSITORY}:{}-{}",
        envoy_binary::version(),
        fingerprint(&binary, &libraries)?
    );
    if !exists(&tag) {
        // One process builds, the others wait for it here.
        let _lock = envoy_binary::lock_cache()?;
        if !exists(&tag) {
            build(&tag, &binary, &libraries)?;
        }
    }
    Ok(tag)
}

fn exists(tag: &str) -> bool {
    Command::new("docker")
        .args(["image", "inspect", tag])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Stages the root file system and has it built. The classic builder does, and is there on old daemons too.
fn build(tag: &str, binary: &Path, libraries: &[PathBuf]) -> Result<()> {
    let stage = tempfile::tempdir().context("cannot make a folder to stage the image in")?;
    let rootfs = stage.path().join("rootfs");
    place(binary, &rootfs.join("usr/local/bin/envoy"))?;
    for library in libraries {
        place(library, &rootfs.join(library.strip_prefix("/")?))?;
    }
    fs::create_dir_all(rootfs.join("etc/envoy"))?;
    fs::create_dir_all(rootfs.join("tmp"))?;
    let output = Command::new("docker")
        .env("DOCKER_BUILDKIT", "0")
        .args([
            "build",
            "--quiet",
            "--label",
            "mcp-key-auth=rig",
            "--tag",
            tag,
            "--file",
        ])
        .arg(repo::path(DOCKERFILE))
        .arg(stage.path())
        .output()
        .context("cannot run docker")?;
    if !output.status.success() {
        bail!(
            "docker could not build {DOCKERFILE}:\n{}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

fn place(file: &Path, at: &Path) -> Result<()> {
    fs::create_dir_all(at.parent().context("a file's folder")?)?;
    fs::copy(file, at).with_context(|| format!("cannot copy {}", file.display()))?;
    Ok(())
}

/// The loader and the shared libraries, by the paths under which the binary looks for them.
fn libraries_of(binary: &Path) -> Result<Vec<PathBuf>> {
    let output = Command::new("ldd")
        .arg(binary)
        .output()
        .context("cannot run ldd, which names the libraries that go into Envoy's image")?;
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    let paths: Vec<PathBuf> = listed
        .lines()
        .filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')))
        .map(PathBuf::from)
        .collect();
    if paths.is_empty() {
        bail!("ldd names no library of {}: {listed}", binary.display());
    }
    Ok(paths)
}

/// Changes whenever the image's content would. The binary counts by its size: reading 100 MB each time is too slow.
fn fingerprint(binary: &Path, libraries: &[PathBuf]) -> Result<String> {
    let mut hash = Sha256::new();
    hash.update(fs::read(repo::path(DOCKERFILE)).context(DOCKERFILE)?);
    hash.update(fs::metadata(binary)?.len().to_be_bytes());
    for library in libraries {
        hash.update(library.as_os_str().as_encoded_bytes());
        hash.update(fs::read(library).with_context(|| library.display().to_string())?);
    }
    let mut text = String::new();
    for byte in hash.finalize().iter().take(6) {
        write!(text, "{byte:02x}")?;
    }
    Ok(text)
}
