//! Entries as bytes, for shared data. Reading never trusts: anything out of place is no entry.

use edge_api::check::Verdict;
use edge_api::id::Id;

use super::{Entry, KeyVerdict, Policy, Stamp};

/// Something that an [`Entry`] can hold.
pub(crate) trait Payload: Sized {
    /// Appends the value.
    fn write(&self, out: &mut Vec<u8>);
    /// Reads a whole value back; `None` when the bytes are not one.
    fn read(bytes: &[u8]) -> Option<Self>;
}

impl<T: Payload> Entry<T> {
    /// Stamp, value.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(112);
        out.extend_from_slice(&self.stamp.epoch.to_le_bytes());
        out.extend_from_slice(&self.stamp.revision.to_le_bytes());
        out.extend_from_slice(&self.stamp.learnt_ms.to_le_bytes());
        out.extend_from_slice(&self.stamp.fresh_until_ms.to_le_bytes());
        self.value.write(&mut out);
        out
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (stamp, value) = Stamp::split(bytes)?;
        Some(Self {
            value: T::read(value)?,
            stamp,
        })
    }
}

impl Stamp {
    /// What every entry begins with, whatever it holds, and the rest.
    pub(super) fn split(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (epoch, rest) = bytes.split_first_chunk()?;
        let (revision, rest) = rest.split_first_chunk()?;
        let (learnt_ms, rest) = rest.split_first_chunk()?;
        let (fresh_until_ms, rest) = rest.split_first_chunk()?;
        let stamp = Self {
            epoch: u32::from_le_bytes(*epoch),
            revision: u64::from_le_bytes(*revision),
            learnt_ms: u64::from_le_bytes(*learnt_ms),
            fresh_until_ms: u64::from_le_bytes(*fresh_until_ms),
        };
        Some((stamp, rest))
    }
}

impl Payload for Policy {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(match self {
            Self::UnknownProject => 0,
            Self::Open(_) => 1,
            Self::Required(_) => 2,
        });
        write_id(out, self.project());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (&kind, rest) = bytes.split_first()?;
        match (kind, read_id(rest)?) {
            (0, None) => Some(Self::UnknownProject),
            (1, Some(project)) => Some(Self::Open(project)),
            (2, Some(project)) => Some(Self::Required(project)),
            _ => None,
        }
    }
}

impl Payload for KeyVerdict {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(match self.verdict {
            Verdict::Valid => 0,
            Verdict::Unknown => 1,
            Verdict::Revoked => 2,
            Verdict::Expired => 3,
            Verdict::Disabled => 4,
            Verdict::OtherProject => 5,
        });
        out.extend_from_slice(&self.expires_at_ms.unwrap_or(NEVER).to_le_bytes());
        write_id(out, self.key_id.as_ref());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (&verdict, rest) = bytes.split_first()?;
        let (expires_at_ms, rest) = rest.split_first_chunk()?;
        Some(Self {
            verdict: match verdict {
                0 => Verdict::Valid,
                1 => Verdict::Unknown,
                2 => Verdict::Revoked,
                3 => Verdict::Expired,
                4 => Verdict::Disabled,
                5 => Verdict::OtherProject,
                _ => return None,
            },
            key_id: read_id(rest)?,
            expires_at_ms: Some(u64::from_le_bytes(*expires_at_ms)).filter(|&at| at != NEVER),
        })
    }
}

/// The expiry of a key that has none.
const NEVER: u64 = u64::MAX;

fn write_id(out: &mut Vec<u8>, id: Option<&Id>) {
    out.extend_from_slice(id.map_or(&[][..], |id| id.as_str().as_bytes()));
}

/// The id that fills all of `bytes`; `Some(None)` for no bytes.
fn read_id(bytes: &[u8]) -> Option<Option<Id>> {
    if bytes.is_empty() {
        return Some(None);
    }
    Id::parse(std::str::from_utf8(bytes).ok()?).ok().map(Some)
}
