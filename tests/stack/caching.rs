//! What is remembered, for how long, and how few questions it takes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use edge_api::check::Verdict;
use serde_json::json;
use stack::deadline::eventually;
use stack::gateway::GatewayOptions;
use stack::keys::mint_key;
use stack::stack::Stack;

const PATIENCE: Duration = Duration::from_secs(20);

async fn locked_with(change: impl FnOnce(GatewayOptions) -> GatewayOptions) -> (Stack, String) {
    let stack = Stack::with(change).await;
    stack.control_plane.set_project("locked", true);
    let key = mint_key(1);
    stack
        .control_plane
        .set_key(&key, "key_1", "locked", Verdict::Valid, None);
    (stack, key)
}

async fn locked() -> (Stack, String) {
    locked_with(|options| options).await
}

#[tokio::test]
async fn a_verdict_is_asked_for_once_and_serves_until_its_time_is_up() {
    let (stack, key) = locked().await;
    for _ in 0..20 {
        assert_eq!(
            stack.gateway.mcp("locked").key(&key).send().await.status,
            200
        );
    }
    assert_eq!(stack.control_plane.calls().len(), 1);
    assert_eq!(
        stack
            .gateway
            .stat("wasmcustom.mcp_key_auth.lookups.cache.hit")
            .await,
        19
    );
    assert_eq!(
        stack
            .gateway
            .stat("wasmcustom.mcp_key_auth.lookups.cache.miss")
            .await,
        1
    );
    let call = &stack.control_plane.calls()[0];
    assert!(call.authorized);
    assert!(call.headers.contains_key("x-request-id"));
    assert_eq!(call.check().key_sha256, Some(stack::keys::sha256(&key)));
}

#[tokio::test]
async fn one_question_teaches_both_policy_and_key() {
    let (stack, key) = locked().await;
    stack.gateway.mcp("locked").key(&key).send().await;
    assert_eq!(stack.gateway.mcp("locked").send().await.status, 401);
    assert_eq!(
        stack
            .gateway
            .mcp("locked")
            .key("garbage")
            .send()
            .await
            .status,
        401
    );
    assert_eq!(stack.control_plane.calls().len(), 1);
}

