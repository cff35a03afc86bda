//! The feed's mark and table as bytes, for shared data. They are sealed by `cache::Seal`; this is only their form.

use super::{Feed, Incarnation, Mark, SLOTS};

impl Mark {
    /// Epoch, incarnation, baseline, revision, time of confirmation.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(36);
        out.extend_from_slice(&self.epoch.to_le_bytes());
        let incarnation = Incarnation::to_number(self.incarnation);
        for number in [incarnation, self.baseline, self.revision, self.confirmed_ms] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out
    }

    /// A mark and the rest; `None` when there are too few bytes.
    pub(crate) fn split(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (epoch, rest) = bytes.split_first_chunk()?;
        let (incarnation, rest) = rest.split_first_chunk()?;
        let (baseline, rest) = rest.split_first_chunk()?;
        let (revision, rest) = rest.split_first_chunk()?;
        let (confirmed_ms, rest) = rest.split_first_chunk()?;
        let mark = Self {
            epoch: u32::from_le_bytes(*epoch),
            incarnation: Incarnation::from_number(u64::from_le_bytes(*incarnation)),
            baseline: u64::from_le_bytes(*baseline),
            revision: u64::from_le_bytes(*revision),
            confirmed_ms: u64::from_le_bytes(*confirmed_ms),
        };
        Some((mark, rest))
    }
}

impl Feed {
    /// The mark, then a revision per slot.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.mark.to_bytes();
        out.reserve(SLOTS * 8);
        for revision in &self.changed {
            out.extend_from_slice(&revision.to_le_bytes());
        }
        out
    }

    /// Reads it back; `None` when the bytes are not a whole one.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (mark, rest) = Mark::split(bytes)?;
        let (revisions, left) = rest.as_chunks();
        let changed: Vec<u64> = revisions.iter().map(|r| u64::from_le_bytes(*r)).collect();
        (changed.len() == SLOTS && left.is_empty()).then_some(Self { mark, changed })
    }
}
