//! A filter that does with each request what the key filter does with one that it knows, and thinks nothing of it: it
//! reads path, key and clock, counts twice, tells the access log its outcome, puts two identities in and takes the key
//! out. What a filter with these duties costs beyond this one is its own work.

#![allow(
    missing_docs,
    reason = "the macro's entry point has none, and there is nothing else"
)]

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, MetricType};

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(Root { counters: Vec::new() }) });
}}

/// What requests share.
struct Root {
    /// Ids of the metrics.
    counters: Vec<u32>,
}

/// One request.
struct Request {
    counters: Vec<u32>,
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
        let counters = self.counters.clone();
        Some(Box::new(Request { counters }))
    }
}

impl Context for Request {}

impl HttpContext for Request {
    fn on_http_request_headers(&mut self, _num_headers: usize, _end_of_stream: bool) -> Action {
        let path = self.get_http_request_header(":path");
        let key = self.get_http_request_header("x-api-key");
        let now = hostcalls::get_current_time();
        let counted = |counter: &u32| hostcalls::increment_metric(*counter, 1).is_ok();
        let all_counted = self.counters.iter().all(counted);
        if path.is_none() || key.is_none() || now.is_err() || !all_counted {
            self.send_http_response(500, Vec::new(), None);
            return Action::Pause;
        }
        self.set_property(vec!["mcp.outcome"], Some(b"allowed"));
        self.add_http_request_header("x-mcp-project-id", "bench");
        self.add_http_request_header("x-mcp-key-id", "key_0");
        self.remove_http_request_header("x-api-key");
        Action::Continue
    }
}
