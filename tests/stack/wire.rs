//! What is on the wire passes through the gateway as it is: each client below does something that a careless proxy breaks, with a
//! key, and both ends are looked at.

use edge_api::check::Verdict;
use stack::bootstrap;
use stack::gateway::GatewayOptions;
use stack::http;
use stack::keys::mint_key;
use stack::stack::Stack;

mod bodies;
mod heads;
mod refused;

/// A locked project, and its key.
async fn locked() -> (Stack, String) {
    locked_with(|options| options).await
}

async fn locked_with(change: impl FnOnce(GatewayOptions) -> GatewayOptions) -> (Stack, String) {
    let stack = Stack::with(change).await;
    stack.control_plane.set_project("locked", true);
    let key = mint_key(1);
    stack
        .control_plane
        .set_key(&key, "key_1", "locked", Verdict::Valid, None);
    (stack, key)
}

/// The server behind the gateway speaks HTTP/2.
fn http2_upstream(options: GatewayOptions) -> GatewayOptions {
    options.edit(|bootstrap| {
        let cluster = bootstrap::cluster(bootstrap, bootstrap::MCP_SERVERS);
        let protocols = &mut cluster["typed_extension_protocol_options"];
        let http = &mut protocols["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"];
        http["explicit_http_config"] = serde_json::json!({"http2_protocol_options": {}});
    })
}

/// A request by hand, up to the end of its head.
fn head(method: &str, key: &str, more: &str) -> String {
    format!(
        "{method} /mcp/locked HTTP/1.1\r\nhost: mcp.example:8443\r\nx-api-key: {key}\r\n{more}\r\n"
    )
}
