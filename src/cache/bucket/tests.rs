//! A bucket keeps what is genuine and newest, within its bounds, whatever bytes it starts from.

use edge_api::check::{Subject, Verdict};
use edge_api::id::Id;
use proptest::prelude::*;

use super::*;
use crate::cache::{CacheLimits, KeyVerdict, Policy, Region};
use crate::config::Config;

const NOW: u64 = 1_000_000;

fn config(token: &'static str) -> Config {
    // The smallest cache: one bucket per region, so that everything meets everything.
    let json = r#"{"control_plane": {"cluster": "c"}, "rules": [{"path": "/{project_id}"}],
        "cache": {"policies": 4, "unknown_projects": 4, "valid_keys": 4, "invalid_keys": 4}}"#;
    Config::parse(json.as_bytes(), |_| Some(token.to_owned())).unwrap()
}

fn seal() -> Seal {
    Seal::derive(&config("token").control_plane)
}

fn limits() -> CacheLimits {
    config("token").cache
}

fn place(seal: &Seal, region: Region, id: &str) -> Place {
    let subject = Subject::ProjectId(Id::parse(id).unwrap());
    seal.place(&limits(), region, &subject, None)
}

fn policy(id: &str, revision: u64, life_ms: u64) -> Entry<Policy> {
    Entry {
        value: Policy::Required(Id::parse(id).unwrap()),
        stamp: stamp(revision, NOW + life_ms),
    }
}

fn stamp(revision: u64, fresh_until_ms: u64) -> Stamp {
    Stamp {
        epoch: 0,
        revision,
        learnt_ms: NOW,
        fresh_until_ms,
    }
}

fn put(
    bytes: Option<&[u8]>,
    id: &str,
    revision: u64,
    life_ms: u64,
    now_ms: u64,
) -> Option<Vec<u8>> {
    let seal = seal();
    let place = place(&seal, Region::Policies, id);
    match Bucket::new(bytes).put(&seal, &place, &policy(id, revision, life_ms), now_ms) {
        Put::Write(rewrite) => Some(rewrite.bytes),
        Put::Keep => None,
    }
}

fn find(bytes: &[u8], id: &str) -> Option<Entry<Policy>> {
    let seal = seal();
    Bucket::new(Some(bytes)).find(&seal, &place(&seal, Region::Policies, id))
}

#[test]
fn what_is_put_is_found_again() {
    let seal = seal();
    let place = place(&seal, Region::ValidKeys, "p1");
    for verdict in [
        KeyVerdict {
            verdict: Verdict::Valid,
            key_id: Some(Id::parse("k1").unwrap()),
            expires_at_ms: Some(5),
        },
        KeyVerdict {
            verdict: Verdict::Unknown,
            key_id: None,
            expires_at_ms: None,
        },
        KeyVerdict {
            verdict: Verdict::OtherProject,
            key_id: Some(Id::parse(&"k".repeat(64)).unwrap()),
            expires_at_ms: None,
        },
    ] {
        let entry = Entry {
            value: verdict,
            stamp: stamp(7, 9),
        };
        let Put::Write(Rewrite { bytes, .. }) = Bucket::new(None).put(&seal, &place, &entry, NOW)
        else {
            panic!("not written");
        };
        assert_eq!(Bucket::new(Some(&bytes)).find(&seal, &place), Some(entry));
    }
}

#[test]
fn an_older_answer_never_replaces_a_newer_one() {
    let newer = put(None, "p1", 10, 5_000, NOW).unwrap();
    assert_eq!(put(Some(&newer), "p1", 9, 5_000, NOW), None);
    assert_eq!(
        put(Some(&newer), "p1", 9, 5_000, NOW + 5_000),
        None,
        "nor when the newer one's life is over"
    );
    let same = put(Some(&newer), "p1", 10, 9_000, NOW).unwrap();
    assert_eq!(find(&same, "p1").unwrap().stamp.fresh_until_ms, NOW + 9_000);
}

#[test]
fn a_revision_that_went_back_is_believed_after_a_minute() {
    let newer = put(None, "p1", 10, 0, NOW).unwrap();
    let later = NOW + REMEMBERS_REVISION_MS;
    assert_eq!(put(Some(&newer), "p1", 9, 90_000, later - 1), None);
    let restored = put(Some(&newer), "p1", 9, 90_000, later).unwrap();
    assert_eq!(find(&restored, "p1").unwrap().stamp.revision, 9);
}

#[test]
fn after_a_restored_database_is_noticed_its_lower_revisions_count() {
    let seal = seal();
    let place = place(&seal, Region::Policies, "p1");
    let before = put(None, "p1", 10, 60_000, NOW).unwrap();
    let mut restored = policy("p1", 3, 60_000);
    restored.stamp.epoch = 1;
    let Put::Write(Rewrite { bytes, .. }) =
        Bucket::new(Some(&before)).put(&seal, &place, &restored, NOW)
    else {
        panic!("kept");
    };
    assert_eq!(
        put(Some(&bytes), "p1", 11, 60_000, NOW),
        None,
        "and those of before do not"
    );
}

#[test]
fn a_full_bucket_lets_go_of_what_ends_first() {
    let mut bytes = None;
    for (index, life_ms) in [40, 10, 30, 20, 50].into_iter().enumerate() {
        bytes = put(bytes.as_deref(), &format!("p{index}"), 1, life_ms, NOW);
    }
    let bytes = bytes.unwrap();
    let kept: Vec<usize> = (0..5)
        .filter(|i| find(&bytes, &format!("p{i}")).is_some())
        .collect();
    assert_eq!(kept, [0, 2, 3, 4]);
}

