//! The id of a request: the caller's when it is sane, else a new one; in the answer's header and in errors.

use std::{fmt, sync::Arc};

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use tracing::{error, warn};

use crate::error::{ApiError, envelope};

/// The header that carries it.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// 1 to 128 of the characters `A-Z a-z 0-9 . _ : / + = -`: safe in a header, a log line and JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The caller's id, if there is exactly one and it is sane.
    fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(HEADER).iter();
        let (value, None) = (values.next()?, values.next()) else {
            return None;
        };
        let sane = (1..=128).contains(&value.len())
            && value
                .as_bytes()
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || b"._:/+=-".contains(b));
        let text = value.to_str().ok()?;
        sane.then(|| Self(text.into()))
    }

    fn generate() -> Self {
        Self(format!("req_{}", uuid::Uuid::new_v4().simple()).into())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Gives the request its id, and writes the body of an error. The outermost layer.
pub async fn layer(mut request: Request, next: Next) -> Response {
    let id = RequestId::from_headers(request.headers()).unwrap_or_else(RequestId::generate);
    request.extensions_mut().insert(id.clone());
    let mut response = next.run(request).await;
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        log(&error, &id);
        // What the router says of a path's methods, and how the dashboard guards its answers.
        let mut headers = std::mem::take(response.headers_mut());
        headers.remove(header::CONTENT_LENGTH);
        response = envelope::respond(error, &id);
        headers.extend(std::mem::take(response.headers_mut()));
        *response.headers_mut() = headers;
    }
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

fn log(error: &ApiError, request_id: &RequestId) {
    match error {
        ApiError::Internal(cause) => error!(%request_id, %cause, "a request failed"),
        ApiError::NotReady(Some(cause)) => {
            warn!(%request_id, %cause, "a request could not be served");
        }
        ApiError::NoRandomness => {
            error!(%request_id, "the operating system gave no random bytes");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sane_id_is_taken_over() {
        let check = |values: &[&[u8]], expected: Option<&str>| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(HEADER, HeaderValue::from_bytes(value).unwrap());
            }
            let id = RequestId::from_headers(&headers).map(|id| id.to_string());
            assert_eq!(id.as_deref(), expected, "{values:?}");
        };
        check(&[b"req-1.2_3:4/5+6="], Some("req-1.2_3:4/5+6="));
        check(&[&[b'a'; 128]], Some(&"a".repeat(128)));
        check(&[&[b'a'; 129]], None);
        check(&[], None);
        check(&[b""], None);
        check(&[b"a b"], None);
        check(&[b"a\"b"], None);
        check(&["é".as_bytes()], None);
        check(&[b"a", b"b"], None);
    }
}
