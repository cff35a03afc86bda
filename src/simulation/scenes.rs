//! Scenes with a known outcome, played in a world that random events have shaped before.

use std::collections::HashSet;

use super::cast::{PROJECTS, STALE_MS, Shows, Target, UNCONFIRMED_MS};
use super::control_plane::Deed;
use super::feed_poll::wait_ms;
use super::oracle;
use super::weather::{FINE_DELAY_MS, Trouble, Weather};
use super::world::{TICK_MS, World};
use crate::authenticator::Ruling;
use crate::denial::{Denial, InvalidKey};
use crate::feed::Mark;

/// From a change until it is known on every worker: the poll may just have been answered, so that the next one goes out
/// at the next tick and has to travel there and back; then a tick.
const IN_FORCE_MS: u64 = 3 * FINE_DELAY_MS + 2 * TICK_MS + 20;
/// From the end of an outage until a poll has seen what the control plane is now: the pause after the last fault, and
/// what a change takes.
const NOTICED_MS: u64 = 500 + IN_FORCE_MS;
/// How long after its key's expiry a stream may still be open: until its worker looks and has asked.
const EXPIRED_MS: u64 = 500;
/// From the end of the time for which something is served unconfirmed until a worker whose last check failed has found
/// out that checks are answered, and what of its streams has become: a probe, a review and a check.
const NOTICED_BY_CHECK_MS: u64 = 500;
/// What the feed needs to be at work again after anything: a poll under way that must time out, a lease that must
/// end, pauses.
const RECOVERS_MS: u64 = 6_000;

impl World {
    pub(super) fn commit(&mut self, deed: Deed) {
        let (now_ms, unix_ms) = (self.envoy.now_ms.get(), self.envoy.unix_ms());
        let mut control_plane = self.envoy.control_plane.borrow_mut();
        control_plane.commit(deed, now_ms, unix_ms);
        let mut network = self.envoy.network.borrow_mut();
        network.wake(&control_plane, now_ms, unix_ms);
    }

    /// Puts an older database in place. If nobody tells which one it is, nothing is changed in it until the feed has seen
    /// it: a revision that has gone on past the old one could not be told from it. Nor can one that is put in place before
    /// the feed was ever followed.
    pub(super) fn restore(&mut self, back: usize) {
        let is_told = self.envoy.control_plane.borrow().tells_incarnation;
        if !is_told || self.marks().iter().all(|mark| mark.confirmed_ms == 0) {
            self.calm_down();
        }
        let (now_ms, unix_ms) = (self.envoy.now_ms.get(), self.envoy.unix_ms());
        let mut control_plane = self.envoy.control_plane.borrow_mut();
        let restored = control_plane.restore(back, now_ms);
        let mut network = self.envoy.network.borrow_mut();
        network.wake(&control_plane, now_ms, unix_ms);
        drop((control_plane, network));
        if restored && !is_told {
            self.pass(2_000);
        }
    }

    /// Another plugin puts something in the place of the feed's state, or spoils it; these workers start again on that.
    pub(super) fn replace_feed(&mut self, by: Option<Vec<(String, Vec<u8>)>>, dies: [bool; 3]) {
        self.envoy.shared.replace_feed(by);
        for worker in (0..3).filter(|worker| dies[*worker]) {
            self.restart(worker);
        }
        self.calm_down();
    }

    /// While the filter is cut off, a backup of before `lost` takes the database's place, and `deeds` are done in it, and
    /// so many more that its revision is the old one or `beyond` that. Once the filter can ask again, nothing is served
    /// that was read before.
    pub(super) fn restored_past_the_old_revision(
        &mut self,
        lost: &[Deed],
        deeds: &[Deed],
        beyond: u64,
    ) {
        self.calm_down();
        lost.iter().for_each(|deed| self.commit(*deed));
        self.pass(IN_FORCE_MS);
        self.everything_is_asked_for();
        self.cut_off();
        let until = self.envoy.control_plane.borrow().present().revision + beyond;
        self.restore(lost.len());
        let restored_ms = self.envoy.now_ms.get();
        deeds.iter().for_each(|deed| self.commit(*deed));
        while self.envoy.control_plane.borrow().present().revision < until {
            // Of no consequence to anybody.
            self.commit(Deed::CreateProject(0));
        }
        self.reconnect();
        self.pass(NOTICED_MS);
        self.bound_ms = Some(self.envoy.now_ms.get() - restored_ms);
        self.everything_is_asked_for();
        self.bound_ms = None;
        self.streams_follow();
    }

    /// Nothing reaches the control plane from here on.
    fn cut_off(&mut self) {
        self.envoy.network.borrow_mut().checks = Weather::BROKEN;
        self.lose_the_feed();
    }

