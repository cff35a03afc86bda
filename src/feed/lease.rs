//! Who polls the change feed for all workers of an Envoy: whoever holds the lease.
//!
//! Shared data cannot create a value only if it is absent, so two may claim at once; the one whose claim is found
//! standing at the next look holds it. Two holders for a moment would be two polls, never a wrong verdict.

use crate::now::Now;

/// How long a lease lasts without being renewed: what a feed stands still for when its holder dies.
const LEASE_MS: u64 = 2_000;
/// How long before its end the holder renews it.
const RENEW_MS: u64 = 1_400;

/// The lease as it stands in shared data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lease {
    /// A random number of the holder's.
    pub(crate) holder: u64,
    /// Its end on the monotonic clock.
    pub(crate) until_ms: u64,
}

/// What a worker does about the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It is this worker's, and long enough so.
    Hold,
    /// It is this worker's, and to be written anew.
    Renew(Lease),
    /// It is nobody's: write this, and look again at the next tick.
    Claim(Lease),
    /// It is another's.
    Follow,
}

/// Looks at the lease.
pub(crate) fn turn(standing: Option<Lease>, me: u64, now: Now) -> Turn {
    let mine = Lease {
        holder: me,
        until_ms: now.monotonic_ms + LEASE_MS,
    };
    match standing {
        Some(lease) if now.monotonic_ms < lease.until_ms && lease.until_ms <= mine.until_ms => {
            if lease.holder != me {
                Turn::Follow
            } else if now.monotonic_ms + RENEW_MS >= lease.until_ms {
                Turn::Renew(mine)
            } else {
                Turn::Hold
            }
        }
        // None, ended, or longer than anybody may write.
        _ => Turn::Claim(mine),
    }
}

impl Lease {
    /// Holder, end.
    pub(crate) fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.until_ms) << 64 | u128::from(self.holder)).to_le_bytes()
    }

    /// Reads it back; `None` when the bytes are not one.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (holder, rest) = bytes.split_first_chunk()?;
        Some(Self {
            holder: u64::from_le_bytes(*holder),
            until_ms: u64::from_le_bytes(rest.try_into().ok()?),
        })
    }
}
