//! What a scripted control plane knows, and the answer that follows from it.

use std::collections::HashMap;

use edge_api::check::{CheckRequest, CheckResponse, Key, Project, Subject, Verdict};
use edge_api::id::Id;
use edge_api::key_sha256::KeySha256;

use super::{Call, Fault};

/// The whole state.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) edge_token: String,
    pub(super) projects: HashMap<Id, bool>,
    pub(super) servers: HashMap<Id, Id>,
    pub(super) keys: HashMap<KeySha256, KeyRow>,
    pub(super) ttl_ms: u64,
    pub(super) revision: u64,
    pub(super) fault: Fault,
    pub(super) calls: Vec<Call>,
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
            ttl_ms: 30_000,
            revision: 1,
            fault: Fault::None,
            calls: Vec::new(),
        }
    }

    /// The honest answer.
    pub(super) fn answer(&self, request: &CheckRequest) -> CheckResponse {
        let project = self.project(&request.subject);
        let key = match (&project, request.key_sha256) {
            (Some(project), Some(hash)) => Some(self.key(&project.id, hash)),
            _ => None,
        };
        CheckResponse {
            revision: self.revision,
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
                verdict: if row.project == *project {
                    row.verdict
                } else {
                    Verdict::OtherProject
                },
                id: Some(row.id.clone()),
                expires_at: row.expires_at,
            },
        }
    }
}
