//! What the demo starts with: two organisations, three projects, a server and a key for each. Ids are fixed, so that a
//! second start finds what the first one made, and adds only what is missing.

use anyhow::Result;

use super::admin_cli::AdminCli;

/// A project of the demo, and what belongs to it.
#[derive(Debug)]
pub(super) struct Seed {
    pub(super) organisation: Named,
    pub(super) project: Named,
    pub(super) server: Named,
    pub(super) require_mcp_api_key: bool,
}

/// An id and the name that people read.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
}

const DEMO: Named = named("org_demo", "demo");
const OTHER: Named = named("org_other", "other");

/// Open, locked, and locked in another organisation: the order of `.run/demo.json`.
pub(super) const SEEDS: [Seed; 3] = [
    Seed {
        organisation: DEMO,
        project: named("proj_open", "open"),
        server: named("srv_open", "open-server"),
        require_mcp_api_key: false,
    },
    Seed {
        organisation: DEMO,
        project: named("proj_locked", "locked"),
        server: named("srv_locked", "locked-server"),
        require_mcp_api_key: true,
    },
    Seed {
        organisation: OTHER,
        project: named("proj_other", "other-locked"),
        server: named("srv_other", "other-server"),
        require_mcp_api_key: true,
    },
];

const fn named(id: &'static str, name: &'static str) -> Named {
    Named { id, name }
}

/// Makes what is not there yet. What is there stays as it is, also where it was changed since.
pub(super) async fn plant(admin: &AdminCli) -> Result<()> {
    let mut organisations = admin.ids("orgs").await?;
    let projects = admin.ids("projects").await?;
    let servers = admin.ids("servers").await?;
    for seed in &SEEDS {
        if organisations.insert(seed.organisation.id.to_owned()) {
            let Named { id, name } = seed.organisation;
            admin
                .run(&["org", "create", "--id", id, "--name", name])
                .await?;
        }
        if !projects.contains(seed.project.id) {
            let Named { id, name } = seed.project;
            let require = if seed.require_mcp_api_key {
                "true"
            } else {
                "false"
            };
            admin
                .run(&[
                    "project",
                    "create",
                    "--org",
                    seed.organisation.id,
                    "--id",
                    id,
                    "--name",
                    name,
                    "--require-mcp-api-key",
                    require,
                ])
                .await?;
        }
        if !servers.contains(seed.server.id) {
            let Named { id, name } = seed.server;
            let project = seed.project.id;
            admin
                .run(&[
                    "server",
                    "create",
                    "--project",
                    project,
                    "--id",
                    id,
                    "--name",
                    name,
                ])
                .await?;
        }
    }
    Ok(())
}
