//! Follows the change feed: every worker reads what is shared, and the one that holds the lease asks the control plane.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use edge_api::CHANGES_PATH;
use edge_api::changes::ChangesResponse;

use super::callout;
use super::metrics::Metrics;
use super::shared_feed::SharedFeed;
use crate::cache::Seal;
use crate::check::Fault;
use crate::config::ControlPlane;
use crate::feed::lease::{Turn, turn};
use crate::feed::{Feed, PROBE};
use crate::now::Now;

/// The largest answer that is read; more changes at once than fit are learnt as "everything may have changed".
const MAX_ANSWER_LEN: usize = 256 * 1024;
/// The longest that a poll waits for a change. It also bounds how long a dead connection goes unnoticed.
const MAX_WAIT_MS: u64 = 5_000;
/// Pause after a poll that failed.
const PAUSE_MS: u64 = 500;
/// A poll that is answered sooner than this is followed by the next one at the next tick: many changes in a row, or
/// somebody in between who answers at once, do not keep a worker busy.
const FLOOR_MS: u64 = 20;
/// How many answers in a row that cannot be read are taken for somebody else's, such as a load balancer's.
const MOST_UNREADABLE: u32 = 2;

/// The change feed on one worker.
#[derive(Debug)]
pub(super) struct FeedPoll {
    /// A random number by which this worker holds the lease.
    me: u64,
    wait_ms: u64,
    shared: SharedFeed,
    feed: RefCell<Feed>,
    poll: Cell<Option<Poll>>,
    leads: Cell<bool>,
    next: Cell<Next>,
    quiet_until_ms: Cell<u64>,
    /// Answers since the last good one that could not be read.
    unreadable: Cell<u32>,
}

/// What the next poll asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// What came after what is known, as soon as something does.
    Wait,
    /// The same, with the answer at once: after a fault the control plane may have another database by now, of which
    /// one that has nothing new to tell would tell only at the end of the wait.
    Look,
    /// Where the control plane stands, whatever came after something.
    BeginAnew,
}

/// A poll under way.
#[derive(Debug, Clone, Copy)]
struct Poll {
    token: u32,
    /// The feed's epoch when it was asked.
    epoch: u32,
    after: u64,
    asked_ms: u64,
    /// When it is given up, should Envoy lose its answer.
    ends_at_ms: u64,
}

impl FeedPoll {
    pub(super) fn new(seal: Rc<Seal>, me: u64, unconfirmed_ttl_ms: u64, now: Now) -> Self {
        let shared = SharedFeed::new(seal);
        let mut feed = Feed::new();
        // Before the first request: shared data may hold what the feed has long called changed.
        shared.follow(&mut feed);
        if feed == Feed::new() && !shared.is_untouched() {
            // Somebody followed, and what it knew is lost.
            feed.open_epoch(now.monotonic_ms);
        }
        Self {
            me,
            // An answer confirms as of when it was asked for: two polls in a row must fit well into that time.
            wait_ms: (unconfirmed_ttl_ms / 4).min(MAX_WAIT_MS),
            shared,
            feed: RefCell::new(feed),
            poll: Cell::default(),
            leads: Cell::default(),
            next: Cell::new(Next::Look),
            quiet_until_ms: Cell::default(),
            unreadable: Cell::default(),
        }
    }

