//! An API key as it is kept: everything about it but the key.

use edge_api::id::Id;
use jiff::Timestamp;
use serde::Serialize;

use super::name::Name;

/// An API key. The raw key is not part of it; see [`PlainKey`](crate::key::PlainKey).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApiKey {
    /// `key_…`; names the key without revealing it.
    pub id: Id,
    /// The one project that it opens.
    pub project_id: Id,
    /// For people; need not be unique.
    pub name: Name,
    /// When it was created.
    pub created_at: Timestamp,
    /// What may have ended it.
    #[serde(flatten)]
    pub lifecycle: Lifecycle,
}

/// The times that end a key's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Lifecycle {
    /// From when on it is refused; `None`: never.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked, for good.
    pub revoked_at: Option<Timestamp>,
    /// When it was switched off; it can be switched on again.
    pub disabled_at: Option<Timestamp>,
}

/// The state of a key at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStatus {
    /// It opens its project.
    Live,
    /// Revoked by its owner.
    Revoked,
    /// Past its expiry.
    Expired,
    /// Switched off by its owner.
    Disabled,
}

impl Lifecycle {
    /// The state at `now`. Of several reasons the most final one wins: revoked, then expired, then disabled.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> KeyStatus {
        if self.revoked_at.is_some() {
            KeyStatus::Revoked
        } else if self.expires_at.is_some_and(|at| at <= now) {
            KeyStatus::Expired
        } else if self.disabled_at.is_some() {
            KeyStatus::Disabled
        } else {
            KeyStatus::Live
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_final_reason_wins() {
        let now = Timestamp::from_millisecond(1_000).unwrap();
        let check = |expires: Option<i64>, revoked: bool, disabled: bool, expected: KeyStatus| {
            let lifecycle = Lifecycle {
                expires_at: expires.map(|ms| Timestamp::from_millisecond(ms).unwrap()),
                revoked_at: revoked.then_some(now),
                disabled_at: disabled.then_some(now),
            };
            assert_eq!(lifecycle.status(now), expected, "{lifecycle:?}");
        };
        check(None, false, false, KeyStatus::Live);
        check(Some(1_001), false, false, KeyStatus::Live);
        check(Some(1_000), false, false, KeyStatus::Expired);
        check(Some(999), false, true, KeyStatus::Expired);
        check(Some(1_001), false, true, KeyStatus::Disabled);
        check(None, false, true, KeyStatus::Disabled);
        check(Some(999), true, true, KeyStatus::Revoked);
        check(None, true, false, KeyStatus::Revoked);
    }
}
