//! `GET /edge/v1/changes`: a long poll that tells which projects changed.

use serde::{Deserialize, Serialize};

use crate::id::Id;

/// The longest a poll may ask to wait, in milliseconds. A longer wish is cut to it.
pub const MAX_WAIT_MS: u64 = 60_000;

/// The query of a poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangesQuery {
    /// The last revision the caller has seen; changes above it are wanted.
    pub after: u64,
    /// How long to wait for a first change, in milliseconds; 0 answers at once.
    #[serde(default)]
    pub wait_ms: u64,
}

/// The answer of a poll, with status 200.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangesResponse {
    /// The revision up to which `changes` is complete: the next poll's `after`.
    pub revision: u64,
    /// Projects changed above `after`, one row each with its highest revision, in that order.
    pub changes: Vec<Change>,
    /// True when `after` is older than what is kept, or above the current revision: everything
    /// cached must be re-checked, and `changes` is empty.
    pub reset: bool,
}

/// One changed project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Whose policy, key or server changed.
    pub project_id: Id,
    /// The revision of its latest change.
    pub revision: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_keeps_its_wire_form() {
        let text = std::fs::read_to_string(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/golden/changes_response.json"
        ))
        .unwrap();
        let value = ChangesResponse {
            revision: 9,
            changes: vec![Change {
                project_id: Id::parse("pr_open").unwrap(),
                revision: 8,
            }],
            reset: false,
        };
        assert_eq!(
            serde_json::from_str::<ChangesResponse>(&text).unwrap(),
            value
        );
        assert_eq!(
            serde_json::to_value(&value).unwrap(),
            serde_json::from_str::<serde_json::Value>(&text).unwrap()
        );
    }
}
