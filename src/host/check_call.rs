//! The check as an HTTP callout: sending one, and reading what came back.

use std::time::Duration;

use edge_api::CHECK_PATH;
use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, MapType};

use crate::check::{Answer, Fault, MAX_ANSWER_LEN, Question};
use crate::config::ControlPlane;

/// Hands the check of `question` to Envoy. Must run in a callback of the root. `request_id` is that of the
/// request which leads, so that the control plane's log can be matched with Envoy's.
///
/// # Errors
/// [`Fault::NotSent`] when Envoy knows no such cluster or will not call it.
pub(super) fn send(
    control_plane: &ControlPlane,
    question: &Question,
    request_id: Option<&str>,
) -> Result<u32, Fault> {
    let authorization = format!("Bearer {}", control_plane.edge_token.expose());
    let mut headers = vec![
        (":method", "POST"),
        (":path", CHECK_PATH),
        (":authority", control_plane.authority.as_str()),
        ("authorization", authorization.as_str()),
        ("content-type", "application/json"),
    ];
    headers.extend(request_id.map(|id| ("x-request-id", id)));
    hostcalls::dispatch_http_call(
        &control_plane.cluster,
        headers,
        Some(&question.to_json()),
        vec![],
        Duration::from_millis(control_plane.timeout_ms.into()),
    )
    .map_err(|_| Fault::NotSent)
}

/// Reads the response that the root's callback was told of.
///
/// # Errors
/// Everything but a complete answer is a [`Fault`].
pub(super) fn read_response(
    question: &Question,
    num_headers: usize,
    body_size: usize,
) -> Result<Answer, Fault> {
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
    if body_size == 0 || body_size > MAX_ANSWER_LEN {
        return Err(Fault::Schema);
    }
    let body = hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, body_size);
    question.read_answer(&body.ok().flatten().unwrap_or_default())
}
