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

/// The answer of a poll, with status 200. A member that its reader does not know is passed over: an older filter follows a
/// newer control plane as it always did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangesResponse {
    /// The database that the rest was read from. Another one than last time was restored from a copy, and revisions read
    /// from one say nothing about the other. `None` from a control plane of before there were incarnations.
    #[serde(default)]
    pub incarnation: Option<Id>,
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

    fn golden(file: &str) -> String {
        let path = format!("{}/golden/{file}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).unwrap()
    }

    fn answer(incarnation: Option<&str>) -> ChangesResponse {
        ChangesResponse {
            incarnation: incarnation.map(|id| Id::parse(id).unwrap()),
            revision: 9,
            changes: vec![Change {
                project_id: Id::parse("pr_open").unwrap(),
                revision: 8,
            }],
            reset: false,
        }
    }

    #[test]
    fn the_answer_keeps_its_wire_form() {
        let text = golden("changes_response.json");
        let value = answer(Some("0c9b5e7a41d84f6fa2e3b1c07d5f8a96"));
        assert_eq!(
            serde_json::from_str::<ChangesResponse>(&text).unwrap(),
            value
        );
        assert_eq!(
            serde_json::to_value(&value).unwrap(),
            serde_json::from_str::<serde_json::Value>(&text).unwrap()
        );
    }

    #[test]
    fn an_older_control_planes_answer_is_read() {
        let text = golden("changes_response_without_incarnation.json");
        assert_eq!(
            serde_json::from_str::<ChangesResponse>(&text).unwrap(),
            answer(None)
        );
    }

    #[test]
    fn a_newer_control_planes_answer_is_read() {
        let text = golden("changes_response_without_incarnation.json");
        let newer = text.replacen('{', r#"{"unheard_of":{"x":[1]},"#, 1);
        assert_eq!(
            serde_json::from_str::<ChangesResponse>(&newer).unwrap(),
            answer(None)
        );
    }
}