#[test]
fn an_entry_whose_life_was_over_does_not_count_as_evicted() {
    let seal = seal();
    let full = (0..WAYS).fold(None, |bytes: Option<Vec<u8>>, index| {
        put(bytes.as_deref(), &format!("p{index}"), 1, 10, NOW)
    });
    let evicted = |id: &str, now_ms| {
        let place = place(&seal, Region::Policies, id);
        match Bucket::new(full.as_deref()).put(&seal, &place, &policy(id, 1, 90), now_ms) {
            Put::Write(rewrite) => rewrite.evicted,
            Put::Keep => panic!("not written"),
        }
    };
    assert_eq!(evicted("p9", NOW + 9), 1);
    assert_eq!(evicted("p9", NOW + 10), 0);
    assert_eq!(evicted("p0", NOW + 9), 0, "it takes its own place");
}

#[test]
fn an_entry_is_removed_only_up_to_a_revision() {
    let seal = seal();
    let place = place(&seal, Region::Policies, "p1");
    let bytes = put(put(None, "p1", 5, 9, NOW).as_deref(), "p2", 5, 9, NOW).unwrap();
    assert_eq!(
        Bucket::new(Some(&bytes)).remove(&seal, &place, &stamp(4, 0)),
        None
    );
    let left = Bucket::new(Some(&bytes))
        .remove(&seal, &place, &stamp(5, 0))
        .unwrap()
        .bytes;
    assert!(find(&left, "p1").is_none() && find(&left, "p2").is_some());
    assert_eq!(
        Bucket::new(Some(&left)).remove(&seal, &place, &stamp(5, 0)),
        None
    );
}

#[test]
fn an_entry_written_without_the_edge_token_is_no_entry() {
    let ours = seal();
    let theirs = Seal::derive(&config("another-token").control_plane);
    let place = place(&ours, Region::Policies, "p1");
    let Put::Write(Rewrite { bytes: forged, .. }) =
        Bucket::new(None).put(&theirs, &place, &policy("p1", 99, 9), NOW)
    else {
        panic!("not written");
    };
    assert_eq!(
        Bucket::new(Some(&forged)).find::<Policy>(&ours, &place),
        None
    );
    let over = put(Some(&forged), "p1", 1, 9, NOW).unwrap();
    assert_eq!(
        find(&over, "p1").unwrap().stamp.revision,
        1,
        "and does not keep ours out"
    );
}

#[test]
fn an_entry_moved_to_another_name_or_region_is_no_entry() {
    let seal = seal();
    let mut bytes = put(None, "open", 1, 9, NOW).unwrap();
    let locked = place(&seal, Region::Policies, "locked");
    let name = 1..=DIGEST_LEN;
    bytes[name].copy_from_slice(&locked.name);
    assert_eq!(
        Bucket::new(Some(&bytes)).find::<Policy>(&seal, &locked),
        None
    );

    let invalid = Place {
        region: Region::InvalidKeys,
        ..locked
    };
    let valid = Place {
        region: Region::ValidKeys,
        ..locked
    };
    let entry = Entry {
        value: KeyVerdict {
            verdict: Verdict::Valid,
            key_id: None,
            expires_at_ms: None,
        },
        stamp: stamp(1, NOW),
    };
    let Put::Write(Rewrite { bytes, .. }) = Bucket::new(None).put(&seal, &invalid, &entry, NOW)
    else {
        panic!("not written");
    };
    assert_eq!(
        Bucket::new(Some(&bytes)).find::<KeyVerdict>(&seal, &valid),
        None
    );
}

#[test]
fn every_changed_bit_makes_an_entry_a_miss() {
    let bytes = put(None, "p1", 1, 9, NOW).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(find(&changed, "p1"), None, "bit {bit}");
    }
}

proptest! {
    #[test]
    fn no_bytes_found_make_a_bucket_panic_or_grow(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let mut bytes = bytes;
        if let Some(first) = bytes.first_mut() {
            *first = VERSION;
        }
        prop_assert_eq!(find(&bytes, "p1"), None);
        let written = put(Some(&bytes), "p1", 1, 9, NOW).unwrap();
        prop_assert!(find(&written, "p1").is_some());
        prop_assert!(written.len() < 112, "foreign entries are dropped");
    }

    /// Against the plainest model: the highest revision written wins, and a bucket never holds more than four.
    #[test]
    fn writes_in_any_order_leave_the_newest(writes in proptest::collection::vec((0..3u8, 0..20u64), 1..40)) {
        let mut bytes: Option<Vec<u8>> = None;
        let mut model = std::collections::BTreeMap::new();
        for (id, revision) in writes {
            let id = format!("p{id}");
            if let Some(written) = put(bytes.as_deref(), &id, revision, 9, NOW) {
                bytes = Some(written);
            }
            let newest = model.entry(id).or_insert(revision);
            *newest = revision.max(*newest);
        }
        let bytes = bytes.unwrap();
        for (id, revision) in model {
            prop_assert_eq!(find(&bytes, &id).unwrap().stamp.revision, revision);
        }
        prop_assert!(Bucket::new(Some(&bytes)).entries().count() <= WAYS as usize);
    }
}
