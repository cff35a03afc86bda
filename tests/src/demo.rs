//! `make run`: the control plane, an MCP server and Envoy with the filter on this machine, with demo projects and keys.
//! Everything it writes is in `.run/`; a second start goes on with what the first one left there.

#![allow(
    clippy::print_stdout,
    reason = "the demo talks to the person who started it"
)]

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use crate::envoy_runner::Runner;
use crate::gateway::{Gateway, GatewayOptions};

mod addresses;
mod admin_cli;
mod demo_file;
mod edge_token;
mod envoy_logs;
mod ports;
mod preparation;
mod program;
mod project;
mod public_api;
mod seed;
mod summary;

pub use demo_file::{DemoFile, DemoProject};
pub use ports::{PortError, Ports};
pub use preparation::Preparation;

use addresses::Addresses;
use admin_cli::AdminCli;
use edge_token::EdgeToken;
use program::Program;

/// How often Envoy is looked at for whether it still runs.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Everything that was started.
#[derive(Debug)]
pub struct Demo {
    gateway: Gateway,
    services: Services,
    runner: Runner,
    file: DemoFile,
    /// Held for as long as the demo runs: two demos would share one database.
    _lock: File,
}

/// What Envoy stands between.
#[derive(Debug)]
struct Services {
    control_plane: Program,
    mcp_server: Program,
}

impl Demo {
    /// Starts everything, seeds it, waits until all of it answers through Envoy, and writes `.run/demo.json`.
    ///
    /// # Errors
    /// When a part does not start, or ends while the others start.
    pub async fn start(preparation: Preparation) -> Result<Self> {
        let Preparation {
            run_dir,
            lock,
            ports,
            runner,
            module,
            control_plane,
            mcp_server,
        } = preparation;
        let database = format!("sqlite://{}", run_dir.join("control-plane.db").display());
        let admin = AdminCli::new(&control_plane, &database);
        let addresses = Addresses::of(&ports);
        let path = run_dir.join("demo.json");

        let token = EdgeToken::generate()?;
        let mut services = Services {
            control_plane: Program::start(
                "control-plane",
                addresses.control_plane_command(&control_plane, &database, &token),
                &run_dir,
            )?,
            mcp_server: Program::start(
                "mcp-server",
                addresses.mcp_server_command(&mcp_server),
                &run_dir,
            )?,
        };
        let start = async {
            project::wait_for_control_plane(&addresses).await?;
            seed::plant(&admin).await?;
            let gateway = start_gateway(&addresses, module, &token).await?;
            envoy_logs::keep(&run_dir)?;
            // Keys are made late: one that is made and never told is lost.
            let earlier = DemoFile::read(&path);
            let projects = project::all(&admin, &addresses, earlier.as_ref()).await?;
            project::wait_until_served(&projects).await?;
            anyhow::Ok((gateway, projects))
        };
        let (gateway, projects) = tokio::select! {
            started = start => started?,
            death = services.death() => return Err(anyhow!(death)),
        };
        let file = addresses.demo_file(projects);
        file.write(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self {
            gateway,
            services,
            runner,
            file,
            _lock: lock,
        })
    }

    /// What to tell the person who started it.
    pub fn summary(&self) -> String {
        summary::of(&self.file, self.runner)
    }

    /// Waits until a part ends, which none should, and tells which one did and how.
    pub async fn death(&mut self) -> String {
        let gateway = async {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                if let Some(how) = self.gateway.exited() {
                    return format!("{how}; its log is .run/envoy.log");
                }
            }
        };
        tokio::select! {
            death = gateway => death,
            death = self.services.death() => death,
        }
    }

    /// Stops everything, Envoy first, so that no client meets a gateway with nothing behind it. Data stays.
    pub async fn stop(self) {
        self.gateway.stop();
        tokio::join!(
            self.services.control_plane.stop(),
            self.services.mcp_server.stop()
        );
    }
}

impl Services {
    async fn death(&mut self) -> String {
        tokio::select! {
            death = self.control_plane.death() => death,
            death = self.mcp_server.death() => death,
        }
    }
}

async fn start_gateway(addresses: &Addresses, module: &Path, token: &EdgeToken) -> Result<Gateway> {
    let options = GatewayOptions::default()
        .module(module)
        .listener(addresses.gateway)
        .admin(addresses.admin)
        .control_plane(addresses.edge)
        .upstream(addresses.mcp)
        .edge_token(Some(token.expose()))
        .concurrency(2);
    let started = Gateway::try_start(options).await;
    started.map_err(|error| anyhow!("Envoy does not start: {error}"))
}
