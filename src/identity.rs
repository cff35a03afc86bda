//! The headers that tell an upstream who called. Only the filter may set them.

/// The project whose policy admitted the request.
pub(crate) const PROJECT_ID: &str = "x-mcp-project-id";
/// The key that the request was made with, when known.
pub(crate) const KEY_ID: &str = "x-mcp-key-id";

/// Whether an upstream might read the header `name` as one of ours.
///
/// Underscores count as hyphens, because CGI, WSGI and their kin fold the two.
pub(crate) fn is_identity(name: &[u8]) -> bool {
    [PROJECT_ID, KEY_ID].iter().any(|ours| {
        ours.len() == name.len()
            && ours
                .bytes()
                .zip(name)
                .all(|(a, b)| a == b.to_ascii_lowercase() || (a == b'-' && *b == b'_'))
    })
}

#[cfg(test)]
mod tests {
    use super::is_identity;

    #[test]
    fn look_alikes_of_our_headers_are_ours() {
        for name in [
            "x-mcp-project-id",
            "X-MCP-Key-Id",
            "x_mcp_project_id",
            "x-mcp_key-id",
        ] {
            assert!(is_identity(name.as_bytes()), "{name}");
        }
        for name in ["x-mcp-project", "x-mcp-key-ids", "mcp-session-id", ""] {
            assert!(!is_identity(name.as_bytes()), "{name}");
        }
    }
}
