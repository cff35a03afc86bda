//! `host::feed_poll` over `host::shared_feed`, line by line, with shared data that can be preempted at each access.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use edge_api::changes::ChangesResponse;

use super::cast::TIMEOUT_MS;
use super::envoy::Envoy;
use super::network::Ask;
use super::shared_data::at_once;
use super::weather::Reply;
use crate::cache::Seal;
use crate::check::Fault;
use crate::feed::lease::{Lease, Turn, turn};
use crate::feed::{Feed, Mark, PROBE};
use crate::now::Now;

const MAX_WAIT_MS: u64 = 5_000;
const PAUSE_MS: u64 = 500;
const FLOOR_MS: u64 = 20;
const MAX_ANSWER_LEN: usize = 256 * 1024;
const MOST_UNREADABLE: u32 = 2;
const ATTEMPTS: usize = 4;

const MARK: &str = "feed/mark";
const TABLE: &str = "feed/table";
const LEASE: &str = "feed/lease";

/// The change feed on one worker.
pub(super) struct FeedPoll {
    envoy: Rc<Envoy>,
    seal: Rc<Seal>,
    pub(super) vm: (usize, u32),
    me: u64,
    wait_ms: u64,
    pub(super) feed: RefCell<Feed>,
    poll: Cell<Option<Poll>>,
    leads: Cell<bool>,
    next: Cell<Next>,
    quiet_until_ms: Cell<u64>,
    unreadable: Cell<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Wait,
    Look,
    BeginAnew,
}

#[derive(Debug, Clone, Copy)]
struct Poll {
    token: u32,
    epoch: u32,
    after: u64,
    asked_ms: u64,
    ends_at_ms: u64,
}

impl FeedPoll {
    pub(super) fn new(envoy: Rc<Envoy>, seal: Rc<Seal>, vm: (usize, u32), me: u64) -> Self {
        let feed_poll = Self {
            wait_ms: wait_ms(&envoy),
            envoy,
            seal,
            vm,
            me,
            feed: RefCell::new(Feed::new()),
            poll: Cell::default(),
            leads: Cell::default(),
            next: Cell::new(Next::Look),
            quiet_until_ms: Cell::default(),
            unreadable: Cell::default(),
        };
        at_once(feed_poll.follow());
        if *feed_poll.feed.borrow() == Feed::new() && !at_once(feed_poll.is_untouched()) {
            let now = feed_poll.envoy.now();
            feed_poll.feed.borrow_mut().open_epoch(now.monotonic_ms);
        }
        feed_poll
    }

    pub(super) async fn handle_tick(&self, now: Now) {
        self.follow().await;
        if let Some(poll) = self.poll.get()
            && now.monotonic_ms >= poll.ends_at_ms
        {
            self.poll.set(None);
            self.next.set(Next::Look);
        }
        let (standing, cas) = self.lease().await;
        let leads = match turn(standing, self.me, now) {
            Turn::Hold => true,
            Turn::Renew(lease) => {
                self.set_lease(lease, cas).await;
                true
            }
            Turn::Claim(lease) => {
                self.set_lease(lease, cas).await;
                false
            }
            Turn::Follow => false,
        };
        if leads && !self.leads.get() {
            self.next.set(Next::Look);
        }
        self.leads.set(leads);
        if leads && self.poll.get().is_none() && now.monotonic_ms >= self.quiet_until_ms.get() {
            self.send(now);
        }
    }

    pub(super) fn is_poll(&self, token: u32) -> bool {
        self.poll.get().is_some_and(|poll| poll.token == token)
    }

