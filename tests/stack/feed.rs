//! The change feed at work: how soon a change is in force, and what holds when the feed fails. Verdicts live for ten
//! minutes here, so whatever happens sooner is the feed's doing. Here is what the cases share.

use std::time::{Duration, Instant};

use edge_api::check::Verdict;
use futures::future::join_all;
use serde_json::json;
use stack::gateway::GatewayOptions;
use stack::keys::mint_key;
use stack::stack::Stack;

mod doubt;
mod flood;
mod leader;
mod loss;
mod propagation;
mod refresh;
mod restored;
mod streams;

const PATIENCE: Duration = Duration::from_secs(20);
/// Within this a change is in force on every worker while the feed is connected.
const BOUND: Duration = Duration::from_secs(1);
/// Longer than any test takes.
const LONG_MS: u64 = 600_000;

const CONNECTED: &str = "wasmcustom.mcp_key_auth.feed_connected";
const RESETS: &str = "wasmcustom.mcp_key_auth.feed_resets";

/// Two workers that follow the feed, and a locked project with a key.
async fn following(change: impl FnOnce(GatewayOptions) -> GatewayOptions) -> (Stack, String) {
    let stack = Stack::with(|options| {
        let patient = json!({"cache": {"max_negative_ttl_ms": LONG_MS}});
        change(options.concurrency(2).plugin(patient))
    })
    .await;
    stack.control_plane.set_ttl_ms(LONG_MS);
    stack.control_plane.set_project("locked", true);
    let key = mint_key(1);
    set_key(&stack, &key, Verdict::Valid);
    connected(&stack).await;
    (stack, key)
}

/// Waits until the feed is followed up to its end.
async fn connected(stack: &Stack) {
    stack
        .gateway
        .wait_for_stat(CONNECTED, |value| value == 1, PATIENCE)
        .await;
    stack.control_plane.wait_for_follower().await;
}

/// Adds a key of the project `locked`, or changes it.
fn set_key(stack: &Stack, key: &str, verdict: Verdict) {
    let key_id = format!("key_{}", &stack::keys::sha256(key).to_hex()[..8]);
    stack
        .control_plane
        .set_key(key, &key_id, "locked", verdict, None);
}

/// The statuses of `count` requests at once. Each is a connection of its own, so every worker gets some.
async fn ask(stack: &Stack, project: &str, key: Option<&str>, count: usize) -> Vec<u16> {
    let call = || {
        let call = stack.gateway.mcp(project);
        key.into_iter().fold(call, |call, key| call.key(key)).open()
    };
    let answers = join_all((0..count).map(|_| call())).await;
    answers.iter().map(|answer| answer.status).collect()
}

/// Every worker answers `status`, and remembers it.
async fn settled(stack: &Stack, project: &str, key: Option<&str>, status: u16) {
    let statuses = ask(stack, project, key, 30).await;
    assert!(statuses.iter().all(|got| *got == status), "{statuses:?}");
}

/// From `since` on, within `bound`, the answers of all workers turn from `old` into `new`; there is no third kind.
async fn turns(
    stack: &Stack,
    (project, key): (&str, Option<&str>),
    (old, new): (u16, u16),
    (since, bound): (Instant, Duration),
) {
    loop {
        let asked = since.elapsed();
        let statuses = ask(stack, project, key, 16).await;
        assert!(
            statuses.iter().all(|got| [old, new].contains(got)),
            "{project}: {statuses:?}"
        );
        if statuses.iter().all(|got| *got == new) {
            break;
        }
        assert!(asked < bound, "{project}: {statuses:?} after {asked:?}");
    }
    settled(stack, project, key, new).await;
}
