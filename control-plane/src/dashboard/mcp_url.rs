//! Where the projects' MCP servers are, for the dashboard to show.

use std::{fmt, str::FromStr};

use serde::Serialize;
use url::Url;

/// A URL with `{project_id}` or `{server_id}` in its path, to be filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct McpUrl(String);

/// Why a text is not an [`McpUrl`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "write an http or https URL with {{project_id}} or {{server_id}} in its path, as in https://gateway.example/mcp/{{project_id}}"
)]
pub struct InvalidMcpUrl;

impl FromStr for McpUrl {
    type Err = InvalidMcpUrl;

    fn from_str(text: &str) -> Result<Self, InvalidMcpUrl> {
        // Any id does to see whether the rest is a URL.
        let filled = text
            .replace("{project_id}", "id")
            .replace("{server_id}", "id");
        let url = Url::parse(&filled).map_err(|_| InvalidMcpUrl)?;
        let authority = text.split('/').nth(2).unwrap_or_default();
        let places = text.matches("{project_id}").count() + text.matches("{server_id}").count();
        let plain = !filled.contains(['{', '}', '?', '#', '@']) && !authority.contains('{');
        let web = matches!(url.scheme(), "http" | "https");
        if places == 1 && plain && web {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidMcpUrl)
        }
    }
}

impl fmt::Display for McpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_has_one_place_in_the_path_of_a_web_address() {
        for good in [
            "https://gateway.example/mcp/{project_id}",
            "http://127.0.0.1:10000/mcp/{project_id}/mcp",
            "https://gateway.example/v3/mcp/{server_id}",
        ] {
            assert_eq!(good.parse::<McpUrl>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "gateway.example/mcp/{project_id}",
            "ftp://gateway.example/{project_id}",
            "javascript:alert({project_id})",
            "https://gateway.example/mcp",
            "https://gateway.example/{project}",
            "https://{project_id}.example/mcp",
            "https://gateway.example/{project_id}/{server_id}",
            "https://gateway.example/mcp?id={project_id}",
            "https://user@gateway.example/{project_id}",
        ] {
            assert_eq!(bad.parse::<McpUrl>(), Err(InvalidMcpUrl), "{bad}");
        }
    }
}
