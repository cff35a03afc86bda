//! Answers of the feed in every order: what is taken over is right, and what cannot be right is not taken over.

use edge_api::changes::{Change, ChangesResponse};
use proptest::prelude::*;

use super::answer::Doubt;
use super::lease::{Lease, Turn, turn};
use super::*;
use crate::now::Now;

fn id(text: &str) -> Id {
    Id::parse(text).unwrap()
}

fn response(revision: u64, changed: &[(&str, u64)], reset: bool) -> ChangesResponse {
    let changes = changed.iter().map(|&(project, revision)| Change {
        project_id: id(project),
        revision,
    });
    ChangesResponse {
        incarnation: None,
        revision,
        changes: changes.collect(),
        reset,
    }
}

/// The same, from the database with this id.
fn of(incarnation: &str, response: ChangesResponse) -> ChangesResponse {
    ChangesResponse {
        incarnation: Some(id(incarnation)),
        ..response
    }
}

fn changed(feed: &Feed, project: &str) -> u64 {
    feed.sight(Some(Slot::of(&id(project))), 0).changed
}

fn following() -> Feed {
    let mut feed = Feed::new();
    feed.handle_answer(PROBE, &response(10, &[], true), 1)
        .unwrap();
    feed
}

#[test]
fn changes_are_taken_over_in_their_order() {
    let mut feed = following();
    let answer = response(13, &[("p1", 11), ("p2", 13)], false);
    assert_eq!(feed.handle_answer(10, &answer, 5), Ok(false));
    assert_eq!((changed(&feed, "p1"), changed(&feed, "p2")), (11, 13));
    assert_eq!(
        feed.mark,
        Mark {
            epoch: 0,
            incarnation: None,
            baseline: 10,
            revision: 13,
            confirmed_ms: 5
        }
    );
}

#[test]
fn an_answer_that_cannot_be_right_changes_nothing() {
    let feed = following();
    for (after, answer, why) in [
        (10, response(9, &[], false), "it lies before its question"),
        (12, response(13, &[], false), "what lies between is unknown"),
        (
            10,
            response(11, &[("p1", 12)], false),
            "a change lies after the end",
        ),
        (PROBE, response(11, &[], false), "nobody is that far"),
    ] {
        let mut doubting = feed.clone();
        assert_eq!(
            doubting.handle_answer(after, &answer, 5),
            Err(Doubt),
            "{why}"
        );
        assert_eq!(doubting, feed, "{why}");
    }
}

#[test]
fn a_late_answer_of_another_worker_is_merged() {
    let mut ahead = following();
    let first = response(12, &[("p1", 12)], false);
    ahead.handle_answer(10, &first, 5).unwrap();
    let mut feed = ahead.clone();
    let older = response(11, &[("p2", 11)], false);
    assert_eq!(feed.handle_answer(10, &older, 6), Ok(false));
    assert_eq!(feed.mark, ahead.mark, "it confirms less than is known");
    let same = response(12, &[("p2", 11), ("p1", 12)], false);
    assert_eq!(feed.handle_answer(10, &same, 7), Ok(false));
    assert_eq!((feed.mark.revision, feed.mark.confirmed_ms), (12, 7));
    let newer = response(14, &[("p2", 11), ("p1", 12), ("p3", 14)], false);
    assert_eq!(feed.handle_answer(10, &newer, 8), Ok(false));
    assert_eq!((feed.mark.revision, feed.mark.confirmed_ms), (14, 8));
    assert_eq!(changed(&feed, "p3"), 14);
    assert_eq!((feed.mark.epoch, feed.mark.baseline), (0, 10));
}

#[test]
fn a_reset_begins_anew_and_one_that_goes_back_begins_an_epoch() {
    let mut feed = following();
    feed.handle_answer(10, &response(11, &[("p1", 11)], false), 2)
        .unwrap();
    feed.handle_answer(11, &response(20, &[], true), 3).unwrap();
    assert_eq!((feed.mark.epoch, feed.mark.baseline), (0, 20));
    assert_eq!(changed(&feed, "p1"), 11, "a known change stays known");
    feed.handle_answer(20, &response(5, &[], true), 4).unwrap();
    assert_eq!(
        (feed.mark.epoch, feed.mark.baseline, feed.mark.revision),
        (1, 5, 5)
    );
    assert_eq!(
        changed(&feed, "p1"),
        0,
        "revisions of before mean nothing now"
    );
}

