//! Changes, and how soon they are in force on every worker.

use std::time::Instant;

use edge_api::check::Verdict;
use stack::keys::mint_key;

use super::{BOUND, following, set_key, settled, turns};

#[tokio::test]
async fn a_toggle_is_in_force_within_a_second() {
    let (stack, _) = following(|options| options).await;
    let keyless = ("locked", None);
    settled(&stack, "locked", None, 401).await;
    for (required, old, new) in [(false, 401, 200), (true, 200, 401), (false, 401, 200)] {
        stack.control_plane.set_project("locked", required);
        turns(&stack, keyless, (old, new), (Instant::now(), BOUND)).await;
    }
}

#[tokio::test]
async fn a_revocation_is_in_force_within_a_second() {
    let (stack, key) = following(|options| options).await;
    let other = mint_key(2);
    set_key(&stack, &other, Verdict::Valid);
    settled(&stack, "locked", Some(&key), 200).await;
    settled(&stack, "locked", Some(&other), 200).await;
    for verdict in [Verdict::Revoked, Verdict::Valid, Verdict::Disabled] {
        set_key(&stack, &key, verdict);
        let statuses = match verdict {
            Verdict::Valid => (401, 200),
            _ => (200, 401),
        };
        turns(
            &stack,
            ("locked", Some(&key)),
            statuses,
            (Instant::now(), BOUND),
        )
        .await;
        settled(&stack, "locked", Some(&other), 200).await;
    }
}

#[tokio::test]
async fn a_key_that_was_tried_before_it_was_made_works_within_a_second() {
    let (stack, _) = following(|options| options).await;
    let new_key = mint_key(2);
    settled(&stack, "locked", Some(&new_key), 401).await;
    set_key(&stack, &new_key, Verdict::Valid);
    let asked = (Instant::now(), BOUND);
    turns(&stack, ("locked", Some(&new_key)), (401, 200), asked).await;
}

#[tokio::test]
async fn a_project_that_was_asked_for_before_it_was_made_is_found_within_a_second() {
    let (stack, _) = following(|options| options).await;
    settled(&stack, "new", None, 404).await;
    stack.control_plane.set_project("new", false);
    turns(&stack, ("new", None), (404, 200), (Instant::now(), BOUND)).await;
    stack.control_plane.remove_project("new");
    turns(&stack, ("new", None), (200, 404), (Instant::now(), BOUND)).await;
}

#[tokio::test]
async fn a_server_that_moves_takes_its_new_projects_policy_within_a_second() {
    let (stack, _) = following(|options| options).await;
    stack.control_plane.set_project("open", false);
    stack.control_plane.set_server("server-1", "open");
    let status = async || {
        let call = stack.gateway.call("POST", "/v3/mcp/server-1/mcp");
        call.send().await.status
    };
    for (project, old, new) in [("open", 404, 200), ("locked", 200, 401), ("open", 401, 200)] {
        stack.control_plane.set_server("server-1", project);
        let moved = Instant::now();
        let mut in_a_row = 0;
        while in_a_row < 20 {
            let asked = moved.elapsed();
            let got = status().await;
            in_a_row = if got == new { in_a_row + 1 } else { 0 };
            assert!(got == new || got == old, "{project}: {got}");
            assert!(got == new || asked < BOUND, "{project}: after {asked:?}");
        }
    }
}

#[tokio::test]
async fn a_change_costs_others_no_question() {
    let (stack, key) = following(|options| options).await;
    stack.control_plane.set_project("other", true);
    settled(&stack, "other", None, 401).await;
    settled(&stack, "locked", Some(&key), 200).await;
    stack.control_plane.forget_calls();
    stack.control_plane.set_project("other", false);
    turns(&stack, ("other", None), (401, 200), (Instant::now(), BOUND)).await;
    settled(&stack, "locked", Some(&key), 200).await;
    let asked: Vec<_> = stack
        .control_plane
        .calls()
        .iter()
        .map(|call| call.subject().to_owned())
        .collect();
    assert!(
        (1..=2).contains(&asked.len()) && asked.iter().all(|subject| subject == "other"),
        "{asked:?}"
    );
}
