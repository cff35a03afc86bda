//! Random numbers of this VM.

use std::hash::{BuildHasher, RandomState};

use proxy_wasm::hostcalls;

/// 64 random bits.
pub(super) fn random() -> u64 {
    RandomState::new().hash_one(hostcalls::get_current_time().ok())
}
