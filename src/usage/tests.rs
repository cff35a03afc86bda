//! Nothing counted is lost or doubled, whatever happens to batches and answers, and memory stays bounded.

use proptest::prelude::*;

use super::tally::ROWS;
use super::*;

const INTERVAL_MS: u64 = 1_000;

fn id(text: &str) -> Id {
    Id::parse(text).unwrap()
}

fn now(monotonic_ms: u64) -> Now {
    Now {
        monotonic_ms,
        unix_ms: 1_800_000_000_000 + monotonic_ms,
    }
}

fn usage() -> Usage {
    Usage::new(id("instance"), INTERVAL_MS, 255, now(4))
}

fn counted<'a>(project: &'a Id, key_id: Option<&'a Id>, outcome: Outcome) -> Counted<'a> {
    Counted {
        project,
        key_id,
        outcome,
        preview: None,
    }
}

impl Usage {
    fn holds_something(&mut self) -> bool {
        self.leaving.append(&mut self.tally.take());
        !self.leaving.is_empty() || self.unanswered.is_some()
    }
}

fn total(rows: &[UsageRow]) -> u64 {
    rows.iter().map(|row| row.count).sum()
}

#[test]
fn requests_that_are_alike_share_a_row_and_others_do_not() {
    let mut usage = usage();
    let (project, other, key) = (id("p1"), id("p2"), id("k1"));
    let hint = Hint::default();
    for (counted, at_ms) in [
        (counted(&project, Some(&key), Outcome::Allowed), 10),
        (counted(&project, Some(&key), Outcome::Allowed), 20),
        (counted(&project, None, Outcome::DeniedMissingKey), 30),
        (counted(&other, Some(&key), Outcome::Allowed), 40),
        (counted(&project, Some(&key), Outcome::Allowed), 50),
    ] {
        assert!(usage.count(&counted, &hint, now(at_ms)));
    }
    let batch = usage
        .next_batch(id("envoy"), Some(5), now(INTERVAL_MS))
        .unwrap();
    let rows: Vec<_> = batch
        .rows
        .iter()
        .map(|row| (row.project_id.clone().unwrap(), row.count))
        .collect();
    assert_eq!(rows, [(project.clone(), 1), (project, 3), (other, 1)]);
    let first = &batch.rows[1];
    assert_eq!(
        (first.first_at, first.last_at),
        (1_800_000_000_010, 1_800_000_000_050)
    );
    assert_eq!(batch.in_force, Some(5));
}

#[test]
fn a_batch_goes_out_again_until_it_is_taken_and_keeps_its_number() {
    let mut usage = usage();
    let project = id("p1");
    let counted = counted(&project, None, Outcome::Allowed);
    let (hint, envoy) = (Hint::default(), id("envoy"));
    usage.count(&counted, &hint, now(1));
    let first = usage.next_batch(envoy.clone(), None, now(1_000)).unwrap();
    usage.count(&counted, &hint, now(1_001));
    assert_eq!(usage.next_batch(envoy.clone(), None, now(1_999)), None);
    assert_eq!(
        usage.next_batch(envoy.clone(), None, now(2_000)),
        Some(first.clone())
    );
    usage.handle_answer(first.sequence, now(2_001));
    usage.handle_answer(first.sequence, now(2_002));
    let second = usage.next_batch(envoy.clone(), None, now(3_000)).unwrap();
    assert_eq!((second.sequence, total(&second.rows)), (2, 1));
    // An answer that comes late says nothing about the batch that came after.
    usage.handle_answer(first.sequence, now(3_001));
    assert_eq!(usage.next_batch(envoy, None, now(4_000)), Some(second));
}

#[test]
fn more_than_a_tally_holds_is_counted_without_its_project() {
    let mut usage = usage();
    let all = ROWS as u64 + 500;
    for number in 0..all {
        let project = id(&format!("p{number}"));
        let counted = counted(&project, None, Outcome::Allowed);
        let told_apart = usage.count(&counted, &Hint::default(), now(number));
        assert_eq!(told_apart, number < ROWS as u64);
    }
    let (mut sum, mut nameless, mut now_ms) = (0, 0, INTERVAL_MS * 10);
    while let Some(batch) = usage.next_batch(id("envoy"), None, now(now_ms)) {
        assert!(batch.rows.len() <= MAX_ROWS);
        sum += total(&batch.rows);
        let others = batch.rows.iter().filter(|row| row.project_id.is_none());
        nameless += others.map(|row| row.count).sum::<u64>();
        usage.handle_answer(batch.sequence, now(now_ms));
        // Full batches follow one another at once.
        now_ms += if usage.leaving.is_empty() {
            INTERVAL_MS
        } else {
            0
        };
    }
    assert_eq!((sum, nameless), (all, 500));
}

