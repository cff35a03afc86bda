//! The bounds of the cache in entries and time.

use super::Region;
use super::bucket::WAYS;
use crate::config::{ConfigError, RawCache, in_range};

/// How much is remembered, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CacheLimits {
    policies: u32,
    unknown_projects: u32,
    valid_keys: u32,
    invalid_keys: u32,
    max_ttl_ms: u64,
    max_negative_ttl_ms: u64,
    /// Good entries that each worker keeps by itself.
    pub(crate) local_entries: usize,
    /// How long something is served that the feed has not confirmed.
    pub(crate) unconfirmed_ttl_ms: u64,
    /// How long past its life something good serves while the control plane cannot be asked.
    pub(crate) stale_if_error_ms: u64,
}

impl CacheLimits {
    pub(crate) fn parse(raw: &RawCache) -> Result<Self, ConfigError> {
        let entries = |field, value| in_range(field, value, 4, 1 << 20).map(|n| n.div_ceil(WAYS));
        Ok(Self {
            policies: entries("cache.policies", raw.policies)?,
            unknown_projects: entries("cache.unknown_projects", raw.unknown_projects)?,
            valid_keys: entries("cache.valid_keys", raw.valid_keys)?,
            invalid_keys: entries("cache.invalid_keys", raw.invalid_keys)?,
            max_ttl_ms: in_range("cache.max_ttl_ms", raw.max_ttl_ms, 0, 86_400_000)?.into(),
            max_negative_ttl_ms: in_range(
                "cache.max_negative_ttl_ms",
                raw.max_negative_ttl_ms,
                0,
                600_000,
            )?
            .into(),
            local_entries: in_range("cache.local_entries", raw.local_entries, 16, 65_536)? as usize,
            unconfirmed_ttl_ms: in_range(
                "cache.unconfirmed_ttl_ms",
                raw.unconfirmed_ttl_ms,
                100,
                600_000,
            )?
            .into(),
            stale_if_error_ms: in_range(
                "cache.stale_if_error_ms",
                raw.stale_if_error_ms,
                0,
                86_400_000,
            )?
            .into(),
        })
    }

    /// Buckets of a region; at least one.
    pub(crate) fn buckets(&self, region: Region) -> u32 {
        match region {
            Region::Policies => self.policies,
            Region::UnknownProjects => self.unknown_projects,
            Region::ValidKeys => self.valid_keys,
            Region::InvalidKeys => self.invalid_keys,
        }
    }

    /// What the control plane allows, cut to what the configuration allows.
    pub(crate) fn ttl_ms(&self, answered_ms: u64, good: bool) -> u64 {
        answered_ms.min(if good {
            self.max_ttl_ms
        } else {
            self.max_negative_ttl_ms
        })
    }
}
