//! Requests that wait: shared checks, bounds, and nobody left behind.

use edge_api::check::Subject;
use edge_api::id::Id;
use proptest::prelude::*;

use super::*;
use crate::cache::LocalName;

const LIMITS: Limits = Limits {
    max_waiters: 4,
    max_checks: 2,
    bad_key_checks_per_s: 1,
};
const TIMEOUT_MS: u32 = 1_000;

fn flights() -> Flights<&'static str> {
    Flights::new(LIMITS, TIMEOUT_MS)
}

fn question(id: u8) -> Question {
    Question {
        subject: Subject::ProjectId(Id::parse(&format!("p{id}")).unwrap()),
        key: None,
        name: LocalName::default(),
    }
}

fn at(monotonic_ms: u64) -> Now {
    Now {
        monotonic_ms,
        unix_ms: 0,
    }
}

fn sent(at_ms: u64) -> Sent {
    Sent { at_ms, epoch: 0 }
}

#[test]
fn the_same_question_is_asked_once() {
    let mut flights = flights();
    assert_eq!(flights.join(&question(1), 10, "a", at(0)), Joined::Leads);
    assert_eq!(flights.join(&question(1), 11, "b", at(0)), Joined::Follows);
    let asked = flights.next_unsent().unwrap();
    assert_eq!(asked, question(1));
    assert_eq!(flights.next_unsent(), None);
    flights.handle_sent(asked, 7, sent(0));
    assert_eq!(flights.join(&question(1), 12, "c", at(5)), Joined::Follows);
    let landed = flights.handle_response(7).unwrap();
    assert_eq!(landed.into_waiters(), [(10, "a"), (11, "b"), (12, "c")]);
    assert!(
        flights.handle_response(7).is_none(),
        "an answer arrives once"
    );
    assert_eq!(flights.occupancy(), (0, 0));
    assert_eq!(flights.occupancy(), (0, 0));
}

#[test]
fn a_leader_that_leaves_takes_nobody_along() {
    let mut flights = flights();
    flights.join(&question(1), 10, "leader", at(0));
    flights.join(&question(1), 11, "follower", at(0));
    flights.leave(&question(1), 10);
    let asked = flights.next_unsent().unwrap();
    assert_eq!(flights.leader(&asked), Some(&"follower"));
    flights.handle_sent(asked, 7, sent(0));
    assert_eq!(
        flights.handle_response(7).unwrap().into_waiters(),
        [(11, "follower")]
    );
}

#[test]
fn waiters_and_checks_are_bounded() {
    let mut flights = flights();
    assert_eq!(flights.join(&question(1), 1, "a", at(0)), Joined::Leads);
    assert_eq!(flights.join(&question(2), 2, "b", at(0)), Joined::Leads);
    assert_eq!(
        flights.join(&question(3), 3, "c", at(0)),
        Joined::Full,
        "a third check"
    );
    assert_eq!(
        flights.ask(&question(3), at(0)),
        Joined::Full,
        "nor in the background"
    );
    assert_eq!(flights.join(&question(1), 4, "d", at(0)), Joined::Follows);
    assert_eq!(flights.join(&question(1), 5, "e", at(0)), Joined::Follows);
    assert_eq!(
        flights.join(&question(1), 6, "f", at(0)),
        Joined::Full,
        "a fifth waiter"
    );
    flights.leave(&question(1), 4);
    flights.leave(&question(1), 4);
    assert_eq!(
        flights.join(&question(1), 6, "f", at(0)),
        Joined::Follows,
        "room is given back once"
    );
    assert_eq!(flights.join(&question(1), 7, "g", at(0)), Joined::Full);
}

#[test]
fn an_answer_not_believed_is_asked_for_again_or_given_back() {
    let mut flights = flights();
    let land = |flights: &mut Flights<&'static str>, token| {
        let asked = flights.next_unsent().unwrap();
        flights.handle_sent(asked, token, sent(0));
        flights.handle_response(token).unwrap()
    };
    flights.join(&question(1), 1, "a", at(0));
    let landed = land(&mut flights, 7);
    assert!(flights.ask_again(landed, at(1)).is_none());
    assert_eq!(flights.next_unsent(), None, "not before the next tick");
    assert!(flights.handle_timeout(at(1)).is_empty());
    assert_eq!(flights.occupancy(), (1, 1));
    let landed = land(&mut flights, 8);
    flights.join(&question(2), 2, "b", at(1));
    flights.join(&question(3), 3, "c", at(1));
    let left = flights.ask_again(landed, at(2)).expect("there is no room");
    assert_eq!(left.into_waiters(), [(1, "a")], "and nobody is forgotten");
}

#[test]
fn checks_that_nobody_waits_for_leave_room_for_those_that_somebody_does() {
    let mut flights = flights();
    assert_eq!(flights.ask(&question(1), at(0)), Joined::Leads);
    assert_eq!(
        flights.ask(&question(2), at(0)),
        Joined::Full,
        "half of two is one"
    );
    assert_eq!(flights.join(&question(2), 1, "a", at(0)), Joined::Leads);
}

