//! The context of one plugin on one worker: loads the configuration, sends checks, receives their answers.

use std::rc::Rc;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{BufferType, ContextType};

use super::http_context::AuthHttp;
use super::worker::Worker;
use crate::config::Config;

/// The plugin on this worker.
pub(super) struct AuthRoot {
    id: u32,
    worker: Option<Rc<Worker>>,
}

impl AuthRoot {
    pub(super) fn new(id: u32) -> Self {
        Self { id, worker: None }
    }

    fn configure(&mut self, size: usize) -> Result<(), String> {
        let json = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, size)
            .ok()
            .flatten()
            .unwrap_or_default();
        let config = Config::parse(&json, |name| std::env::var(name).ok())
            .map_err(|error| error.to_string())?;
        let worker = Worker::new(self.id, config).map_err(|status| {
            format!(
                "Envoy refused a metric, a queue or a tick: status {}",
                status as u32
            )
        })?;
        self.worker = Some(Rc::new(worker));
        Ok(())
    }
}

impl Context for AuthRoot {
    fn on_http_call_response(
        &mut self,
        token: u32,
        num_headers: usize,
        body_size: usize,
        _num_trailers: usize,
    ) {
        if let Some(worker) = &self.worker {
            worker.handle_response(token, num_headers, body_size);
        }
    }
}

impl RootContext for AuthRoot {
    fn on_configure(&mut self, size: usize) -> bool {
        match self.configure(size) {
            Ok(()) => true,
            Err(problem) => {
                log::error!("mcp-key-auth configuration refused: {problem}");
                false
            }
        }
    }

    fn on_queue_ready(&mut self, _queue_id: u32) {
        if let Some(worker) = &self.worker {
            worker.handle_wake_up();
        }
    }

    fn on_tick(&mut self) {
        if let Some(worker) = &self.worker {
            worker.handle_tick();
        }
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(AuthHttp::new(id, self.worker.clone())))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
