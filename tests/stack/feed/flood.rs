//! Made-up keys by the thousand: what they may cost the control plane is budgeted per project.

use edge_api::check::Verdict;
use serde_json::json;
use stack::deadline::eventually;
use stack::gateway::GatewayOptions;
use stack::keys::mint_key;

use super::{PATIENCE, following, set_key, settled};

const BUDGET: usize = 4;

fn budgeted(options: GatewayOptions) -> GatewayOptions {
    options
        .concurrency(1)
        .plugin(json!({"limits": {"bad_key_checks_per_s": BUDGET}}))
}

#[tokio::test]
async fn a_flood_of_made_up_keys_is_cut_off_and_hurts_nobody_else() {
    let (stack, key) = following(budgeted).await;
    stack.control_plane.set_project("other", true);
    settled(&stack, "locked", Some(&key), 200).await;
    settled(&stack, "other", None, 401).await;
    stack.control_plane.forget_calls();
    let mut refused = 0;
    for seed in 1_000..1_100 {
        let made_up = mint_key(seed);
        let answer = stack.gateway.mcp("locked").key(&made_up).send().await;
        match answer.status {
            401 => {}
            503 => {
                assert_eq!(answer.header("retry-after").unwrap(), "5");
                refused += 1;
            }
            other => panic!("{other}: {}", answer.text()),
        }
        let known = stack.gateway.mcp("locked").key(&key).send().await;
        assert_eq!(known.status, 200, "a known key is untouched");
    }
    let calls = stack.control_plane.calls().len();
    assert_eq!(calls + refused, 100);
    assert!(refused > 0 && calls >= BUDGET, "{calls} calls");
    let over = "wasmcustom.mcp_key_auth.checks.result.over_budget";
    assert_eq!(stack.gateway.stat(over).await, refused as u64);

    let elsewhere = stack.gateway.mcp("other").key(&mint_key(2_000));
    assert_eq!(
        elsewhere.send().await.status,
        401,
        "other projects have their own"
    );
    let keyless = stack.gateway.mcp("locked").send().await;
    assert_eq!(keyless.status, 401);
    let malformed = stack.gateway.mcp("locked").key("garbage").send().await;
    assert_eq!(malformed.status, 401, "told by its looks");
}

#[tokio::test]
async fn a_good_key_that_comes_in_a_flood_waits_but_is_never_called_bad() {
    let (stack, _) = following(budgeted).await;
    settled(&stack, "locked", None, 401).await;
    let fresh = mint_key(2);
    set_key(&stack, &fresh, Verdict::Valid);
    let status = async |key: &str| stack.gateway.mcp("locked").key(key).send().await.status;
    let mut seed = 1_000;
    while status(&mint_key(seed)).await != 503 {
        seed += 1;
    }
    eventually(PATIENCE, "the good key gets in", async || {
        let status = status(&fresh).await;
        assert!(matches!(status, 200 | 503), "{status}");
        (status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn good_keys_cost_no_budget() {
    let (stack, _) = following(budgeted).await;
    for seed in 100..200 {
        set_key(&stack, &mint_key(seed), Verdict::Valid);
    }
    for seed in 100..200 {
        let answer = stack
            .gateway
            .mcp("locked")
            .key(&mint_key(seed))
            .send()
            .await;
        assert_eq!(answer.status, 200);
    }
}
