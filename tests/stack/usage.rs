//! What the control plane is told of the requests that the gateway saw: every one of them, once.

use std::collections::BTreeMap;

use edge_api::check::Verdict;
use edge_api::usage::{Outcome, UsageRow};
use futures::future::join_all;
use serde_json::json;
use stack::deadline::{PATIENCE, eventually};
use stack::gateway::GatewayOptions;
use stack::keys::mint_key;
use stack::scripted_control_plane::Fault;
use stack::stack::Stack;

const UNATTRIBUTED: &str = "wasmcustom.mcp_key_auth.usage_unattributed";
const REPORTS: &str = "wasmcustom.mcp_key_auth.usage_reports.result.";

/// An open and a locked project, a key for each.
async fn reporting(change: impl FnOnce(GatewayOptions) -> GatewayOptions) -> (Stack, [String; 2]) {
    let stack = Stack::with(|options| {
        let soon = json!({"usage_interval_ms": 200});
        change(options.plugin(soon))
    })
    .await;
    stack.control_plane.set_project("open", false);
    stack.control_plane.set_project("locked", true);
    let keys = [mint_key(1), mint_key(2)];
    for (key, id, project) in [(&keys[0], "key_1", "open"), (&keys[1], "key_2", "locked")] {
        stack
            .control_plane
            .set_key(key, id, project, Verdict::Valid, None);
    }
    (stack, keys)
}

fn sum(rows: &[UsageRow]) -> u64 {
    rows.iter().map(|row| row.count).sum()
}

/// Waits until so many requests are reported, and looks that no more come.
async fn reported(stack: &Stack, requests: u64) -> Vec<UsageRow> {
    let what = format!("{requests} requests are reported");
    eventually(PATIENCE, &what, async || {
        (sum(&stack.control_plane.usage_rows()) >= requests).then_some(())
    })
    .await;
    // Whatever was counted twice would come with the next batches.
    let batches = stack.control_plane.usage_batches().len();
    stack.gateway.mcp("open").send().await;
    eventually(PATIENCE, "another batch", async || {
        (stack.control_plane.usage_batches().len() > batches
            && sum(&stack.control_plane.usage_rows()) > requests)
            .then_some(())
    })
    .await;
    let rows = stack.control_plane.usage_rows();
    assert_eq!(sum(&rows), requests + 1, "{rows:?}");
    rows
}

type Counts<'a> = BTreeMap<(&'a str, Option<&'a str>, Outcome, Option<Outcome>), u64>;

fn counts(rows: &[UsageRow]) -> Counts<'_> {
    let mut counts = Counts::new();
    for row in rows {
        let project = row.project_id.as_ref().expect("a project").as_str();
        let key = row.key_id.as_ref().map(edge_api::id::Id::as_str);
        *counts
            .entry((project, key, row.outcome, row.preview))
            .or_default() += row.count;
    }
    counts
}

#[tokio::test]
async fn requests_are_reported_by_project_key_and_outcome() {
    let (stack, [_, key]) = reporting(|options| options).await;
    for _ in 0..3 {
        stack.gateway.mcp("locked").key(&key).send().await;
    }
    stack.gateway.mcp("locked").send().await;
    stack.gateway.mcp("locked").key(&mint_key(9)).send().await;
    stack.gateway.mcp("locked").key("garbage").send().await;
    // About nobody's project: no owner to tell.
    stack.gateway.mcp("unknown").send().await;
    stack.gateway.call("GET", "/nowhere").send().await;
    let rows = reported(&stack, 6).await;
    let counts = counts(&rows);
    for ((key, outcome), count) in [
        ((Some("key_2"), Outcome::Allowed), 3),
        ((None, Outcome::DeniedMissingKey), 1),
        ((None, Outcome::DeniedUnknownKey), 1),
        ((None, Outcome::DeniedMalformedKey), 1),
    ] {
        let found = counts.get(&("locked", key, outcome, None));
        assert_eq!(found, Some(&count), "{outcome:?} of {counts:?}");
    }
    assert!(rows.iter().all(|row| row.first_at <= row.last_at));
}

