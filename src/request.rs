//! What the decision needs to know of a request, read from its headers in one pass.

use edge_api::check::Subject;

use crate::config::Config;
use crate::identity;
use crate::key_source::{Carriers, Credential, Presented};
use crate::oauth_dead_end::Ask;
use crate::route::Route;

/// The longest request id that is passed on.
const MAX_REQUEST_ID_LEN: usize = 128;

/// A request as it arrives, its key still raw.
#[derive(Debug)]
pub(crate) struct Arrival<'a> {
    /// What it shows as its key.
    pub(crate) presented: Presented<'a>,
    /// Everything else; its credential is that of a request without a key.
    request: Request,
}

/// A request as the authenticator sees it. Holds no raw key.
#[derive(Debug)]
pub(crate) struct Request {
    /// A CORS preflight, which never carries a key.
    pub(crate) preflight: bool,
    /// Where its path leads.
    pub(crate) route: Route,
    /// What the key it carries comes to.
    pub(crate) credential: Credential,
    /// Which key sources carried it.
    pub(crate) carriers: Carriers,
    /// Names of headers by which the client claims an identity.
    pub(crate) forged: Vec<String>,
    /// `x-request-id`, when it is plain enough to be repeated in a body and a log.
    pub(crate) request_id: Option<Box<str>>,
}

/// A request's headers as the host gives them: a count, the lengths of all names and values, then names and values,
/// each ended by a zero byte. The client's key is among them, until the request has been read.
pub(crate) struct HeaderBlock(Vec<u8>);

impl std::fmt::Debug for HeaderBlock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HeaderBlock(redacted)")
    }
}

impl HeaderBlock {
    /// Any bytes; what does not fit the form is left out.
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Names, in lower case, and values, as they came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let (count, rest) = split_number(&self.0).unwrap_or_default();
        let (lengths, mut texts) = rest
            .split_at_checked(count.saturating_mul(8))
            .unwrap_or_default();
        lengths.chunks_exact(8).map_while(move |lengths| {
            let (name_len, lengths) = split_number(lengths)?;
            let (value_len, _) = split_number(lengths)?;
            let (name, rest) = texts.split_at_checked(name_len)?;
            let (value, rest) = rest.get(1..)?.split_at_checked(value_len)?;
            texts = rest.get(1..)?;
            Some((name, value))
        })
    }
}

fn split_number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    let number = usize::try_from(u32::from_le_bytes(*number)).ok()?;
    Some((number, rest))
}

impl<'a> Arrival<'a> {
    /// Reads the request's headers as Envoy gives them: names in lower case, values as they came.
    pub(crate) fn read(
        headers: impl Iterator<Item = (&'a [u8], &'a [u8])>,
        config: &Config,
    ) -> Self {
        let (mut path, mut origin, mut asks_method) = (None, false, false);
        let mut ask = Ask::default();
        let mut forged = Vec::new();
        let mut request_id = None;
        let mut keys = config.key_sources.collector();
        for (name, value) in headers {
            match name {
                b":path" => path = Some(value),
                b":method" => ask.method = value,
                b":authority" => ask.authority = value,
                b"origin" => origin = true,
                b"access-control-request-method" => asks_method = true,
                b"x-request-id" => request_id = parse_request_id(value),
                _ => {}
            }
            if identity::is_identity(name) {
                forged.extend(std::str::from_utf8(name).map(str::to_owned));
            }
            keys.handle_header(name, value);
        }
        ask.path = path.unwrap_or_default();
        let (presented, carriers) = keys.finish();
        Self {
            presented,
            request: Request {
                preflight: ask.method == b"OPTIONS" && origin && asks_method,
                route: config.oauth_dead_end.turn(config.routes.route(path), ask),
                credential: Credential::Missing,
                carriers,
                forged,
                request_id,
            },
        }
    }

    /// Whom it is about, when that matters.
    pub(crate) fn subject(&self) -> Option<&Subject> {
        match &self.request.route {
            Route::Subject(subject) if !self.request.preflight => Some(subject),
            _ => None,
        }
    }

    /// The request, once it is known what its key comes to.
    pub(crate) fn with_credential(self, credential: Credential) -> Request {
        Request {
            credential,
            ..self.request
        }
    }
}

fn parse_request_id(value: &[u8]) -> Option<Box<str>> {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_.:/=+".contains(b);
    let text = std::str::from_utf8(value).ok()?;
    (!text.is_empty() && text.len() <= MAX_REQUEST_ID_LEN && value.iter().all(plain))
        .then(|| text.into())
}

#[cfg(test)]
mod tests;
