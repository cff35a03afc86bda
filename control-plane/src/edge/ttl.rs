//! How long an answer of the edge API may be served.

use std::{str::FromStr, time::Duration};

use edge_api::check::{Key, Verdict};
use jiff::{SignedDuration, Timestamp};

/// A time to live, from 0 seconds to 1 hour. Written `30s`, `500ms`, `5m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ttl(Duration);

/// Why a text is not a [`Ttl`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a duration from 0s to 1h, as in 30s, 500ms or 5m")]
pub struct InvalidTtl;

/// The times to live of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ttls {
    /// Of a policy and of a valid key.
    pub check: Ttl,
    /// Of an unknown project and of a key that is not valid.
    pub negative: Ttl,
}

impl Ttls {
    /// How long an answer may be served, in milliseconds. **Never beyond a valid key's expiry.**
    pub(super) fn of_answer(&self, project_known: bool, key: Option<&Key>, now: Timestamp) -> u64 {
        match key {
            _ if !project_known => self.negative.as_millis(),
            None => self.check.as_millis(),
            Some(key) if key.verdict == Verdict::Valid => {
                let now = u64::try_from(now.as_millisecond()).unwrap_or_default();
                let rest = key.expires_at.map_or(u64::MAX, |at| at.saturating_sub(now));
                self.check.as_millis().min(rest)
            }
            Some(_) => self.negative.as_millis(),
        }
    }
}

impl Ttl {
    fn as_millis(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }
}

impl FromStr for Ttl {
    type Err = InvalidTtl;

    fn from_str(text: &str) -> Result<Self, InvalidTtl> {
        let duration: SignedDuration = text.parse().map_err(|_| InvalidTtl)?;
        let duration = Duration::try_from(duration).map_err(|_| InvalidTtl)?;
        if duration > Duration::from_secs(3600) {
            return Err(InvalidTtl);
        }
        Ok(Self(duration))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ttl_is_an_hour_at_most() {
        for (text, millis) in [
            ("30s", 30_000),
            ("500ms", 500),
            ("5m", 300_000),
            ("0s", 0),
            ("1h", 3_600_000),
        ] {
            assert_eq!(
                text.parse::<Ttl>().map(Ttl::as_millis),
                Ok(millis),
                "{text}"
            );
        }
        for bad in ["", "30", "-1s", "61m", "soon"] {
            assert_eq!(bad.parse::<Ttl>(), Err(InvalidTtl), "{bad}");
        }
    }

    #[test]
    fn an_answer_is_served_no_longer_than_it_is_true() {
        let ttls = Ttls {
            check: "30s".parse().unwrap(),
            negative: "5s".parse().unwrap(),
        };
        let now = Timestamp::from_millisecond(1_000_000).unwrap();
        let key = |verdict, expires_at| {
            Some(Key {
                verdict,
                id: None,
                expires_at,
            })
        };
        let check = |known: bool, key: Option<Key>, expected: u64| {
            assert_eq!(
                ttls.of_answer(known, key.as_ref(), now),
                expected,
                "{known} {key:?}"
            );
        };
        check(false, None, 5_000);
        check(true, None, 30_000);
        check(true, key(Verdict::Valid, None), 30_000);
        check(true, key(Verdict::Valid, Some(1_030_001)), 30_000);
        check(true, key(Verdict::Valid, Some(1_010_000)), 10_000);
        check(true, key(Verdict::Valid, Some(1_000_001)), 1);
        for verdict in [
            Verdict::Unknown,
            Verdict::Revoked,
            Verdict::Expired,
            Verdict::Disabled,
            Verdict::OtherProject,
        ] {
            check(true, key(verdict, Some(1_000_001)), 5_000);
        }
    }
}
