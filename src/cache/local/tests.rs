//! What a worker remembers by itself: told apart, bounded, and good things safe from floods of bad ones.

use edge_api::check::Verdict;
use edge_api::id::Id;
use edge_api::key_sha256::KeySha256;

use super::*;
use crate::api_key::ApiKey;
use crate::cache::{Entry, KeyVerdict, Policy, Stamp};
use crate::config::Config;

fn cache(entries: usize) -> LocalCache {
    let json = format!(
        r#"{{"control_plane": {{"cluster": "c"}}, "rules": [{{"path": "/{{project_id}}"}}], "cache": {{"local_entries": {entries}}}}}"#
    );
    let config = Config::parse(json.as_bytes(), |_| Some("token".to_owned())).unwrap();
    LocalCache::new(&config.cache, [7; 16])
}

fn subject(id: &str) -> Subject {
    Subject::ProjectId(Id::parse(id).unwrap())
}

fn recollection(
    cache: &LocalCache,
    project: &str,
    key: &[u8],
    verdict: Verdict,
) -> Rc<Recollection> {
    let stamp = Stamp {
        epoch: 0,
        revision: 1,
        learnt_ms: 0,
        fresh_until_ms: 1,
    };
    let value = KeyVerdict {
        verdict,
        key_id: None,
        expires_at_ms: None,
    };
    let question = Question {
        subject: subject(project),
        key: Some(KeySha256([1; 32])),
        name: cache.name(&subject(project), &Presented::One(ApiKey::new(key))),
    };
    let known = Known {
        policy: Some(Entry {
            value: Policy::Required(Id::parse(project).unwrap()),
            stamp,
        }),
        verdict: Some(Entry { value, stamp }),
    };
    Recollection::new(question, known)
}

#[test]
fn every_question_has_a_name_of_its_own() {
    let cache = cache(16);
    let one = |key: &'static [u8]| Presented::One(ApiKey::new(key));
    let names = [
        cache.name(&subject("a"), &Presented::Missing),
        cache.name(&subject("ab"), &Presented::Missing),
        cache.name(&subject("a"), &one(b"b")),
        cache.name(&subject("a"), &one(b"c")),
        cache.name(
            &Subject::ServerId(Id::parse("a").unwrap()),
            &Presented::Missing,
        ),
    ];
    for (index, name) in names.iter().enumerate() {
        assert!(!names[..index].contains(name), "{index}");
    }
    let other_vm = LocalCache::new(
        &Config::parse(
            br#"{"control_plane": {"cluster": "c"}, "rules": [{"path": "/{project_id}"}]}"#,
            |_| Some("token".to_owned()),
        )
        .unwrap()
        .cache,
        [8; 16],
    );
    assert_ne!(
        names[0],
        other_vm.name(&subject("a"), &Presented::Missing),
        "nobody can aim"
    );
}

#[test]
fn a_newer_word_takes_the_older_ones_place_in_both_halves() {
    let mut cache = cache(16);
    let valid = recollection(&cache, "p", b"key", Verdict::Valid);
    let revoked = recollection(&cache, "p", b"key", Verdict::Revoked);
    let name = valid.question.name;
    cache.insert(Rc::clone(&valid));
    cache.insert(Rc::clone(&revoked));
    assert_eq!(cache.get(&name).unwrap().known, revoked.known);
    cache.insert(Rc::clone(&valid));
    assert_eq!(cache.get(&name).unwrap().known, valid.known);
    assert_eq!(cache.len(), 1);
}

#[test]
fn a_flood_of_bad_keys_stays_in_its_bound_and_evicts_no_good_one() {
    let mut cache = cache(64);
    let good: Vec<_> = (0..40u8)
        .map(|n| recollection(&cache, "p", &[n], Verdict::Valid))
        .collect();
    for recollection in &good {
        cache.insert(Rc::clone(recollection));
    }
    let mut evicted = 0;
    for n in 0..10_000u32 {
        let bad = recollection(&cache, "p", &n.to_le_bytes(), Verdict::Unknown);
        evicted += u32::from(cache.insert(bad));
    }
    assert!(cache.len() <= 64 + 16, "{}", cache.len());
    assert!(evicted > 9_900, "and it is told: {evicted}");
    for recollection in &good {
        assert!(cache.get(&recollection.question.name).is_some());
    }
}

#[test]
fn keys_in_use_outlast_keys_seen_once() {
    let mut cache = cache(64);
    let used: Vec<_> = (0..20u32)
        .map(|n| recollection(&cache, "used", &n.to_le_bytes(), Verdict::Valid))
        .collect();
    for recollection in &used {
        cache.insert(Rc::clone(recollection));
    }
    for n in 0..2_000u32 {
        for recollection in &used {
            cache.get(&recollection.question.name);
        }
        let once = recollection(&cache, "once", &n.to_le_bytes(), Verdict::Valid);
        cache.insert(once);
    }
    let left = used
        .iter()
        .filter(|r| cache.get(&r.question.name).is_some());
    assert_eq!(left.count(), used.len());
}
