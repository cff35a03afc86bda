//! What is true at the control plane at one moment.

use edge_api::check::{Key, Verdict};
use edge_api::key_sha256::KeySha256;

use super::cast::{KEYS, PROJECTS};

/// What was true from one moment on.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    pub(super) since_ms: u64,
    /// Raised by each restored backup.
    pub(super) generation: u32,
    pub(super) revision: u64,
    /// Per project: `None` while there is none, then whether it is locked.
    pub(super) locked: [Option<bool>; PROJECTS],
    pub(super) keys: [KeyState; KEYS],
}

/// One key of [`super::cast`].
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyState {
    pub(super) home: usize,
    pub(super) life: Life,
    pub(super) expires_at_ms: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    Uncreated,
    Active,
    Disabled,
    Revoked,
}

impl Snapshot {
    /// What becomes of a key presented to a project.
    pub(super) fn key(&self, sha: KeySha256, presented_to: usize, unix_ms: u64) -> Key {
        let found = (0..KEYS).find(|k| super::cast::sha256(*k) == sha);
        let state = found.map(|k| self.keys[k]);
        let (verdict, id) = match (found, state) {
            (Some(k), Some(state)) if state.life != Life::Uncreated => {
                let expired = state.expires_at_ms.is_some_and(|at| at <= unix_ms);
                let verdict = match state.life {
                    _ if state.home != presented_to => Verdict::OtherProject,
                    Life::Revoked => Verdict::Revoked,
                    Life::Disabled => Verdict::Disabled,
                    _ if expired => Verdict::Expired,
                    _ => Verdict::Valid,
                };
                (verdict, Some(super::cast::key_id(k)))
            }
            _ => (Verdict::Unknown, None),
        };
        Key {
            verdict,
            expires_at: id.as_ref().and(state).and_then(|state| state.expires_at_ms),
            id,
        }
    }
}
