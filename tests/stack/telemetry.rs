//! What operators see: one outcome per request, who it was, and how it was known.

use std::time::Duration;

use edge_api::check::Verdict;
use serde_json::{Value, json};
use stack::bootstrap;
use stack::deadline::{PATIENCE, eventually};
use stack::keys::mint_key;
use stack::scripted_control_plane::Fault;
use stack::stack::Stack;

async fn open_and_locked() -> (Stack, String) {
    let stack = Stack::start().await;
    stack.control_plane.set_project("open", false);
    stack.control_plane.set_project("locked", true);
    let key = mint_key(1);
    stack
        .control_plane
        .set_key(&key, "key_1", "locked", Verdict::Valid, None);
    (stack, key)
}

#[tokio::test]
async fn the_access_log_tells_project_key_outcome_and_cache_state() {
    let (stack, key) = open_and_locked().await;
    for (call, project, key_id, outcome, cache) in [
        (
            stack.gateway.mcp("locked").key(&key),
            "locked",
            Some("key_1"),
            "allowed",
            Some("miss"),
        ),
        (
            stack.gateway.mcp("locked").key(&key),
            "locked",
            Some("key_1"),
            "allowed",
            None,
        ),
        (
            stack.gateway.mcp("locked"),
            "locked",
            None,
            "denied_missing_key",
            Some("hit_shared"),
        ),
        (
            stack.gateway.mcp("open"),
            "open",
            None,
            "allowed_not_required",
            Some("miss"),
        ),
    ] {
        let answer = call.send().await;
        let id = answer.header("x-request-id").unwrap();
        let entry = stack
            .gateway
            .wait_for_access_log(|entry| entry["request_id"] == id.as_str())
            .await;
        assert_eq!(entry["project_id"], project);
        assert_eq!(entry["key_id"], key_id.map_or(Value::Null, Value::from));
        assert_eq!(entry["outcome"], outcome);
        assert_eq!(entry["cache"], cache.map_or(Value::Null, Value::from));
    }
}

/// Whoever reads the log must not be told who called by the caller.
#[tokio::test]
async fn a_claimed_identity_does_not_reach_the_access_log() {
    let (stack, key) = open_and_locked().await;
    for call in [
        stack.gateway.mcp("locked").key(&key),
        stack.gateway.mcp("locked"),
        stack.gateway.mcp("locked").key(&mint_key(2)),
        stack.gateway.mcp("open"),
        stack.gateway.mcp("unknown"),
        stack.gateway.call("GET", "/nowhere"),
    ] {
        let call = call
            .header("x-mcp-project-id", "forged")
            .header("x-mcp-key-id", "forged");
        let answer = call.send().await;
        let id = answer.header("x-request-id").unwrap();
        let entry = stack
            .gateway
            .wait_for_access_log(|entry| entry["request_id"] == id.as_str())
            .await;
        assert!(!entry.to_string().contains("forged"), "{entry}");
    }
}

#[tokio::test]
async fn every_request_is_counted_once() {
    let (stack, key) = open_and_locked().await;
    let keys = [None, Some(key.as_str()), Some("garbage"), Some("")];
    let mut sent = 0;
    for project in ["open", "locked", "unknown", "bad.id"] {
        for key in keys {
            for method in ["POST", "GET", "OPTIONS"] {
                let call = stack.gateway.call(method, format!("/mcp/{project}"));
                key.into_iter()
                    .fold(call, |call, key| call.key(key))
                    .send()
                    .await;
                sent += 1;
            }
        }
    }
    let counted: u64 = stack
        .gateway
        .stats("wasmcustom.mcp_key_auth.requests.outcome.")
        .await
        .values()
        .sum();
    assert_eq!(counted, sent);
    let looked_up: u64 = stack
        .gateway
        .stats("wasmcustom.mcp_key_auth.lookups.cache.")
        .await
        .values()
        .sum();
    assert_eq!(looked_up, sent);
}