#[test]
fn another_database_begins_an_epoch_whatever_its_revision() {
    let mut following = Feed::new();
    let first = of("a", response(10, &[], true));
    following.handle_answer(PROBE, &first, 1).unwrap();
    let told = of("a", response(12, &[("p1", 12)], false));
    assert_eq!(following.handle_answer(10, &told, 2), Ok(false));
    for (answer, why) in [
        (response(12, &[], false), "the same revision"),
        (response(15, &[("p2", 15)], false), "a later one"),
        (response(11, &[], false), "an earlier one"),
        (response(15, &[], true), "a later one, and a cut log"),
        (response(15, &[("p2", 16)], false), "whatever it tells"),
    ] {
        let mut feed = following.clone();
        let answer = of("b", answer);
        assert_eq!(feed.handle_answer(12, &answer, 3), Ok(true), "{why}");
        let expected = Mark {
            epoch: 1,
            incarnation: Some(Incarnation::of(&id("b"))),
            baseline: answer.revision,
            revision: answer.revision,
            confirmed_ms: 3,
        };
        assert_eq!(feed.mark, expected, "{why}");
        assert_eq!((changed(&feed, "p1"), changed(&feed, "p2")), (0, 0));
        // And that is that.
        let next = of("b", response(answer.revision, &[], false));
        assert_eq!(feed.handle_answer(answer.revision, &next, 4), Ok(false));
        assert_eq!(feed.mark.epoch, 1);
    }
}

#[test]
fn a_control_plane_that_tells_no_incarnation_or_its_first_one_is_still_the_same() {
    let mut feed = following();
    let b = Some(Incarnation::of(&id("b")));
    for (incarnation, known, why) in [
        (None, None, "of before there were incarnations"),
        (Some("b"), b, "brought up to date"),
        (None, b, "one of several that is still the older one"),
        (Some("b"), b, "and the other again"),
    ] {
        let next = response(feed.mark.revision + 1, &[], false);
        let next = incarnation.map_or(next.clone(), |incarnation| of(incarnation, next));
        let after = feed.mark.revision;
        assert_eq!(feed.handle_answer(after, &next, 2), Ok(false), "{why}");
        assert_eq!(
            (feed.mark.epoch, feed.mark.incarnation),
            (0, known),
            "{why}"
        );
    }
    let after = feed.mark.revision;
    let other = of("c", response(after, &[], false));
    assert_eq!(feed.handle_answer(after, &other, 3), Ok(true));
}

#[test]
fn who_lost_what_was_known_begins_later_than_anything_before() {
    let hour_ms = 3_600_000;
    let mut old = Feed::new();
    old.handle_answer(PROBE, &of("a", response(10, &[], true)), hour_ms)
        .unwrap();
    for (revision, asked_ms) in [(9, hour_ms + 100), (8, hour_ms + 60_000)] {
        let again = response(revision, &[], true);
        old.handle_answer(PROBE, &again, asked_ms).unwrap();
    }
    // A worker that starts where another plugin has spoilt what was shared.
    let mut new = Feed::new();
    new.open_epoch(hour_ms + 120_000);
    assert!(new.mark.is_ahead_of(&old.mark), "{old:?} {new:?}");
    let before = new.mark.epoch;
    new.handle_answer(PROBE, &of("a", response(10, &[], true)), hour_ms + 120_100)
        .unwrap();
    assert!(
        new.mark.epoch > before,
        "which database it asked is not known"
    );
    old.merge(&new);
    assert_eq!(old, new);
}

#[test]
fn a_worker_that_is_ahead_of_what_is_shared_is_not_led_back() {
    let mut feed = Feed::new();
    feed.handle_answer(PROBE, &response(10, &[], true), 60_000)
        .unwrap();
    feed.handle_answer(10, &response(5, &[], true), 61_000)
        .unwrap();
    let past = following();
    let mut here = feed.clone();
    here.follow(&past.mark, || Some(past.clone()));
    assert_eq!(here, feed);
    assert!(here.mark.is_ahead_of(&past.mark), "so it is told");
}

#[test]
fn workers_that_began_one_epoch_with_different_databases_agree_on_another() {
    let begun = |incarnation, revision| {
        let mut feed = following();
        let answer = of(incarnation, response(revision, &[], true));
        feed.mark.incarnation = Some(Incarnation::of(&id("before")));
        feed.handle_answer(10, &answer, 1).unwrap();
        feed
    };
    let (mut behind, mut ahead) = (begun("a", 10), begun("b", 12));
    let epoch = ahead.mark.epoch;
    assert_eq!(behind.mark.epoch, epoch);
    behind.merge(&ahead);
    assert_eq!(behind.mark.epoch, epoch + 1);
    assert_eq!(behind.mark.incarnation, ahead.mark.incarnation);
    assert!(behind.mark.is_ahead_of(&ahead.mark), "so it is told");
    ahead.merge(&behind);
    assert_eq!(ahead, behind);
}