#[tokio::test]
async fn a_verdict_ends_with_the_time_that_the_control_plane_gave_it() {
    let (stack, key) = locked().await;
    stack.control_plane.set_ttl_ms(300);
    assert_eq!(
        stack.gateway.mcp("locked").key(&key).send().await.status,
        200
    );
    stack
        .control_plane
        .set_key(&key, "key_1", "locked", Verdict::Revoked, None);
    eventually(PATIENCE, "the revocation arrives", async || {
        let answer = stack.gateway.mcp("locked").key(&key).send().await;
        (answer.status == 401).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_time_of_zero_is_no_caching_at_all() {
    let (stack, key) = locked().await;
    stack.control_plane.set_ttl_ms(0);
    for _ in 0..3 {
        assert_eq!(
            stack.gateway.mcp("locked").key(&key).send().await.status,
            200
        );
    }
    assert_eq!(stack.control_plane.calls().len(), 3);
    stack
        .control_plane
        .set_key(&key, "key_1", "locked", Verdict::Revoked, None);
    assert_eq!(
        stack.gateway.mcp("locked").key(&key).send().await.status,
        401
    );
}

#[tokio::test]
async fn a_revocation_that_may_not_be_cached_still_takes_the_old_verdict_away() {
    let (stack, key) =
        locked_with(|options| options.plugin(json!({"cache": {"max_negative_ttl_ms": 0}}))).await;
    stack.control_plane.set_ttl_ms(200);
    assert_eq!(
        stack.gateway.mcp("locked").key(&key).send().await.status,
        200
    );
    stack
        .control_plane
        .set_key(&key, "key_1", "locked", Verdict::Revoked, None);
    eventually(PATIENCE, "the revocation arrives", async || {
        (stack.gateway.mcp("locked").key(&key).send().await.status == 401).then_some(())
    })
    .await;
    stack.control_plane.stop().await;
    let answer = stack.gateway.mcp("locked").key(&key).send().await;
    assert_eq!(
        answer.status, 503,
        "what was good before the revocation is not last known good"
    );
}

#[tokio::test]
async fn the_configured_time_limit_cuts_the_control_planes() {
    let (stack, key) =
        locked_with(|options| options.plugin(json!({"cache": {"max_ttl_ms": 0}}))).await;
    for _ in 0..3 {
        assert_eq!(
            stack.gateway.mcp("locked").key(&key).send().await.status,
            200
        );
    }
    assert_eq!(stack.control_plane.calls().len(), 3);
}

#[tokio::test]
async fn a_refusal_is_remembered_briefly_so_that_a_new_key_works_soon() {
    let (stack, _) =
        locked_with(|options| options.plugin(json!({"cache": {"max_negative_ttl_ms": 300}}))).await;
    let new_key = mint_key(2);
    for _ in 0..5 {
        assert_eq!(
            stack
                .gateway
                .mcp("locked")
                .key(&new_key)
                .send()
                .await
                .status,
            401
        );
    }
    assert_eq!(
        stack.control_plane.calls().len(),
        1,
        "a bad key is not asked about again and again"
    );
    stack
        .control_plane
        .set_key(&new_key, "key_2", "locked", Verdict::Valid, None);
    eventually(PATIENCE, "the new key works", async || {
        (stack
            .gateway
            .mcp("locked")
            .key(&new_key)
            .send()
            .await
            .status
            == 200)
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_unknown_project_is_remembered_briefly() {
    let (stack, _) =
        locked_with(|options| options.plugin(json!({"cache": {"max_negative_ttl_ms": 300}}))).await;
    for _ in 0..5 {
        assert_eq!(stack.gateway.mcp("new").send().await.status, 404);
    }
    assert_eq!(stack.control_plane.calls().len(), 1);
    stack.control_plane.set_project("new", false);
    eventually(PATIENCE, "the new project is found", async || {
        (stack.gateway.mcp("new").send().await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_key_that_expires_stops_working_on_time_however_long_its_verdict_lives() {
    let (stack, key) = locked().await;
    stack.control_plane.set_ttl_ms(600_000);
    stack.control_plane.stop_expiring();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let expires_at = now + Duration::from_millis(1_500);
    stack.control_plane.set_key(
        &key,
        "key_1",
        "locked",
        Verdict::Valid,
        Some(u64::try_from(expires_at.as_millis()).unwrap()),
    );
    assert_eq!(
        stack.gateway.mcp("locked").key(&key).send().await.status,
        200
    );
    eventually(PATIENCE, "the key expires", async || {
        (stack.gateway.mcp("locked").key(&key).send().await.status == 401).then_some(())
    })
    .await;
    let late = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    assert!(late >= expires_at, "not before its time");
    assert_eq!(stack.outcomes("denied_expired_key").await, 1);
}

#[tokio::test]
async fn an_older_answer_never_replaces_a_newer_one() {
    let (stack, key) =
        locked_with(|options| options.plugin(json!({"cache": {"max_negative_ttl_ms": 60_000}})))
            .await;
    stack.control_plane.set_ttl_ms(1);
    assert_eq!(
        stack.gateway.mcp("locked").key(&key).send().await.status,
        200
    );
    stack
        .control_plane
        .set_key(&key, "key_1", "locked", Verdict::Revoked, None);
    let revoked_at = stack.control_plane.revision();
    stack.control_plane.set_ttl_ms(60_000);
    eventually(PATIENCE, "the revocation arrives", async || {
        (stack.gateway.mcp("locked").key(&key).send().await.status == 401).then_some(())
    })
    .await;
    // A replica that lags behind says "valid" once more, to a request that asks about something else of the project.
    stack
        .control_plane
        .set_key(&key, "key_1", "locked", Verdict::Valid, None);
    stack.control_plane.set_revision(revoked_at - 1);
    let asked = stack.control_plane.calls().len();
    assert_eq!(
        stack.gateway.mcp("locked").key(&key).send().await.status,
        401
    );
    assert_eq!(stack.control_plane.calls().len(), asked);
}

#[tokio::test]
async fn workers_share_what_they_learn() {
    let (stack, key) = locked_with(|options| options.concurrency(2)).await;
    stack.gateway.mcp("locked").key(&key).send().await;
    // Each call is a connection of its own, so both workers get some.
    for _ in 0..40 {
        assert_eq!(
            stack.gateway.mcp("locked").key(&key).send().await.status,
            200
        );
    }
    assert_eq!(stack.control_plane.calls().len(), 1);
}

#[tokio::test]
async fn a_flood_of_bad_keys_and_made_up_projects_evicts_no_good_key() {
    let (stack, key) = locked_with(|options| {
        options.plugin(json!({"cache": {"unknown_projects": 4, "invalid_keys": 4}}))
    })
    .await;
    assert_eq!(
        stack.gateway.mcp("locked").key(&key).send().await.status,
        200
    );
    for seed in 1_000..1_100 {
        assert_eq!(
            stack
                .gateway
                .mcp("locked")
                .key(&mint_key(seed))
                .send()
                .await
                .status,
            401
        );
        assert_eq!(
            stack
                .gateway
                .mcp(&format!("made-up-{seed}"))
                .send()
                .await
                .status,
            404
        );
    }
    stack.control_plane.stop().await;
    assert_eq!(
        stack.gateway.mcp("locked").key(&key).send().await.status,
        200
    );
}
