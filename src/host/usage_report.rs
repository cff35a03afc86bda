//! Hands what was counted over to the control plane, one batch at a time.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use edge_api::USAGE_PATH;
use edge_api::id::Id;
use edge_api::usage::UsageResponse;
use proxy_wasm::hostcalls;

use super::callout;
use super::metrics::Metrics;
use super::random::random;
use crate::authenticator::Decision;
use crate::cache::Seal;
use crate::check::{Fault, MAX_ANSWER_LEN};
use crate::config::ControlPlane;
use crate::now::Now;
use crate::usage::{Counted, Hint, Usage};

/// The usage of one worker.
#[derive(Debug)]
pub(super) struct UsageReport {
    seal: Rc<Seal>,
    usage: RefCell<Usage>,
    under_way: Cell<Option<Report>>,
}

/// A batch under way.
#[derive(Debug, Clone, Copy)]
struct Report {
    token: u32,
    /// When it is given up, should Envoy lose its answer.
    ends_at_ms: u64,
}

impl UsageReport {
    pub(super) fn new(seal: Rc<Seal>, interval_ms: u64, jitter: u8, now: Now) -> Self {
        Self {
            seal,
            usage: RefCell::new(Usage::new(
                Id::of_number(random()),
                interval_ms,
                jitter,
                now,
            )),
            under_way: Cell::default(),
        }
    }

    /// Counts a request on which this was decided. `hint` is common to requests like it.
    pub(super) fn count(&self, decision: &Decision, hint: &Hint, now: Now, metrics: &Metrics) {
        if let Some(counted) = Counted::of(decision)
            && !self.usage.borrow_mut().count(&counted, hint, now)
        {
            metrics.usage_unattributed();
        }
    }

    /// Sends the next batch when it is time for one. Called on the root.
    pub(super) fn handle_tick(
        &self,
        control_plane: &ControlPlane,
        in_force: Option<u64>,
        now: Now,
        metrics: &Metrics,
    ) {
        let under_way = self.under_way.get();
        if under_way.is_some_and(|report| now.monotonic_ms < report.ends_at_ms) {
            return;
        }
        let mut usage = self.usage.borrow_mut();
        if !usage.is_due(now) {
            return;
        }
        let Some(batch) = usage.next_batch(self.envoy(), in_force, now) else {
            return;
        };
        let body = serde_json::to_vec(&batch).unwrap_or_default();
        let sent = callout::send(
            control_plane,
            &[
                (":method", "POST"),
                (":path", USAGE_PATH),
                ("content-type", "application/json"),
            ],
            Some(&body),
            Duration::from_millis(control_plane.timeout_ms.into()),
        );
        match sent {
            Ok(token) => self.under_way.set(Some(Report {
                token,
                ends_at_ms: now.monotonic_ms + 2 * u64::from(control_plane.timeout_ms),
            })),
            Err(fault) => metrics.usage_reported(Some(fault)),
        }
    }

    /// Whether `token` is that of the batch under way.
    pub(super) fn is_report(&self, token: u32) -> bool {
        let under_way = self.under_way.get();
        under_way.is_some_and(|report| report.token == token)
    }

    /// The batch was answered, or was not.
    pub(super) fn handle_response(
        &self,
        num_headers: usize,
        body_size: usize,
        now: Now,
        metrics: &Metrics,
    ) {
        self.under_way.set(None);
        let answer =
            callout::read_response(num_headers, body_size, MAX_ANSWER_LEN).and_then(|body| {
                serde_json::from_slice::<UsageResponse>(&body).map_err(|_| Fault::Schema)
            });
        metrics.usage_reported(answer.as_ref().err().copied());
        if let Ok(answer) = answer {
            self.usage.borrow_mut().handle_answer(answer.sequence, now);
        }
    }

    /// What the workers of this Envoy call it: whatever the first of them came up with.
    fn envoy(&self) -> Id {
        let place = format!("mcp-key-auth/1/envoy/{:016x}", self.seal.namespace());
        let (bytes, cas) = hostcalls::get_shared_data(&place).unwrap_or((None, None));
        let standing = bytes
            .as_deref()
            .and_then(|bytes| self.seal.unwrap(&place, bytes))
            .and_then(|body| body.try_into().ok())
            .map(u64::from_le_bytes);
        Id::of_number(standing.unwrap_or_else(|| {
            let new = random();
            let sealed = self.seal.wrap(&place, &new.to_le_bytes());
            // Whoever writes at the same moment wins or loses; the next batch has the winner's.
            if hostcalls::set_shared_data(&place, Some(&sealed), cas).is_err() {
                log::debug!("another worker has named this Envoy");
            }
            new
        }))
    }
}
