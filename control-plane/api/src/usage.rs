//! `POST /edge/v1/usage`: how many requests each project and key made, and what became of them.
//!
//! A sender numbers its batches from 1 and sends each until it is answered, the next one only then. Whoever has taken a
//! sender's batch `sequence` has taken every batch of it up to there: another copy is answered in the same way and
//! counted once.

use serde::{Deserialize, Serialize};

use crate::id::Id;

/// The most rows that a batch may hold: with the longest ids they fit well into 64 KiB.
pub const MAX_ROWS: usize = 150;

/// What one worker of one Envoy has counted since its last batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageBatch {
    /// The Envoy; its workers share it.
    pub envoy: Id,
    /// The sender, for as long as it lives; a worker that starts again is another one.
    pub instance: Id,
    /// The batch's number among those of its sender.
    pub sequence: u64,
    /// What the sender enforces; `null` when it does not know what changed lately.
    pub in_force: Option<u64>,
    /// At most [`MAX_ROWS`]; none in a batch that only tells that its sender lives.
    pub rows: Vec<UsageRow>,
}

/// Requests that are alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageRow {
    /// The project; `null` for requests that the sender had no room to tell apart.
    pub project_id: Option<Id>,
    /// The key, where it is one of the project's.
    pub key_id: Option<Id>,
    /// What became of them.
    pub outcome: Outcome,
    /// What would have become of them if their project had required a key; `null` where it does, or that is not known.
    pub preview: Option<Outcome>,
    /// How many.
    pub count: u64,
    /// When the first of them was decided, in milliseconds since the Unix epoch.
    pub first_at: u64,
    /// When the last of them was.
    pub last_at: u64,
}

/// What became of a request about which the project was known. The names are those of the filter's statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It continued with a live key of its project.
    Allowed,
    /// It continued because its project requires no key.
    AllowedNotRequired,
    /// It was refused for want of a key.
    DeniedMissingKey,
    /// It was refused because it carried more than one key.
    DeniedAmbiguousKey,
    /// It was refused because no project key looks like what it carried.
    DeniedMalformedKey,
    /// It was refused because nobody has such a key.
    DeniedUnknownKey,
    /// It was refused because its key is revoked.
    DeniedRevokedKey,
    /// It was refused because its key has expired.
    DeniedExpiredKey,
    /// It was refused because its key is switched off.
    DeniedDisabledKey,
    /// It was refused because its key is another project's.
    DeniedKeyOfOtherProject,
}

impl Outcome {
    /// Each, once.
    pub const ALL: [Self; 10] = [
        Self::Allowed,
        Self::AllowedNotRequired,
        Self::DeniedMissingKey,
        Self::DeniedAmbiguousKey,
        Self::DeniedMalformedKey,
        Self::DeniedUnknownKey,
        Self::DeniedRevokedKey,
        Self::DeniedExpiredKey,
        Self::DeniedDisabledKey,
        Self::DeniedKeyOfOtherProject,
    ];

    /// Its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::AllowedNotRequired => "allowed_not_required",
            Self::DeniedMissingKey => "denied_missing_key",
            Self::DeniedAmbiguousKey => "denied_ambiguous_key",
            Self::DeniedMalformedKey => "denied_malformed_key",
            Self::DeniedUnknownKey => "denied_unknown_key",
            Self::DeniedRevokedKey => "denied_revoked_key",
            Self::DeniedExpiredKey => "denied_expired_key",
            Self::DeniedDisabledKey => "denied_disabled_key",
            Self::DeniedKeyOfOtherProject => "denied_key_of_other_project",
        }
    }
}

/// A text that names no [`Outcome`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownOutcome;

impl std::fmt::Display for UnknownOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("this names no outcome")
    }
}

impl std::error::Error for UnknownOutcome {}

impl std::str::FromStr for Outcome {
    type Err = UnknownOutcome;

    fn from_str(text: &str) -> Result<Self, UnknownOutcome> {
        let mut all = Self::ALL.into_iter();
        all.find(|outcome| outcome.name() == text)
            .ok_or(UnknownOutcome)
    }
}

/// The answer, with status 200, once the batch is counted for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageResponse {
    /// The highest number taken from this sender.
    pub sequence: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Id {
        Id::parse(text).unwrap()
    }

    #[test]
    fn outcomes_are_named_as_they_are_written() {
        for outcome in Outcome::ALL {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.name());
            assert_eq!(outcome.name().parse(), Ok(outcome));
        }
        assert_eq!("".parse::<Outcome>(), Err(UnknownOutcome));
    }

    #[test]
    fn a_batch_keeps_its_wire_form() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/usage_batch.json");
        let text = std::fs::read_to_string(path).unwrap();
        let row = UsageRow {
            project_id: Some(id("pr_locked")),
            key_id: Some(id("key_1")),
            outcome: Outcome::Allowed,
            preview: None,
            count: 3,
            first_at: 1_800_000_000_000,
            last_at: 1_800_000_000_250,
        };
        let batch = UsageBatch {
            envoy: id("0011223344556677"),
            instance: id("8899aabbccddeeff"),
            sequence: 7,
            in_force: Some(42),
            rows: vec![
                row.clone(),
                UsageRow {
                    project_id: Some(id("pr_open")),
                    key_id: None,
                    outcome: Outcome::AllowedNotRequired,
                    preview: Some(Outcome::DeniedMissingKey),
                    ..row.clone()
                },
                UsageRow {
                    project_id: None,
                    key_id: None,
                    outcome: Outcome::DeniedKeyOfOtherProject,
                    ..row
                },
            ],
        };
        assert_eq!(serde_json::from_str::<UsageBatch>(&text).unwrap(), batch);
        assert_eq!(
            serde_json::to_value(&batch).unwrap(),
            serde_json::from_str::<serde_json::Value>(&text).unwrap()
        );
    }
}
