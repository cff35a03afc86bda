//! Wakes the worker's own root context from a request's callback.
//!
//! A check must be sent by the root: Envoy throws away the answer to one that a request sent and did not live to
//! see. A shared queue addressed to oneself arrives within 20 to 100 µs, a tick only after milliseconds.

use proxy_wasm::hostcalls;
use proxy_wasm::types::Status;

use super::random::random;

/// The queue of one root context.
#[derive(Debug, Clone, Copy)]
pub(super) struct WakeUp(u32);

impl WakeUp {
    /// Registers a queue under a name that nobody else has: the last to register a name gets its events.
    pub(super) fn register() -> Result<Self, Status> {
        let name = format!("mcp-key-auth/wake-up/{:016x}{:016x}", random(), random());
        hostcalls::register_shared_queue(&name).map(Self)
    }

    /// Has `on_queue_ready` called on the root soon. Should it fail, the root's tick does the work.
    pub(super) fn ring(self) {
        if hostcalls::enqueue_shared_queue(self.0, Some(b"!")).is_err() {
            log::warn!("the wake-up queue is gone; checks are sent at the next tick");
        }
    }

    /// Empties the queue.
    pub(super) fn drain(self) {
        while let Ok(Some(_)) = hostcalls::dequeue_shared_queue(self.0) {}
    }
}
