//! An API key as it is kept: everything about it but the key.

use edge_api::id::Id;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{masked_key::MaskedKey, name::Name};

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
    /// What may be shown of the key.
    pub masked_key: MaskedKey,
    /// When a request with it was last counted; `None`: never.
    pub last_used_at: Option<Timestamp>,
    /// The key that it was rotated to.
    pub replaced_by: Option<Id>,
}

/// A partial change to a key: what is `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyPatch {
    /// Its name.
    pub name: Option<Name>,
    /// Whether it is switched off.
    pub disabled: Option<bool>,
    /// From when on it is refused; `Some(None)`: never.
    pub expires_at: Option<Option<Timestamp>>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
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

impl ApiKey {
    /// A new key with that name, never used.
    #[must_use]
    pub fn new(
        id: Id,
        project_id: Id,
        name: Name,
        created_at: Timestamp,
        expires_at: Option<Timestamp>,
        masked_key: MaskedKey,
    ) -> Self {
        Self {
            id,
            project_id,
            name,
            created_at,
            lifecycle: Lifecycle {
                expires_at,
                ..Lifecycle::default()
            },
            masked_key,
            last_used_at: None,
            replaced_by: None,
        }
    }

    /// The key after `patch`. One that was off before keeps its time.
    #[must_use]
    pub fn patched(&self, patch: &KeyPatch, now: Timestamp) -> Self {
        let mut key = self.clone();
        if let Some(name) = &patch.name {
            key.name = name.clone();
        }
        if let Some(expires_at) = patch.expires_at {
            key.lifecycle.expires_at = expires_at;
        }
        key.lifecycle.disabled_at = match patch.disabled {
            Some(true) => key.lifecycle.disabled_at.or(Some(now)),
            Some(false) => None,
            None => key.lifecycle.disabled_at,
        };
        key
    }
}

impl Lifecycle {
    /// Whether this one's expiry is later than the other's.
    #[must_use]
    pub fn outlives(&self, other: &Self) -> bool {
        match (self.expires_at, other.expires_at) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(own), Some(other)) => own > other,
        }
    }

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
