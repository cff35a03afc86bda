//! Who polls: one worker for all.

use std::time::{Duration, Instant};

use edge_api::check::Verdict;
use serde_json::json;
use stack::bootstrap;
use stack::deadline::eventually;
use stack::scripted_control_plane::Fault;

use super::{CONNECTED, PATIENCE, RESETS, connected, following, set_key, turns};

const LEADER_CHANGES: &str = "wasmcustom.mcp_key_auth.feed_leader_changes";

#[tokio::test]
async fn one_poll_is_open_however_many_workers_there_are() {
    let (stack, _) = following(|options| {
        // Short polls, so that many begin and end while we look.
        let short = json!({"cache": {"unconfirmed_ttl_ms": 400}});
        options.concurrency(3).plugin(short)
    })
    .await;
    let before = stack.control_plane.feed_polls().len();
    let polls = eventually(PATIENCE, "forty more polls", async || {
        let polls = stack.control_plane.feed_polls();
        (polls.len() >= before + 40).then_some(polls)
    })
    .await;
    let most = polls[before..].iter().map(|poll| poll.open).max();
    assert_eq!(most, Some(1));
    assert!(polls.iter().all(|poll| poll.authorized));
    assert_eq!(stack.gateway.stat(LEADER_CHANGES).await, 1);
}

/// The plugins that a reload replaces end with their connections, and do not say who is to poll after them. What is
/// remembered need not be confirmed for far longer than the test takes: only who follows the feed can know of the change.
#[tokio::test]
async fn the_feed_is_followed_again_after_the_worker_that_polled_is_gone() {
    let (stack, key) = following(|options| {
        let patient = json!({"cache": {"unconfirmed_ttl_ms": 600_000}});
        options.plugin(patient).reloadable(Duration::from_secs(1))
    })
    .await;
    for is_new_vm in [false, true] {
        set_key(&stack, &key, Verdict::Valid);
        let before = stack.gateway.stat(LEADER_CHANGES).await;
        stack
            .gateway
            .reload_listener(|bootstrap| {
                if is_new_vm {
                    let vm = &mut bootstrap::plugin(bootstrap)["vm_config"];
                    vm["environment_variables"]["key_values"] = json!({"ANOTHER": "VM"});
                } else {
                    bootstrap::edit_plugin_configuration(bootstrap, |configuration| {
                        configuration["retry_after_s"] = 17.into();
                    });
                }
            })
            .await;
        turns(
            &stack,
            ("locked", Some(&key)),
            (401, 200),
            (Instant::now(), PATIENCE),
        )
        .await;
        eventually(PATIENCE, "the old plugins are gone", async || {
            let draining = "listener_manager.total_filter_chains_draining";
            (stack.gateway.stat(draining).await == 0).then_some(())
        })
        .await;
        set_key(&stack, &key, Verdict::Revoked);
        let since = Instant::now();
        turns(
            &stack,
            ("locked", Some(&key)),
            (200, 401),
            (since, PATIENCE),
        )
        .await;
        println!("in force on all workers after {:?}", since.elapsed());
        assert!(stack.gateway.stat(LEADER_CHANGES).await > before);
    }
}

#[tokio::test]
async fn a_poll_waits_for_news_instead_of_asking_again_and_again() {
    let (stack, _) = following(|options| options).await;
    assert_eq!(stack.control_plane.open_feed_polls(), 1);
    let last = stack.control_plane.feed_polls().pop().unwrap();
    assert!(last.wait_ms >= 1_000, "{last:?}");
    assert_eq!(last.after, stack.control_plane.revision());
    assert!(stack.control_plane.feed_polls().len() < 10);
}

#[tokio::test]
async fn a_feed_that_fails_is_asked_again_after_a_pause() {
    let (stack, _) = following(|options| options).await;
    for fault in [
        Fault::Status(503),
        Fault::Reset,
        Fault::Garbage,
        Fault::WrongSchema,
        Fault::Empty,
        Fault::CutBody,
        Fault::Truncated,
    ] {
        stack.control_plane.set_feed_fault(fault);
        let disconnected = |value| value == 0;
        stack
            .gateway
            .wait_for_stat(CONNECTED, disconnected, PATIENCE)
            .await;
        let before = stack.control_plane.feed_polls().len();
        let polls = eventually(PATIENCE, "two more polls", async || {
            let polls = stack.control_plane.feed_polls();
            (polls.len() >= before + 2).then_some(polls)
        })
        .await;
        let [.., earlier, later] = &polls[..] else {
            unreachable!("there are two");
        };
        let pause = later.at - earlier.at;
        assert!(pause > Duration::from_millis(200), "{fault:?}: {pause:?}");
        stack.control_plane.set_feed_fault(Fault::None);
        connected(&stack).await;
    }
}

#[tokio::test]
async fn the_statistics_tell_how_polls_end() {
    let (stack, _) = following(|options| {
        options.plugin(json!({
            "cache": {"unconfirmed_ttl_ms": 400},
            "control_plane": {"timeout_ms": 200},
        }))
    })
    .await;
    let result = |name: &str| format!("wasmcustom.mcp_key_auth.feed_polls.result.{name}");
    let grows = async |stat: &str| {
        let before = stack.gateway.stat(stat).await;
        stack
            .gateway
            .wait_for_stat(stat, |value| value > before, PATIENCE)
            .await;
    };
    grows(&result("answered")).await;
    for (fault, name) in [
        (Fault::Status(500), "bad_status"),
        (Fault::Garbage, "bad_schema"),
        (Fault::Hang, "timeout"),
    ] {
        stack.control_plane.set_feed_fault(fault);
        grows(&result(name)).await;
        assert_eq!(stack.gateway.stat(CONNECTED).await, 0, "{fault:?}");
        stack.control_plane.set_feed_fault(Fault::None);
        connected(&stack).await;
    }
    // The first poll of all, which asks where the control plane stands, begins anew as well.
    let before = stack.gateway.stat(RESETS).await;
    stack.control_plane.prune_changes(0);
    stack.control_plane.restore(1);
    stack
        .gateway
        .wait_for_stat(RESETS, |value| value > before, PATIENCE)
        .await;
    let lag = "wasmcustom.mcp_key_auth.feed_lag_ms";
    assert!(stack.gateway.stat(lag).await < 2_000);
}