#[test]
fn a_worker_learns_the_incarnation_from_another() {
    let mut told = following();
    let answer = of("a", response(10, &[], false));
    told.handle_answer(10, &answer, 2).unwrap();
    let mut other = following();
    assert!(told.is_beyond(Some(&other)), "so it is shared");
    other.follow(&told.mark, || Some(told.clone()));
    assert_eq!(other, told);
    // One that has not heard of it does not take it away.
    let mut unaware = following();
    unaware
        .handle_answer(10, &response(11, &[], false), 3)
        .unwrap();
    other.merge(&unaware);
    assert_eq!(other.mark.incarnation, told.mark.incarnation);
    assert_eq!(other.mark.revision, 11);
}

#[test]
fn an_empty_control_plane_is_followed_from_nothing() {
    let mut feed = Feed::new();
    feed.handle_answer(PROBE, &response(0, &[], true), 1)
        .unwrap();
    assert_eq!(
        feed.handle_answer(0, &response(1, &[("p1", 1)], false), 2),
        Ok(false)
    );
}

#[test]
fn workers_that_share_what_they_know_never_forget_a_change() {
    let mut ahead = following();
    ahead
        .handle_answer(10, &response(12, &[("p1", 12)], false), 5)
        .unwrap();
    let mut behind = following();
    behind.merge(&ahead);
    assert_eq!(behind, ahead);
    let before = ahead.clone();
    ahead.merge(&following());
    assert_eq!(ahead, before, "an older state is not taken over");
    let mut epoch = ahead.clone();
    epoch.handle_answer(12, &response(2, &[], true), 6).unwrap();
    ahead.merge(&epoch);
    assert_eq!((ahead.mark.epoch, changed(&ahead, "p1")), (1, 0));
}

#[test]
fn mark_and_table_survive_the_round_trip() {
    let mut feed = following();
    assert_eq!(Mark::split(&feed.mark.to_bytes()).unwrap().0, feed.mark);
    let answer = of("a", response(12, &[("p1", 12)], false));
    feed.handle_answer(10, &answer, 5).unwrap();
    let bytes = feed.to_bytes();
    assert_eq!(Feed::from_bytes(&bytes), Some(feed.clone()));
    assert_eq!(Feed::from_bytes(&bytes[1..]), None);
    assert_eq!(Mark::split(&feed.mark.to_bytes()).unwrap().0, feed.mark);
}

fn at(monotonic_ms: u64) -> Now {
    Now {
        monotonic_ms,
        unix_ms: 0,
    }
}

#[test]
fn the_lease_is_held_renewed_and_taken_over() {
    let Turn::Claim(claim) = turn(None, 1, at(0)) else {
        panic!("nobody holds it");
    };
    assert_eq!(turn(Some(claim), 1, at(100)), Turn::Hold);
    assert_eq!(turn(Some(claim), 2, at(100)), Turn::Follow);
    assert!(matches!(turn(Some(claim), 1, at(1_000)), Turn::Renew(_)));
    assert_eq!(turn(Some(claim), 2, at(claim.until_ms - 1)), Turn::Follow);
    assert!(matches!(
        turn(Some(claim), 2, at(claim.until_ms)),
        Turn::Claim(_)
    ));
    let for_ever = Lease {
        holder: 9,
        until_ms: u64::MAX,
    };
    assert!(
        matches!(turn(Some(for_ever), 2, at(5)), Turn::Claim(_)),
        "nobody may hold it that long"
    );
    assert_eq!(Lease::from_bytes(&claim.to_bytes()), Some(claim));
    assert_eq!(Lease::from_bytes(&[0; 15]), None);
}

proptest! {
    /// However many workers claim at whatever moments: after a look that all have had, one holds it.
    #[test]
    fn two_that_claim_at_once_are_one_after_the_next_look(order in Just((1..6u64).collect::<Vec<_>>()).prop_shuffle()) {
        let mut standing = None;
        for &worker in &order {
            if let Turn::Claim(lease) = turn(None, worker, at(0)) {
                standing = Some(lease);
            }
        }
        let holders = order.iter().filter(|&&worker| turn(standing, worker, at(100)) == Turn::Hold);
        prop_assert_eq!(holders.count(), 1);
    }

    #[test]
    fn no_bytes_make_the_feed_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        prop_assert!(Feed::from_bytes(&bytes).is_none());
        let _ = Lease::from_bytes(&bytes);
        let _ = Mark::split(&bytes);
    }
}