#[test]
fn no_kind_of_request_is_kept_from_being_told_by_others_that_never_stop() {
    let mut usage = usage();
    let kinds: Vec<Id> = (0..MAX_ROWS * 4).map(|n| id(&format!("p{n}"))).collect();
    let mut told = std::collections::HashSet::new();
    // All of them in each tick of two intervals, with an answer to each batch before the next one.
    for now_ms in (0..2 * INTERVAL_MS).step_by(100) {
        for kind in &kinds {
            let counted = counted(kind, None, Outcome::Allowed);
            usage.count(&counted, &Hint::default(), now(now_ms));
        }
        if let Some(batch) = usage.next_batch(id("envoy"), None, now(now_ms)) {
            told.extend(batch.rows.into_iter().filter_map(|row| row.project_id));
            usage.handle_answer(batch.sequence, now(now_ms));
        }
    }
    assert_eq!(told.len(), kinds.len());
}

#[test]
fn a_sender_that_reports_rarely_still_tells_that_it_lives() {
    let mut usage = Usage::new(id("instance"), 3_600_000, 255, now(0));
    let mut sent = Vec::new();
    for now_ms in (0..100_000).step_by(1_000) {
        if let Some(batch) = usage.next_batch(id("envoy"), Some(1), now(now_ms)) {
            usage.handle_answer(batch.sequence, now(now_ms));
            sent.push(now_ms);
        }
    }
    assert_eq!(sent, [30_000, 60_000, 90_000]);
}

#[test]
fn a_sender_that_counts_nothing_tells_now_and_then_that_it_lives_and_at_once_what_it_enforces() {
    let mut usage = usage();
    let envoy = id("envoy");
    let mut sent = Vec::new();
    for now_ms in (0..70_000).step_by(100) {
        let in_force = if now_ms < 50_000 { 1 } else { 2 };
        if let Some(batch) = usage.next_batch(envoy.clone(), Some(in_force), now(now_ms)) {
            usage.handle_answer(batch.sequence, now(now_ms));
            sent.push((now_ms, batch.rows.len()));
        }
    }
    assert_eq!(sent, [(1_000, 0), (31_000, 0), (50_000, 0)]);
}

#[test]
fn switched_off_it_counts_and_sends_nothing() {
    let mut usage = Usage::new(id("instance"), 0, 0, now(0));
    let project = id("p1");
    let counted = counted(&project, None, Outcome::Allowed);
    assert!(usage.count(&counted, &Hint::default(), now(1)));
    assert!(usage.tally.take().is_empty());
    assert_eq!(usage.next_batch(id("envoy"), Some(1), now(100_000)), None);
}

/// What the control plane makes of a batch: each number of a sender counts once.
#[derive(Default)]
struct Ledger {
    taken: u64,
    sum: u64,
}

impl Ledger {
    fn take(&mut self, batch: &UsageBatch) -> u64 {
        if batch.sequence > self.taken {
            self.taken = batch.sequence;
            self.sum += total(&batch.rows);
        }
        self.taken
    }
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Request(u8, u8),
    /// Time passes, a batch may go out: it arrives or not, its answer too.
    Tick {
        arrives: bool,
        answered: bool,
    },
    /// An earlier batch arrives once more, and its answer too.
    Repeat(usize),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0..5_u8, 0..3_u8).prop_map(|(project, key)| Event::Request(project, key)),
        2 => (any::<bool>(), any::<bool>())
            .prop_map(|(arrives, answered)| Event::Tick { arrives, answered }),
        1 => any::<prop::sample::Index>().prop_map(|index| Event::Repeat(index.index(64))),
    ]
}

proptest! {
    #[test]
    fn every_request_is_counted_once(events in prop::collection::vec(event(), 0..300)) {
        let (mut usage, mut ledger, hint) = (usage(), Ledger::default(), Hint::default());
        let (mut now_ms, mut requests) = (0, 0);
        let mut past: Vec<UsageBatch> = Vec::new();
        for event in events {
            match event {
                Event::Request(project, key) => {
                    let (project, key) = (id(&format!("p{project}")), id(&format!("k{key}")));
                    usage.count(&counted(&project, Some(&key), Outcome::Allowed), &hint, now(now_ms));
                    requests += 1;
                }
                Event::Tick { arrives, answered } => {
                    now_ms += INTERVAL_MS;
                    let Some(batch) = usage.next_batch(id("envoy"), None, now(now_ms)) else {
                        continue;
                    };
                    past.push(batch.clone());
                    if arrives {
                        let taken = ledger.take(&batch);
                        if answered {
                            usage.handle_answer(taken, now(now_ms));
                        }
                    }
                }
                Event::Repeat(index) => {
                    if let Some(batch) = past.get(index) {
                        usage.handle_answer(ledger.take(batch), now(now_ms));
                    }
                }
            }
        }
        while usage.holds_something() {
            now_ms += INTERVAL_MS;
            let batch = usage.next_batch(id("envoy"), None, now(now_ms)).expect("a batch");
            usage.handle_answer(ledger.take(&batch), now(now_ms));
        }
        prop_assert_eq!(ledger.sum, requests);
    }
}
