//! One value of shared data: up to four sealed entries, so that a few that hash alike can live together.
//!
//! `version, then per entry: name (16), tag (16), length (1), body`. Whatever does not parse or carry the right
//! tag is dropped at the next write and never read as an entry.

use super::seal::{DIGEST_LEN, Place, Seal, is_same};
use super::{Entry, Payload, Stamp};

/// Entries of one bucket.
pub(super) const WAYS: u32 = 4;

/// Format of a bucket and meaning of its stamps; another one is a miss. Values outlive upgrades of the filter.
const VERSION: u8 = 3;

/// How long past its life an entry still keeps an older answer from replacing it: longer than any check can be
/// under way, so that a late "valid" cannot follow a "revoked"; finite, so that a control plane whose revision went
/// back is believed again.
const REMEMBERS_REVISION_MS: u64 = 60_000;

/// The entries of one value of shared data.
#[derive(Debug)]
pub(crate) struct Bucket<'a>(&'a [u8]);

/// What a write comes to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// Write this.
    Write(Rewrite),
    /// Keep what is there: it was read at a later revision.
    Keep,
}

/// A bucket as it is to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rewrite {
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    /// Entries that had to make room although their life was not over.
    pub(crate) evicted: u32,
}

/// One entry as it lies in a bucket.
struct Sealed<'a> {
    name: &'a [u8; DIGEST_LEN],
    tag: &'a [u8; DIGEST_LEN],
    body: &'a [u8],
}

impl<'a> Bucket<'a> {
    /// Any bytes, as found; none for a bucket never written.
    pub(crate) fn new(bytes: Option<&'a [u8]>) -> Self {
        Self(
            bytes
                .and_then(|bytes| bytes.strip_prefix(&[VERSION]))
                .unwrap_or_default(),
        )
    }

    /// The entry at `place`, if it is there and genuine.
    pub(crate) fn find<T: Payload>(&self, seal: &Seal, place: &Place) -> Option<Entry<T>> {
        Entry::from_bytes(self.genuine(seal, place)?.body)
    }

    /// The bucket with `entry` at `place`. **An entry read at an older revision never replaces a newer one.**
    pub(crate) fn put<T: Payload>(
        &self,
        seal: &Seal,
        place: &Place,
        entry: &Entry<T>,
        now_ms: u64,
    ) -> Put {
        let standing = self
            .genuine(seal, place)
            .and_then(|sealed| Stamp::split(sealed.body));
        if standing.is_some_and(|(standing, _)| {
            standing.is_newer_than(&entry.stamp)
                && now_ms
                    < standing
                        .fresh_until_ms
                        .saturating_add(REMEMBERS_REVISION_MS)
        }) {
            return Put::Keep;
        }
        let mut others: Vec<(u64, Sealed<'a>)> = self
            .others(seal, place)
            .filter_map(|sealed| Some((Stamp::split(sealed.body)?.0.fresh_until_ms, sealed)))
            .collect();
        let mut evicted = 0;
        while others.len() >= WAYS as usize {
            let ends = others.iter().enumerate().min_by_key(|(_, (ends, _))| *ends);
            let Some((first, (ends, _))) = ends else {
                break;
            };
            evicted += u32::from(now_ms < *ends);
            others.swap_remove(first);
        }
        let body = entry.to_bytes();
        let ours = Sealed {
            name: &place.name,
            tag: &seal.tag(place, &body),
            body: &body,
        };
        let entries = std::iter::once(&ours).chain(others.iter().map(|(_, sealed)| sealed));
        Put::Write(Rewrite {
            bytes: write(entries),
            evicted,
        })
    }

    /// The bucket without the entry at `place`, unless that is newer than `than`; `None` when there is nothing
    /// to remove.
    pub(crate) fn remove(&self, seal: &Seal, place: &Place, than: &Stamp) -> Option<Rewrite> {
        let (standing, _) = Stamp::split(self.genuine(seal, place)?.body)?;
        if standing.is_newer_than(than) {
            return None;
        }
        let others: Vec<Sealed<'a>> = self.others(seal, place).collect();
        Some(Rewrite {
            bytes: write(others.iter()),
            evicted: 0,
        })
    }

    fn genuine(&self, seal: &Seal, place: &Place) -> Option<Sealed<'a>> {
        self.entries()
            .find(|sealed| *sealed.name == place.name)
            .filter(|sealed| sealed.is_genuine(seal, place))
    }

    fn others(&self, seal: &Seal, place: &Place) -> impl Iterator<Item = Sealed<'a>> {
        self.entries().filter(move |sealed| {
            let there = Place {
                name: *sealed.name,
                ..*place
            };
            *sealed.name != place.name && sealed.is_genuine(seal, &there)
        })
    }

    fn entries(&self) -> impl Iterator<Item = Sealed<'a>> + use<'a> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (sealed, after) = Sealed::split(rest)?;
            rest = after;
            Some(sealed)
        })
    }
}

impl<'a> Sealed<'a> {
    fn split(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (name, rest) = bytes.split_first_chunk()?;
        let (tag, rest) = rest.split_first_chunk()?;
        let (&len, rest) = rest.split_first()?;
        let (body, rest) = rest.split_at_checked(usize::from(len))?;
        Some((Self { name, tag, body }, rest))
    }

    fn is_genuine(&self, seal: &Seal, place: &Place) -> bool {
        is_same(&seal.tag(place, self.body), self.tag)
    }
}

fn write<'s>(entries: impl Iterator<Item = &'s Sealed<'s>>) -> Vec<u8> {
    let mut out = vec![VERSION];
    for sealed in entries {
        // A body is a stamp, a kind, an expiry and an id: 101 bytes at most.
        let Ok(len) = u8::try_from(sealed.body.len()) else {
            continue;
        };
        out.extend_from_slice(sealed.name);
        out.extend_from_slice(sealed.tag);
        out.push(len);
        out.extend_from_slice(sealed.body);
    }
    out
}

#[cfg(test)]
mod tests;
