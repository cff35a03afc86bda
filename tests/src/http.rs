//! Requests to the gateway, sent byte for byte: no path is normalised, no header is merged, folded or checked. For the
//! ordinary cases, many requests over few connections, there are [`client`] and [`http2_client`].

use std::io;
use std::net::SocketAddr;

use serde_json::Value;

use crate::deadline::{PATIENCE, within};

mod answer;
mod http1;
mod http2;
mod open_answer;

pub use answer::Answer;
pub use http1::raw;
pub use open_answer::OpenAnswer;

/// A client of an HTTP library, with pooled connections over HTTP/1.1. It follows no redirects and uses no proxy.
///
/// # Panics
/// When the library cannot be set up.
#[must_use]
pub fn client() -> reqwest::Client {
    build(reqwest::Client::builder().http1_only())
}

/// As [`client`], over HTTP/2.
///
/// # Panics
/// When the library cannot be set up.
#[must_use]
pub fn http2_client() -> reqwest::Client {
    build(reqwest::Client::builder().http2_prior_knowledge())
}

fn build(builder: reqwest::ClientBuilder) -> reqwest::Client {
    builder
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(PATIENCE)
        .build()
        .expect("an HTTP client")
}

/// A request that is being put together. Names and values are bytes, and go out as they are.
#[derive(Debug, Clone)]
#[must_use = "it is sent by send, try_send, send_http2 or open"]
pub struct Call {
    addr: SocketAddr,
    method: String,
    target: Vec<u8>,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    body: Option<Vec<u8>>,
}

impl Call {
    /// A request without a body. `target` is path and query, in whatever bytes.
    pub fn new(addr: SocketAddr, method: &str, target: impl AsRef<[u8]>) -> Self {
        Self {
            addr,
            method: method.to_owned(),
            target: target.as_ref().to_vec(),
            headers: Vec::new(),
            body: None,
        }
    }

    /// Adds a header, also when there is one of that name. `host` and `content-length` replace the automatic ones.
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        let (name, value) = (name.as_ref().to_vec(), value.as_ref().to_vec());
        self.headers.push((name, value));
        self
    }

    /// Adds `x-api-key`.
    pub fn key(self, raw_key: &str) -> Self {
        self.header("x-api-key", raw_key)
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sets a JSON body and its content type.
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json")
            .body(body.to_string())
    }

    /// Sends it over HTTP/1.1, on a connection of its own.
    ///
    /// # Panics
    /// When there is no whole answer in time.
    pub async fn send(self) -> Answer {
        let what = self.to_string();
        let answer = within(PATIENCE, &what, self.try_send()).await;
        answer.unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    /// Sends it over HTTP/1.1; a connection that breaks is an error.
    pub async fn try_send(self) -> io::Result<Answer> {
        self.try_open().await?.finish().await
    }

    /// Sends it over HTTP/2; a stream that is reset is an error of kind `ConnectionReset`.
    pub async fn send_http2(self) -> io::Result<Answer> {
        let what = self.to_string();
        within(PATIENCE, &what, http2::send(&self)).await
    }

    /// Sends it over HTTP/1.1 and returns with the answer's head; the body is read piece by piece. Dropping the result
    /// closes the connection, as a client that leaves does.
    ///
    /// # Panics
    /// When no head arrives in time.
    pub async fn open(self) -> OpenAnswer {
        let what = self.to_string();
        let answer = within(PATIENCE, &what, self.try_open()).await;
        answer.unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    async fn try_open(self) -> io::Result<OpenAnswer> {
        http1::open(self.addr, &self.method, &self.to_http1()).await
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.target.escape_ascii())
    }
}
