//! One `GET`, which changes nothing, and what is answered.

use std::{str::FromStr, time::Duration};

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header},
};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::time::timeout;

use super::{connection::Client, target::Target, trouble::Trouble};

/// How long a whole answer's head may take: a gateway that waits for its control plane says so before.
const LIMIT: Duration = Duration::from_secs(10);
/// What is read of a body at most; refusals are a few hundred bytes.
const MAX_BODY: usize = 256 * 1024;

/// A header that a key goes into, with the word before it, if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHeader {
    name: HeaderName,
    scheme: Option<String>,
}

/// Why a text is no [`KeyHeader`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "write a header's name, as in x-api-key, or with the word before the key, as in authorization: Bearer"
)]
pub struct InvalidKeyHeader;

/// What was answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// As far as it was read: that of a stream, and one that is too long, is left alone.
    pub(super) body: Bytes,
}

impl KeyHeader {
    pub(super) fn name(&self) -> &HeaderName {
        &self.name
    }

    /// The header with that key; none if no header can hold it.
    pub(super) fn with(&self, raw_key: &str) -> Option<(HeaderName, HeaderValue)> {
        let text = match &self.scheme {
            Some(scheme) => format!("{scheme} {raw_key}"),
            None => raw_key.to_owned(),
        };
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some((self.name.clone(), value))
    }
}

impl FromStr for KeyHeader {
    type Err = InvalidKeyHeader;

    fn from_str(text: &str) -> Result<Self, InvalidKeyHeader> {
        let (name, scheme) = match text.split_once(':') {
            Some((name, scheme)) => (name, Some(scheme.trim())),
            None => (text, None),
        };
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_graphic());
        if !scheme.is_none_or(is_word) {
            return Err(InvalidKeyHeader);
        }
        Ok(Self {
            name: name.trim().parse().map_err(|_| InvalidKeyHeader)?,
            scheme: scheme.map(str::to_owned),
        })
    }
}

impl Client {
    /// `GET path` at `target`, on a connection of its own.
    pub(super) async fn get(
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
                concat!("control-plane-doctor/", env!("CARGO_PKG_VERSION")),
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
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body, if it is JSON.
    pub(super) fn json(&self) -> Option<Value> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_where_the_gateway_looks_for_it() {
        for (text, value) in [
            ("x-api-key", Some("ak_1")),
            ("Authorization: Bearer", Some("Bearer ak_1")),
            ("authorization:", None),
            ("authorization: Bearer now", None),
            ("x api key", None),
            ("", None),
        ] {
            let header = text.parse::<KeyHeader>().ok();
            let put = header.and_then(|header| header.with("ak_1"));
            assert_eq!(
                put.map(|(_, put)| put.to_str().unwrap().to_owned())
                    .as_deref(),
                value,
                "{text}"
            );
        }
    }
}
