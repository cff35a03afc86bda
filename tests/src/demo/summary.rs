//! What `make run` prints when all is up.

use std::fmt::Write;

use super::DemoFile;
use crate::envoy_runner::Runner;

const INITIALIZE: &str = r#"'{"jsonrpc":"2.0","id":1,"method":"initialize"}'"#;

/// Addresses, projects with their keys, and commands to paste.
pub(super) fn of(file: &DemoFile, runner: Runner) -> String {
    let mut text = String::new();
    write(&mut text, file, runner).expect("writing to a string does not fail");
    text
}

fn write(text: &mut String, file: &DemoFile, runner: Runner) -> std::fmt::Result {
    let runner = match runner {
        Runner::Docker => "in Docker",
        Runner::Process => "as a plain process; it runs in Docker where a daemon answers",
    };
    writeln!(text, "\nEverything is up. Envoy runs {runner}.\n")?;
    writeln!(text, "  gateway (MCP)      {}", file.gateway)?;
    writeln!(text, "  Envoy's admin      {}", file.admin)?;
    writeln!(text, "  control plane      {}", file.control_plane)?;
    writeln!(text, "  edge API           {}", file.edge)?;
    writeln!(
        text,
        "\n  The dashboard is at {}/: sign in with an API key from below.",
        file.control_plane
    )?;
    for project in &file.projects {
        let lock = match project.require_mcp_api_key {
            true => "requires a key",
            false => "open",
        };
        writeln!(
            text,
            "\n  project {} ({}): {lock}",
            project.name, project.id
        )?;
        writeln!(text, "    MCP URL  {}", project.mcp_url)?;
        writeln!(text, "    API key  {}", project.api_key)?;
    }
    write_commands(text, file)?;
    writeln!(
        text,
        "\nAll of this is in .run/demo.json, the logs are in .run/*.log. Ctrl-C stops everything."
    )
}

fn write_commands(text: &mut String, file: &DemoFile) -> std::fmt::Result {
    let Some(locked) = file.projects.iter().find(|it| it.require_mcp_api_key) else {
        return Ok(());
    };
    let (url, key) = (&locked.mcp_url, &locked.api_key);
    let json = r#"-H "Content-Type: application/json""#;
    writeln!(text, "\nTry, in another shell:\n")?;
    writeln!(text, "# without a key: 401")?;
    writeln!(text, "curl -i -X POST \"{url}\" {json} -d {INITIALIZE}\n")?;
    writeln!(text, "# with the key: 200")?;
    writeln!(
        text,
        "curl -i -X POST \"{url}\" {json} -H \"x-api-key: {key}\" -d {INITIALIZE}\n"
    )?;
    writeln!(text, "# change the setting: the project's four fields")?;
    let config = format!("{}/api/v3/org/project/config", file.control_plane);
    let body = r#"'{"require_mcp_api_key": true}'"#;
    writeln!(
        text,
        "curl -X PATCH \"{config}\" {json} -H \"x-api-key: {key}\" -d {body}"
    )
}
