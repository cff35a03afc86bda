//! The world around the workers: time, the order in which things happen, and what is checked after each of them.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use super::cast::{self, Shows, Target};
use super::envoy::Envoy;
use super::exchange::Ended;
use super::network::Delivery;
use super::oracle;
use super::shared_data::advance;
use super::worker::Worker;
use crate::authenticator::Ruling;

/// Time between two ticks of a worker.
pub(super) const TICK_MS: u64 = 100;
/// How many events a preempted callback stands still.
const STANDSTILL: u8 = 3;

/// Some workers of one Envoy, and the control plane.
pub(super) struct World {
    pub(super) envoy: Rc<Envoy>,
    pub(super) threads: Vec<Thread>,
    /// Requests that have not ended, and when they came.
    pub(super) waiting: HashMap<u32, (usize, u64)>,
    /// Responses that go on.
    pub(super) streams: HashMap<u32, (usize, Target, Shows)>,
    /// The next callback is preempted after so many accesses to shared data.
    pub(super) preempt: Option<u8>,
    /// While the feed is known to be at work: how old anything served may be.
    pub(super) bound_ms: Option<u64>,
    /// How the last request ended.
    pub(super) last: Option<Ended>,
    last_id: u32,
}

/// A worker thread.
pub(super) struct Thread {
    pub(super) worker: Rc<Worker>,
    next_tick_ms: u64,
    /// A callback that was preempted, and for how many events yet.
    pub(super) task: Option<(Task, u8)>,
}

type Task = Pin<Box<dyn Future<Output = ()>>>;

impl World {
    pub(super) fn new(workers: usize, seed: u64) -> Self {
        // Both failure modes, as the seed has it.
        let config = cast::config(seed.is_multiple_of(2));
        let envoy = Rc::new(Envoy::new(config, seed, 1_000_000));
        let thread = |index| Thread {
            worker: Rc::new(Worker::new(&envoy, (index, 0))),
            next_tick_ms: envoy.now_ms.get() + 1 + 37 * index as u64,
            task: None,
        };
        Self {
            threads: (0..workers).map(thread).collect(),
            envoy,
            waiting: HashMap::new(),
            streams: HashMap::new(),
            preempt: None,
            bound_ms: None,
            last: None,
            last_id: 0,
        }
    }

    /// A client sends a request to a worker.
    pub(super) fn request(
        &mut self,
        worker: usize,
        target: Target,
        shows: Shows,
        opens: bool,
    ) -> u32 {
        self.last_id += 1;
        let id = self.last_id;
        self.waiting.insert(id, (worker, self.envoy.now_ms.get()));
        self.call(worker, move |w| async move {
            w.handle_request(id, target, shows, opens).await;
        });
        id
    }

    /// The client of a request that waits goes away.
    pub(super) fn leave(&mut self, nth: usize) {
        let mut ids: Vec<u32> = self.waiting.keys().copied().collect();
        ids.sort_unstable();
        let Some(id) = ids.get(nth % ids.len().max(1)) else {
            return;
        };
        let (worker, _) = self.waiting[id];
        self.finish(worker);
        // It may have ended just now.
        if self.waiting.remove(id).is_some() {
            self.threads[worker].worker.handle_leave(*id);
        }
    }

    /// A stream ends by itself.
    pub(super) fn close(&mut self, nth: usize) {
        let mut ids: Vec<u32> = self.streams.keys().copied().collect();
        ids.sort_unstable();
        if let Some(id) = ids.get(nth % ids.len().max(1)) {
            let (worker, ..) = self.streams[id];
            self.finish(worker);
            self.threads[worker].worker.handle_close(*id);
            self.streams.remove(id);
        }
    }

    /// A worker's VM dies in the middle of whatever it does; a new one takes its place.
    pub(super) fn restart(&mut self, worker: usize) {
        let thread = &mut self.threads[worker];
        thread.task = None;
        let (_, vm) = thread.worker.vm;
        thread.worker = Rc::new(Worker::new(&self.envoy, (worker, vm + 1)));
        self.envoy.network.borrow_mut().forget(worker);
        self.waiting.retain(|_, (of, _)| *of != worker);
        self.streams.retain(|_, (of, ..)| *of != worker);
        self.drain();
    }

