//! Which open streams go on, end, or have to be asked about.

use edge_api::changes::{Change, ChangesResponse};
use edge_api::check::{Subject, Verdict};
use edge_api::id::Id;
use edge_api::key_sha256::KeySha256;
use serde_json::json;

use super::*;
use crate::cache::{Entry, KeyVerdict, Known, LocalName, Policy, Stamp};
use crate::check::Question;
use crate::feed::PROBE;
use crate::key_source::Credential;
use crate::request::Arrival;

const NOW: u64 = 1_000_000;

struct Admitted(Request);

impl AsRef<Request> for Admitted {
    fn as_ref(&self) -> &Request {
        &self.0
    }
}

fn config() -> Config {
    let json = json!({"control_plane": {"cluster": "c"}, "rules": [{"path": "/{project_id}"}]});
    Config::parse(json.to_string().as_bytes(), |_| Some("token".to_owned())).unwrap()
}

fn id(text: &str) -> Id {
    Id::parse(text).unwrap()
}

fn request(key: Option<KeySha256>) -> Rc<Admitted> {
    let headers = [(&b":path"[..], &b"/p1"[..])];
    let arrival = Arrival::read(headers.into_iter(), &config());
    Rc::new(Admitted(arrival.with_credential(
        key.map_or(Credential::Missing, Credential::Key),
    )))
}

fn recollection(
    policy: Policy,
    verdict: Option<Verdict>,
    revision: u64,
    expires_at_ms: Option<u64>,
) -> Rc<Recollection> {
    let stamp = Stamp {
        epoch: 0,
        revision,
        learnt_ms: NOW,
        fresh_until_ms: NOW + 600_000,
    };
    let question = Question {
        subject: Subject::ProjectId(id("p1")),
        key: verdict.map(|_| KeySha256([1; 32])),
        name: LocalName::default(),
    };
    let verdict = verdict.map(|verdict| Entry {
        value: KeyVerdict {
            verdict,
            key_id: Some(id("k1")),
            expires_at_ms,
        },
        stamp,
    });
    let policy = Some(Entry {
        value: policy,
        stamp,
    });
    Recollection::new(question, Known { policy, verdict })
}

fn feed(changed_at: Option<u64>) -> Feed {
    let mut feed = Feed::new();
    let reset = ChangesResponse {
        incarnation: None,
        revision: 10,
        changes: vec![],
        reset: true,
    };
    feed.handle_answer(PROBE, &reset, NOW).unwrap();
    if let Some(revision) = changed_at {
        let changes = vec![Change {
            project_id: id("p1"),
            revision,
        }];
        let answer = ChangesResponse {
            incarnation: None,
            revision,
            changes,
            reset: false,
        };
        feed.handle_answer(10, &answer, NOW).unwrap();
    }
    feed
}

fn at(offset_ms: u64) -> Now {
    Now {
        monotonic_ms: NOW + offset_ms,
        unix_ms: 5_000 + offset_ms,
    }
}

/// Long before the rest.
fn opened() -> Now {
    Now {
        monotonic_ms: NOW - 60_000,
        unix_ms: 0,
    }
}

fn keyed(expires_at_ms: Option<u64>) -> Streams<Rc<Admitted>> {
    let mut streams = Streams::new();
    let on = recollection(
        Policy::Required(id("p1")),
        Some(Verdict::Valid),
        10,
        expires_at_ms,
    );
    streams.open(7, request(Some(KeySha256([1; 32]))), on, opened());
    streams
}

fn review(
    streams: &mut Streams<Rc<Admitted>>,
    feed: &Feed,
    now: Now,
    newer: Option<&Rc<Recollection>>,
) -> Review {
    streams.review(&config(), feed, Reachability::Up, now, |_| newer.cloned())
}

#[test]
fn a_stream_goes_on_while_nothing_is_known_to_have_changed() {
    let mut streams = keyed(None);
    let review = review(&mut streams, &feed(None), at(1), None);
    assert!(review.end.is_empty() && review.ask.is_empty());
}

