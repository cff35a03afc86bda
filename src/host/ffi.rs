//! The host calls that the SDK lacks or makes too dear, and the only `unsafe` of the filter.
//!
//! The SDK's `send_http_response` passes no response code details, and neither it nor the standard library gives
//! the monotonic clock as a number that two VMs can compare. Its header maps and properties cost several
//! allocations each, on every request, and what changes a header panics where Envoy has none to change.

#![allow(unsafe_code, reason = "a host call is an extern function")]

use std::ptr::{null, null_mut};

use proxy_wasm::hostcalls;

use crate::request::HeaderBlock;

#[cfg_attr(target_family = "wasm", link(wasm_import_module = "env"))]
unsafe extern "C" {
    /// proxy-wasm ABI 0.2.1. The result is a status code, 0 for success; taken as a plain number because the SDK's
    /// `Status` enum lacks some of the values that a host may return.
    fn proxy_send_local_response(
        status_code: u32,
        details: *const u8,
        details_len: usize,
        body: *const u8,
        body_len: usize,
        headers: *const u8,
        headers_len: usize,
        grpc_status: i32,
    ) -> u32;

    /// Gives a buffer that the host had allocated in this VM by the SDK's `proxy_on_memory_allocate`.
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, len: *mut usize) -> u32;

    fn proxy_add_header_map_value(
        map: u32,
        name: *const u8,
        name_len: usize,
        value: *const u8,
        value_len: usize,
    ) -> u32;

    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_len: usize) -> u32;

    fn proxy_set_property(
        path: *const u8,
        path_len: usize,
        value: *const u8,
        value_len: usize,
    ) -> u32;
}

/// The request headers in proxy-wasm's list of maps.
const REQUEST_HEADERS: u32 = 0;

#[cfg_attr(
    target_family = "wasm",
    link(wasm_import_module = "wasi_snapshot_preview1")
)]
unsafe extern "C" {
    /// WASI preview 1. The result is an errno, 0 for success.
    fn clock_time_get(clock_id: u32, precision: u64, time: *mut u64) -> u16;
}

const CLOCK_MONOTONIC: u32 = 1;

/// Answers the request of the effective context. Returns whether Envoy took it.
pub(super) fn send_local_response(
    status: u32,
    details: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> bool {
    let headers = serialize(headers);
    // SAFETY: every pointer is that of a live slice and goes with its length; the host copies what they
    // point at before it returns and keeps no pointer.
    let result = unsafe {
        proxy_send_local_response(
            status,
            details.as_ptr(),
            details.len(),
            if body.is_empty() {
                null()
            } else {
                body.as_ptr()
            },
            body.len(),
            headers.as_ptr(),
            headers.len(),
            -1,
        )
    };
    result == 0
}

/// The headers of the request of the effective context, in one copy; none when they are not to be had.
pub(super) fn request_headers() -> HeaderBlock {
    let (mut data, mut len) = (null_mut::<u8>(), 0usize);
    // SAFETY: both pointers are those of live variables, which the host fills before it returns.
    let result =
        unsafe { proxy_get_header_map_pairs(REQUEST_HEADERS, &raw mut data, &raw mut len) };
    if result != 0 || data.is_null() {
        return HeaderBlock::new(Vec::new());
    }
    // SAFETY: the host had these `len` bytes allocated by `proxy_on_memory_allocate`, which is a `Vec` of that
    // capacity whose ownership was given away, and has filled them all; nobody else keeps the pointer.
    HeaderBlock::new(unsafe { Vec::from_raw_parts(data, len, len) })
}

/// Adds a header to the request of the effective context; cheaper than replacing one, for which Envoy has to look. Returns
/// whether Envoy took it.
pub(super) fn add_request_header(name: &str, value: &str) -> bool {
    // SAFETY: every pointer is that of a live slice and goes with its length; the host copies what they point at.
    let result = unsafe {
        proxy_add_header_map_value(
            REQUEST_HEADERS,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    };
    result == 0
}

/// Removes all headers of that name from the request of the effective context. Returns whether Envoy took it.
pub(super) fn remove_request_header(name: &str) -> bool {
    // SAFETY: the pointer is that of a live slice and goes with its length; the host copies what it points at.
    let result =
        unsafe { proxy_remove_header_map_value(REQUEST_HEADERS, name.as_ptr(), name.len()) };
    result == 0
}

/// Sets the filter state `wasm.<name>` of the effective context. Returns whether Envoy took it.
pub(super) fn set_filter_state(name: &str, value: &str) -> bool {
    // SAFETY: every pointer is that of a live slice and goes with its length; the host copies what they point at.
    let result =
        unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) };
    result == 0
}

/// Whether a response to the request of the effective context is on its way to the client. The leave to go on that Envoy
/// gives to `Expect: 100-continue`, before any filter sees the request, is none.
pub(super) fn response_has_begun() -> bool {
    let code = hostcalls::get_property(vec!["response", "code"]).unwrap_or_default();
    let code = code.and_then(|bytes| Some(i64::from_le_bytes(*bytes.first_chunk()?)));
    code.is_some_and(|code| code >= 200)
}

/// Milliseconds on the clock that all VMs of one Envoy share and that never steps.
pub(super) fn monotonic_ms() -> u64 {
    let mut nanoseconds = 0u64;
    // SAFETY: the pointer is that of a live, aligned u64, which the host fills before it returns.
    let errno = unsafe { clock_time_get(CLOCK_MONOTONIC, 1, &raw mut nanoseconds) };
    if errno == 0 {
        nanoseconds / 1_000_000
    } else {
        0
    }
}

/// proxy-wasm's form of a header map: count, sizes, then names and values each ended by a zero byte.
fn serialize(headers: &[(&str, &str)]) -> Vec<u8> {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
    let mut out = Vec::with_capacity(256);
    out.extend_from_slice(&number(headers.len()));
    for (name, value) in headers {
        out.extend_from_slice(&number(name.len()));
        out.extend_from_slice(&number(value.len()));
    }
    for text in headers.iter().flat_map(|(name, value)| [name, value]) {
        out.extend_from_slice(text.as_bytes());
        out.push(0);
    }
    out
}
