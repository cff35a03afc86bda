//! Keyed digests: where an entry lives, and proof that this filter wrote it.
//!
//! Under Istio every plugin of a proxy shares one namespace of shared data and can write there. Both digests are
//! SipHash-2-4 with 128-bit output under keys derived from the edge token, which other plugins do not have: nobody
//! else can forge an entry, move one to another place, or aim at a bucket.

use edge_api::check::Subject;
use edge_api::key_sha256::KeySha256;
use sha2::{Digest, Sha256};
use siphasher::sip128::{Hasher128, SipHasher24};

use super::{CacheLimits, Region};
use crate::config::ControlPlane;

/// Length of a digest, in bytes.
pub(super) const DIGEST_LEN: usize = 16;

/// The keys of both digests.
pub(crate) struct Seal {
    place_key: [u8; DIGEST_LEN],
    tag_key: [u8; DIGEST_LEN],
}

/// Where an entry lives: a bucket of a region, and its name inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) region: Region,
    pub(crate) bucket: u32,
    pub(crate) name: [u8; DIGEST_LEN],
}

impl Seal {
    /// Keys for one control plane: two that differ in cluster, authority or token never share an entry.
    pub(crate) fn derive(control_plane: &ControlPlane) -> Self {
        let mut hash = Sha256::new();
        for part in [
            "mcp-key-auth shared cache 1",
            &control_plane.cluster,
            &control_plane.authority,
            control_plane.edge_token.expose(),
        ] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        let secret: [u8; 32] = hash.finalize().into();
        let (mut place_key, mut tag_key) = ([0; DIGEST_LEN], [0; DIGEST_LEN]);
        let (first, second) = secret.split_at(DIGEST_LEN);
        place_key.copy_from_slice(first);
        tag_key.copy_from_slice(second);
        Self { place_key, tag_key }
    }

    /// The place of a subject's entry, or of the entry of a key presented to it.
    pub(crate) fn place(
        &self,
        limits: &CacheLimits,
        region: Region,
        subject: &Subject,
        key: Option<&KeySha256>,
    ) -> Place {
        let (kind, id) = match subject {
            Subject::ProjectId(id) => (b'p', id),
            Subject::ServerId(id) => (b's', id),
        };
        let key = key.map_or(&[][..], |key| &key.0[..]);
        // A zero byte ends the id, which holds none: no two questions give the same text.
        let name = digest(
            &self.place_key,
            &[&[kind], id.as_str().as_bytes(), &[0], key],
        );
        let [a, b, c, d, ..] = name;
        Place {
            region,
            bucket: u32::from_le_bytes([a, b, c, d]) % limits.buckets(region).max(1),
            name,
        }
    }

    /// `body` with a proof that it was written under this `label`.
    pub(crate) fn wrap(&self, label: &str, body: &[u8]) -> Vec<u8> {
        let tag = digest(&self.tag_key, &[label.as_bytes(), &[0], body]);
        [&tag, body].concat()
    }

    /// What [`Seal::wrap`] was given; `None` when the proof does not hold.
    pub(crate) fn unwrap<'b>(&self, label: &str, bytes: &'b [u8]) -> Option<&'b [u8]> {
        let (tag, body) = bytes.split_first_chunk::<DIGEST_LEN>()?;
        let right = digest(&self.tag_key, &[label.as_bytes(), &[0], body]);
        is_same(&right, tag).then_some(body)
    }

    /// A name for what belongs to this control plane alone.
    pub(crate) fn namespace(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = digest(&self.place_key, &[b"namespace"]);
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }

    /// The proof that belongs to `body` at `place`.
    pub(super) fn tag(&self, place: &Place, body: &[u8]) -> [u8; DIGEST_LEN] {
        digest(
            &self.tag_key,
            &[
                &[place.region.number()],
                &place.bucket.to_le_bytes(),
                &place.name,
                body,
            ],
        )
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(redacted)")
    }
}

impl Region {
    /// The region's number, in tags and in names of shared data.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Policies => 0,
            Self::UnknownProjects => 1,
            Self::ValidKeys => 2,
            Self::InvalidKeys => 3,
        }
    }
}

/// Compared in full whatever differs first.
pub(super) fn is_same(a: &[u8; DIGEST_LEN], b: &[u8; DIGEST_LEN]) -> bool {
    a.iter().zip(b).fold(0, |d, (a, b)| d | (a ^ b)) == 0
}

fn digest(key: &[u8; DIGEST_LEN], parts: &[&[u8]]) -> [u8; DIGEST_LEN] {
    use std::hash::Hasher;

    let mut hasher = SipHasher24::new_with_key(key);
    for part in parts {
        hasher.write(part);
    }
    hasher.finish128().as_bytes()
}