    /// Time passes, and all that is due happens in its order.
    pub(super) fn pass(&mut self, ms: u64) {
        let end_ms = self.envoy.now_ms.get() + ms;
        loop {
            let now_ms = self.envoy.now_ms.get();
            let tick = (0..self.threads.len())
                .min_by_key(|w| self.threads[*w].next_tick_ms)
                .unwrap_or(0);
            let tick_ms = self.threads[tick].next_tick_ms;
            let call_ms = self.envoy.network.borrow().next_ms().unwrap_or(u64::MAX);
            let next_ms = tick_ms.min(call_ms).max(now_ms);
            if next_ms > end_ms {
                break;
            }
            self.envoy.now_ms.set(next_ms);
            if call_ms <= tick_ms {
                self.deliver();
            } else {
                self.threads[tick].next_tick_ms += TICK_MS;
                self.call(tick, |w| async move { w.handle_tick().await });
            }
            self.check();
        }
        self.envoy.now_ms.set(end_ms);
        self.check();
    }

    /// Goes on with all that was preempted.
    pub(super) fn finish_all(&mut self) {
        (0..self.threads.len()).for_each(|worker| self.finish(worker));
    }

    /// After each event: those that were preempted come a step nearer to going on.
    pub(super) fn grow_older(&mut self) {
        for worker in 0..self.threads.len() {
            match &mut self.threads[worker].task {
                Some((_, left)) if *left > 0 => *left -= 1,
                Some(_) => self.finish(worker),
                None => {}
            }
        }
        self.check();
    }

    fn deliver(&mut self) {
        loop {
            let delivery = self.envoy.network.borrow_mut().advance(
                &self.envoy.control_plane.borrow(),
                self.envoy.now_ms.get(),
                self.envoy.unix_ms(),
            );
            let Some(delivery) = delivery else {
                return;
            };
            let Delivery {
                worker,
                vm,
                token,
                reply,
                twice,
            } = delivery;
            if self.threads[worker].worker.vm.1 != vm {
                continue;
            }
            for reply in std::iter::repeat_n(reply, 1 + usize::from(twice)) {
                self.call(worker, move |w| async move {
                    w.handle_response(token, reply).await;
                });
            }
        }
    }

    /// Runs a callback of a worker, which does one thing at a time.
    fn call<F: Future<Output = ()> + 'static>(
        &mut self,
        worker: usize,
        callback: impl FnOnce(Rc<Worker>) -> F,
    ) {
        self.finish(worker);
        self.envoy.turn.set(self.envoy.turn.get() + 1);
        let mut task: Task = Box::pin(callback(Rc::clone(&self.threads[worker].worker)));
        let steps = self.preempt.take().map_or(usize::MAX, usize::from);
        if advance(&mut task, steps) {
            self.after(worker);
        } else {
            self.threads[worker].task = Some((task, STANDSTILL));
        }
    }

    fn finish(&mut self, worker: usize) {
        if let Some((mut task, _)) = self.threads[worker].task.take() {
            advance(&mut task, usize::MAX);
            self.after(worker);
        }
    }

    /// What comes right after a callback: the wake-up that it asked for, and the oracle.
    fn after(&mut self, worker: usize) {
        if self.threads[worker].worker.rung.take() {
            self.call(worker, |w| async move { w.handle_wake_up().await });
        }
        self.drain();
    }

    fn drain(&mut self) {
        for ended in self.envoy.ended.take() {
            // A VM that died may have decided just before.
            if self.waiting.remove(&ended.id).is_none() {
                continue;
            }
            oracle::judge(&self.envoy.control_plane.borrow(), &ended, self.bound_ms);
            if ended.opens && matches!(ended.decision.ruling, Ruling::Continue { .. }) {
                let stream = (ended.worker, ended.target, ended.shows);
                self.streams.insert(ended.id, stream);
            }
            self.last = Some(ended);
        }
        for id in self.envoy.reset.take() {
            self.streams.remove(&id);
        }
    }
}