    fn lose_the_feed(&mut self) {
        self.envoy.network.borrow_mut().polls = Weather::BROKEN;
        // The poll that is under way would still tell.
        self.pass(wait_ms(&self.envoy) + 2 * FINE_DELAY_MS);
    }

    fn reconnect(&mut self) {
        self.envoy.network.borrow_mut().checks = Weather::FINE;
        self.envoy.network.borrow_mut().polls = Weather::FINE;
    }

    /// All is well for a while, after which the feed must be at work on every worker.
    pub(super) fn calm_down(&mut self) {
        self.preempt = None;
        self.finish_all();
        self.envoy.clock_off_ms.set(0);
        self.reconnect();
        self.pass(RECOVERS_MS);
        let present = self.envoy.control_plane.borrow().present().clone();
        let now_ms = self.envoy.now_ms.get();
        let epochs: HashSet<_> = self.marks().iter().map(|mark| mark.epoch).collect();
        assert_eq!(epochs.len(), 1, "{:?}", self.marks());
        let lag_ms = 2 * (wait_ms(&self.envoy) + 2 * FINE_DELAY_MS) + TICK_MS;
        for thread in &self.threads {
            let mark = thread.worker.feed.feed.borrow().mark;
            assert!(
                mark.revision == present.revision && mark.confirmed_ms + lag_ms >= now_ms,
                "the feed has not come back on worker {:?}: {mark:?} at {now_ms}, truth {:?}, others {:?}",
                thread.worker.vm,
                (present.generation, present.revision),
                self.marks()
            );
        }
    }

    /// What each worker knows of the feed.
    fn marks(&self) -> Vec<Mark> {
        let threads = self.threads.iter();
        threads.map(|t| t.worker.feed.feed.borrow().mark).collect()
    }

    /// A change is in force on every worker, new VMs among them, once the feed had the time to tell.
    pub(super) fn change_takes_effect(&mut self, deed: Deed, restarts: bool) {
        self.everything_is_asked_for();
        self.commit(deed);
        self.pass(IN_FORCE_MS);
        self.bound_ms = Some(IN_FORCE_MS);
        if restarts {
            self.restart(0);
        }
        self.everything_is_asked_for();
        self.bound_ms = None;
        if restarts {
            // It may have been the one that polls.
            self.pass(RECOVERS_MS);
        }
    }

    /// With nothing heard of the feed, everything asked for again and again: the oracle knows how old it may be.
    pub(super) fn change_takes_effect_without_the_feed(&mut self, deed: Deed) {
        self.lose_the_feed();
        self.everything_is_asked_for();
        self.commit(deed);
        for _ in 0..4 {
            self.pass(700);
            self.everything_is_asked_for();
        }
    }

    /// An answer or two of somebody else's, such as a load balancer's page, take nothing away from what is known.
    pub(super) fn unreadable_answers_begin_nothing_anew(&mut self) {
        let baselines = |world: &Self| -> Vec<_> {
            let marks = world.marks().into_iter();
            marks.map(|mark| (mark.epoch, mark.baseline)).collect()
        };
        let before = baselines(self);
        self.envoy.network.borrow_mut().polls = Weather {
            trouble: Trouble::Garbage,
            ..Weather::BROKEN
        };
        // Until the poll under way has ended and one was answered so, and not for long enough for three.
        self.pass(wait_ms(&self.envoy) + 4 * FINE_DELAY_MS);
        self.calm_down();
        assert_eq!(baselines(self), before);
    }

    /// A check failed, the feed is lost, and then nobody asks anything: a change is in force for the next request, and for
    /// streams, once what was known before it may not be served unconfirmed.
    pub(super) fn change_takes_effect_on_idle_workers(&mut self, deed: Deed) {
        self.streams_are_opened();
        self.envoy.network.borrow_mut().checks = Weather::BROKEN;
        for worker in 0..self.threads.len() {
            self.request(worker, Target::Project(1), Shows::MadeUp(900), false);
        }
        self.pass(2 * FINE_DELAY_MS);
        self.envoy.network.borrow_mut().checks = Weather::FINE;
        self.lose_the_feed();
        self.commit(deed);
        let bound_ms = UNCONFIRMED_MS + NOTICED_BY_CHECK_MS;
        self.pass(bound_ms);
        self.streams_are_right();
        self.bound_ms = Some(bound_ms);
        self.everything_is_asked_for();
        self.bound_ms = None;
    }

