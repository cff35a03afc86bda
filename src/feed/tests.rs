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
        revision,
        changes: changes.collect(),
        reset,
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
        (
            9,
            response(12, &[("p1", 12)], false),
            "it is the answer to an older question",
        ),
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
    feed.handle_answer(10, &response(12, &[("p1", 12)], false), 5)
        .unwrap();
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
