//! What the decision needs to know of a request, read from its headers in one pass.

use crate::config::Config;
use crate::identity;
use crate::key_source::Presented;
use crate::route::Route;

/// The longest request id that is passed on.
const MAX_REQUEST_ID_LEN: usize = 128;

/// A request as the authenticator sees it.
#[derive(Debug)]
pub(crate) struct Request {
    /// A CORS preflight, which never carries a key.
    pub(crate) preflight: bool,
    /// Where its path leads.
    pub(crate) route: Route,
    /// The key it carries.
    pub(crate) presented: Presented,
    /// Names of headers by which the client claims an identity.
    pub(crate) forged: Vec<String>,
    /// `x-request-id`, when it is plain enough to be repeated in a body and a log.
    pub(crate) request_id: Option<Box<str>>,
}

impl Request {
    /// Reads the request's headers as Envoy gives them: names in lower case, values as they came.
    pub(crate) fn read(headers: &[(String, Vec<u8>)], config: &Config) -> Self {
        let (mut path, mut options, mut origin, mut asks_method) = (None, false, false, false);
        let mut forged = Vec::new();
        let mut request_id = None;
        let mut keys = config.key_sources.collector();
        for (name, value) in headers {
            match name.as_str() {
                ":path" => path = Some(value.as_slice()),
                ":method" => options = value == b"OPTIONS",
                "origin" => origin = true,
                "access-control-request-method" => asks_method = true,
                "x-request-id" => request_id = parse_request_id(value),
                _ => {}
            }
            if identity::is_identity(name) {
                forged.push(name.clone());
            }
            keys.handle_header(name, value);
        }
        Self {
            preflight: options && origin && asks_method,
            route: config.routes.route(path),
            presented: keys.finish(),
            forged,
            request_id,
        }
    }
}

fn parse_request_id(value: &[u8]) -> Option<Box<str>> {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_.:/=+".contains(b);
    let text = std::str::from_utf8(value).ok()?;
    (!text.is_empty() && text.len() <= MAX_REQUEST_ID_LEN && value.iter().all(plain))
        .then(|| text.into())
}
