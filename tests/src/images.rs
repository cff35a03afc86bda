//! The images of this checkout, built without a registry, and containers of the control plane's.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::envoy_runner::{LABEL, Runner};
use crate::last_will::LastWill;
use crate::scripted_control_plane::EDGE_TOKEN;
use crate::{real_control_plane, repo, wasm};

/// Whether images can be built and run here.
///
/// # Panics
/// When Docker is demanded and does not answer.
#[must_use]
pub fn docker_is_there() -> bool {
    let usable = Runner::usable().unwrap_or_else(|error| panic!("{error:#}"));
    usable.contains(&Runner::Docker)
}

/// An image that was built. Removed when this is dropped: each run makes one of its own.
#[derive(Debug)]
pub struct Image {
    id: String,
    _will: LastWill,
}

impl Drop for Image {
    fn drop(&mut self) {
        drop(
            Command::new("docker")
                .args(["rmi", "--force", &self.id])
                .output(),
        );
    }
}

/// Builds the control plane's image from its program as it is here.
///
/// # Panics
/// When it cannot be built.
#[must_use]
pub fn of_control_plane() -> Image {
    let stage = tempfile::tempdir().expect("a folder to stage the image in");
    let program = real_control_plane::program();
    let staged = Command::new(repo::path("control-plane/image/stage"))
        .arg(program)
        .arg(stage.path())
        .output()
        .expect("control-plane/image/stage runs");
    assert!(staged.status.success(), "{}", text(&staged.stderr));
    let arguments = ["--target", "staged", "--build-arg", "VERSION=of-the-tests"];
    build("control-plane/Dockerfile", &arguments, stage.path())
}

/// Builds the filter's image from its module as it is here.
///
/// # Panics
/// When it cannot be built.
#[must_use]
pub fn of_filter() -> Image {
    let folder = wasm::filter_module().parent().expect("the module's folder");
    build("envoy/filter.Dockerfile", &[], folder)
}

/// The content of a file in an image.
///
/// # Panics
/// When there is no such file.
#[must_use]
pub fn file(image: &Image, path: &str) -> Vec<u8> {
    // It is never run, so what it would run does not matter.
    let container = said(&docker(&["create", "--label", LABEL, &image.id, "none"]));
    let place = tempfile::tempdir().expect("a folder");
    let to = place.path().join("file");
    docker(&["cp", &format!("{container}:{path}"), &to.to_string_lossy()]);
    docker(&["rm", &container]);
    fs::read(to).expect("the copied file")
}

/// A running control plane in a container, on the host's network, as unprivileged as can be. Removed when this is
/// dropped, its data with it.
#[derive(Debug)]
pub struct Container {
    id: String,
    volume: String,
    /// Its public API.
    pub public: SocketAddr,
    /// Its edge API.
    pub edge: SocketAddr,
    /// Its metrics.
    pub metrics: SocketAddr,
    _will: LastWill,
}

impl Container {
    /// Starts one on an empty volume.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(image: &Image) -> Self {
        let volume = said(&docker(&["volume", "create", "--label", LABEL]));
        let [public, edge, metrics] = [(); 3].map(|()| free_address());
        let run = [
            "run --detach --network host --read-only --cap-drop ALL --security-opt no-new-privileges",
            "--label",
            LABEL,
            &format!("--volume {volume}:/var/lib/mcp-key-auth"),
            &format!("--env MCP_KEY_AUTH_LISTEN={public}"),
            &format!("--env MCP_KEY_AUTH_EDGE_LISTEN={edge}"),
            &format!("--env MCP_KEY_AUTH_METRICS_LISTEN={metrics}"),
            &format!("--env MCP_KEY_AUTH_EDGE_TOKEN={EDGE_TOKEN}"),
            &image.id,
        ]
        .join(" ");
        let id = said(&docker(&run.split(' ').collect::<Vec<_>>()));
        let will = LastWill::new(&format!(
            "docker rm --force {id}; docker volume rm {volume}"
        ));
        Self {
            id,
            volume,
            public,
            edge,
            metrics,
            _will: will,
        }
    }

    /// Runs the program in it, beside the server.
    ///
    /// # Panics
    /// When it fails.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> String {
        let exec = ["exec", &self.id, "/usr/local/bin/control-plane"];
        said(&docker(&[&exec[..], arguments].concat()))
    }

    /// As [`command`](Self::command), one that answers in JSON.
    ///
    /// # Panics
    /// When it fails.
    #[must_use]
    pub fn json(&self, arguments: &[&str]) -> Value {
        let said = self.command(&[arguments, &["--json"]].concat());
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
    }

    /// A value of `docker inspect`, by its template.
    #[must_use]
    pub fn inspect(&self, template: &str) -> String {
        said(&docker(&["inspect", "--format", template, &self.id]))
    }

    /// Its log so far.
    #[must_use]
    pub fn log(&self) -> String {
        text(&docker(&["logs", &self.id]).stderr)
    }

    /// Asks it to end, and returns when it has; it is killed after that many seconds.
    pub fn stop(&self, seconds: u32) {
        docker(&["stop", "--time", &seconds.to_string(), &self.id]);
    }

    /// Starts it again after [`stop`](Self::stop), with its data.
    pub fn start_again(&self) {
        docker(&["start", &self.id]);
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let logs = Command::new("docker").args(["logs", &self.id]).output();
            eprintln!(
                "--- the container's log\n{}",
                logs.map(|logs| text(&logs.stderr)).unwrap_or_default()
            );
        }
        for remove in [["rm", "--force", &self.id], ["volume", "rm", &self.volume]] {
            drop(Command::new("docker").args(remove).output());
        }
    }
}

fn build(dockerfile: &str, arguments: &[&str], context: &Path) -> Image {
    let output = Command::new("docker")
        // The classic builder is there on old daemons too.
        .env("DOCKER_BUILDKIT", "0")
        // What is tested is what is here now, not what the daemon remembers.
        .args(["build", "--no-cache", "--quiet", "--label", LABEL, "--file"])
        .arg(repo::path(dockerfile))
        .args(arguments)
        .arg(context)
        .output()
        .expect("docker runs");
    assert!(
        output.status.success(),
        "{dockerfile}: {}",
        text(&output.stderr)
    );
    let id = said(&output);
    let will = LastWill::new(&format!("docker rmi --force {id}"));
    Image { id, _will: will }
}

#[track_caller]
fn docker(arguments: &[&str]) -> Output {
    let output = Command::new("docker")
        .args(arguments)
        .output()
        .expect("docker runs");
    assert!(
        output.status.success(),
        "docker {}: {}",
        arguments.join(" "),
        text(&output.stderr)
    );
    output
}

fn said(output: &Output) -> String {
    text(&output.stdout).trim().to_owned()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// One that was free a moment ago: what listens in a container cannot say which port it was given.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("its address")
}
