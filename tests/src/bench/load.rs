//! The load generator: one thread, many connections, HTTP/1.1 or HTTP/2, every answer's status counted.
//!
//! It is our own because wrk speaks no HTTP/2 and no fixed rate, and h2load sends one set of headers: here both protocols
//! send the same requests, each with a key of its choice, and latency counts from the moment a request was due, also when
//! it could not be sent then. Requests are put together beforehand, so that one core loads another one fully.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

mod connection;
mod http1;
mod http2;
mod poller;
mod request;

pub(super) use request::{Protocol, Request, Requests};

use connection::Connection;
use poller::Poller;

/// How many requests are open at once at saturation: HTTP/1.1 has as many connections.
pub(super) const CONCURRENCY: usize = 32;
/// HTTP/2 has this many streams on each connection.
const STREAMS: usize = 8;
/// An answer that takes longer than this is a failure of the whole run.
const PATIENCE: Duration = Duration::from_secs(30);

/// Open connections and what to send on them.
pub(super) struct Load {
    requests: Arc<Requests>,
    connections: Vec<Connection>,
    poller: Poller,
    /// The number of requests sent so far, which picks the next one.
    sent: u64,
}

/// One answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answered {
    /// Its status.
    pub(super) status: u16,
    /// When the request was sent.
    pub(super) asked: Instant,
    /// When the whole answer was there.
    pub(super) answered: Instant,
}

/// What came back.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// How many answers had which status.
    pub(super) statuses: BTreeMap<u16, u64>,
    /// From when a request was due to the end of its answer, in nanoseconds.
    pub(super) latencies: Vec<u64>,
    /// From the first request to the last answer.
    pub(super) elapsed: Duration,
}

impl Load {
    /// Connects as often as [`CONCURRENCY`] open requests need.
    pub(super) fn open(addr: SocketAddr, requests: &Arc<Requests>) -> Self {
        Self::with_concurrency(addr, requests, CONCURRENCY)
    }

    /// Connects as often as so many open requests need.
    ///
    /// # Panics
    /// When a connection is refused.
    pub(super) fn with_concurrency(
        addr: SocketAddr,
        requests: &Arc<Requests>,
        concurrency: usize,
    ) -> Self {
        let streams = match requests.protocol() {
            Protocol::Http1 => 1,
            Protocol::Http2 => STREAMS.min(concurrency),
        };
        let poller = Poller::new();
        let connections = (0..concurrency.div_ceil(streams))
            .map(|index| {
                let connection = Connection::open(addr, requests.protocol(), streams);
                poller.add(&connection, index);
                connection
            })
            .collect();
        Self {
            requests: Arc::clone(requests),
            connections,
            poller,
            sent: 0,
        }
    }

    /// Sends as fast as answers come, then waits for the last ones.
    pub(super) fn saturate(&mut self, duration: Duration) -> Answers {
        let until = Instant::now() + duration;
        self.run(|_| Instant::now() < until)
    }

    /// Sends so many requests as fast as answers come.
    pub(super) fn exactly(&mut self, count: u64) -> Answers {
        let last = self.sent + count;
        self.run(|sent| sent < last)
    }

    /// Sends at an even rate, whatever comes back, for `duration`. A request that finds every connection busy waits, and
    /// the wait is part of its latency.
    pub(super) fn paced(&mut self, per_second: u32, duration: Duration) -> Answers {
        let interval = Duration::from_secs(1) / per_second;
        let started = Instant::now();
        let total = u64::from(per_second) * duration.as_millis() as u64 / 1000;
        let mut scheduled = 0;
        let mut waiting = VecDeque::new();
        let mut answers = Answers::default();
        while answers.latencies.len() < total as usize {
            let now = Instant::now();
            while scheduled < total {
                let due = started + interval * scheduled as u32;
                if due > now {
                    break;
                }
                waiting.push_back(due);
                scheduled += 1;
            }
            self.send_waiting(&mut waiting);
            let next = (scheduled < total).then(|| started + interval * scheduled as u32);
            self.receive(next, &mut answers);
            assert!(
                started.elapsed() < duration + PATIENCE,
                "answers stay away: {:?}",
                answers.statuses
            );
        }
        answers.elapsed = started.elapsed();
        answers
    }

