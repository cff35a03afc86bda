//! A filter that lets everything by: the cost of proxy-wasm itself, built like the key filter. It makes no host call.

#![allow(
    missing_docs,
    reason = "the macro's entry point has none, and there is nothing else"
)]

use proxy_wasm::traits::{Context, HttpContext};

proxy_wasm::main! {{
    proxy_wasm::set_http_context(|_, _| -> Box<dyn HttpContext> { Box::new(Empty) });
}}

/// One request. Every callback is the SDK's own, which continues.
struct Empty;

impl Context for Empty {}

impl HttpContext for Empty {}
