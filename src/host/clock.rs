//! Reads both clocks. The only place that does.

use std::time::UNIX_EPOCH;

use proxy_wasm::hostcalls;

use super::ffi;
use crate::cache::Known;
use crate::now::Now;

/// The moment of a decision on `known`: costs one host call instead of two where no key's own expiry matters.
pub(super) fn now_for(known: &Known) -> Now {
    let verdict = known.verdict.as_ref();
    if verdict.is_some_and(|entry| entry.value.expires_at_ms.is_some()) {
        return now();
    }
    Now {
        monotonic_ms: ffi::monotonic_ms(),
        // Should somebody look all the same, every expiring key counts as expired.
        unix_ms: u64::MAX,
    }
}

/// The moment of a decision.
pub(super) fn now() -> Now {
    let unix_ms = hostcalls::get_current_time()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .and_then(|since| u64::try_from(since.as_millis()).ok())
        .unwrap_or(u64::MAX);
    Now {
        monotonic_ms: ffi::monotonic_ms(),
        // A clock that cannot be read counts every expiring key as expired.
        unix_ms,
    }
}