    /// Sends one request on every connection and returns what each answered, and when it was asked.
    pub(super) fn sweep(&mut self, request: &Request) -> Vec<(u16, Instant)> {
        self.ask_each(request);
        let answers = self.each_answer().into_iter();
        answers
            .map(|answer| (answer.status, answer.asked))
            .collect()
    }

    /// Sends one request on every connection; [`each_answer`](Self::each_answer) waits for what it answers.
    pub(super) fn ask_each(&mut self, request: &Request) {
        let encoded = request.encode(self.requests.protocol());
        for connection in &mut self.connections {
            connection.send(&encoded, Instant::now());
            connection.flush();
        }
    }

    /// The answer of every connection, each of which was asked once.
    pub(super) fn each_answer(&mut self) -> Vec<Answered> {
        let started = Instant::now();
        let mut answers = vec![None; self.connections.len()];
        let mut missing = answers.len();
        while missing > 0 {
            for index in self.poller.wait(None) {
                self.connections[index].receive(|status, asked| {
                    missing -= 1;
                    answers[index] = Some(Answered {
                        status,
                        asked,
                        answered: Instant::now(),
                    });
                });
            }
            assert!(started.elapsed() < PATIENCE, "answers stay away");
        }
        answers.into_iter().flatten().collect()
    }

    fn run(&mut self, more: impl Fn(u64) -> bool) -> Answers {
        let started = Instant::now();
        let mut answers = Answers::default();
        let mut last_answer = started;
        loop {
            for index in 0..self.connections.len() {
                while self.connections[index].has_room() && more(self.sent) {
                    self.send(index, Instant::now());
                }
                self.connections[index].flush();
            }
            if self.connections.iter().all(Connection::is_idle) {
                break;
            }
            let before = answers.latencies.len();
            self.receive(None, &mut answers);
            if answers.latencies.len() > before {
                last_answer = Instant::now();
            }
            assert!(
                last_answer.elapsed() < PATIENCE,
                "answers stay away: {:?}",
                answers.statuses
            );
        }
        answers.elapsed = started.elapsed();
        answers
    }

    fn send_waiting(&mut self, waiting: &mut VecDeque<Instant>) {
        if waiting.is_empty() {
            return;
        }
        for index in 0..self.connections.len() {
            while self.connections[index].has_room()
                && let Some(due) = waiting.pop_front()
            {
                self.send(index, due);
            }
            self.connections[index].flush();
            if waiting.is_empty() {
                return;
            }
        }
    }

    fn send(&mut self, index: usize, due: Instant) {
        let request = self.requests.pick(self.sent);
        self.connections[index].send(&request, due);
        self.sent += 1;
    }

    fn receive(&mut self, until: Option<Instant>, answers: &mut Answers) {
        for index in self.poller.wait(until) {
            self.connections[index].receive(|status, due| {
                *answers.statuses.entry(status).or_default() += 1;
                let latency = Instant::now().saturating_duration_since(due);
                answers.latencies.push(latency.as_nanos() as u64);
            });
            if self.connections[index].is_closed() {
                self.poller.remove(&self.connections[index]);
            }
        }
    }
}

impl Answers {
    /// How many there are.
    #[must_use]
    pub(super) fn count(&self) -> u64 {
        self.latencies.len() as u64
    }

    /// Whether there are some, and all have this status.
    #[must_use]
    pub(super) fn are_all(&self, status: u16) -> bool {
        self.statuses.len() == 1 && self.statuses.contains_key(&status)
    }

    /// Answers per second.
    #[must_use]
    pub(super) fn per_second(&self) -> f64 {
        self.count() as f64 / self.elapsed.as_secs_f64()
    }
}