#[test]
fn a_lost_answer_ends_the_wait_and_is_forgotten() {
    let mut flights = flights();
    flights.join(&question(1), 1, "a", at(0));
    let asked = flights.next_unsent().unwrap();
    flights.handle_sent(asked, 7, sent(0));
    flights.join(&question(1), 2, "b", at(500));
    assert!(flights.handle_timeout(at(1_099)).is_empty());
    assert_eq!(flights.handle_timeout(at(1_100)), [(1, "a")]);
    assert_eq!(flights.handle_timeout(at(1_600)), [(2, "b")]);
    assert_eq!(flights.occupancy(), (0, 0));
    assert!(flights.handle_response(7).is_none(), "too late");
    assert_eq!(
        flights.join(&question(1), 3, "c", at(1_600)),
        Joined::Leads,
        "asked anew"
    );
}

#[test]
fn a_lost_answer_is_asked_for_anew_while_requests_keep_coming() {
    let mut flights = flights();
    flights.join(&question(1), 1, "a", at(0));
    let asked = flights.next_unsent().unwrap();
    flights.handle_sent(asked, 7, sent(0));
    flights.join(&question(1), 2, "b", at(900));
    assert!(flights.is_asking(&question(1), at(1_099)));
    assert!(!flights.is_asking(&question(1), at(1_100)));
    assert_eq!(flights.join(&question(1), 3, "c", at(1_100)), Joined::Leads);
    let asked = flights.next_unsent().unwrap();
    flights.handle_sent(asked, 8, sent(1_100));
    assert!(
        flights.handle_response(7).is_none(),
        "the lost one, too late"
    );
    assert_eq!(flights.handle_response(8).unwrap().into_waiters().len(), 3);
}

#[test]
fn a_check_that_is_never_sent_is_forgotten_too() {
    let mut flights = flights();
    flights.ask(&question(1), at(0));
    flights.handle_timeout(at(2_000));
    assert_eq!(flights.occupancy(), (0, 0));
    assert_eq!(flights.next_unsent(), None);
}

/// Something that happens to the flights.
#[derive(Debug, Clone)]
enum Event {
    Join(u8),
    Ask(u8),
    Send,
    Answer(usize),
    Leave(usize),
    Pass(u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (0..4u8).prop_map(Event::Join),
        (0..4u8).prop_map(Event::Ask),
        Just(Event::Send),
        (0..8usize).prop_map(Event::Answer),
        (0..8usize).prop_map(Event::Leave),
        (0..700u64).prop_map(Event::Pass),
    ]
}

proptest! {
    /// Whatever happens in whatever order: every waiter ends exactly once, within its time, and the bounds hold.
    #[test]
    fn every_waiter_ends_exactly_once(events in proptest::collection::vec(event(), 1..120)) {
        let mut flights: Flights<u64> = Flights::new(LIMITS, TIMEOUT_MS);
        let mut waiting: std::collections::BTreeMap<u32, (Question, u64)> = Default::default();
        let mut tokens: Vec<u32> = Vec::new();
        let (mut time, mut next_id, mut next_token) = (0, 1, 100);
        for event in events.into_iter().chain([Event::Pass(TIMEOUT_MS as u64 + GRACE_MS)]) {
            let mut ended: Vec<(u32, u64)> = Vec::new();
            match event {
                Event::Join(q) => {
                    if flights.join(&question(q), next_id, time, at(time)) != Joined::Full {
                        waiting.insert(next_id, (question(q), time));
                    }
                    next_id += 1;
                }
                Event::Ask(q) => {
                    flights.ask(&question(q), at(time));
                }
                Event::Send => {
                    if let Some(question) = flights.next_unsent() {
                        flights.handle_sent(question, next_token, sent(time));
                        tokens.push(next_token);
                        next_token += 1;
                    }
                }
                Event::Answer(n) => {
                    if !tokens.is_empty() {
                        let token = tokens.remove(n % tokens.len());
                        ended = flights.handle_response(token).map(Landed::into_waiters).unwrap_or_default();
                    }
                }
                Event::Leave(n) => {
                    let leaver = waiting.keys().nth(n).copied();
                    if let Some(id) = leaver {
                        let (question, _) = waiting.remove(&id).unwrap();
                        flights.leave(&question, id);
                    }
                }
                Event::Pass(by) => {
                    time += by;
                    ended = flights.handle_timeout(at(time));
                }
            }
            for (id, _) in ended {
                prop_assert!(waiting.remove(&id).is_some(), "{id} ended twice or after leaving");
            }
            for (_, since) in waiting.values() {
                prop_assert!(time - since <= u64::from(TIMEOUT_MS) + GRACE_MS + 700, "a wait past its deadline");
            }
            let (waiters, checks) = flights.occupancy();
            prop_assert_eq!(waiters, waiting.len());
            prop_assert!(waiters <= LIMITS.max_waiters && checks <= LIMITS.max_checks);
            prop_assert!(flights.tokens.len() <= checks);
        }
        prop_assert!(waiting.is_empty(), "somebody still waits");
    }
}
