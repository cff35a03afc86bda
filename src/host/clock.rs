//! Reads both clocks. The only place that does.

use std::time::UNIX_EPOCH;

use proxy_wasm::hostcalls;

use super::ffi;
use crate::now::Now;

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
