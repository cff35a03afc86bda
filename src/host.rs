//! Everything that touches Envoy: the SDK's contexts, host calls, clocks, shared data, metrics.
//!
//! It reads, hands data to the pure modules, and carries out what they decide. It decides nothing about a key.

mod callout;
mod clock;
mod exchange;
mod feed_poll;
mod ffi;
mod http_context;
mod memory;
mod metrics;
mod random;
mod root_context;
mod shared_cache;
mod shared_feed;
mod stream_guard;
mod usage_report;
mod wake_up;
mod worker;

use proxy_wasm::traits::RootContext;
use proxy_wasm::types::LogLevel;

use self::root_context::AuthRoot;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|context_id| -> Box<dyn RootContext> {
        Box::new(AuthRoot::new(context_id))
    });
}}
