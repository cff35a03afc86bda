//! The context of one request: hands its headers over, and holds it back while it waits.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::exchange::SharedExchange;
use super::ffi;
use super::worker::Worker;
use crate::request::Arrival;

/// One request.
pub(super) struct AuthHttp {
    id: u32,
    /// `None` under a root that has no valid configuration, which Envoy never routes requests to.
    worker: Option<Rc<Worker>>,
    exchange: Option<SharedExchange>,
}

impl AuthHttp {
    pub(super) fn new(id: u32, worker: Option<Rc<Worker>>) -> Self {
        Self {
            id,
            worker,
            exchange: None,
        }
    }

    /// While a verdict is out, no part of the request moves. With `allow_on_headers_stop_iteration` Envoy goes on
    /// to offer body and trailers, and letting them by would let the whole request by.
    fn hold_back(&self) -> Action {
        match &self.exchange {
            Some(exchange) if exchange.holds_back() => Action::Pause,
            _ => Action::Continue,
        }
    }
}

impl Context for AuthHttp {}

impl HttpContext for AuthHttp {
    fn on_http_request_headers(&mut self, _num_headers: usize, _end_of_stream: bool) -> Action {
        let Some(worker) = &self.worker else {
            ffi::send_local_response(503, "mcp_key_auth_not_configured", &[], b"");
            return Action::Pause;
        };
        let headers = ffi::request_headers();
        let arrival = Arrival::read(headers.iter(), &worker.config);
        let (exchange, action) = worker.handle_request(self.id, arrival);
        self.exchange = Some(exchange);
        action
    }

    fn on_http_request_body(&mut self, _body_size: usize, _end_of_stream: bool) -> Action {
        self.hold_back()
    }

    fn on_http_request_trailers(&mut self, _num_trailers: usize) -> Action {
        self.hold_back()
    }
}

/// Envoy is done with the request, whichever way it ended.
impl Drop for AuthHttp {
    fn drop(&mut self) {
        if let (Some(worker), Some(exchange)) = (&self.worker, &self.exchange) {
            worker.handle_end(self.id, exchange);
        }
    }
}