#[tokio::test]
async fn an_open_project_hears_what_a_lock_would_have_refused() {
    let (stack, [own, others]) = reporting(|options| options).await;
    let revoked = mint_key(3);
    stack
        .control_plane
        .set_key(&revoked, "key_3", "open", Verdict::Revoked, None);
    let shown = [None, Some(&own), Some(&others), Some(&revoked)];
    // The first of each key is not delayed: its verdict is not known yet.
    for key in shown.into_iter().flatten() {
        stack.gateway.mcp("open").key(key).send().await;
    }
    let checked = "wasmcustom.mcp_key_auth.checks.result.answered";
    stack
        .gateway
        .wait_for_stat(checked, |count| count >= 3, PATIENCE)
        .await;
    for key in shown {
        let call = stack.gateway.mcp("open");
        let call = key.into_iter().fold(call, |call, key| call.key(key));
        assert_eq!(call.send().await.status, 200);
    }
    let claims = stack.upstream.received();
    assert!(
        !format!("{claims:?}").contains("key_3"),
        "a revoked key names no caller"
    );
    let rows = reported(&stack, 7).await;
    let counts = counts(&rows);
    let open = Outcome::AllowedNotRequired;
    for (key, preview, least) in [
        (None, Some(Outcome::DeniedMissingKey), 1),
        (Some("key_1"), Some(Outcome::Allowed), 1),
        (None, Some(Outcome::DeniedKeyOfOtherProject), 1),
        (Some("key_3"), Some(Outcome::DeniedRevokedKey), 1),
    ] {
        let found = counts.get(&("open", key, open, preview));
        assert!(found >= Some(&least), "{preview:?} of {counts:?}");
    }
    // A stranger's key id is none of this owner's business.
    assert!(!format!("{rows:?}").contains("key_2"));
}

#[tokio::test]
async fn lost_batches_and_lost_answers_neither_lose_nor_double_a_count() {
    let (stack, [_, key]) = reporting(|options| options.concurrency(2)).await;
    let send = async |count: usize| {
        let calls = (0..count).map(|_| stack.gateway.mcp("locked").key(&key).send());
        join_all(calls).await;
    };
    send(10).await;
    for fault in [
        Fault::Status(503),
        Fault::Reset,
        Fault::Garbage,
        Fault::Empty,
        Fault::Hang,
    ] {
        stack.control_plane.set_usage_fault(fault);
        send(10).await;
        let failed = |stats: BTreeMap<String, u64>| -> u64 {
            stats
                .iter()
                .filter(|(name, _)| !name.ends_with("answered"))
                .map(|(_, count)| count)
                .sum()
        };
        let before = failed(stack.gateway.stats(REPORTS).await);
        eventually(PATIENCE, "a report fails", async || {
            (failed(stack.gateway.stats(REPORTS).await) > before).then_some(())
        })
        .await;
    }
    stack.control_plane.set_usage_fault(Fault::None);
    stack.control_plane.lose_usage_answers(true);
    let batches = stack.control_plane.usage_batches().len();
    eventually(PATIENCE, "batches are repeated", async || {
        (stack.control_plane.usage_batches().len() >= batches + 6).then_some(())
    })
    .await;
    send(10).await;
    stack.control_plane.lose_usage_answers(false);
    reported(&stack, 70).await;
}

#[tokio::test]
async fn what_does_not_fit_is_counted_without_its_project() {
    let (stack, _) =
        reporting(|options| options.plugin(json!({"usage_interval_ms": 3_600_000}))).await;
    for number in 0..2_100 {
        stack
            .control_plane
            .set_project(&format!("p{number}"), false);
    }
    for chunk in (0..2_100).collect::<Vec<_>>().chunks(100) {
        let calls = chunk
            .iter()
            .map(|number| stack.gateway.mcp(&format!("p{number}")).send());
        join_all(calls).await;
    }
    assert_eq!(stack.gateway.stat(UNATTRIBUTED).await, 100);
}

#[tokio::test]
async fn workers_tell_which_revision_they_enforce_and_whose_they_are() {
    let (stack, _) = reporting(|options| options.concurrency(2)).await;
    for _ in 0..2 {
        let revision = stack.control_plane.revision();
        // Two workers, and Envoy's main thread, which has a VM like theirs.
        eventually(PATIENCE, "all three have it in force", async || {
            let batches = stack.control_plane.usage_batches();
            let mut there: Vec<_> = batches
                .iter()
                .filter(|batch| batch.in_force == Some(revision))
                .map(|batch| &batch.instance)
                .collect();
            there.sort_unstable();
            there.dedup();
            (there.len() == 3).then_some(())
        })
        .await;
        stack.control_plane.set_project("open", true);
    }
    let batches = stack.control_plane.usage_batches();
    let envoy = &batches.last().unwrap().envoy;
    assert!(
        batches
            .iter()
            .rev()
            .take(2)
            .all(|batch| batch.envoy == *envoy)
    );
}

#[tokio::test]
async fn switched_off_nothing_is_reported() {
    let (stack, [_, key]) =
        reporting(|options| options.plugin(json!({"usage_interval_ms": 0}))).await;
    stack.gateway.mcp("locked").key(&key).send().await;
    let ticks = "wasmcustom.mcp_key_auth.feed_polls.result.answered";
    stack
        .gateway
        .wait_for_stat(ticks, |count| count >= 2, PATIENCE)
        .await;
    assert!(stack.control_plane.usage_batches().is_empty());
    assert!(
        stack
            .gateway
            .stats(REPORTS)
            .await
            .values()
            .all(|count| *count == 0)
    );
}
