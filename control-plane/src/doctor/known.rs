//! What the control plane, or its database, says of a key and of what a URL names.

use edge_api::id::Id;
use jiff::Timestamp;

use crate::client::trouble::Trouble;
use crate::store::{OpenError, StoreError};

/// What was learnt.
#[derive(Debug)]
pub(super) enum Known {
    /// Nothing.
    Nothing(Unknown),
    /// This, from there.
    Something { source: String, facts: Facts },
}

/// Why nothing was learnt.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unknown {
    #[error("nobody was asked")]
    NotAsked,
    #[error("it tells only the holder of a project key, and none was given")]
    NoProjectKey,
    #[error("{0}")]
    Unreachable(#[from] Trouble),
    #[error("it answered {0}, which the control plane's public API does not: check the URL")]
    NotTheApi(u16),
    #[error("{0}")]
    NotOpen(#[from] OpenError),
    #[error("{0}")]
    NotRead(#[from] StoreError),
}

/// What is known.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) key: KeyState,
    pub(super) place: Place,
    /// Whether what the URL names, or else the key's project, requires a key.
    pub(super) required: Option<bool>,
    pub(super) in_force: Option<InForce>,
}

/// The state of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeyState {
    /// None was given that could be looked up.
    None,
    /// It opens its project.
    Live,
    /// It does not; its holder is not told why.
    NotLive,
    /// Nobody has it.
    Unknown,
    /// It was revoked, then.
    Revoked(Timestamp),
    /// It ended, then.
    Expired(Timestamp),
    /// It is switched off, since then.
    Disabled(Timestamp),
}

/// What the URL names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// This project, which is the key's, or there is no key.
    Project(Id),
    /// This MCP server, whose project is the key's, or there is no key.
    Server(Id),
    /// Something of another project than the key's.
    Elsewhere {
        named: Id,
        of_project: Id,
        of_key: Id,
    },
    /// Nothing of the key's project, whatever else there may be.
    NotOfKey,
    /// Nothing that exists.
    Nobody,
    /// It cannot be told.
    NotKnown,
}

/// How far the project's latest change has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InForce {
    pub(super) envoys: usize,
    pub(super) envoys_in_force: usize,
}

impl Known {
    pub(super) fn asked(source: String, result: Result<Facts, Unknown>) -> Self {
        match result {
            Ok(facts) => Self::Something { source, facts },
            Err(unknown) => Self::Nothing(unknown),
        }
    }

    pub(super) fn facts(&self) -> Option<&Facts> {
        match self {
            Self::Something { facts, .. } => Some(facts),
            Self::Nothing(_) => None,
        }
    }
}

impl InForce {
    /// Whether every gateway that reports has it.
    pub(super) fn everywhere(&self) -> bool {
        self.envoys > 0 && self.envoys_in_force == self.envoys
    }
}