    pub(super) async fn handle_response(&self, reply: Reply, now: Now) -> bool {
        let Some(poll) = self.poll.take() else {
            return false;
        };
        let body_size = reply.as_ref().map_or(0, Vec::len);
        let answer = reply.and_then(|body| {
            serde_json::from_slice::<ChangesResponse>(&body).map_err(|_| Fault::Schema)
        });
        let changed = match answer {
            Ok(answer) => self.take_over(poll, &answer, now).await,
            Err(fault) => {
                let unreadable = self.unreadable.get() + u32::from(fault == Fault::Schema);
                self.unreadable.set(unreadable);
                let too_large = fault == Fault::Schema && body_size > MAX_ANSWER_LEN;
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
            self.send(now);
        }
        changed
    }

    async fn take_over(&self, poll: Poll, answer: &ChangesResponse, now: Now) -> bool {
        let before = self.feed.borrow().mark;
        self.unreadable.set(0);
        let taken = if poll.epoch == before.epoch {
            let mut feed = self.feed.borrow_mut();
            feed.handle_answer(poll.after, answer, poll.asked_ms)
        } else {
            Ok(false)
        };
        match taken {
            Ok(anew) => {
                let changed = anew || self.feed.borrow().mark.revision > before.revision;
                self.next.set(Next::Wait);
                self.publish(changed).await;
                changed
            }
            Err(_) => {
                self.pause(Next::BeginAnew, now);
                false
            }
        }
    }

    fn send(&self, now: Now) {
        self.quiet_until_ms.set(now.monotonic_ms + FLOOR_MS);
        let mark = self.feed.borrow().mark;
        let never_followed = mark.confirmed_ms == 0;
        let (after, wait_ms) = match self.next.get() {
            Next::Wait if !never_followed => (mark.revision, self.wait_ms),
            Next::Look if !never_followed => (mark.revision, 0),
            _ => (PROBE, 0),
        };
        let timeout_ms = wait_ms + TIMEOUT_MS;
        let ask = Ask::Poll { after, wait_ms };
        let sent = self
            .envoy
            .network
            .borrow_mut()
            .send(self.vm, ask, now.monotonic_ms, timeout_ms);
        match sent {
            Ok(token) => self.poll.set(Some(Poll {
                token,
                epoch: mark.epoch,
                after,
                asked_ms: now.monotonic_ms,
                ends_at_ms: now.monotonic_ms + timeout_ms + PAUSE_MS,
            })),
            Err(_) => self.pause(Next::Look, now),
        }
    }

    fn pause(&self, next: Next, now: Now) {
        self.next.set(next);
        self.quiet_until_ms.set(now.monotonic_ms + PAUSE_MS);
    }

    async fn lease(&self) -> (Option<Lease>, Option<u32>) {
        let (bytes, cas) = self.envoy.shared.get(LEASE).await;
        let body = bytes.as_deref().and_then(|b| self.seal.unwrap(LEASE, b));
        (body.and_then(Lease::from_bytes), cas)
    }

    async fn set_lease(&self, lease: Lease, cas: Option<u32>) {
        let bytes = self.seal.wrap(LEASE, &lease.to_bytes());
        self.envoy.shared.set(LEASE, &bytes, cas).await;
    }

    async fn follow(&self) {
        let Some(mark) = self.shared_mark().await else {
            return;
        };
        if mark != self.feed.borrow().mark {
            // Fetched before it is known to be needed: no other worker can come between a closure's accesses.
            let table = self.shared_table().await;
            self.feed.borrow_mut().follow(&mark, || table);
            if self.feed.borrow().mark.is_ahead_of(&mark) {
                self.publish(false).await;
            }
        }
    }

    async fn publish(&self, table_changed: bool) {
        let shared = &self.envoy.shared;
        let table = self.shared_table().await;
        if table_changed || self.feed.borrow().is_beyond(table.as_ref()) {
            for _ in 0..ATTEMPTS {
                let (bytes, cas) = shared.get(TABLE).await;
                let standing = bytes.as_deref().and_then(|b| self.seal.unwrap(TABLE, b));
                if let Some(standing) = standing.and_then(Feed::from_bytes) {
                    self.feed.borrow_mut().merge(&standing);
                }
                let bytes = self.seal.wrap(TABLE, &self.feed.borrow().to_bytes());
                if shared.set(TABLE, &bytes, cas).await {
                    break;
                }
            }
        }
        for _ in 0..ATTEMPTS {
            let (_, cas) = shared.get(MARK).await;
            let ours = self.feed.borrow().mark;
            let standing = self.shared_mark().await;
            if standing.is_some_and(|mark| mark.is_ahead_of(&ours)) {
                return;
            }
            let bytes = self.seal.wrap(MARK, &ours.to_bytes());
            if shared.set(MARK, &bytes, cas).await {
                return;
            }
        }
    }

    async fn is_untouched(&self) -> bool {
        self.envoy.shared.get(MARK).await == (None, None)
    }

    async fn shared_mark(&self) -> Option<Mark> {
        let (bytes, _) = self.envoy.shared.get(MARK).await;
        let body = self.seal.unwrap(MARK, bytes.as_deref()?)?;
        Mark::split(body).map(|(mark, _)| mark)
    }

    async fn shared_table(&self) -> Option<Feed> {
        let (bytes, _) = self.envoy.shared.get(TABLE).await;
        Feed::from_bytes(self.seal.unwrap(TABLE, bytes.as_deref()?)?)
    }
}

/// How long a poll waits for a change.
pub(super) fn wait_ms(envoy: &Envoy) -> u64 {
    (envoy.config.cache.unconfirmed_ttl_ms / 4).min(MAX_WAIT_MS)
}
