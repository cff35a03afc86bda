//! One request as the upstream received it.

use std::io;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{HeaderMap, Method, Request, Version};
use serde_json::json;

use crate::keys;

/// A whole request.
#[derive(Debug, Clone)]
pub struct Received {
    /// The method.
    pub method: Method,
    /// Path and query, after the gateway's rewrite.
    pub target: String,
    /// HTTP/1.1 or HTTP/2.
    pub version: Version,
    /// The headers; those of one name stand together, in the order they came in.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
    /// The trailers, if there were any.
    pub trailers: Option<HeaderMap>,
}

impl Received {
    pub(super) async fn read(request: Request<Incoming>) -> io::Result<Self> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?;
        let trailers = body.trailers().cloned();
        Ok(Self {
            target: head.uri.path_and_query().map_or_else(
                || head.uri.to_string(),
                |path_and_query| path_and_query.to_string(),
            ),
            method: head.method,
            version: head.version,
            headers: head.headers,
            body: body.to_bytes().to_vec(),
            trailers,
        })
    }

    /// The value of a header, the values of a repeated one joined by commas.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let values: Vec<_> = self
            .headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        (!values.is_empty()).then(|| values.join(","))
    }

    /// What the client is answered.
    pub(super) fn echo(&self) -> Vec<u8> {
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]))
            .collect();
        let echo = json!({
            "method": self.method.as_str(),
            "target": self.target,
            "headers": headers,
            "body_len": self.body.len(),
            "body_sha256": keys::sha256(&self.body).to_hex(),
        });
        echo.to_string().into_bytes()
    }
}
