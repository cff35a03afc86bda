//! The pure core under thousands of interleavings: several workers of one Envoy, a network that delays, loses and
//! spoils, a control plane that changes, dies and goes back, an intruder in shared data. A list of what was true at the
//! control plane, and since when, is all that it is checked against.
//!
//! The modules under test are the real ones. What `host` does between them cannot run outside of Envoy and is
//! repeated here line by line in [`worker`], [`memory`] and [`feed_poll`]: **whoever changes one changes the other.**

mod bounds;
mod cast;
mod clients;
mod control_plane;
mod envoy;
mod event;
mod exchange;
mod feed_poll;
mod memory;
mod network;
mod oracle;
mod scenes;
mod shared_data;
mod snapshot;
mod weather;
mod worker;
mod world;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config as Cases, TestRunner};

use self::control_plane::Deed;
use self::event::{Event, deed};
use self::weather::Trouble;
use self::world::World;

fn events(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(Event::any(), count)
}

proptest! {
    #![proptest_config(Cases { cases: 512, failure_persistence: None, ..Cases::default() })]

    /// Whatever happens, everything served was true recently, and everything stays within its bounds.
    #[test]
    fn nothing_is_served_that_was_not_true_within_its_bound(
        workers in 2..4usize, seed in any::<u64>(), events in events(20..160),
        is_told in any::<bool>(),
    ) {
        let mut world = World::new(workers, seed);
        world.envoy.control_plane.borrow_mut().tells_incarnation = is_told;
        for event in &events {
            event.happen(&mut world);
        }
    }

    /// However it began: once the feed is at work, a change is in force on every worker a round trip and a tick later.
    #[test]
    fn a_change_is_in_force_everywhere_while_the_feed_works(
        seed in any::<u64>(), events in events(0..60), deeds in prop::collection::vec(deed(), 1..8),
        restarts in any::<bool>(), lost in deed(), is_told in any::<bool>(),
    ) {
        let mut world = World::new(3, seed);
        world.envoy.control_plane.borrow_mut().tells_incarnation = is_told;
        for event in &events {
            event.happen(&mut world);
        }
        world.calm_down();
        for deed in deeds {
            world.change_takes_effect(deed, restarts);
        }
        world.streams_follow();
        world.unreadable_answers_begin_nothing_anew();
        world.change_takes_effect_without_the_feed(lost);
    }

    /// However it began: a check that failed once keeps no worker from noticing a change by itself.
    #[test]
    fn a_change_is_in_force_on_idle_workers_without_the_feed(
        seed in any::<u64>(), events in events(0..60), deed in deed(),
    ) {
        let mut world = World::new(2, seed);
        for event in &events {
            event.happen(&mut world);
        }
        world.calm_down();
        world.change_takes_effect_on_idle_workers(deed);
        world.calm_down();
        world.a_gap_in_the_feed_is_closed(deed);
    }

    /// However it began: a restored database is noticed, even if it has got past the revision of the one before while the
    /// filter was cut off.
    #[test]
    fn a_restored_database_is_noticed_whatever_its_revision(
        seed in any::<u64>(), events in events(0..60), lost in prop::collection::vec(deed(), 1..5),
        deeds in prop::collection::vec(deed(), 0..5), beyond in 0..4u64,
    ) {
        let mut world = World::new(3, seed);
        for event in &events {
            event.happen(&mut world);
        }
        world.restored_past_the_old_revision(&lost, &deeds, beyond);
    }

    /// Whatever another plugin does to the state that workers share, and whichever of them start again on that: they all
    /// follow the feed once more.
    #[test]
    fn workers_agree_again_on_a_spoilt_feed(
        seed in any::<u64>(), events in events(0..40), spoils in any::<bool>(),
        dies in any::<[bool; 3]>(), dies_again in any::<[bool; 3]>(), deed in deed(),
    ) {
        let mut world = World::new(3, seed);
        for event in &events {
            event.happen(&mut world);
        }
        world.calm_down();
        let past = world.envoy.shared.feed();
        if spoils {
            world.replace_feed(None, dies);
        }
        world.change_takes_effect(deed, false);
        world.replace_feed(Some(past), dies_again);
        world.change_takes_effect(deed, false);
    }

    /// Faults and floods take nothing away from those who hold a good key.
    #[test]
    fn good_keys_work_through_outages_and_floods(
        seed in any::<u64>(), events in events(0..60), trouble in event::weather(),
        deeds in prop::collection::vec(deed(), 0..4),
    ) {
        let mut world = World::new(2, seed);
        for event in &events {
            event.happen(&mut world);
        }
        for deed in deeds {
            world.commit(deed);
        }
        world.calm_down();
        world.flood_takes_nothing_away();
        world.outage_takes_nothing_away(trouble.trouble);
    }
}

#[test]
fn what_another_worker_learnt_goes_before_what_is_last_known_good() {
    World::new(2, 42).what_another_worker_learnt_goes_before_what_is_last_known_good();
}

/// One long life, always the same.
#[test]
fn a_long_run_holds() {
    let mut runner = TestRunner::deterministic();
    let events = events(4_000..4_001).new_tree(&mut runner).unwrap();
    let mut world = World::new(3, 42);
    for (n, event) in events.current().iter().enumerate() {
        event.happen(&mut world);
        if n % 500 == 499 {
            world.calm_down();
            world.change_takes_effect(Deed::Toggle(1), false);
            world.change_takes_effect(Deed::SwitchKey(0), true);
            world.streams_follow();
            world.outage_takes_nothing_away(Trouble::Reset);
        }
    }
}
