//! Random numbers of this VM.

use std::hash::{BuildHasher, Hasher, RandomState};

/// 64 random bits: what the standard library's hash makes of nothing, under a key that is another each time.
pub(super) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
