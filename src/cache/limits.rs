//! The bounds of the cache in entries and time.

use super::Region;
use super::bucket::WAYS;
use crate::config::{ConfigError, Fields};

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
    pub(crate) fn parse(mut fields: Fields) -> Result<Self, ConfigError> {
        let mut entries = |name, default| {
            let entries = fields.number(name, WAYS..=1 << 20, default);
            entries.map(|entries| entries.div_ceil(WAYS))
        };
        let limits = Self {
            policies: entries("policies", 16_384)?,
            unknown_projects: entries("unknown_projects", 4_096)?,
            valid_keys: entries("valid_keys", 65_536)?,
            invalid_keys: entries("invalid_keys", 4_096)?,
            local_entries: fields.number("local_entries", 16..=65_536, 4_096)? as usize,
            max_ttl_ms: fields.number("max_ttl_ms", 0..=86_400_000, 600_000)?.into(),
            max_negative_ttl_ms: fields
                .number("max_negative_ttl_ms", 0..=600_000, 5_000)?
                .into(),
            unconfirmed_ttl_ms: fields
                .number("unconfirmed_ttl_ms", 100..=600_000, 30_000)?
                .into(),
            stale_if_error_ms: fields
                .number("stale_if_error_ms", 0..=86_400_000, 600_000)?
                .into(),
        };
        fields.finish()?;
        Ok(limits)
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
