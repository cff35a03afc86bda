//! Answers of the feed that cannot be right, or not any more. No revoked key may profit, and no good key may suffer.

use std::time::{Duration, Instant};

use edge_api::changes::ChangesResponse;
use edge_api::check::Verdict;
use stack::keys::mint_key;
use stack::scripted_control_plane::Fault;
use stack::stack::Stack;

use super::{BOUND, RESETS, ask, connected, following, set_key, settled, turns};

/// After a doubt the next poll comes after a pause, and asks where the control plane stands.
const BOUND_IN_DOUBT: Duration = Duration::from_secs(2);

/// A new key that will be revoked and one that stays good, both known to all workers.
async fn two_keys(stack: &Stack) -> (String, String) {
    let seed = 1_000 + stack.control_plane.revision();
    let (revoked, good) = (mint_key(seed), mint_key(seed + 1));
    set_key(stack, &revoked, Verdict::Valid);
    set_key(stack, &good, Verdict::Valid);
    settled(stack, "locked", Some(&revoked), 200).await;
    settled(stack, "locked", Some(&good), 200).await;
    (revoked, good)
}

/// Revokes a key while the feed does as `lie` says: in force within `bound` all the same, and good keys are served
/// all the while.
async fn revoked_in_spite_of(stack: &Stack, bound: Duration, lie: impl AsyncFnOnce()) {
    let (revoked, good) = two_keys(stack).await;
    connected(stack).await;
    lie().await;
    set_key(stack, &revoked, Verdict::Revoked);
    let since = Instant::now();
    let revocation = turns(
        stack,
        ("locked", Some(&revoked)),
        (200, 401),
        (since, bound),
    );
    let others = async {
        while since.elapsed() < bound {
            assert_eq!(ask(stack, "locked", Some(&good), 4).await, [200; 4]);
        }
    };
    tokio::join!(revocation, others);
    settled(stack, "locked", Some(&revoked), 401).await;
    settled(stack, "locked", Some(&good), 200).await;
}

#[tokio::test]
async fn a_reset_makes_everything_be_asked_about_again() {
    let (stack, _) = following(|options| options).await;
    let (revoked, good) = two_keys(&stack).await;
    let before = stack.gateway.stat(RESETS).await;
    // The feed breaks, and the log is cut before it comes back: nobody can tell what was missed.
    stack.control_plane.set_feed_fault(Fault::Status(503));
    set_key(&stack, &revoked, Verdict::Revoked);
    stack.control_plane.prune_changes(0);
    stack.control_plane.set_feed_fault(Fault::None);
    connected(&stack).await;
    let since = Instant::now();
    let keyed = ("locked", Some(&*revoked));
    turns(&stack, keyed, (200, 401), (since, BOUND)).await;
    settled(&stack, "locked", Some(&good), 200).await;
    assert!(stack.gateway.stat(RESETS).await > before);
}

#[tokio::test]
async fn a_lost_answer_is_told_again() {
    let (stack, _) = following(|options| options).await;
    for fault in [Fault::CutBody, Fault::Truncated, Fault::Reset] {
        revoked_in_spite_of(&stack, BOUND_IN_DOUBT, async || {
            // The answer that tells of the revocation is the one that is lost.
            stack.control_plane.set_feed_fault(fault);
            let lost = stack.control_plane.feed_polls().len() + 1;
            let control_plane = stack.control_plane.clone();
            tokio::spawn(async move {
                while control_plane.feed_polls().len() < lost {
                    tokio::task::yield_now().await;
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                control_plane.set_feed_fault(Fault::None);
            });
        })
        .await;
    }
}

#[tokio::test]
async fn answers_told_twice_or_out_of_order_hide_no_change() {
    let (stack, _) = following(|options| options).await;
    let control_plane = stack.control_plane.clone();
    let stale = ChangesResponse {
        incarnation: Some(control_plane.incarnation()),
        revision: control_plane.revision(),
        changes: Vec::new(),
        reset: false,
    };
    for copies in [1, 3] {
        revoked_in_spite_of(&stack, BOUND_IN_DOUBT, async || {
            for _ in 0..copies {
                control_plane.answer_a_poll_with(stale.clone());
            }
        })
        .await;
    }
    // Every answer comes twice: the second time in the place of the next one.
    let mut last: Option<ChangesResponse> = None;
    control_plane.twist_feed(move |_, honest| match last.take() {
        Some(old) => old,
        None => {
            last = Some(honest.clone());
            honest
        }
    });
    revoked_in_spite_of(&stack, BOUND_IN_DOUBT, async || {}).await;
    control_plane.untwist_feed();
}

#[tokio::test]
async fn an_answer_that_runs_ahead_hides_no_change() {
    let (stack, _) = following(|options| options).await;
    let ahead = ChangesResponse {
        incarnation: Some(stack.control_plane.incarnation()),
        revision: stack.control_plane.revision() + 1_000,
        changes: Vec::new(),
        reset: false,
    };
    revoked_in_spite_of(&stack, BOUND_IN_DOUBT, async || {
        stack.control_plane.answer_a_poll_with(ahead);
    })
    .await;
}
