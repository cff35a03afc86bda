//! The little that the demo asks over HTTP: is a key good and what is its project set to, does an MCP URL answer.

use anyhow::{Context, Result, bail};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::http;

/// Fails unless the control plane is ready.
pub(super) async fn ready(control_plane: &str) -> Result<()> {
    let url = format!("{control_plane}/readyz");
    http::client().get(&url).send().await?.error_for_status()?;
    Ok(())
}

/// Whether the key's project requires keys on MCP requests; `None` when the key is no longer good.
pub(super) async fn requires_key(control_plane: &str, api_key: &str) -> Result<Option<bool>> {
    let url = format!("{control_plane}/api/v3/org/project/config");
    let response = http::client()
        .get(&url)
        .header("x-api-key", api_key)
        .send()
        .await?;
    match response.status() {
        StatusCode::OK => {
            let config: Value = response.json().await?;
            let required = config["require_mcp_api_key"].as_bool();
            Ok(Some(
                required.context("the configuration has no require_mcp_api_key")?,
            ))
        }
        StatusCode::UNAUTHORIZED => Ok(None),
        status => bail!("{url} answers {status}"),
    }
}

/// The status that `initialize` gets at an MCP URL. The session it may open is closed again.
pub(super) async fn initialize(mcp_url: &str, api_key: Option<&str>) -> Result<StatusCode> {
    let client = http::client();
    let with_key = |request: RequestBuilder| match api_key {
        Some(key) => request.header("x-api-key", key),
        None => request,
    };
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize"});
    let response = with_key(client.post(mcp_url)).json(&body).send().await?;
    if let Some(session) = response.headers().get("mcp-session-id") {
        let close = with_key(client.delete(mcp_url)).header("mcp-session-id", session);
        close.send().await?;
    }
    Ok(response.status())
}
