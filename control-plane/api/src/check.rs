//! `POST /edge/v1/check`: one question, one answer, policy and key together.

use serde::{Deserialize, Serialize};

use crate::{id::Id, key_sha256::KeySha256};

/// What the filter asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRequest {
    /// Whom the request's path names.
    pub subject: Subject,
    /// SHA-256 of the presented key; `null` to learn the policy alone.
    pub key_sha256: Option<KeySha256>,
}

/// What a path names: a project, or an MCP server that belongs to one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A project by its id.
    ProjectId(Id),
    /// An MCP server by its id; the control plane resolves it to its project.
    ServerId(Id),
}

/// What the control plane answers, always with status 200. **Anything else is a fault, never a refusal.**
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResponse {
    /// The control plane's revision, read before the rows the rest was read from.
    pub revision: u64,
    /// The subject's project; `null` when there is none.
    pub project: Option<Project>,
    /// The verdict on the key; `null` exactly when no key was asked about or the project is unknown.
    pub key: Option<Key>,
    /// How long the answer may be served, in milliseconds. 0: for this request alone.
    pub ttl_ms: u64,
}

/// A project's policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// The project's id.
    pub id: Id,
    /// Whether its MCP servers may be called only with one of its keys.
    pub require_mcp_api_key: bool,
}

/// What became of the presented key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Whether it opens this project.
    pub verdict: Verdict,
    /// The key's id, for attribution; `null` when the key is unknown.
    pub id: Option<Id>,
    /// When the key expires, in milliseconds since the Unix epoch; `null` for never.
    pub expires_at: Option<u64>,
}

/// The state of a key as seen from one project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A live key of this project.
    Valid,
    /// No such key.
    Unknown,
    /// Revoked by its owner.
    Revoked,
    /// Past its expiry.
    Expired,
    /// Switched off by its owner.
    Disabled,
    /// A key of another project, whatever its state there.
    OtherProject,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn golden<T>(file: &str, value: &T)
    where
        T: Serialize + for<'de> Deserialize<'de> + PartialEq + std::fmt::Debug,
    {
        let path = format!("{}/golden/{file}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap();
        let written: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            serde_json::to_value(value).unwrap(),
            written,
            "{file}: what we send"
        );
        assert_eq!(
            &serde_json::from_str::<T>(&text).unwrap(),
            value,
            "{file}: what we read"
        );
    }

    fn id(text: &str) -> Id {
        Id::parse(text).unwrap()
    }

    #[test]
    fn requests_keep_their_wire_form() {
        let hash = KeySha256(std::array::from_fn(|i| u8::try_from(i).unwrap()));
        golden(
            "check_request_project.json",
            &CheckRequest {
                subject: Subject::ProjectId(id("pr_open")),
                key_sha256: Some(hash),
            },
        );
        golden(
            "check_request_server.json",
            &CheckRequest {
                subject: Subject::ServerId(id("srv-1")),
                key_sha256: None,
            },
        );
    }

    #[test]
    fn responses_keep_their_wire_form() {
        let project = Project {
            id: id("pr_locked"),
            require_mcp_api_key: true,
        };
        golden(
            "check_response_valid.json",
            &CheckResponse {
                revision: 42,
                project: Some(project.clone()),
                key: Some(Key {
                    verdict: Verdict::Valid,
                    id: Some(id("key_1")),
                    expires_at: Some(1_800_000_000_000),
                }),
                ttl_ms: 30_000,
            },
        );
        golden(
            "check_response_no_key.json",
            &CheckResponse {
                revision: 42,
                project: Some(project),
                key: None,
                ttl_ms: 30_000,
            },
        );
        golden(
            "check_response_unknown_project.json",
            &CheckResponse {
                revision: 7,
                project: None,
                key: None,
                ttl_ms: 5_000,
            },
        );
    }

    #[test]
    fn verdicts_keep_their_names() {
        let names = serde_json::to_value([
            Verdict::Valid,
            Verdict::Unknown,
            Verdict::Revoked,
            Verdict::Expired,
            Verdict::Disabled,
            Verdict::OtherProject,
        ]);
        assert_eq!(
            names.unwrap(),
            serde_json::json!([
                "valid",
                "unknown",
                "revoked",
                "expired",
                "disabled",
                "other_project"
            ])
        );
    }
}
