//! What lies between the filter and the control plane: delays, faults, answers that get lost.

use std::collections::HashMap;

use edge_api::check::CheckRequest;

use super::cast::TIMEOUT_MS;
use super::control_plane::ControlPlane;
use super::weather::{Reply, Trouble, Weather, spoil};
use super::world::TICK_MS;
use crate::check::Fault;
use crate::now::Now;
use crate::reachability::PROBE_INTERVAL_MS;

/// How long after a check failed its worker may still take the control plane for unreachable: until it has noticed that
/// the answer is lost, a probe is due, and that has been answered.
const IN_DOUBT_MS: u64 = (100 + TICK_MS) + (PROBE_INTERVAL_MS + TICK_MS) + TIMEOUT_MS + TICK_MS;

/// Callouts under way.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) checks: Weather,
    pub(super) polls: Weather,
    dice: u64,
    last_token: u32,
    calls: Vec<Call>,
    /// Per worker, when its last check failed that did.
    failed_ms: HashMap<usize, u64>,
}

/// A callout as Envoy's embedder sees it.
#[derive(Debug)]
struct Call {
    worker: usize,
    vm: u32,
    token: u32,
    ask: Ask,
    trouble: Option<Trouble>,
    back_ms: u64,
    ends_ms: u64,
    at: At,
}

/// What is asked.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    Check(Vec<u8>),
    Poll { after: u64, wait_ms: u64 },
}

#[derive(Debug)]
enum At {
    Outbound {
        arrives_ms: u64,
    },
    /// At the control plane, whose database was then of this generation.
    Parked {
        until_ms: u64,
        since: u32,
    },
    Inbound {
        lands_ms: u64,
        reply: Reply,
    },
    Nowhere,
}

/// A callout that ended.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) worker: usize,
    pub(super) vm: u32,
    pub(super) token: u32,
    pub(super) reply: Reply,
    pub(super) twice: bool,
}

