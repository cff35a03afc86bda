//! A filter that does with each request what the key filter does with one that it knows, and thinks nothing of it: it
//! copies all headers and reads the clock, counts twice, tells the access log its outcome, puts two identities in and
//! takes the key out, each by the key filter's own host call. What a filter with these duties costs beyond this one is its
//! own work.

#![allow(
    missing_docs,
    reason = "the macro's entry point has none, and there is nothing else"
)]

use std::rc::Rc;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, MetricType};

#[path = "../../../src/host/ffi.rs"]
#[allow(dead_code, reason = "a hit needs only some of them")]
mod ffi;
mod request;

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(Root { counters: Rc::default() }) });
}}

/// What requests share.
struct Root {
    /// Ids of the metrics.
    counters: Rc<[u32]>,
}

/// One request.
struct Request {
    counters: Rc<[u32]>,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_vm_start(&mut self, _configuration_size: usize) -> bool {
        let names = ["floor.outcome", "floor.cache"];
        let defined = names.map(|name| hostcalls::define_metric(MetricType::Counter, name));
        self.counters = defined.into_iter().flatten().collect();
        self.counters.len() == names.len()
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _id: u32) -> Option<Box<dyn HttpContext>> {
        let counters = Rc::clone(&self.counters);
        Some(Box::new(Request { counters }))
    }
}

impl Context for Request {}

impl HttpContext for Request {
    fn on_http_request_headers(&mut self, _num_headers: usize, _end_of_stream: bool) -> Action {
        let counted = |counter: &u32| hostcalls::increment_metric(*counter, 1).is_ok();
        let done = !ffi::request_headers().is_empty()
            && ffi::monotonic_ms() > 0
            && self.counters.iter().all(counted)
            && ffi::set_filter_state("mcp.outcome", "allowed")
            && ffi::add_request_header("x-mcp-project-id", "bench")
            && ffi::add_request_header("x-mcp-key-id", "key_0")
            && ffi::remove_request_header("x-api-key");
        if done {
            return Action::Continue;
        }
        ffi::send_local_response(500, "floor_call_failed", &[], b"");
        Action::Pause
    }
}
