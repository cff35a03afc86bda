//! What a scripted control plane knows, and the answer that follows from it.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{SystemTime, UNIX_EPOCH};

use edge_api::check::{CheckRequest, CheckResponse, Key, Project, Subject, Verdict};
use edge_api::id::Id;
use edge_api::key_sha256::KeySha256;

use super::feed::Feed;
use super::history::{History, Undo};
use super::usage::Usage;
use super::{Call, Fault};

/// The whole state.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) edge_token: String,
    projects: HashMap<Id, bool>,
    servers: HashMap<Id, Id>,
    keys: HashMap<KeySha256, KeyRow>,
    pub(super) history: History,
    pub(super) ttl_ms: u64,
    /// Whether a key's own expiry is looked at.
    pub(super) expires: bool,
    /// The revision that checks are answered with, where it is not the true one.
    pub(super) checks_lag_at: Option<u64>,
    pub(super) fault: Fault,
    pub(super) calls: Vec<Call>,
    pub(super) feed: Feed,
    pub(super) usage: Usage,
}

/// A key as scripted.
#[derive(Debug, Clone)]
pub(super) struct KeyRow {
    pub(super) id: Id,
    pub(super) project: Id,
    pub(super) verdict: Verdict,
    pub(super) expires_at: Option<u64>,
}

impl Script {
    pub(super) fn new(edge_token: &str) -> Self {
        Self {
            edge_token: edge_token.to_owned(),
            projects: HashMap::new(),
            servers: HashMap::new(),
            keys: HashMap::new(),
            history: History::new(),
            ttl_ms: 30_000,
            expires: true,
            checks_lag_at: None,
            fault: Fault::None,
            calls: Vec::new(),
            feed: Feed::default(),
            usage: Usage::default(),
        }
    }

    /// Adds or changes a project; `None` removes it.
    pub(super) fn set_project(&mut self, project: Id, policy: Option<bool>) {
        let before = put(&mut self.projects, project.clone(), policy);
        self.record([project.clone()], Undo::Project(project, before));
    }

    /// Adds a server, or moves it.
    pub(super) fn set_server(&mut self, server: Id, project: Id) {
        let before = self.servers.insert(server.clone(), project.clone());
        let touched = before.clone().into_iter().chain([project]);
        self.record(touched, Undo::Server(server, before));
    }

    /// Adds or changes a key.
    pub(super) fn set_key(&mut self, hash: KeySha256, row: KeyRow) {
        let project = row.project.clone();
        let before = self.keys.insert(hash, row);
        let left = before.as_ref().map(|row| row.project.clone());
        let touched = left.into_iter().chain([project]);
        self.record(touched, Undo::Key(hash, before));
    }

    /// Takes back everything that was changed above `revision`.
    pub(super) fn restore(&mut self, revision: u64) {
        self.checks_lag_at = None;
        for undo in self.history.cut(revision) {
            match undo {
                Undo::Project(project, before) => drop(put(&mut self.projects, project, before)),
                Undo::Server(server, before) => drop(put(&mut self.servers, server, before)),
                Undo::Key(hash, before) => drop(put(&mut self.keys, hash, before)),
            }
        }
    }

    fn record(&mut self, projects: impl IntoIterator<Item = Id>, undo: Undo) {
        self.checks_lag_at = None;
        self.history.record(projects, undo);
    }

    /// The honest answer to a check.
    pub(super) fn answer(&self, request: &CheckRequest) -> CheckResponse {
        let project = self.project(&request.subject);
        let key = match (&project, request.key_sha256) {
            (Some(project), Some(hash)) => Some(self.key(&project.id, hash)),
            _ => None,
        };
        CheckResponse {
            revision: self.checks_lag_at.unwrap_or(self.history.revision()),
            project,
            key,
            ttl_ms: self.ttl_ms,
        }
    }

    fn project(&self, subject: &Subject) -> Option<Project> {
        let id = match subject {
            Subject::ProjectId(id) => id,
            Subject::ServerId(id) => self.servers.get(id)?,
        };
        Some(Project {
            id: id.clone(),
            require_mcp_api_key: *self.projects.get(id)?,
        })
    }

    fn key(&self, project: &Id, hash: KeySha256) -> Key {
        match self.keys.get(&hash) {
            None => Key {
                verdict: Verdict::Unknown,
                id: None,
                expires_at: None,
            },
            Some(row) => Key {
                verdict: match row.verdict {
                    _ if row.project != *project => Verdict::OtherProject,
                    Verdict::Valid if self.expires && row.is_over() => Verdict::Expired,
                    verdict => verdict,
                },
                id: Some(row.id.clone()),
                expires_at: row.expires_at,
            },
        }
    }
}

impl KeyRow {
    fn is_over(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now_ms = now.map_or(0, |now| now.as_millis());
        self.expires_at
            .is_some_and(|expires_at| u128::from(expires_at) <= now_ms)
    }
}

/// Inserts, or removes with `None`; returns what stood there.
fn put<K: Eq + Hash, V>(map: &mut HashMap<K, V>, key: K, value: Option<V>) -> Option<V> {
    match value {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    }
}
