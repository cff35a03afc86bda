//! The projects and keys that the databases hold, and what is asked about them. Nothing is stored: all of it follows from
//! a key's number.

use edge_api::check::{CheckRequest, Subject, Verdict};
use edge_api::id::Id;
use edge_api::key_sha256::KeySha256;
use serde::Serialize;

use crate::bench::load::Request;
use crate::keys::{mint_key, sha256};
use crate::scripted_control_plane::EDGE_TOKEN;

/// The organisation of all projects.
pub(super) const ORGANISATION: &str = "org_bench";
/// A project has keys of every verdict among so many.
pub(super) const CYCLE: u64 = 20;

/// So many keys in so many projects, in equal shares.
#[derive(Debug, Clone, Copy, Serialize)]
pub(in crate::bench) struct Population {
    /// How many keys are stored.
    pub(in crate::bench) keys: u64,
    /// How many projects.
    pub(in crate::bench) projects: u64,
}

impl Population {
    pub(super) fn new(keys: u64, projects: u64) -> Self {
        assert!(
            keys / projects >= CYCLE,
            "every project has keys of every verdict"
        );
        Self { keys, projects }
    }

    /// The id of a project, of the same length for all.
    pub(super) fn project(number: u64) -> String {
        format!("pr_{number:06}")
    }

    /// The project that a key belongs to, by number.
    pub(super) fn project_of(self, key: u64) -> u64 {
        key % self.projects
    }

    /// What a check of the key says: of twenty keys fifteen are good, and one each is bad for each reason.
    pub(super) fn verdict(self, key: u64) -> Verdict {
        match key / self.projects % CYCLE {
            0 => Verdict::Revoked,
            1 => Verdict::Expired,
            2 => Verdict::Disabled,
            3 => Verdict::OtherProject,
            4 => Verdict::Unknown,
            _ => Verdict::Valid,
        }
    }

    /// The first key of a project that opens it, raw.
    pub(super) fn good_key(self, project: u64) -> String {
        let mut keys = (project..self.keys).step_by(self.projects as usize);
        let good = keys.find(|key| self.verdict(*key) == Verdict::Valid);
        mint_key(good.expect("a good key"))
    }

    /// The hash that is stored for a key.
    pub(super) fn hash(key: u64) -> KeySha256 {
        sha256(mint_key(key))
    }

    /// The check of a key: of its hash, or of one that is stored nowhere, and from its project or from another one.
    pub(super) fn check(self, key: u64) -> Request {
        let verdict = self.verdict(key);
        let hash = match verdict {
            Verdict::Unknown => Self::hash(self.keys + key),
            _ => Self::hash(key),
        };
        let project = match verdict {
            Verdict::OtherProject => self.project_of(key + 1),
            _ => self.project_of(key),
        };
        let project = Id::parse(&Self::project(project)).expect("an id");
        let check = CheckRequest {
            subject: Subject::ProjectId(project),
            key_sha256: Some(hash),
        };
        Request {
            path: edge_api::CHECK_PATH.to_owned(),
            headers: vec![
                ("authorization", format!("Bearer {EDGE_TOKEN}")),
                ("content-type", "application/json".to_owned()),
            ],
            body: Some(serde_json::to_string(&check).expect("a check is JSON")),
        }
    }
}
