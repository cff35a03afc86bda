//! Requests that wait: shared checks, bounds, and nobody left behind.

use std::rc::Rc;

use edge_api::check::Subject;
use edge_api::id::Id;
use proptest::prelude::*;

use super::*;
use crate::cache::LocalName;

mod budgets;

/// Of the twelve that may wait, three may wait for one check.
const LIMITS: Limits = Limits {
    max_waiters: 12,
    max_checks: 5,
    bad_key_checks_per_s: 1,
};
const TIMEOUT_MS: u32 = 1_000;
const OVERLOADED: Joined = Joined::Refused(Fault::Overloaded);

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

/// A request that knows nothing of what it would ask.
fn on(id: u8) -> Rc<Recollection> {
    Recollection::new(question(id), Known::default())
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
    assert_eq!(flights.join(&on(1), 10, "a", at(0)), Joined::Leads);
    assert_eq!(flights.join(&on(1), 11, "b", at(0)), Joined::Follows);
    let asked = flights.next_unsent().unwrap();
    assert_eq!(asked, question(1));
    assert_eq!(flights.next_unsent(), None);
    flights.handle_sent(asked, 7, sent(0));
    assert_eq!(flights.join(&on(1), 12, "c", at(5)), Joined::Follows);
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
    flights.join(&on(1), 10, "leader", at(0));
    flights.join(&on(1), 11, "follower", at(0));
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
    for n in 0..12 {
        let joined = flights.join(&on((n / 3) as u8), n, "a", at(0));
        assert_ne!(joined, OVERLOADED, "{n}");
    }
    let late = flights.join(&on(4), 12, "b", at(0));
    assert_eq!(late, OVERLOADED, "a thirteenth waiter");
    assert_eq!(flights.occupancy(), (12, 4), "and no check for it");
    flights.leave(&question(0), 0);
    flights.leave(&question(0), 0);
    assert_eq!(flights.join(&on(4), 12, "b", at(0)), Joined::Leads);
    let late = flights.join(&on(4), 13, "c", at(0));
    assert_eq!(late, OVERLOADED, "room is given back once");
    flights.leave(&question(0), 1);
    let late = flights.join(&on(5), 13, "c", at(0));
    assert_eq!(late, OVERLOADED, "a sixth check");
    assert_eq!(flights.ask(&question(5), at(0)), OVERLOADED);
}

#[test]
fn one_question_cannot_take_the_place_of_all_others() {
    let mut flights = flights();
    for id in 0..3 {
        assert_ne!(flights.join(&on(0), id, "the same", at(0)), OVERLOADED);
    }
    assert_eq!(flights.join(&on(0), 3, "the same", at(0)), OVERLOADED);
    assert_eq!(flights.join(&on(1), 4, "another", at(0)), Joined::Leads);
    flights.leave(&question(0), 1);
    assert_eq!(flights.join(&on(0), 3, "the same", at(0)), Joined::Follows);
}

#[test]
fn an_answer_not_believed_is_asked_for_again_at_the_next_tick() {
    let mut flights = flights();
    flights.join(&on(1), 1, "a", at(0));
    let landed = land(&mut flights, 7);
    assert_eq!(flights.ask_again(landed, at(1)), Ok(()));
    assert_eq!(flights.occupancy(), (1, 1));
    assert_eq!(flights.join(&on(1), 2, "b", at(2)), Joined::Follows);
    assert_eq!(flights.join(&on(2), 3, "c", at(2)), Joined::Leads);
    assert_eq!(flights.next_unsent(), Some(question(2)));
    assert_eq!(flights.next_unsent(), None, "not before the tick");
    assert!(flights.handle_tick(at(3)).is_empty());
    let landed = land(&mut flights, 8);
    assert_eq!(landed.into_waiters(), [(1, "a"), (2, "b")]);
}

#[test]
fn an_answer_not_believed_gives_its_waiters_back_when_there_is_no_room() {
    let mut flights = flights();
    flights.join(&on(1), 1, "a", at(0));
    let landed = land(&mut flights, 7);
    for other in 2..7 {
        flights.join(&on(other), other.into(), "b", at(1));
    }
    let left = flights.ask_again(landed, at(2));
    assert_eq!(left, Err(vec![(1, "a")]), "nobody is forgotten");
}

#[test]
fn checks_that_nobody_waits_for_leave_room_for_those_that_somebody_does() {
    let mut flights = flights();
    for n in 1..=3 {
        assert_eq!(flights.ask(&question(n), at(0)), Joined::Leads);
    }
    let fourth = flights.ask(&question(4), at(0));
    assert_eq!(fourth, OVERLOADED, "half of five is three");
    assert_eq!(flights.join(&on(4), 1, "a", at(0)), Joined::Leads);
}

/// Sends the next check as `token` and has it end.
fn land<W>(flights: &mut Flights<W>, token: u32) -> Landed<W> {
    let asked = flights.next_unsent().unwrap();
    flights.handle_sent(asked, token, sent(0));
    flights.handle_response(token).unwrap()
}

#[test]
fn a_lost_answer_ends_the_wait_and_is_forgotten() {
    let mut flights = flights();
    flights.join(&on(1), 1, "a", at(0));
    let asked = flights.next_unsent().unwrap();
    flights.handle_sent(asked, 7, sent(0));
    flights.join(&on(1), 2, "b", at(500));
    assert!(flights.handle_tick(at(1_099)).is_empty());
    assert_eq!(flights.handle_tick(at(1_100)), [(1, "a")]);
    assert_eq!(flights.handle_tick(at(1_600)), [(2, "b")]);
    assert_eq!(flights.occupancy(), (0, 0));
    assert!(flights.handle_response(7).is_none(), "too late");
    assert_eq!(
        flights.join(&on(1), 3, "c", at(1_600)),
        Joined::Leads,
        "asked anew"
    );
}

#[test]
fn a_lost_answer_is_asked_for_anew_while_requests_keep_coming() {
    let mut flights = flights();
    flights.join(&on(1), 1, "a", at(0));
    let asked = flights.next_unsent().unwrap();
    flights.handle_sent(asked, 7, sent(0));
    flights.join(&on(1), 2, "b", at(900));
    assert!(flights.is_asking(&question(1), at(1_099)));
    assert!(!flights.is_asking(&question(1), at(1_100)));
    assert_eq!(flights.join(&on(1), 3, "c", at(1_100)), Joined::Leads);
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
    flights.handle_tick(at(2_000));
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
        (0..7u8).prop_map(Event::Join),
        (0..7u8).prop_map(Event::Ask),
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
                    let joined = flights.join(&on(q), next_id, time, at(time));
                    if !matches!(joined, Joined::Refused(_)) {
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
                    ended = flights.handle_tick(at(time));
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
            prop_assert!(flights.flights.values().all(|flight| flight.waiters.len() <= 3));
        }
        prop_assert!(waiting.is_empty(), "somebody still waits");
    }
}
