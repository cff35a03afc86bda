//! The rows of the table: a subject, what is sent to it, and what it must answer.

use std::sync::Arc;

use super::load::{Protocol, Request, Requests};
use super::subject::{Chain, PROJECT, Subject};
use crate::keys::mint_key;

/// How many keys the rows with many keys have.
pub(super) const MANY: u64 = 10_000;
/// The seed of a key that no control plane knows.
const NOBODYS: u64 = u64::MAX;

/// A row, for one protocol.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// What it is called in the table.
    pub(super) name: &'static str,
    /// What is measured.
    pub(super) subject: Subject,
    /// How many different keys are sent; 0 for requests without one.
    pub(super) keys: u64,
    /// How the client talks to Envoy.
    pub(super) protocol: Protocol,
    /// What is sent.
    pub(super) requests: Arc<Requests>,
    /// The only status that may come back.
    pub(super) status: u16,
    /// What surrounds the subject.
    pub(super) setting: Setting,
}

/// What surrounds a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setting {
    /// The smallest possible requests, answered by Envoy itself.
    Bare,
    /// Requests of an MCP client, answered by Envoy itself.
    McpHeaders,
    /// Requests of an MCP client through the reference gateway, with its access log, to a server that answers at once.
    Deployed,
}

/// What a row's requests carry.
#[derive(Debug, Clone, Copy)]
enum Keys {
    None,
    Good(u64),
    Bad,
}

/// Every row of one protocol. `quick` replaces the many keys by few.
pub(super) fn rows(protocol: Protocol, quick: bool) -> Vec<Row> {
    use Setting::{Bare, Deployed, McpHeaders};

    let many = if quick { 100 } else { MANY };
    let row = |name, subject, keys, status, setting| Row {
        name,
        subject,
        keys: match keys {
            Keys::None => 0,
            Keys::Good(count) => count,
            Keys::Bad => 1,
        },
        protocol,
        requests: Arc::new(requests(protocol, keys, setting)),
        status,
        setting,
    };
    let one = Keys::Good(1);
    let native = Subject::ApiKeyAuth { keys: 1 };
    let native_many = Subject::ApiKeyAuth { keys: many };
    let filter = |local_entries| Subject::KeyFilter { local_entries };
    let (ours, uncached) = (filter(None), Subject::KeyFilterUncached);
    let good = Keys::Good(many);
    vec![
        row("no filter", Subject::None, one, 200, Bare),
        row("empty wasm filter", Subject::EmptyWasm, one, 200, Bare),
        row(
            "a hit's host calls alone",
            Subject::FloorWasm,
            one,
            200,
            Bare,
        ),
        row("api_key_auth", native, one, 200, Bare),
        row("api_key_auth, many keys", native_many, good, 200, Bare),
        row("Lua, one comparison", Subject::Lua, one, 200, Bare),
        row("ext_authz HTTP", Subject::ExtAuthzHttp, one, 200, Bare),
        row("ext_authz gRPC", Subject::ExtAuthzGrpc, one, 200, Bare),
        row("hit", ours, one, 200, Bare),
        row("hit, many keys", filter(Some(4 * MANY)), good, 200, Bare),
        row("hit in shared data", filter(Some(16)), good, 200, Bare),
        row("miss", uncached, good, 200, Bare),
        row("miss, one key", uncached, one, 200, Bare),
        row("denied, no key", ours, Keys::None, 401, Bare),
        row("denied, bad key", ours, Keys::Bad, 401, Bare),
        row(
            "MCP headers: no filter",
            Subject::None,
            one,
            200,
            McpHeaders,
        ),
        row(
            "MCP headers: empty wasm filter",
            Subject::EmptyWasm,
            one,
            200,
            McpHeaders,
        ),
        row(
            "MCP headers: a hit's host calls alone",
            Subject::FloorWasm,
            one,
            200,
            McpHeaders,
        ),
        row("MCP headers: api_key_auth", native, one, 200, McpHeaders),
        row("MCP headers: hit", ours, one, 200, McpHeaders),
        row("deployed: no filter", Subject::None, one, 200, Deployed),
        row(
            "deployed: empty wasm filter",
            Subject::EmptyWasm,
            one,
            200,
            Deployed,
        ),
        row(
            "deployed: a hit's host calls alone",
            Subject::FloorWasm,
            one,
            200,
            Deployed,
        ),
        row("deployed: api_key_auth", native, one, 200, Deployed),
        row(
            "deployed: ext_authz HTTP",
            Subject::ExtAuthzHttp,
            one,
            200,
            Deployed,
        ),
        row("deployed: hit", ours, one, 200, Deployed),
    ]
}

impl Row {
    /// The Envoy that it runs on; rows may share one.
    pub(super) fn envoy(&self) -> (Subject, Chain) {
        let chain = match self.setting {
            Setting::Bare | Setting::McpHeaders => Chain::Bare,
            Setting::Deployed => Chain::Reference,
        };
        (self.subject, chain)
    }

    /// The row that this one's cost is compared with, by name: the same requests without any filter of ours.
    pub(super) fn baseline(&self, name: &str) -> String {
        match self.setting {
            Setting::Bare => name.to_owned(),
            Setting::McpHeaders => format!("MCP headers: {name}"),
            Setting::Deployed => format!("deployed: {name}"),
        }
    }
}

fn requests(protocol: Protocol, keys: Keys, setting: Setting) -> Requests {
    let path = format!("/mcp/{PROJECT}");
    let request = |key: Option<u64>| {
        let key = key.map(mint_key);
        match setting {
            Setting::Bare => Request::plain(&path, key.as_deref()),
            Setting::McpHeaders | Setting::Deployed => Request::mcp(&path, key.as_deref()),
        }
    };
    let requests: Vec<_> = match keys {
        Keys::None => vec![request(None)],
        Keys::Bad => vec![request(Some(NOBODYS))],
        Keys::Good(count) => (0..count).map(|seed| request(Some(seed))).collect(),
    };
    Requests::fixed(protocol, &requests)
}
