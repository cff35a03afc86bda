//! A callout to the edge API: sending one, and reading the body of what came back.

use std::time::Duration;

use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, MapType};

use crate::check::Fault;
use crate::config::ControlPlane;

/// Hands a callout to Envoy. Must run in a callback of the root. `headers` begins with method and path.
///
/// # Errors
/// [`Fault::NotSent`] when Envoy knows no such cluster or will not call it.
pub(super) fn send(
    control_plane: &ControlPlane,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
    timeout: Duration,
) -> Result<u32, Fault> {
    let authorization = format!("Bearer {}", control_plane.edge_token.expose());
    let mut all = headers.to_vec();
    all.push((":authority", &control_plane.authority));
    all.push(("authorization", &authorization));
    hostcalls::dispatch_http_call(&control_plane.cluster, all, body, vec![], timeout)
        .map_err(|_| Fault::NotSent)
}

/// Reads the body of the response that the root's callback was told of.
///
/// # Errors
/// Everything but a 200 with a body of at most `max_len` bytes is a [`Fault`].
pub(super) fn read_response(
    num_headers: usize,
    body_size: usize,
    max_len: usize,
) -> Result<Vec<u8>, Fault> {
    // Without headers there is no header map, and asking for one would trap.
    if num_headers == 0 {
        return Err(Fault::Reset);
    }
    let status = hostcalls::get_map_value_bytes(MapType::HttpCallResponseHeaders, ":status");
    match status.ok().flatten().as_deref() {
        Some(b"200") => {}
        // Envoy's own answer when the time is up.
        Some(b"504") => return Err(Fault::Timeout),
        _ => return Err(Fault::Status),
    }
    // Looked at before the copy: memory that a VM has once taken it keeps.
    if body_size == 0 || body_size > max_len {
        return Err(Fault::Schema);
    }
    let body = hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, body_size);
    body.ok().flatten().ok_or(Fault::Schema)
}
