//! The change feed of a scripted control plane: a real long poll over the script's own history, which can also be held,
//! broken and lied in.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use edge_api::changes::{ChangesQuery, ChangesResponse};

use super::history::History;
use super::{Fault, Poll, ScriptedControlPlane, Shared};
use crate::deadline::{PATIENCE, eventually};

/// The feed's state, but for the history that it tells of.
#[derive(Debug, Default)]
pub(super) struct Feed {
    pub(super) fault: Fault,
    pub(super) held: bool,
    /// Answers that the next polls get, whatever they ask.
    canned: VecDeque<ChangesResponse>,
    twist: Option<Twist>,
    pub(super) polls: Vec<Poll>,
    pub(super) open: usize,
}

/// Turns the honest answer to a poll into another one.
struct Twist(Box<dyn FnMut(ChangesQuery, ChangesResponse) -> ChangesResponse + Send>);

/// While this lives, polls are recorded but not answered.
#[derive(Debug)]
#[must_use = "dropping it lets the polls go"]
pub struct HeldFeed {
    shared: Arc<Shared>,
}

impl ScriptedControlPlane {
    /// Misbehaves in this way towards all polls from here on, those that are open included. Checks are not concerned;
    /// [`Fault::None`] makes the feed well again, though a poll that hangs goes on hanging.
    pub fn set_feed_fault(&self, fault: Fault) {
        self.stir(|feed| feed.fault = fault);
    }

    /// Holds back every answer of the feed until the guard is released or dropped.
    pub fn hold_feed(&self) -> HeldFeed {
        self.stir(|feed| feed.held = true);
        HeldFeed {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Answers one poll with this at once, one that is open already or else the next. Several queue up.
    pub fn answer_a_poll_with(&self, answer: ChangesResponse) {
        self.stir(|feed| feed.canned.push_back(answer));
    }

    /// From here on sends what `twist` makes of each honest answer, at the moment at which that would have been sent.
    pub fn twist_feed(
        &self,
        twist: impl FnMut(ChangesQuery, ChangesResponse) -> ChangesResponse + Send + 'static,
    ) {
        self.stir(|feed| feed.twist = Some(Twist(Box::new(twist))));
    }

    /// Ends [`twist_feed`](Self::twist_feed).
    pub fn untwist_feed(&self) {
        self.stir(|feed| feed.twist = None);
    }

    /// Every poll since the start, in order of arrival.
    #[must_use]
    pub fn feed_polls(&self) -> Vec<Poll> {
        self.script().feed.polls.clone()
    }

    /// How many polls are waiting for their answer.
    #[must_use]
    pub fn open_feed_polls(&self) -> usize {
        self.script().feed.open
    }

    /// Waits until a poll is open that has seen everything so far: the next change reaches it at once.
    pub async fn wait_for_follower(&self) {
        eventually(PATIENCE, "a poll has seen every change", async || {
            let script = self.script();
            let revision = script.history.revision();
            let caught_up = script
                .feed
                .polls
                .last()
                .is_some_and(|poll| poll.after == revision);
            (caught_up && script.feed.open > 0).then_some(())
        })
        .await;
    }

    fn stir(&self, edit: impl FnOnce(&mut Feed)) {
        edit(&mut self.script().feed);
        self.shared.stir();
    }
}

/// What a poll gets.
pub(super) enum Reply {
    /// This answer, or the fault in its place.
    Now(Fault, ChangesResponse),
    /// Nothing before something changes or its time is up.
    Later,
    /// Nothing before something changes.
    Held,
}

impl Feed {
    /// What a poll gets now; `overdue` says that it has waited as long as it wanted.
    pub(super) fn reply(&mut self, history: &History, query: ChangesQuery, overdue: bool) -> Reply {
        if self.held {
            return Reply::Held;
        }
        if let Some(canned) = self.canned.pop_front() {
            return Reply::Now(self.fault, canned);
        }
        let honest = history.changes(query.after);
        let news = honest.reset || !honest.changes.is_empty();
        if news || overdue || self.fault.is_at_once() {
            let answer = match &mut self.twist {
                Some(Twist(twist)) => twist(query, honest),
                None => honest,
            };
            return Reply::Now(self.fault, answer);
        }
        Reply::Later
    }
}

impl HeldFeed {
    /// Lets the held answers go.
    pub fn release(self) {}
}

impl Drop for HeldFeed {
    fn drop(&mut self) {
        self.shared.script().feed.held = false;
        self.shared.stir();
    }
}

impl fmt::Debug for Twist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Twist")
    }
}
