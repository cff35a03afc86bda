//! Time, revisions and the feed against one entry.

use edge_api::changes::{Change, ChangesResponse};
use edge_api::id::Id;

use super::*;
use crate::cache::Policy;
use crate::config::Config;
use crate::feed::{Feed, Slot};

const LEARNT: u64 = 1_000_000;
const UNCONFIRMED: u64 = 30_000;
const STALE: u64 = 600_000;

fn id(text: &str) -> Id {
    Id::parse(text).unwrap()
}

fn limits() -> CacheLimits {
    let json = r#"{"control_plane": {"cluster": "c"}, "rules": [{"path": "/{project_id}"}]}"#;
    let config = Config::parse(json.as_bytes(), |_| Some("token".to_owned()));
    config.unwrap().cache
}

/// An entry of `p1`, read at revision 10, whose life is `ttl_ms`.
fn entry(value: Policy, ttl_ms: u64) -> Entry<Policy> {
    Entry {
        value,
        stamp: Stamp {
            epoch: 0,
            revision: 10,
            learnt_ms: LEARNT,
            fresh_until_ms: LEARNT + ttl_ms,
        },
    }
}

fn good(ttl_ms: u64) -> Entry<Policy> {
    entry(Policy::Required(id("p1")), ttl_ms)
}

fn judge(entry: &Entry<Policy>, feed: &Feed, at_ms: u64) -> Freshness {
    let now = Now {
        monotonic_ms: at_ms,
        unix_ms: 0,
    };
    let slot = entry.value.project().map(Slot::of);
    freshness(entry, &feed.sight(slot, 0), &limits(), now)
}

fn answer(feed: &mut Feed, after: u64, revision: u64, changed: &[(&str, u64)], asked_ms: u64) {
    let changes = changed.iter().map(|&(project, revision)| Change {
        project_id: id(project),
        revision,
    });
    let answer = ChangesResponse {
        incarnation: None,
        revision,
        changes: changes.collect(),
        reset: false,
    };
    feed.handle_answer(after, &answer, asked_ms).unwrap();
}

fn following_from(revision: u64, asked_ms: u64) -> Feed {
    let mut feed = Feed::new();
    reset(&mut feed, revision, asked_ms);
    feed
}

fn reset(feed: &mut Feed, revision: u64, asked_ms: u64) {
    let answer = ChangesResponse {
        incarnation: None,
        revision,
        changes: Vec::new(),
        reset: true,
    };
    feed.handle_answer(crate::feed::PROBE, &answer, asked_ms)
        .unwrap();
}

#[test]
fn without_a_feed_an_entry_serves_for_the_unconfirmed_time() {
    let (entry, feed) = (good(600_000), Feed::new());
    assert_eq!(judge(&entry, &feed, LEARNT), Freshness::Fresh);
    assert_eq!(
        judge(&entry, &feed, LEARNT + UNCONFIRMED - 1),
        Freshness::Refresh
    );
    assert_eq!(
        judge(&entry, &feed, LEARNT + UNCONFIRMED),
        Freshness::LastKnownGood
    );
    assert_eq!(
        judge(&entry, &feed, LEARNT + UNCONFIRMED + STALE),
        Freshness::Recheck
    );
}

#[test]
fn a_feed_that_confirms_lets_an_entry_live_its_whole_life() {
    let entry = good(600_000);
    let feed = following_from(10, LEARNT + 500_000);
    assert_eq!(judge(&entry, &feed, LEARNT + 520_000), Freshness::Fresh);
    let lost = LEARNT + 500_000 + UNCONFIRMED;
    assert_eq!(judge(&entry, &feed, lost - 1), Freshness::Refresh);
    assert_eq!(
        judge(&entry, &feed, lost),
        Freshness::LastKnownGood,
        "and no longer, once lost"
    );
    let confirmed = following_from(10, LEARNT + 599_000);
    assert_eq!(
        judge(&entry, &confirmed, LEARNT + 600_000),
        Freshness::LastKnownGood
    );
}

#[test]
fn a_known_change_makes_what_was_read_before_it_worthless() {
    let mut feed = following_from(10, LEARNT);
    answer(&mut feed, 10, 11, &[("p1", 11)], LEARNT + 1);
    assert_eq!(judge(&good(600_000), &feed, LEARNT + 2), Freshness::Recheck);
    let mut newer = good(600_000);
    newer.stamp.revision = 11;
    assert_eq!(judge(&newer, &feed, LEARNT + 2), Freshness::Fresh);
}

#[test]
fn another_projects_change_touches_nobody_else() {
    let mut feed = following_from(10, LEARNT);
    answer(&mut feed, 10, 11, &[("p2", 11)], LEARNT + 1);
    assert_eq!(judge(&good(600_000), &feed, LEARNT + 2), Freshness::Fresh);
}

#[test]
fn any_change_may_have_created_an_unknown_project() {
    let mut feed = following_from(10, LEARNT);
    let unknown = entry(Policy::UnknownProject, 5_000);
    assert_eq!(judge(&unknown, &feed, LEARNT + 1), Freshness::Fresh);
    answer(&mut feed, 10, 11, &[("p2", 11)], LEARNT + 1);
    assert_eq!(judge(&unknown, &feed, LEARNT + 2), Freshness::Recheck);
}

#[test]
fn what_was_read_before_the_feed_began_is_asked_about_again() {
    let feed = following_from(11, LEARNT + 1);
    assert_eq!(
        judge(&good(600_000), &feed, LEARNT + 2),
        Freshness::LastKnownGood
    );
}

#[test]
fn what_was_read_before_a_database_was_restored_is_asked_about_again() {
    let mut feed = following_from(10, LEARNT);
    reset(&mut feed, 4, LEARNT + 1);
    assert_eq!(judge(&good(600_000), &feed, LEARNT + 2), Freshness::Recheck);
    let mut newer = good(600_000);
    newer.stamp = Stamp {
        epoch: feed.mark.epoch,
        revision: 4,
        ..newer.stamp
    };
    assert_eq!(judge(&newer, &feed, LEARNT + 2), Freshness::Fresh);
}

#[test]
fn a_refusal_is_neither_refreshed_nor_outlives_its_time() {
    let (unknown, feed) = (entry(Policy::UnknownProject, 5_000), Feed::new());
    assert_eq!(judge(&unknown, &feed, LEARNT + 4_999), Freshness::Fresh);
    assert_eq!(judge(&unknown, &feed, LEARNT + 5_000), Freshness::Recheck);
}

#[test]
fn workers_refresh_a_little_apart() {
    let (entry, feed) = (good(10_000), Feed::new());
    let begins = |jitter| {
        (0..10_000).find(|at| {
            let now = Now {
                monotonic_ms: LEARNT + at,
                unix_ms: 0,
            };
            let sight = feed.sight(entry.value.project().map(Slot::of), jitter);
            freshness(&entry, &sight, &limits(), now) == Freshness::Refresh
        })
    };
    assert_eq!(begins(0), Some(8_000));
    assert!(begins(255) > begins(100) && begins(100) > begins(0));
    assert!(begins(255) < Some(9_000));
}
