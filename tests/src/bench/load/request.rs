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
    /// These by turns, each time made into another one.
    Made(Vec<Template>),
}

/// A request of which no two are alike.
#[derive(Debug)]
struct Template {
    request: Vec<u8>,
    /// Where its key stands.
    key_at: usize,
    /// Where its project stands, if that is made up too.
    project_at: Option<usize>,
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
        Self {
            protocol,
            supply: Supply::Made(vec![Template::new(protocol, path, None)]),
        }
    }

    /// The same, and every other request is for an ever new project, whose id follows `prefix`.
    pub(in crate::bench) fn with_made_up_keys_and_projects(
        protocol: Protocol,
        path: &str,
        prefix: &str,
    ) -> Self {
        let project = made_up_project(0);
        let made_up = Template::new(protocol, &format!("{prefix}{project}"), Some(&project));
        Self {
            protocol,
            supply: Supply::Made(vec![Template::new(protocol, path, None), made_up]),
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
            Supply::Made(templates) => {
                let template = &templates[number as usize % templates.len()];
                Cow::Owned(template.fill(number + 1))
            }
        }
    }
}

impl Template {
    fn new(protocol: Protocol, path: &str, project: Option<&str>) -> Self {
        let key = String::from_utf8(made_up_key(0)).expect("a key is ASCII");
        let request = Request::plain(path, Some(&key)).encode(protocol);
        let find = |text: &str| {
            let mut windows = request.windows(text.len());
            let place = windows.position(|window| window == text.as_bytes());
            place.expect("the request holds its key and project")
        };
        Self {
            key_at: find(&key),
            project_at: project.map(find),
            request,
        }
    }

    fn fill(&self, number: u64) -> Vec<u8> {
        let mut request = self.request.clone();
        let mut put = |at: usize, text: &[u8]| {
            request[at..at + text.len()].copy_from_slice(text);
        };
        put(self.key_at, &made_up_key(number));
        if let Some(at) = self.project_at {
            put(at, made_up_project(number).as_bytes());
        }
        request
    }
}

/// A project's id that differs for each number.
fn made_up_project(number: u64) -> String {
    format!("made_up_{:016x}", number.wrapping_mul(STEP))
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
    fn every_other_made_up_request_is_for_a_made_up_project() {
        let requests = Requests::with_made_up_keys_and_projects(Protocol::Http1, "/mcp/a", "/mcp/");
        let paths: Vec<_> = (0..100)
            .map(|n| {
                let request = String::from_utf8(requests.pick(n).into_owned()).unwrap();
                request.split(' ').nth(1).unwrap().to_owned()
            })
            .collect();
        assert_eq!(paths.iter().filter(|path| *path == "/mcp/a").count(), 50);
        let made_up = |path: &&String| path.starts_with("/mcp/made_up_");
        assert_eq!(
            paths.iter().filter(made_up).collect::<HashSet<_>>().len(),
            50
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