#[test]
fn after_a_change_it_is_asked_about_and_ends_if_refused() {
    let (mut streams, feed) = (keyed(None), feed(Some(11)));
    assert_eq!(review(&mut streams, &feed, at(1), None).ask.len(), 1);
    let revoked = recollection(Policy::Required(id("p1")), Some(Verdict::Revoked), 11, None);
    assert_eq!(review(&mut streams, &feed, at(2), Some(&revoked)).end, [7]);
}

#[test]
fn after_a_change_that_is_not_its_own_it_goes_on() {
    let (mut streams, feed) = (keyed(None), feed(Some(11)));
    let still = recollection(Policy::Required(id("p1")), Some(Verdict::Valid), 11, None);
    let first = review(&mut streams, &feed, at(1), Some(&still));
    assert!(first.end.is_empty() && first.ask.is_empty());
    let second = review(&mut streams, &feed, at(2), None);
    assert!(
        second.end.is_empty() && second.ask.is_empty(),
        "on the newer word"
    );
}

#[test]
fn a_keyless_stream_ends_when_its_project_locks() {
    let mut streams = Streams::new();
    streams.open(
        7,
        request(None),
        recollection(Policy::Open(id("p1")), None, 10, None),
        opened(),
    );
    let locked = recollection(Policy::Required(id("p1")), None, 11, None);
    assert_eq!(
        review(&mut streams, &feed(Some(11)), at(1), Some(&locked)).end,
        [7]
    );
}

#[test]
fn a_key_that_expires_is_asked_about_in_mid_stream() {
    let mut streams = keyed(Some(5_100));
    assert!(
        review(&mut streams, &feed(None), at(99), None)
            .ask
            .is_empty()
    );
    assert_eq!(
        review(&mut streams, &feed(None), at(100), None).ask.len(),
        1
    );
}

#[test]
fn a_hiccup_ends_no_stream_and_silence_does() {
    let (mut streams, feed) = (keyed(None), feed(Some(11)));
    assert!(review(&mut streams, &feed, at(0), None).end.is_empty());
    assert!(review(&mut streams, &feed, at(29_999), None).end.is_empty());
    assert_eq!(review(&mut streams, &feed, at(30_000), None).end, [7]);
}

#[test]
fn a_closed_stream_is_forgotten() {
    let mut streams = keyed(None);
    streams.close(7);
    assert!(streams.is_empty());
}

#[test]
fn an_answer_that_has_just_begun_is_let_finish() {
    let mut streams = Streams::new();
    let on = recollection(Policy::Open(id("p1")), None, 10, None);
    streams.open(7, request(None), on, at(0));
    let locked = recollection(Policy::Required(id("p1")), None, 11, None);
    let feed = feed(Some(11));
    assert!(
        review(&mut streams, &feed, at(GRACE_MS - 1), Some(&locked))
            .end
            .is_empty()
    );
    assert_eq!(
        review(&mut streams, &feed, at(GRACE_MS), Some(&locked)).end,
        [7]
    );
}

#[test]
fn a_key_whose_expiry_was_not_moved_ends_its_stream_whatever_the_other_clock_says() {
    let (mut streams, feed) = (keyed(Some(5_100)), feed(None));
    assert_eq!(review(&mut streams, &feed, at(100), None).ask.len(), 1);
    let learnt = |at_ms, expires_at_ms| {
        let on = recollection(
            Policy::Required(id("p1")),
            Some(Verdict::Valid),
            10,
            Some(expires_at_ms),
        );
        let mut known = on.known.clone();
        known.verdict.as_mut().unwrap().stamp.learnt_ms = NOW + at_ms;
        Recollection::new(on.question.clone(), known)
    };
    let before = learnt(99, 5_100);
    assert!(
        review(&mut streams, &feed, at(101), Some(&before))
            .end
            .is_empty(),
        "asked before"
    );
    let moved = learnt(101, 9_000);
    assert!(
        review(&mut streams, &feed, at(102), Some(&moved))
            .end
            .is_empty(),
        "its owner moved it"
    );
    let mut streams = keyed(Some(5_100));
    review(&mut streams, &feed, at(100), None);
    let unmoved = learnt(101, 5_100);
    assert_eq!(
        review(&mut streams, &feed, at(102), Some(&unmoved)).end,
        [7]
    );
}
