//! What checks about keys cost their projects: nothing, unless the key is bad.

use edge_api::check::Verdict;
use edge_api::key_sha256::KeySha256;

use super::*;
use crate::cache::{Entry, KeyVerdict, Policy, Stamp};

/// A budget of five checks at once.
const BURST: u8 = 5;
/// So that none of the limits but the budget is reached.
const ROOMY: Limits = Limits {
    max_waiters: 1_000,
    max_checks: 1_000,
    bad_key_checks_per_s: 1,
};
const OVER_BUDGET: Joined = Joined::Refused(Fault::OverBudget);

fn roomy() -> Flights<()> {
    Flights::new(ROOMY, TIMEOUT_MS)
}

fn id(text: &str) -> Id {
    Id::parse(text).unwrap()
}

/// A request that names `subject` and shows the key `key`, and what it knows.
fn keyed(subject: Subject, key: u8, known: Known) -> Rc<Recollection> {
    let question = Question {
        subject,
        key: Some(KeySha256([key; 32])),
        name: LocalName::default(),
    };
    Recollection::new(question, known)
}

fn unknown(key: u8) -> Rc<Recollection> {
    keyed(Subject::ProjectId(id("p1")), key, Known::default())
}

fn entry<T>(value: T) -> Option<Entry<T>> {
    let stamp = Stamp {
        epoch: 0,
        revision: 1,
        learnt_ms: 0,
        fresh_until_ms: 1,
    };
    Some(Entry { value, stamp })
}

/// Of a key of the locked project `p1`.
fn known(verdict: Verdict) -> Known {
    Known {
        policy: entry(Policy::Required(id("p1"))),
        verdict: entry(KeyVerdict {
            verdict,
            key_id: None,
            expires_at_ms: None,
        }),
    }
}

/// How many more keys may be asked about.
fn left(flights: &mut Flights<()>, now: Now) -> u8 {
    let keys = 100..200;
    let spent =
        keys.take_while(|key| flights.join(&unknown(*key), (*key).into(), (), now) != OVER_BUDGET);
    u8::try_from(spent.count()).unwrap()
}

#[test]
fn a_bad_key_costs_a_token_and_a_good_one_nothing() {
    for (verdict, cost) in [(Verdict::Unknown, 1), (Verdict::Valid, 0)] {
        let mut flights = roomy();
        flights.join(&unknown(1), 1, (), at(0));
        flights.join(&unknown(1), 2, (), at(0));
        let mut landed = land(&mut flights, 7);
        flights.handle_answer(&mut landed, &known(verdict), at(0));
        assert_eq!(left(&mut flights, at(0)), BURST - cost, "{verdict:?}");
    }
}

#[test]
fn a_request_that_finds_no_room_costs_nothing() {
    let mut flights: Flights<()> = Flights::new(LIMITS, TIMEOUT_MS);
    for n in 0..5 {
        flights.join(&on(n), n.into(), (), at(0));
    }
    for key in 0..50 {
        assert_eq!(flights.join(&unknown(key), 100, (), at(0)), OVERLOADED);
        let asked = flights.ask_within_budget(&unknown(key), at(0));
        assert_eq!(asked, OVERLOADED);
    }
    assert_eq!(flights.budget.spent(), 0);
}

#[test]
fn a_good_key_costs_nothing_if_its_first_answer_was_not_believed() {
    let mut flights = roomy();
    flights.join(&unknown(1), 1, (), at(0));
    let mut landed = land(&mut flights, 7);
    flights.handle_answer(&mut landed, &known(Verdict::Unknown), at(0));
    flights.ask_again(landed, at(0)).unwrap();
    flights.handle_tick(at(0));
    assert_ne!(flights.budget.spent(), 0, "nobody knows yet");
    let mut landed = land(&mut flights, 8);
    flights.handle_answer(&mut landed, &known(Verdict::Valid), at(0));
    assert_eq!(flights.budget.spent(), 0);
}

#[test]
fn a_check_without_an_answer_costs_nothing() {
    let ends: [fn(&mut Flights<()>); 4] = [
        |flights| {
            let landed = land(flights, 7);
            flights.handle_fault(landed, at(0));
        },
        |flights| {
            let question = flights.next_unsent().unwrap();
            flights.handle_not_sent(question, at(0));
        },
        // Its answer is lost, and nobody asks any more.
        |flights| {
            flights.leave(&unknown(1).question, 1);
            flights.handle_tick(at(1_100));
        },
        // Its answer is lost, and somebody asks for it anew.
        |flights| {
            let asked = flights.next_unsent().unwrap();
            flights.handle_sent(asked, 7, sent(0));
            assert_eq!(flights.join(&unknown(1), 2, (), at(1_100)), Joined::Leads);
            let landed = land(flights, 8);
            flights.handle_fault(landed, at(1_100));
        },
    ];
    for (n, end) in ends.into_iter().enumerate() {
        let mut flights = roomy();
        // More than grows back meanwhile.
        for key in 2..4 {
            flights.join(&unknown(key), key.into(), (), at(0));
            let mut landed = land(&mut flights, 7);
            flights.handle_answer(&mut landed, &known(Verdict::Unknown), at(0));
        }
        flights.join(&unknown(1), 1, (), at(0));
        end(&mut flights);
        let grown = if n < 2 { 0 } else { 1_100 };
        flights.budget.take(&id("p1"), at(grown));
        assert_eq!(flights.budget.spent(), 3_000 - grown, "the end {n}");
    }
}

