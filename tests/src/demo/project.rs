//! The seeded projects as they are now: with a key that works, and served by the gateway.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use reqwest::StatusCode;

use super::addresses::Addresses;
use super::admin_cli::AdminCli;
use super::seed::{SEEDS, Seed};
use super::{DemoFile, DemoProject, public_api};

/// How long a part may take until it answers.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until the control plane serves, which it does once its database is there.
pub(super) async fn wait_for_control_plane(addresses: &Addresses) -> Result<()> {
    let api = addresses.api_url();
    answered("the control plane", async || public_api::ready(&api).await).await
}

/// All projects of the demo, in their order. Makes a key where no earlier one is known that still works.
pub(super) async fn all(
    admin: &AdminCli,
    addresses: &Addresses,
    earlier: Option<&DemoFile>,
) -> Result<Vec<DemoProject>> {
    let mut projects = Vec::new();
    for seed in &SEEDS {
        let known = earlier.and_then(|file| file.key_of(seed.project.id));
        projects.push(one(admin, addresses, seed, known).await?);
    }
    Ok(projects)
}

async fn one(
    admin: &AdminCli,
    addresses: &Addresses,
    seed: &Seed,
    known_key: Option<&str>,
) -> Result<DemoProject> {
    let project = |api_key: &str, require_mcp_api_key| DemoProject {
        id: seed.project.id.to_owned(),
        name: seed.project.name.to_owned(),
        require_mcp_api_key,
        api_key: api_key.to_owned(),
        server_id: seed.server.id.to_owned(),
        mcp_url: addresses.mcp_url(seed.server.id),
    };
    let api = addresses.api_url();
    let required = async |key: &str| public_api::requires_key(&api, key).await;
    if let Some(key) = known_key
        && let Some(required) = required(key).await?
    {
        return Ok(project(key, required));
    }
    let key = admin.create_key(seed.project.id).await?;
    let required = required(&key).await?;
    let required = required.context("the control plane does not know the key it just made")?;
    Ok(project(&key, required))
}

/// Waits until each project is served through the gateway with its key, and without one only if it is open.
pub(super) async fn wait_until_served(projects: &[DemoProject]) -> Result<()> {
    for project in projects {
        let without_key = match project.require_mcp_api_key {
            true => StatusCode::UNAUTHORIZED,
            false => StatusCode::OK,
        };
        for (key, wanted) in [
            (Some(project.api_key.as_str()), StatusCode::OK),
            (None, without_key),
        ] {
            let url = &project.mcp_url;
            answered(url, async || {
                let status = public_api::initialize(url, key).await?;
                if status != wanted {
                    bail!("{url} answers {status}, not {wanted}");
                }
                Ok(())
            })
            .await?;
        }
    }
    Ok(())
}

/// Asks until there is an answer, and fails with the last error when there is none in time.
async fn answered<T>(what: &str, mut ask: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    let started = Instant::now();
    loop {
        match ask().await {
            Ok(answer) => return Ok(answer),
            Err(error) if started.elapsed() > PATIENCE => {
                return Err(error.context(format!("{what} does not answer as it should")));
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}
