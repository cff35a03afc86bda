//! What is asked, what the answer has to be, and from when on another one: judged for every answer that comes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use stack::deadline::eventually;

use super::PATIENCE;
use super::connection::{Reply, request};

/// One in so many requests is about a subject that must not change, or not any more.
const SETTLED_SHARE: usize = 8;

/// The subjects, and what was found wrong.
pub(super) struct Board {
    /// The number of connections, each of which must have seen a subject before and after it turns.
    connections: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    subjects: Vec<Subject>,
    /// By lane, the one that is about to turn.
    lanes: BTreeMap<usize, usize>,
    settled: Vec<usize>,
    answers: u64,
    /// How often each wrong thing was seen.
    wrong: BTreeMap<String, u64>,
}

/// A question that is asked again and again.
struct Subject {
    name: String,
    request: Arc<[u8]>,
    /// The right answer, or the old one while it turns.
    status: u16,
    seen_by: BTreeSet<usize>,
    turn: Option<Turn>,
}

/// The time between the moment before a change is made and the moment at which it has reached everybody.
struct Turn {
    status: u16,
    acknowledged: Option<Instant>,
    seen_by: BTreeSet<usize>,
    /// By worker, when the first new answer was read.
    first_new: BTreeMap<usize, Instant>,
    last_old: Option<Instant>,
}

impl Board {
    pub(super) fn new(connections: usize) -> Arc<Self> {
        Arc::new(Self {
            connections,
            inner: Mutex::default(),
        })
    }

    /// Adds a question whose right answer is `status` until it is made to turn.
    pub(super) fn add(&self, name: &str, project: &str, key: Option<&str>, status: u16) -> usize {
        let mut inner = self.lock();
        inner.subjects.push(Subject {
            name: name.to_owned(),
            request: request(project, key).into(),
            status,
            seen_by: BTreeSet::new(),
            turn: None,
        });
        inner.subjects.len() - 1
    }

    /// From here on asks now and then about a subject.
    pub(super) fn settle(&self, subject: usize) {
        self.lock().settled.push(subject);
    }

    /// Has `change` done while every connection asks about the subject, and returns when all of them have seen the
    /// new answer. Tells how long after the change was acknowledged the last old answer was read.
    pub(super) async fn turn(
        &self,
        (lane, subject): (usize, usize),
        status: u16,
        pause: Duration,
        change: impl AsyncFnOnce(),
    ) -> Duration {
        {
            let mut inner = self.lock();
            inner.lanes.insert(lane, subject);
            inner.subjects[subject].seen_by.clear();
        }
        self.until(subject, "all know the old answer", |subject| {
            &subject.seen_by
        })
        .await;
        // Changes come at any moment of the filter's ticks and polls.
        tokio::time::sleep(pause).await;
        self.lock().subjects[subject].turn = Some(Turn {
            status,
            acknowledged: None,
            seen_by: BTreeSet::new(),
            first_new: BTreeMap::new(),
            last_old: None,
        });
        change().await;
        let acknowledged = Instant::now();
        if let Some(turn) = &mut self.lock().subjects[subject].turn {
            turn.acknowledged = Some(acknowledged);
        }
        self.until(subject, "all know the new answer", |subject| {
            let turn = subject.turn.as_ref();
            turn.map_or(&subject.seen_by, |turn| &turn.seen_by)
        })
        .await;
        let mut inner = self.lock();
        inner.lanes.remove(&lane);
        let subject = &mut inner.subjects[subject];
        subject.status = status;
        let turn = subject.turn.take().expect("it turns");
        turn.last_old.map_or(Duration::ZERO, |last| {
            last.saturating_duration_since(acknowledged)
        })
    }

    async fn until(&self, subject: usize, what: &str, seen: impl Fn(&Subject) -> &BTreeSet<usize>) {
        eventually(PATIENCE, what, async || {
            self.answers();
            let inner = self.lock();
            (seen(&inner.subjects[subject]).len() == self.connections).then_some(())
        })
        .await;
    }

    /// What a connection asks next, by the number of its request.
    pub(super) fn pick(&self, turn: usize) -> (usize, Arc<[u8]>) {
        let inner = self.lock();
        let lanes: Vec<_> = inner.lanes.values().copied().collect();
        let subject = if turn.is_multiple_of(SETTLED_SHARE) || lanes.is_empty() {
            // Far from the next one's, so that all get their turn on every connection.
            inner.settled[turn / SETTLED_SHARE * 31 % inner.settled.len()]
        } else {
            lanes[turn % lanes.len()]
        };
        (subject, Arc::clone(&inner.subjects[subject].request))
    }

    /// Judges an answer that the connection, which is the worker's, got.
    pub(super) fn judge(&self, (connection, worker): (usize, usize), subject: usize, reply: Reply) {
        let mut inner = self.lock();
        inner.answers += 1;
        let subject = &mut inner.subjects[subject];
        let (name, status) = (&subject.name, reply.status);
        let complaint = match &mut subject.turn {
            None if status == subject.status => {
                subject.seen_by.insert(connection);
                None
            }
            None => Some(format!("{name}: {status} instead of {}", subject.status)),
            Some(turn) if status == turn.status => {
                turn.first_new.entry(worker).or_insert(reply.received);
                // Before that, what was seen may have been sent before others saw the old answer.
                if turn.acknowledged.is_some_and(|at| reply.sent > at) {
                    turn.seen_by.insert(connection);
                }
                None
            }
            Some(turn) if status == subject.status => {
                turn.last_old = turn.last_old.max(Some(reply.received));
                let since = turn.first_new.get(&worker);
                let since = since.map(|first| reply.sent.saturating_duration_since(*first));
                since.filter(|since| !since.is_zero()).map(|_| {
                    format!("{name}: {status} on worker {worker}, which knew better already")
                })
            }
            Some(_) => Some(format!(
                "{name}: {status}, neither the old nor the new answer"
            )),
        };
        if let Some(complaint) = complaint {
            *inner.wrong.entry(complaint).or_default() += 1;
        }
    }

    pub(super) fn complain(&self, complaint: String) {
        *self.lock().wrong.entry(complaint).or_default() += 1;
    }

    /// How many answers there were, if none was wrong.
    pub(super) fn answers(&self) -> u64 {
        let (answers, wrong) = {
            let inner = self.lock();
            (inner.answers, inner.wrong.clone())
        };
        assert!(wrong.is_empty(), "{wrong:#?}");
        answers
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("the board's lock")
    }
}
