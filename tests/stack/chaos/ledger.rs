//! Which answers are right at which time. Judged for every answer that comes.
//!
//! - 503 is right while there is trouble, with a `retry-after`; for a key that is known to be good it is not even then,
//!   unless the control plane denied its project.
//! - 404 is right while the control plane stands on an empty database: "no such project" is its honest answer then.
//!   It is no 401 even there, since a project that does not exist refuses no key.
//! - A revoked key gets 200 until its bound, and 401 from the revocation on.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::flips::connection::Reply;

/// How long after the end of a trouble its effects may be seen: a check that was sent in it ends after its timeout of
/// one second, and a busy machine is late.
const GRACE: Duration = Duration::from_secs(2);
/// How long after the return of the real database the answers of the empty one may be seen: the pause after a failed
/// poll, the bound, and some for a busy machine.
const RECOVERY: Duration = Duration::from_secs(2);
/// How long after a revocation is acknowledged it is in force; twice what is promised, for a busy machine.
const BOUND: Duration = Duration::from_secs(2);
/// How long after the end of a trouble the revocations of meanwhile are in force: the pause after a failed poll and the
/// bound, and as much again for a busy machine.
const CATCHING_UP: Duration = Duration::from_secs(3);
/// The longest that a request may take: the timeout of a check, and as much again for a busy machine.
const LONGEST: Duration = Duration::from_secs(2);

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    /// With a good key, used all the time.
    Regular,
    /// With a good key that the gateway may not have seen before.
    Newcomer,
    /// With a key that is revoked at some time, by its number.
    Victim(usize),
    /// With a key that nobody knows.
    Stranger,
    /// Without a key, to a project that requires one.
    Keyless,
    /// Without a key, to a project that requires none.
    Guest,
    /// To a project that does not exist.
    Lost,
}

/// What was, and what was wrong about it.
#[derive(Default)]
pub(super) struct Ledger(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    troubles: Vec<Window>,
    empties: Vec<Window>,
    drains: Vec<Window>,
    revocations: BTreeMap<usize, Revocation>,
    answers: BTreeMap<(Who, u16), u64>,
    longest: Duration,
    /// How often each wrong thing was seen.
    wrong: BTreeMap<String, u64>,
}

/// A time whose end may not be known yet.
struct Window {
    name: String,
    from: Instant,
    to: Option<Instant>,
}

struct Revocation {
    from: Instant,
    in_force: Option<Instant>,
}

impl Ledger {
    /// The control plane is about to be in trouble.
    pub(super) fn trouble_begins(&self, name: &str) {
        self.lock().troubles.push(Window::beginning(name));
    }

    /// It is not any more. Revocations of meanwhile must be in force soon.
    pub(super) fn trouble_ends(&self) {
        let mut inner = self.lock();
        end(&mut inner.troubles);
        let in_force = Instant::now() + CATCHING_UP;
        for revocation in inner.revocations.values_mut() {
            revocation.in_force.get_or_insert(in_force);
        }
    }

    /// The control plane is about to know nobody.
    pub(super) fn emptiness_begins(&self) {
        self.lock().empties.push(Window::beginning("empty"));
    }

    /// It serves the real database again.
    pub(super) fn emptiness_ends(&self) {
        end(&mut self.lock().empties);
    }

    /// The gateway is about to close connections.
    pub(super) fn drain_begins(&self) {
        self.lock().drains.push(Window::beginning("drain"));
    }

    /// It has closed them.
    pub(super) fn drain_ends(&self) {
        end(&mut self.lock().drains);
    }

    /// Whether a connection may be closed while nothing is being answered on it.
    pub(super) fn is_draining(&self) -> bool {
        let now = Instant::now();
        covers(&self.lock().drains, now, now, GRACE).is_some()
    }

    /// The victim's key is about to be revoked.
    pub(super) fn revocation_begins(&self, victim: usize) {
        let revocation = Revocation {
            from: Instant::now(),
            in_force: None,
        };
        self.lock().revocations.insert(victim, revocation);
    }

