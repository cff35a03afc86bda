//! Requests in the bytes of their protocol, ready to be sent.

use std::borrow::{Borrow, Cow};

use edge_api::key_format::{ALPHABET, PREFIX, RANDOM_LEN, checksum};
use serde::Serialize;

/// The protocol between client and gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::bench) enum Protocol {
    /// HTTP/1.1, one request at a time on a connection.
    Http1,
    /// HTTP/2 without TLS, several at a time.
    Http2,
}

impl Protocol {
    /// Both.
    pub(in crate::bench) const ALL: [Self; 2] = [Self::Http1, Self::Http2];

    /// `h1` or `h2`.
    pub(in crate::bench) fn short(self) -> &'static str {
        match self {
            Self::Http1 => "h1",
            Self::Http2 => "h2",
        }
    }
}

/// A `GET`, or a `POST` if it has a body; not yet in any protocol's bytes.
#[derive(Debug, Clone)]
pub(in crate::bench) struct Request {
    /// Path and query.
    pub(in crate::bench) path: String,
    /// Names in lower case.
    pub(in crate::bench) headers: Vec<(&'static str, String)>,
    /// Over HTTP/1.1 only.
    pub(in crate::bench) body: Option<String>,
}

impl Request {
    /// What `wrk` or `curl` would send.
    pub(in crate::bench) fn plain(path: &str, key: Option<&str>) -> Self {
        let mut headers = vec![
            ("user-agent", "bench/1".to_owned()),
            ("accept", "*/*".to_owned()),
        ];
        headers.extend(key.map(|key| ("x-api-key", key.to_owned())));
        Self {
            path: path.to_owned(),
            headers,
            body: None,
        }
    }

    /// What an MCP client sends to open its stream, with all the headers that clients send. Not a `POST`: a route that
    /// answers by itself does so before the body, and over HTTP/1.1 Envoy then closes the connection.
    pub(in crate::bench) fn mcp(path: &str, key: Option<&str>) -> Self {
        let mut headers: Vec<_> = [
            ("user-agent", "node"),
            ("accept", "text/event-stream"),
            ("accept-language", "*"),
            ("accept-encoding", "gzip, deflate"),
            ("cache-control", "no-cache"),
            ("sec-fetch-mode", "cors"),
            ("mcp-session-id", "2b6f0cc9-04d9-4a53-9b2e-7d0f3c1c5a11"),
            ("mcp-protocol-version", "2025-06-18"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into();
        headers.extend(key.map(|key| ("x-api-key", key.to_owned())));
        Self {
            path: path.to_owned(),
            headers,
            body: None,
        }
    }

    pub(super) fn encode(&self, protocol: Protocol) -> Vec<u8> {
        match protocol {
            Protocol::Http1 => super::http1::encode(self),
            Protocol::Http2 => super::http2::encode(self),
        }
    }
}

/// A supply of requests.
#[derive(Debug)]
pub(in crate::bench) struct Requests {
    protocol: Protocol,
    supply: Supply,
}

#[derive(Debug)]
enum Supply {
    /// These, in an order that visits all of them and looks random.
    Fixed(Vec<Vec<u8>>),
    /// A new well-formed key for each request, in the place of this request's key.
    Made { template: Vec<u8>, key_at: usize },
}

/// Odd and close to the golden section of 2^64: its multiples are spread evenly.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Requests {
    /// These requests over and over.
    pub(in crate::bench) fn fixed<R: Borrow<Request>>(
        protocol: Protocol,
        requests: impl IntoIterator<Item = R>,
    ) -> Self {
        let encoded = requests.into_iter().map(|r| r.borrow().encode(protocol));
        let encoded: Vec<_> = encoded.collect();
        assert!(!encoded.is_empty(), "there is something to send");
        Self {
            protocol,
            supply: Supply::Fixed(encoded),
        }
    }

    /// One request with ever new keys, each well-formed and known to nobody.
    pub(in crate::bench) fn with_made_up_keys(protocol: Protocol, path: &str) -> Self {
        let placeholder = String::from_utf8(made_up_key(0)).expect("a key is ASCII");
        let template = Request::plain(path, Some(&placeholder)).encode(protocol);
        let key_at = template
            .windows(placeholder.len())
            .position(|window| window == placeholder.as_bytes())
            .expect("the request holds its key");
        Self {
            protocol,
            supply: Supply::Made { template, key_at },
        }
    }

    pub(super) fn protocol(&self) -> Protocol {
        self.protocol
    }

    pub(super) fn pick(&self, number: u64) -> Cow<'_, [u8]> {
        match &self.supply {
            Supply::Fixed(requests) => {
                let index = (u128::from(number.wrapping_mul(STEP)) * requests.len() as u128) >> 64;
                Cow::Borrowed(&requests[index as usize])
            }
            Supply::Made { template, key_at } => {
                let mut request = template.clone();
                let key = made_up_key(number + 1);
                request[*key_at..key_at + key.len()].copy_from_slice(&key);
                Cow::Owned(request)
            }
        }
    }
}

/// A well-formed key that differs for each number; far cheaper than a minted one.
fn made_up_key(number: u64) -> Vec<u8> {
    let mut key = PREFIX.as_bytes().to_vec();
    let mut state = number;
    for _ in 0..RANDOM_LEN {
        // SplitMix64.
        state = state.wrapping_add(STEP);
        let mut mixed = (state ^ number.rotate_left(32)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^= mixed >> 31;
        key.push(ALPHABET[mixed as usize % ALPHABET.len()]);
    }
    let sum = checksum(&key);
    key.extend(sum);
    key
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn made_up_keys_are_well_formed_and_differ() {
        let keys: HashSet<_> = (0..10_000).map(made_up_key).collect();
        assert_eq!(keys.len(), 10_000);
        assert!(
            keys.iter()
                .all(|key| edge_api::key_format::is_well_formed(key))
        );
    }

    #[test]
    fn every_fixed_request_has_its_turn() {
        let requests: Vec<_> = (0..100)
            .map(|n| Request::plain(&format!("/{n}"), None))
            .collect();
        let requests = Requests::fixed(Protocol::Http1, requests);
        let seen: HashSet<_> = (0..200).map(|n| requests.pick(n).into_owned()).collect();
        assert_eq!(seen.len(), 100);
    }
}
