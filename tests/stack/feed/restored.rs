//! The control plane's database is put back to what it was: whatever was read before is not served any more, and what
//! the restored one says is believed.

use std::time::Instant;

use edge_api::check::Verdict;
use serde_json::json;
use stack::deadline::eventually;
use stack::gateway::{Gateway, GatewayOptions};
use stack::keys::mint_key;
use stack::scripted_control_plane::ScriptedControlPlane;
use stack::stack::Stack;
use stack::upstream::Upstream;

use super::{BOUND, LONG_MS, PATIENCE, RESETS, connected, following, set_key, settled, turns};

/// A key that was revoked after the backup of revision `.2`, and one that was made then; both are known to all workers.
async fn changed_since_the_backup(stack: &Stack, key: String) -> (String, String, u64) {
    settled(stack, "locked", Some(&key), 200).await;
    let backup = stack.control_plane.revision();
    let made_later = mint_key(2);
    set_key(stack, &made_later, Verdict::Valid);
    set_key(stack, &key, Verdict::Revoked);
    let since = Instant::now();
    turns(stack, ("locked", Some(&key)), (200, 401), (since, BOUND)).await;
    settled(stack, "locked", Some(&made_later), 200).await;
    (key, made_later, backup)
}

/// From now on the revocation never was, and neither was the key made later.
async fn taken_back(stack: &Stack, key: &str, made_later: &str) {
    let since = Instant::now();
    turns(stack, ("locked", Some(key)), (401, 200), (since, BOUND)).await;
    let made_later = ("locked", Some(made_later));
    turns(stack, made_later, (200, 401), (since, BOUND * 2)).await;
}

#[tokio::test]
async fn a_restored_database_takes_back_what_it_does_not_know() {
    for tells in [true, false] {
        let (stack, key) = following(|options| options).await;
        stack.control_plane.tell_incarnation(tells);
        let (key, made_later, backup) = changed_since_the_backup(&stack, key).await;
        stack.control_plane.restore(backup);
        taken_back(&stack, &key, &made_later).await;
        // Revisions are given out a second time.
        let keyed = ("locked", Some(&*key));
        set_key(&stack, &key, Verdict::Revoked);
        turns(&stack, keyed, (200, 401), (Instant::now(), BOUND)).await;
        set_key(&stack, &key, Verdict::Valid);
        turns(&stack, keyed, (401, 200), (Instant::now(), BOUND)).await;
    }
}

#[tokio::test]
async fn a_control_plane_that_comes_back_with_an_older_database_is_believed() {
    for tells in [true, false] {
        let (stack, key) = impatient().await;
        stack.control_plane.tell_incarnation(tells);
        let (key, made_later, backup) = changed_since_the_backup(&stack, key).await;
        comes_back_with(&stack, backup, || ()).await;
        taken_back(&stack, &key, &made_later).await;
    }
}

#[tokio::test]
async fn a_database_that_got_past_the_old_revision_while_nobody_could_ask_is_noticed() {
    let (stack, mut key) = impatient().await;
    for beyond in [0, 1, 20] {
        let (revoked, made_later, backup) = changed_since_the_backup(&stack, key).await;
        let until = stack.control_plane.revision() + beyond;
        comes_back_with(&stack, backup, || {
            // Of another project, so that they say nothing of this one.
            for number in 0.. {
                let project = format!("other-{number}");
                stack.control_plane.set_project(&project, true);
                if stack.control_plane.revision() == until {
                    break;
                }
            }
        })
        .await;
        taken_back(&stack, &revoked, &made_later).await;
        // And the restored one is followed like any other.
        set_key(&stack, &revoked, Verdict::Revoked);
        let since = Instant::now();
        turns(
            &stack,
            ("locked", Some(&revoked)),
            (200, 401),
            (since, BOUND),
        )
        .await;
        key = mint_key(1_000 + beyond);
        set_key(&stack, &key, Verdict::Valid);
    }
}

#[tokio::test]
async fn a_control_plane_that_is_brought_up_to_date_is_still_the_same() {
    let control_plane = ScriptedControlPlane::start().await;
    control_plane.tell_incarnation(false);
    control_plane.set_ttl_ms(LONG_MS);
    control_plane.set_project("locked", true);
    let upstream = Upstream::start().await;
    let options = GatewayOptions::default()
        .control_plane(control_plane.addr())
        .upstream(upstream.addr());
    let stack = Stack {
        gateway: Gateway::start(options.concurrency(2)).await,
        control_plane,
        upstream,
    };
    let key = mint_key(1);
    set_key(&stack, &key, Verdict::Valid);
    connected(&stack).await;
    eventually(PATIENCE, "every worker follows and remembers", async || {
        stack.control_plane.forget_calls();
        settled(&stack, "locked", Some(&key), 200).await;
        stack.control_plane.calls().is_empty().then_some(())
    })
    .await;
    let resets = stack.gateway.stat(RESETS).await;

    stack.control_plane.stop().await;
    stack.control_plane.tell_incarnation(true);
    stack.control_plane.restart().await;
    stack.control_plane.set_project("other", true);
    connected(&stack).await;
    settled(&stack, "locked", Some(&key), 200).await;
    let calls = stack.control_plane.calls();
    assert!(calls.is_empty(), "nothing is asked again: {calls:?}");
    assert_eq!(stack.gateway.stat(RESETS).await, resets);

    // What it tells is heard all the same.
    let (key, made_later, backup) = changed_since_the_backup(&stack, key).await;
    comes_back_with(&stack, backup, || {
        for project in ["a", "b", "c"] {
            stack.control_plane.set_project(project, true);
        }
    })
    .await;
    taken_back(&stack, &key, &made_later).await;
}

/// Two workers that notice soon when the control plane is gone.
async fn impatient() -> (Stack, String) {
    following(|options| options.plugin(json!({"control_plane": {"timeout_ms": 500}}))).await
}

/// The control plane goes away and comes back with the database as it was at `revision`, in which `changes` were made.
async fn comes_back_with(stack: &Stack, revision: u64, changes: impl FnOnce()) {
    stack.control_plane.stop().await;
    stack.control_plane.restore(revision);
    changes();
    let resets = stack.gateway.stat(RESETS).await;
    stack.control_plane.restart().await;
    stack
        .gateway
        .wait_for_stat(RESETS, |value| value > resets, PATIENCE)
        .await;
    connected(stack).await;
}