#[test]
fn a_key_that_was_good_is_asked_about_again_at_no_cost() {
    let mut flights = roomy();
    assert_eq!(left(&mut flights, at(0)), BURST);
    let project = || Subject::ProjectId(id("p1"));
    let was_bad = keyed(project(), 1, known(Verdict::Revoked));
    assert_eq!(flights.join(&was_bad, 1, (), at(0)), OVER_BUDGET);
    let was_good = keyed(project(), 1, known(Verdict::Valid));
    assert_eq!(flights.join(&was_good, 1, (), at(0)), Joined::Leads);
}

#[test]
fn who_waits_for_a_check_under_way_pays_nothing() {
    let mut flights = roomy();
    assert_eq!(left(&mut flights, at(0)), BURST);
    assert_eq!(flights.join(&unknown(100), 1, (), at(0)), Joined::Follows);
    assert_eq!(flights.join(&on(1), 2, (), at(0)), Joined::Leads, "no key");
}

#[test]
fn all_ids_that_lead_to_a_project_share_its_budget() {
    let mut flights = roomy();
    let policy = Known {
        policy: entry(Policy::Required(id("p1"))),
        verdict: None,
    };
    for n in 0..BURST {
        let server = Subject::ServerId(id(&format!("s{n}")));
        let request = keyed(server, n, policy.clone());
        assert_eq!(flights.join(&request, n.into(), (), at(0)), Joined::Leads);
    }
    let server = || Subject::ServerId(id("s9"));
    let known = keyed(server(), 9, policy.clone());
    assert_eq!(flights.join(&known, 9, (), at(0)), OVER_BUDGET);
    let project = keyed(Subject::ProjectId(id("p1")), 9, policy);
    assert_eq!(flights.join(&project, 9, (), at(0)), OVER_BUDGET);
    let unknown = keyed(server(), 9, Known::default());
    let joined = flights.join(&unknown, 9, (), at(0));
    assert_eq!(joined, Joined::Leads, "nobody knows whose it is");
}

/// Something that happens to checks about keys.
#[derive(Debug, Clone)]
enum Event {
    Join(u8),
    Ask(u8),
    Send(bool),
    End(usize, End),
    Leave(u32),
    Pass(u64),
}

/// How a check ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Good,
    Bad,
    Fault,
    /// With an answer that is not believed.
    Again(Verdict),
}

fn event() -> impl Strategy<Value = Event> {
    let end = prop_oneof![
        Just(End::Good),
        Just(End::Bad),
        Just(End::Fault),
        Just(End::Again(Verdict::Valid)),
        Just(End::Again(Verdict::Unknown)),
    ];
    prop_oneof![
        4 => (0..6u8).prop_map(Event::Join),
        1 => (0..6u8).prop_map(Event::Ask),
        4 => any::<bool>().prop_map(Event::Send),
        4 => (0..6usize, end).prop_map(|(n, end)| Event::End(n, end)),
        1 => (0..40u32).prop_map(Event::Leave),
        2 => (0..60u64).prop_map(Event::Pass),
    ]
}

proptest! {
    /// Whatever happens in whatever order, no more tokens are out than checks under way and bad keys account for, and none
    /// comes back twice.
    #[test]
    fn every_token_comes_back_unless_the_key_is_bad(events in prop::collection::vec(event(), 1..80)) {
        // Soon over, so that next to nothing grows back meanwhile.
        let limits = Limits { max_waiters: 12, max_checks: 3, bad_key_checks_per_s: 1 };
        let mut flights: Flights<()> = Flights::new(limits, 10);
        let (mut time, mut next, mut bad) = (0, 1, 0);
        let mut under_way = Vec::new();
        for event in events {
            match event {
                Event::Join(key) => {
                    flights.join(&unknown(key), next, (), at(time));
                }
                Event::Ask(key) => {
                    flights.ask_within_budget(&unknown(key), at(time));
                }
                Event::Send(arrives) => if let Some(question) = flights.next_unsent() {
                    if arrives {
                        flights.handle_sent(question, next, sent(time));
                        under_way.push(next);
                    } else {
                        flights.handle_not_sent(question, at(time));
                    }
                },
                Event::End(n, end) => if !under_way.is_empty() {
                    let token = under_way.remove(n % under_way.len());
                    let Some(mut landed) = flights.handle_response(token) else {
                        continue;
                    };
                    let charged = u64::from(landed.payer.is_some());
                    let verdict = match end {
                        End::Good => Verdict::Valid,
                        End::Bad | End::Fault => Verdict::Unknown,
                        End::Again(verdict) => verdict,
                    };
                    match end {
                        End::Fault => drop(flights.handle_fault(landed, at(time))),
                        End::Good | End::Bad => {
                            flights.handle_answer(&mut landed, &known(verdict), at(time));
                            bad += if end == End::Bad { charged } else { 0 };
                        }
                        End::Again(_) => {
                            flights.handle_answer(&mut landed, &known(verdict), at(time));
                            flights.ask_again(landed, at(time)).unwrap();
                        }
                    }
                },
                Event::Leave(id) => (0..6).for_each(|key| flights.leave(&unknown(key).question, id)),
                Event::Pass(by) => {
                    time += by;
                    flights.handle_tick(at(time));
                }
            }
            next += 1;
            let charged = flights.flights.values().filter(|flight| flight.payer.is_some()).count();
            let owed = (charged as u64 + bad) * 1_000;
            let spent = flights.budget.spent();
            prop_assert!(spent <= owed, "{spent} spent, {owed} owed");
            prop_assert!(spent + time >= owed, "{spent} spent, {owed} owed, {time} grown");
        }
    }
}
