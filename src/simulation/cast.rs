//! Who takes part: projects, servers, keys and the requests made of them.

use std::cell::RefCell;
use std::collections::HashMap;

use edge_api::check::Subject;
use edge_api::id::Id;
use edge_api::key_sha256::KeySha256;
use serde_json::json;

use crate::api_key::ApiKey;
use crate::config::Config;

/// Projects that the control plane knows or will know: 0 open, 1 and 2 locked, 3 created later.
pub(super) const PROJECTS: usize = 4;
/// Keys that the control plane knows or will know; key 4 is created later.
pub(super) const KEYS: usize = 6;

/// How long something unconfirmed is served. Small, so that a run sees its end often.
pub(super) const UNCONFIRMED_MS: u64 = 3_000;
/// How long a refusal is remembered.
pub(super) const NEGATIVE_MS: u64 = 800;
/// How long past its life something good serves without a control plane.
pub(super) const STALE_MS: u64 = 5_000;
/// How long a check may take.
pub(super) const TIMEOUT_MS: u64 = 300;
/// Requests that may wait on one worker.
pub(super) const MAX_WAITERS: usize = 24;
/// Checks under way on one worker.
pub(super) const MAX_CHECKS: usize = 16;
/// Good entries of one worker's own cache.
pub(super) const LOCAL_ENTRIES: usize = 16;

/// Whom a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Project(usize),
    Server(usize),
    /// An id that a client made up.
    MadeUp(u32),
}

/// What a request shows as its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shows {
    Nothing,
    Key(usize),
    /// A well-formed key that nobody minted.
    MadeUp(u32),
    Malformed,
    /// A key that is a user's, by its prefix.
    OtherKind,
    TwoKeys,
}

pub(super) fn config(failure_mode_allow: bool) -> Config {
    let json = json!({
        "control_plane": {"cluster": "c", "timeout_ms": TIMEOUT_MS},
        "rules": [{"path": "/mcp/{project_id}"}, {"path": "/srv/{server_id}"}],
        "failure_mode_allow": failure_mode_allow,
        "cache": {
            "policies": 16, "unknown_projects": 8, "valid_keys": 32, "invalid_keys": 8,
            "local_entries": LOCAL_ENTRIES, "max_ttl_ms": 20_000, "max_negative_ttl_ms": NEGATIVE_MS,
            "unconfirmed_ttl_ms": UNCONFIRMED_MS, "stale_if_error_ms": STALE_MS,
        },
        "limits": {"max_waiters": MAX_WAITERS, "max_checks": MAX_CHECKS, "bad_key_checks_per_s": 20},
    });
    Config::parse(json.to_string().as_bytes(), |_| Some("token".to_owned())).unwrap()
}

/// A request's headers.
pub(super) fn headers(target: Target, shows: Shows) -> Vec<(&'static str, String)> {
    let path = match target {
        Target::Project(p) => format!("/mcp/{}", project(p).as_str()),
        Target::Server(p) => format!("/srv/{}", server(p).as_str()),
        Target::MadeUp(n) => format!("/mcp/nobody-{n}"),
    };
    let mut headers = vec![(":method", "POST".to_owned()), (":path", path)];
    let shown = match shows {
        Shows::Nothing => vec![],
        Shows::Key(k) => vec![raw_key(k as u32)],
        Shows::MadeUp(n) => vec![raw_key(1_000 + n)],
        Shows::Malformed => vec!["ak_garbage".to_owned()],
        Shows::OtherKind => vec!["uak_garbage".to_owned()],
        Shows::TwoKeys => vec![raw_key(0), raw_key(1)],
    };
    headers.extend(shown.into_iter().map(|key| ("x-api-key", key)));
    headers
}

pub(super) fn subject(target: Target) -> Subject {
    match target {
        Target::Project(p) => Subject::ProjectId(project(p)),
        Target::Server(p) => Subject::ServerId(server(p)),
        Target::MadeUp(n) => Subject::ProjectId(id(&format!("nobody-{n}"))),
    }
}

/// The hash of a key of the control plane's.
pub(super) fn sha256(key: usize) -> KeySha256 {
    thread_local!(static KNOWN: RefCell<HashMap<usize, KeySha256>> = RefCell::default());
    KNOWN.with_borrow_mut(|known| {
        *known
            .entry(key)
            .or_insert_with(|| fingerprint(&raw_key(key as u32)))
    })
}

/// The hash of whatever key a request shows.
pub(super) fn shown_sha256(shows: Shows) -> Option<KeySha256> {
    match shows {
        Shows::Key(k) => Some(sha256(k)),
        Shows::MadeUp(n) => Some(fingerprint(&raw_key(1_000 + n))),
        Shows::Nothing | Shows::Malformed | Shows::OtherKind | Shows::TwoKeys => None,
    }
}

pub(super) fn project(p: usize) -> Id {
    id(&format!("p{p}"))
}

pub(super) fn server(p: usize) -> Id {
    id(&format!("s{p}"))
}

/// What the control plane calls the database of a generation.
pub(super) fn incarnation(generation: u32) -> Id {
    id(&format!("generation-{generation}"))
}

pub(super) fn key_id(k: usize) -> Id {
    id(&format!("k{k}"))
}

fn id(text: &str) -> Id {
    Id::parse(text).unwrap()
}

fn fingerprint(raw: &str) -> KeySha256 {
    ApiKey::new(raw.as_bytes()).fingerprint().unwrap()
}

fn raw_key(n: u32) -> String {
    let body = format!("ak_{n:032}");
    let sum = edge_api::key_format::checksum(body.as_bytes());
    body + std::str::from_utf8(&sum).unwrap()
}