    /// It is revoked. While there is trouble nobody may be able to know; see [`trouble_ends`](Self::trouble_ends).
    pub(super) fn revocation_ends(&self, victim: usize) {
        let mut inner = self.lock();
        let now = Instant::now();
        if covers(&inner.troubles, now, now, Duration::ZERO).is_none()
            && let Some(revocation) = inner.revocations.get_mut(&victim)
        {
            revocation.in_force = Some(now + BOUND);
        }
    }

    /// Whether it is not the time for this one to ask: a sleeper, once revoked, asks only in times of trouble. By then
    /// nobody but the change feed has told the workers of the revocation.
    pub(super) fn sleeps(&self, who: Who) -> bool {
        let Who::Victim(victim) = who else {
            return false;
        };
        let inner = self.lock();
        let trouble = inner.troubles.last().is_some_and(|last| last.to.is_none());
        Self::is_sleeper(victim) && inner.revocations.contains_key(&victim) && !trouble
    }

    /// Half of the victims are; of those revoked in a calm, and of those revoked in trouble.
    pub(super) fn is_sleeper(victim: usize) -> bool {
        victim % 4 < 2
    }

    pub(super) fn complain(&self, complaint: String) {
        *self.lock().wrong.entry(complaint).or_default() += 1;
    }

    /// Judges one answer.
    pub(super) fn judge(&self, who: Who, reply: Reply) {
        let mut inner = self.lock();
        *inner.answers.entry((who, reply.status)).or_default() += 1;
        let took = reply.received - reply.sent;
        inner.longest = inner.longest.max(took);
        let complaint = inner.complaint(who, reply).or_else(|| {
            (took > LONGEST).then(|| format!("{who:?} waited {took:.1?} for a {}", reply.status))
        });
        if let Some(complaint) = complaint {
            *inner.wrong.entry(complaint).or_default() += 1;
        }
    }

    /// What came back, if nothing about it was wrong.
    pub(super) fn answers(&self) -> (BTreeMap<(Who, u16), u64>, Duration) {
        let (answers, longest, wrong) = {
            let inner = self.lock();
            (inner.answers.clone(), inner.longest, inner.wrong.clone())
        };
        assert!(wrong.is_empty(), "{wrong:#?}");
        (answers, longest)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("the ledger's lock")
    }
}

impl Inner {
    fn complaint(&self, who: Who, reply: Reply) -> Option<String> {
        let Reply {
            status,
            sent,
            received,
            ..
        } = reply;
        let empty = covers(&self.empties, sent, received, RECOVERY).is_some();
        let trouble = covers(&self.troubles, sent, received, GRACE).is_some();
        let right = match (who, status) {
            (_, 503) if !reply.retry_after => false,
            (Who::Regular, 503) => empty,
            (_, 503) => trouble,
            (Who::Lost, 404) => true,
            (_, 404) => empty,
            (Who::Regular | Who::Newcomer | Who::Guest, status) => status == 200,
            (Who::Stranger | Who::Keyless, status) => status == 401,
            (Who::Lost, _) => false,
            (Who::Victim(victim), status) => {
                let revocation = self.revocations.get(&victim);
                match status {
                    200 => {
                        let in_force = revocation.and_then(|revocation| revocation.in_force);
                        in_force.is_none_or(|in_force| sent <= in_force)
                    }
                    401 => revocation.is_some_and(|revocation| received >= revocation.from),
                    _ => false,
                }
            }
        };
        (!right).then(|| {
            let when = self.troubles.last().map_or_else(
                || "before all trouble".to_owned(),
                |last| format!("{} {}", if trouble { "in" } else { "after" }, last.name),
            );
            let empty = if empty { ", known to nobody" } else { "" };
            let promise = if reply.retry_after { "with" } else { "without" };
            format!("{who:?} got {status} {when}{empty}, {promise} retry-after")
        })
    }
}

impl Window {
    fn beginning(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            from: Instant::now(),
            to: None,
        }
    }
}

fn end(windows: &mut [Window]) {
    if let Some(window) = windows.last_mut() {
        window.to = Some(Instant::now());
    }
}

/// The window that a time from `sent` to `received` has a part in, counting `grace` after its end.
fn covers(
    windows: &[Window],
    sent: Instant,
    received: Instant,
    grace: Duration,
) -> Option<&Window> {
    windows
        .iter()
        .find(|window| received >= window.from && window.to.is_none_or(|to| sent <= to + grace))
}
