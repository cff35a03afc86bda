//! One `GET`, and what is answered.

use std::time::Duration;

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header},
};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::time::timeout;

use super::{Client, target::Target, trouble::Trouble};

/// How long a whole answer's head may take: a gateway that waits for its control plane says so before.
const LIMIT: Duration = Duration::from_secs(10);
/// What is read of a body at most; refusals are a few hundred bytes.
const MAX_BODY: usize = 256 * 1024;

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// As far as it was read: that of a stream, and one that is too long, is left alone.
    pub(crate) body: Bytes,
}

impl Client {
    /// `GET path` at `target`, on a connection of its own.
    pub(crate) async fn get(
        &self,
        target: &Target,
        path: &str,
        headers: &[(HeaderName, HeaderValue)],
    ) -> Result<Answer, Trouble> {
        let mut request = Request::get(path)
            .header(header::HOST, target.authority())
            .header(header::ACCEPT, "application/json, text/event-stream")
            .header(
                header::USER_AGENT,
                concat!("control-plane/", env!("CARGO_PKG_VERSION")),
            );
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let not_http = |error: &dyn ToString| Trouble::NotHttp(error.to_string());
        let request = request
            .body(Empty::<Bytes>::new())
            .map_err(|error| not_http(&error))?;
        let stream = self.connect(target).await?;
        let exchange = async {
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
            // Ends with the answer that is dropped, or with the program.
            tokio::spawn(connection);
            sender.send_request(request).await
        };
        let response = match timeout(LIMIT, exchange).await {
            Ok(response) => response.map_err(|error| not_http(&error))?,
            Err(_) => return Err(Trouble::NoAnswer(LIMIT)),
        };
        let (parts, body) = response.into_parts();
        Ok(Answer {
            status: parts.status,
            body: read(&parts.headers, body).await,
            headers: parts.headers,
        })
    }
}

impl Answer {
    /// The text of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body, if it is JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

async fn read(headers: &HeaderMap, body: Incoming) -> Bytes {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    if kind.starts_with("text/event-stream") {
        return Bytes::new();
    }
    match timeout(LIMIT, Limited::new(body, MAX_BODY).collect()).await {
        Ok(Ok(whole)) => whole.to_bytes(),
        _ => Bytes::new(),
    }
}