#[tokio::test]
async fn prometheus_sees_outcomes_and_results_as_labels() {
    let (stack, key) = open_and_locked().await;
    stack.gateway.mcp("locked").key(&key).send().await;
    for line in [
        "mcp_key_auth_requests{outcome=\"allowed\"} 1",
        "mcp_key_auth_checks{result=\"answered\"} 1",
        "mcp_key_auth_lookups{cache=\"miss\"} 1",
        "mcp_key_auth_checks_sent{} 1",
        "mcp_key_auth_check_latency_ms_count{} 1",
    ] {
        // Histograms are merged every few seconds.
        eventually(PATIENCE, line, async || {
            let metrics = stack.gateway.admin().get("/stats/prometheus").await.text();
            metrics.lines().any(|found| found == line).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn every_statistic_and_outcome_stands_in_readme_and_nothing_else_does() {
    let (stack, _) = open_and_locked().await;
    let readme = std::fs::read_to_string(stack::repo::root().join("README.md")).unwrap();
    let (_, section) = readme.split_once("## Statistics").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let table: Vec<&str> = section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .filter_map(|line| line.split('`').nth(1))
        .collect();
    let text = stack.gateway.admin().get("/stats").await.text();
    let mut seen = std::collections::BTreeSet::new();
    for line in text.lines() {
        let Some((name, _)) = line
            .strip_prefix("wasmcustom.mcp_key_auth.")
            .and_then(|rest| rest.split_once(':'))
        else {
            continue;
        };
        let row = [
            "requests.outcome.",
            "lookups.cache.",
            "checks_asked.reason.",
            "checks.result.",
            "feed_polls.result.",
            "usage_reports.result.",
        ]
        .iter()
        .find_map(|labelled| Some((labelled, name.strip_prefix(labelled)?)));
        let row = match row {
            Some((labelled, value)) => {
                assert!(
                    readme.contains(&format!("`{value}`")),
                    "{name} is not in README"
                );
                let label = labelled.trim_end_matches('.').rsplit('.').next().unwrap();
                let label = if label == "cache" { "state" } else { label };
                format!("{labelled}<{label}>")
            }
            None => name.to_owned(),
        };
        assert!(
            table.contains(&row.as_str()),
            "{row} is not in README's table"
        );
        seen.insert(row);
    }
    assert_eq!(
        seen.len(),
        table.len(),
        "README has more: {table:?}, Envoy has {seen:?}"
    );
}

/// A reload makes new plugins; what the old ones kept is gone with them. One round replaces the plugins in their VMs, the
/// other one the VMs.
#[tokio::test]
async fn a_replaced_plugin_leaves_nothing_in_the_gauges() {
    let stack = Stack::with(|options| {
        // Longer than the test takes: nothing but the end of the plugin ends the check.
        let patient = json!({"control_plane": {"timeout_ms": 60_000}});
        let options = options.concurrency(2).plugin(patient);
        options.reloadable(Duration::from_secs(1))
    })
    .await;
    stack.control_plane.set_project("locked", true);
    let gauge = |name: &str| format!("wasmcustom.mcp_key_auth.{name}");
    let becomes = async |name: &str, holds: fn(u64) -> bool| {
        let name = gauge(name);
        stack.gateway.wait_for_stat(&name, holds, PATIENCE).await
    };
    for round in 0..2 {
        for seed in 0..20 {
            let key = mint_key(100 * round + seed);
            let key_id = format!("key_{round}_{seed}");
            stack
                .control_plane
                .set_key(&key, &key_id, "locked", Verdict::Valid, None);
            let answer = stack.gateway.mcp("locked").key(&key).send().await;
            assert_eq!(answer.status, 200);
        }
        becomes("local_entries", |entries| entries >= 20).await;
        stack.control_plane.set_fault(Fault::Hang);
        let waiting = stack.gateway.mcp("locked").key(&mint_key(100 * round + 50));
        let waiting = tokio::spawn(waiting.try_send());
        becomes("waiters", |waiters| waiters == 1).await;
        becomes("checks_in_flight", |checks| checks == 1).await;
        stack
            .gateway
            .reload_listener(|bootstrap| {
                if round == 0 {
                    bootstrap::edit_plugin_configuration(bootstrap, |configuration| {
                        configuration["retry_after_s"] = 17.into();
                    });
                } else {
                    let vm = &mut bootstrap::plugin(bootstrap)["vm_config"];
                    vm["environment_variables"]["key_values"] = json!({"ANOTHER": "VM"});
                }
            })
            .await;
        for name in ["local_entries", "waiters", "checks_in_flight"] {
            becomes(name, |value| value == 0).await;
        }
        drop(waiting.await);
        stack.control_plane.set_fault(Fault::None);
    }
}
