//! Requests that try to get round a rule. Each must be refused, and nothing of it may reach the upstream. Here is what
//! they attack.

use edge_api::check::Verdict;
use serde_json::{Value, json};
use stack::keys::mint_key;
use stack::stack::Stack;

mod bodies;
mod credentials;
mod limits;
mod paths;
mod secrets;

/// `open` and `locked`, where whoever gets to `locked` without its key has won.
async fn stack_with(edit: impl FnOnce(&mut Value) + Send + 'static) -> (Stack, String) {
    let stack = Stack::with(|options| options.edit(edit)).await;
    stack.control_plane.set_project("open", false);
    stack.control_plane.set_project("locked", true);
    let key = mint_key(1);
    stack
        .control_plane
        .set_key(&key, "key_1", "locked", Verdict::Valid, None);
    (stack, key)
}

async fn reference() -> (Stack, String) {
    stack_with(|_| {}).await
}

/// Envoy as careless as it can be configured: the filter alone stands between client and upstream.
fn no_normalization(bootstrap: &mut Value) {
    let manager = stack::bootstrap::connection_manager(bootstrap);
    manager["normalize_path"] = false.into();
    manager["merge_slashes"] = false.into();
    manager["path_with_escaped_slashes_action"] = "KEEP_UNCHANGED".into();
    manager["common_http_protocol_options"]["headers_with_underscores_action"] = "ALLOW".into();
    let everything = json!({
        "name": "everything",
        "match": {"prefix": "/"},
        "route": {"cluster": "mcp_servers"},
    });
    *stack::bootstrap::routes(bootstrap) = vec![everything];
}