    /// The filter is cut off, every worker's last check failed, and what changed meanwhile is not kept for the feed: once
    /// the feed is back, nothing is served that was read before.
    pub(super) fn a_gap_in_the_feed_is_closed(&mut self, deed: Deed) {
        self.everything_is_asked_for();
        self.cut_off();
        for worker in 0..self.threads.len() {
            self.request(worker, Target::Project(1), Shows::MadeUp(900), false);
        }
        self.commit(deed);
        self.envoy.control_plane.borrow_mut().prune();
        self.pass(2 * FINE_DELAY_MS);
        self.reconnect();
        let closed_ms = NOTICED_MS + 2 * FINE_DELAY_MS + TICK_MS;
        self.pass(closed_ms);
        self.bound_ms = Some(closed_ms);
        self.everything_is_asked_for();
        self.bound_ms = None;
    }

    /// A worker whose own check failed serves no key that it knows as good once another worker has learnt otherwise.
    pub(super) fn what_another_worker_learnt_goes_before_what_is_last_known_good(&mut self) {
        let (target, shows) = (Target::Project(1), Shows::Key(0));
        self.calm_down();
        self.are_let_in(&[(target, shows)]);
        self.lose_the_feed();
        self.pass(UNCONFIRMED_MS);
        self.commit(Deed::RevokeKey(0));
        self.envoy.network.borrow_mut().checks = Weather::BROKEN;
        self.ask(0, target, shows);
        self.was_let_in();
        self.envoy.network.borrow_mut().checks = Weather::FINE;
        for worker in [1, 0] {
            self.ask(worker, target, shows);
            let ruling = self.last.take().unwrap().decision.ruling;
            let revoked = Denial::InvalidKey(InvalidKey::Revoked);
            assert_eq!(ruling, Ruling::Deny(revoked), "worker {worker}");
        }
    }

    /// On each worker, for whoever is let in.
    fn streams_are_opened(&mut self) {
        for worker in 0..self.threads.len() {
            for (target, shows) in self.good_keys() {
                self.request(worker, target, shows, true);
            }
            for p in 0..PROJECTS {
                self.request(worker, Target::Project(p), Shows::Nothing, true);
            }
        }
        self.pass(500);
    }

    /// Every open stream is one that would be let in, unless its key expired just now.
    pub(super) fn streams_follow(&mut self) {
        self.pass(1_500);
        self.streams_are_right();
    }

    fn streams_are_right(&self) {
        let control_plane = self.envoy.control_plane.borrow();
        let unix_ms = self.envoy.unix_ms() - EXPIRED_MS;
        for (id, (worker, target, shows)) in &self.streams {
            assert!(
                oracle::admits(control_plane.present(), *target, *shows, unix_ms),
                "a stream is open that would not be let in: {id} {worker} {target:?} {shows:?}"
            );
        }
    }

    /// A flood of what clients make up leaves every good key where it was.
    pub(super) fn flood_takes_nothing_away(&mut self) {
        // What an intruder has spoilt is to be noticed before the flood.
        (0..self.threads.len()).for_each(|worker| self.restart(worker));
        self.pass(RECOVERS_MS);
        let good = self.good_keys();
        self.are_let_in(&good);
        self.flood();
        for worker in 0..self.threads.len() {
            for (target, shows) in &good {
                assert!(
                    self.threads[worker].worker.remembers(*target, *shows),
                    "invariant 3: worker {worker} has lost {shows:?} of {target:?}"
                );
            }
        }
        // Nor has shared data lost them.
        self.pass(300);
        self.restart(0);
        for (target, shows) in &good {
            self.request(0, *target, *shows, false);
            let ended = self.last.take();
            assert!(
                ended.as_ref().is_some_and(|ended| ended.asked_ms.is_none()),
                "invariant 3: shared data has lost {shows:?} of {target:?}: {ended:?}"
            );
        }
    }

    /// While the control plane cannot be reached, good keys work until the bound.
    pub(super) fn outage_takes_nothing_away(&mut self, trouble: Trouble) {
        let good = self.good_keys();
        self.are_let_in(&good);
        // An answer that is told twice is no outage.
        let trouble = match trouble {
            Trouble::Twice => Trouble::Status,
            trouble => trouble,
        };
        let weather = Weather {
            share: 10,
            trouble,
            ..Weather::FINE
        };
        self.envoy.network.borrow_mut().checks = weather;
        self.envoy.network.borrow_mut().polls = weather;
        // Some entries' life may have ended just now.
        let ends_ms = self.envoy.now_ms.get() + STALE_MS - 1_000;
        while self.envoy.now_ms.get() < ends_ms {
            self.are_let_in(&good);
            self.flood();
            self.pass(500);
        }
    }
}