impl Network {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            checks: Weather::FINE,
            polls: Weather::FINE,
            dice: seed | 1,
            last_token: 0,
            calls: Vec::new(),
            failed_ms: HashMap::new(),
        }
    }

    /// Takes a callout of a VM; its token.
    pub(super) fn send(
        &mut self,
        (worker, vm): (usize, u32),
        ask: Ask,
        now_ms: u64,
        timeout_ms: u64,
    ) -> Result<u32, Fault> {
        let weather = match ask {
            Ask::Check(_) => self.checks,
            Ask::Poll { .. } => self.polls,
        };
        let suffers = self.throw(10) < u64::from(weather.share);
        let trouble = suffers.then_some(weather.trouble);
        if trouble == Some(Trouble::NotSent) {
            if matches!(ask, Ask::Check(_)) {
                self.failed_ms.insert(worker, now_ms);
            }
            return Err(Fault::NotSent);
        }
        if let Ask::Check(body) = &ask {
            let equal = |call: &&Call| {
                (call.worker, call.vm) == (worker, vm)
                    && matches!(&call.ask, Ask::Check(other) if other == body)
            };
            assert!(
                self.calls
                    .iter()
                    .find(equal)
                    .is_none_or(|call| call.ends_ms <= now_ms),
                "invariant 6: two equal checks are under way on worker {worker}"
            );
        }
        self.last_token += 1;
        let out_ms = self.throw(weather.delay_ms + 1);
        let back_ms = self.throw(weather.delay_ms + 1);
        self.calls.push(Call {
            worker,
            vm,
            token: self.last_token,
            ask,
            trouble,
            back_ms,
            ends_ms: now_ms + timeout_ms,
            at: At::Outbound {
                arrives_ms: now_ms + out_ms,
            },
        });
        Ok(self.last_token)
    }

    /// A VM is gone, and with it whoever would hear the answers.
    pub(super) fn forget(&mut self, worker: usize) {
        self.calls.retain(|call| call.worker != worker);
    }

    /// When something happens next.
    pub(super) fn next_ms(&self) -> Option<u64> {
        let due = |call: &Call| match call.at {
            At::Outbound { arrives_ms: at } | At::Parked { until_ms: at, .. } => {
                at.min(call.ends_ms)
            }
            At::Inbound { lands_ms, .. } => lands_ms.min(call.ends_ms),
            At::Nowhere => call.ends_ms,
        };
        self.calls.iter().map(due).min()
    }

    /// Checks under way from one VM.
    pub(super) fn checks_of(&self, worker: usize) -> usize {
        let is_check = |call: &&Call| call.worker == worker && matches!(call.ask, Ask::Check(_));
        self.calls.iter().filter(is_check).count()
    }

    /// An answer told this worker of a past that it knows to be over: as good as none.
    pub(super) fn note_outdated(&mut self, worker: usize, now: Now) {
        self.failed_ms.insert(worker, now.monotonic_ms);
    }

    /// Whether a check of this worker failed so recently that it may not know better.
    pub(super) fn failed_lately(&self, worker: usize, now: Now) -> bool {
        let failed_ms = self.failed_ms.get(&worker);
        failed_ms.is_some_and(|at_ms| now.monotonic_ms <= at_ms + IN_DOUBT_MS)
    }

    /// The control plane's state changed: polls that wait for that are answered.
    pub(super) fn wake(&mut self, control_plane: &ControlPlane, now_ms: u64, unix_ms: u64) {
        for call in &mut self.calls {
            if matches!(call.at, At::Parked { .. }) {
                call.arrive(control_plane, now_ms, unix_ms);
            }
        }
    }

    /// Moves everything that is due, one thing at a time; a callout that ended, if that was it.
    pub(super) fn advance(
        &mut self,
        control_plane: &ControlPlane,
        now_ms: u64,
        unix_ms: u64,
    ) -> Option<Delivery> {
        for index in 0..self.calls.len() {
            let call = &mut self.calls[index];
            call.arrive(control_plane, now_ms, unix_ms);
            let reply = match &call.at {
                At::Inbound { lands_ms, reply } if *lands_ms <= now_ms => Some(reply.clone()),
                _ if call.ends_ms <= now_ms => Some(Err(Fault::Timeout)),
                _ => None,
            };
            if let Some(reply) = reply {
                let call = self.calls.remove(index);
                let spoilt = !matches!(call.trouble, None | Some(Trouble::Twice));
                if matches!(call.ask, Ask::Check(_)) && (spoilt || reply.is_err()) {
                    self.failed_ms.insert(call.worker, now_ms);
                }
                if call.trouble == Some(Trouble::Lost) {
                    return self.advance(control_plane, now_ms, unix_ms);
                }
                return Some(Delivery {
                    worker: call.worker,
                    vm: call.vm,
                    token: call.token,
                    reply,
                    twice: call.trouble == Some(Trouble::Twice),
                });
            }
        }
        None
    }

    fn throw(&mut self, sides: u64) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        (self.dice >> 11) % sides
    }
}

impl Call {
    /// Reaches the control plane, or is answered by it, when it is time.
    fn arrive(&mut self, control_plane: &ControlPlane, now_ms: u64, unix_ms: u64) {
        if let At::Outbound { arrives_ms } = self.at
            && arrives_ms <= now_ms
        {
            let wait_ms = match self.ask {
                Ask::Poll { wait_ms, .. } => wait_ms,
                Ask::Check(_) => 0,
            };
            self.at = match self.trouble {
                Some(Trouble::BlackHole | Trouble::Lost) => At::Nowhere,
                _ => At::Parked {
                    until_ms: now_ms + wait_ms,
                    since: control_plane.present().generation,
                },
            };
        }
        let At::Parked { until_ms, since } = self.at else {
            return;
        };
        let answer = match &self.ask {
            Ask::Check(body) => {
                let request: CheckRequest = serde_json::from_slice(body).unwrap();
                serde_json::to_vec(&control_plane.check(&request, unix_ms)).unwrap()
            }
            Ask::Poll { after, .. } => {
                let (answer, news) = control_plane.changes_after(*after, since);
                if !news && now_ms < until_ms && self.trouble.is_none() {
                    return;
                }
                serde_json::to_vec(&answer).unwrap()
            }
        };
        self.at = At::Inbound {
            lands_ms: now_ms + self.back_ms,
            reply: spoil(answer, self.trouble),
        };
    }
}
