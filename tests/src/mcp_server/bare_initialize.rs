//! Lets the shortest `initialize` that people paste into a shell through to the SDK, which is stricter than they are:
//!
//! ```text
//! curl -X POST URL -H "Content-Type: application/json" -d '{"jsonrpc":"2.0","id":1,"method":"initialize"}'
//! ```
//!
//! curl says `Accept: */*`, the SDK wants both media types by name; the body has no `params`, the SDK wants them. Only
//! these two are filled in, only for `initialize`, and only where the client said nothing of its own.

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rmcp::model::{ClientCapabilities, Implementation, InitializeRequestParams, ProtocolVersion};
use serde_json::Value;

/// As much as the SDK reads itself.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

const BOTH_MEDIA_TYPES: HeaderValue =
    HeaderValue::from_static("application/json, text/event-stream");

/// Middleware: completes a bare `initialize`, passes everything else on as it came.
pub(super) async fn complete(request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let (mut head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let Some(message) = initialize(&body) else {
        return next.run(Request::from_parts(head, Body::from(body))).await;
    };
    if accepts_anything(&head.headers) {
        head.headers.insert(header::ACCEPT, BOTH_MEDIA_TYPES);
    }
    let body = match with_params(message) {
        Some(completed) => {
            head.headers.remove(header::CONTENT_LENGTH);
            Bytes::from(completed.to_string())
        }
        None => body,
    };
    next.run(Request::from_parts(head, Body::from(body))).await
}

fn initialize(body: &[u8]) -> Option<Value> {
    let message: Value = serde_json::from_slice(body).ok()?;
    (message.get("method")? == "initialize").then_some(message)
}

fn accepts_anything(headers: &HeaderMap) -> bool {
    let mut accept = headers.get_all(header::ACCEPT).iter();
    match (accept.next(), accept.next()) {
        (None, _) => true,
        (Some(only), None) => only == "*/*",
        (Some(_), Some(_)) => false,
    }
}

/// The message with default params; `None` when it has its own.
fn with_params(mut message: Value) -> Option<Value> {
    let fields = message.as_object_mut()?;
    if fields.get("params").is_some_and(|params| !params.is_null()) {
        return None;
    }
    let client = Implementation::new("unnamed client", "0");
    let params = InitializeRequestParams::new(ClientCapabilities::default(), client)
        .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE);
    fields.insert("params".to_owned(), serde_json::to_value(params).ok()?);
    Some(message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn params_of_the_clients_own_are_left_alone() {
        let message = json!({"method": "initialize", "params": {"protocolVersion": "2025-06-18"}});
        assert_eq!(with_params(message), None);
    }

    #[test]
    fn only_initialize_is_completed() {
        assert!(initialize(br#"{"method":"initialize"}"#).is_some());
        assert!(initialize(br#"{"method":"tools/list"}"#).is_none());
        assert!(initialize(b"[]").is_none());
        assert!(initialize(b"not json").is_none());
    }

    #[test]
    fn an_accept_of_the_clients_own_is_left_alone() {
        let accept = |value| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(value));
            accepts_anything(&headers)
        };
        assert!(accepts_anything(&HeaderMap::new()));
        assert!(accept("*/*"));
        assert!(!accept("text/html"));
        assert!(!accept("application/json, text/event-stream"));
    }
}