    /// What this worker knows.
    pub(super) fn feed(&self) -> std::cell::Ref<'_, Feed> {
        self.feed.borrow()
    }

    /// Catches up with the other workers and, when it is this one's turn, polls. Called on the root.
    pub(super) fn handle_tick(&self, control_plane: &ControlPlane, now: Now, metrics: &Metrics) {
        self.shared.follow(&mut self.feed.borrow_mut());
        if let Some(poll) = self.poll.get()
            && now.monotonic_ms >= poll.ends_at_ms
        {
            self.poll.set(None);
            self.next.set(Next::Look);
        }
        let (standing, cas) = self.shared.lease();
        let leads = match turn(standing, self.me, now) {
            Turn::Hold => true,
            Turn::Renew(lease) => {
                self.shared.set_lease(lease, cas);
                true
            }
            Turn::Claim(lease) => {
                self.shared.set_lease(lease, cas);
                false
            }
            Turn::Follow => false,
        };
        if leads && !self.leads.get() {
            metrics.feed_leader_changed();
            // Whatever it was in doubt about, others have asked since.
            self.next.set(Next::Look);
        }
        self.leads.set(leads);
        if leads {
            let confirmed_ms = self.feed.borrow().mark.confirmed_ms;
            if confirmed_ms > 0 {
                metrics.feed_lag(now.monotonic_ms.saturating_sub(confirmed_ms));
            }
            if self.poll.get().is_none() && now.monotonic_ms >= self.quiet_until_ms.get() {
                self.send(control_plane, now, metrics);
            }
        }
    }

    /// Whether `token` is that of the poll under way.
    pub(super) fn is_poll(&self, token: u32) -> bool {
        self.poll.get().is_some_and(|poll| poll.token == token)
    }

    /// The poll ended. Tells whether anything is known to have changed.
    pub(super) fn handle_response(
        &self,
        control_plane: &ControlPlane,
        num_headers: usize,
        body_size: usize,
        now: Now,
        metrics: &Metrics,
    ) -> bool {
        let Some(poll) = self.poll.take() else {
            return false;
        };
        let answer =
            callout::read_response(num_headers, body_size, MAX_ANSWER_LEN).and_then(|body| {
                serde_json::from_slice::<ChangesResponse>(&body).map_err(|_| Fault::Schema)
            });
        let changed = match answer {
            Ok(answer) => self.take_over(poll, &answer, now, metrics),
            Err(fault) => {
                metrics.feed_polled(Some(fault));
                let unreadable = self.unreadable.get() + u32::from(fault == Fault::Schema);
                self.unreadable.set(unreadable);
                let too_large = fault == Fault::Schema && body_size > MAX_ANSWER_LEN;
                // An answer too large to read would be so again.
                self.pause(
                    if too_large || unreadable > MOST_UNREADABLE {
                        Next::BeginAnew
                    } else {
                        Next::Look
                    },
                    now,
                );
                return false;
            }
        };
        if self.leads.get() && now.monotonic_ms >= self.quiet_until_ms.get() {
            self.send(control_plane, now, metrics);
        }
        changed
    }

    fn take_over(&self, poll: Poll, answer: &ChangesResponse, now: Now, metrics: &Metrics) -> bool {
        let mut feed = self.feed.borrow_mut();
        let before = feed.mark;
        self.unreadable.set(0);
        // An answer of a time that is over tells nothing; what is known by now is asked about anew.
        let taken = if poll.epoch == before.epoch {
            feed.handle_answer(poll.after, answer, poll.asked_ms)
        } else {
            Ok(false)
        };
        match taken {
            Ok(anew) => {
                let changed = anew || feed.mark.revision > before.revision;
                metrics.feed_polled(None);
                if anew {
                    metrics.feed_began_anew();
                }
                self.next.set(Next::Wait);
                self.shared.publish(&mut feed, changed);
                changed
            }
            Err(_) => {
                metrics.feed_polled(Some(Fault::Schema));
                self.pause(Next::BeginAnew, now);
                false
            }
        }
    }

    fn send(&self, control_plane: &ControlPlane, now: Now, metrics: &Metrics) {
        self.quiet_until_ms.set(now.monotonic_ms + FLOOR_MS);
        let mark = self.feed.borrow().mark;
        let never_followed = mark.confirmed_ms == 0;
        let (after, wait_ms) = match self.next.get() {
            Next::Wait if !never_followed => (mark.revision, self.wait_ms),
            Next::Look if !never_followed => (mark.revision, 0),
            _ => (PROBE, 0),
        };
        let path = format!("{CHANGES_PATH}?after={after}&wait_ms={wait_ms}");
        let timeout_ms = wait_ms + u64::from(control_plane.timeout_ms);
        let sent = callout::send(
            control_plane,
            &[(":method", "GET"), (":path", &path)],
            None,
            Duration::from_millis(timeout_ms),
        );
        match sent {
            Ok(token) => self.poll.set(Some(Poll {
                token,
                epoch: mark.epoch,
                after,
                asked_ms: now.monotonic_ms,
                ends_at_ms: now.monotonic_ms + timeout_ms + PAUSE_MS,
            })),
            Err(fault) => {
                metrics.feed_polled(Some(fault));
                self.pause(Next::Look, now);
            }
        }
    }

    /// Asks nothing for a while, and then this.
    fn pause(&self, next: Next, now: Now) {
        self.next.set(next);
        self.quiet_until_ms.set(now.monotonic_ms + PAUSE_MS);
    }
}
