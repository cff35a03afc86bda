//! Open event streams, which end when a new request like theirs would be refused.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use edge_api::check::Verdict;
use futures::future::join_all;
use serde_json::json;
use stack::deadline::eventually;
use stack::http::OpenAnswer;
use stack::keys::mint_key;
use stack::scripted_control_plane::Fault;
use stack::stack::Stack;
use stack::upstream::OpenStream;
use tokio::time::timeout;

use super::{BOUND, PATIENCE, following, set_key, settled};

const STREAMS_ENDED: &str = "wasmcustom.mcp_key_auth.streams_ended";

/// Both ends of a stream through the gateway.
struct Streaming {
    client: OpenAnswer,
    upstream: OpenStream,
}

impl Streaming {
    async fn open(stack: &Stack, project: &str, key: Option<&str>) -> Self {
        let call = stack.gateway.call("GET", format!("/mcp/{project}"));
        let call = key.into_iter().fold(call, |call, key| call.key(key));
        let client = call.open().await;
        assert_eq!(client.status, 200);
        let upstream = stack.upstream.next_stream().await;
        let mut streaming = Self { client, upstream };
        streaming.lives().await;
        streaming
    }

    async fn lives(&mut self) {
        self.upstream.send_event("news").await;
        let piece = self.client.next_piece().await;
        assert_eq!(piece.unwrap().unwrap(), b"data: news\n\n");
    }

    /// It ends within the bound, on both sides.
    async fn ends(&mut self, since: Instant) {
        let left = (BOUND + Duration::from_millis(200)).saturating_sub(since.elapsed());
        let ended = self.client.ended_within(left).await;
        assert!(ended - since <= BOUND, "{:?}", ended - since);
        self.upstream.closed_within(BOUND).await;
    }
}

async fn streaming() -> (Stack, String) {
    let (stack, key) = following(|options| options).await;
    stack.upstream.stream_answers();
    (stack, key)
}

#[tokio::test]
async fn a_revoked_keys_streams_end_and_those_of_others_go_on() {
    let (stack, key) = streaming().await;
    let other_key = mint_key(2);
    set_key(&stack, &other_key, Verdict::Valid);
    stack.control_plane.set_project("open", false);
    let mut revoked = Vec::new();
    for _ in 0..10 {
        revoked.push(Streaming::open(&stack, "locked", Some(&key)).await);
    }
    let mut others = Vec::new();
    for (project, key) in [
        ("locked", Some(&*other_key)),
        ("open", None),
        ("open", Some(&*key)),
    ] {
        others.push(Streaming::open(&stack, project, key).await);
    }
    set_key(&stack, &key, Verdict::Revoked);
    let since = Instant::now();
    join_all(revoked.iter_mut().map(|stream| stream.ends(since))).await;
    for other in &mut others {
        other.lives().await;
    }
    assert_eq!(stack.gateway.stat(STREAMS_ENDED).await, 10);
}

#[tokio::test]
async fn a_stream_ends_with_its_keys_time() {
    ends_with_its_keys_time(|_| {}).await;
}

#[tokio::test]
async fn a_stream_ends_with_its_keys_time_by_the_gateways_own_clock() {
    ends_with_its_keys_time(|stack| stack.control_plane.stop_expiring()).await;
}

async fn ends_with_its_keys_time(change: impl FnOnce(&Stack)) {
    let (stack, _) = streaming().await;
    change(&stack);
    let key = mint_key(2);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let (opened, life) = (Instant::now(), Duration::from_millis(1_500));
    let expires_at = u64::try_from((now + life).as_millis()).unwrap();
    stack
        .control_plane
        .set_key(&key, "key_2", "locked", Verdict::Valid, Some(expires_at));
    let mut stream = Streaming::open(&stack, "locked", Some(&key)).await;
    while opened.elapsed() < life - Duration::from_millis(300) {
        stream.lives().await;
    }
    let ended = stream.client.ended_within(PATIENCE).await;
    let late = (ended - opened).checked_sub(life - Duration::from_millis(5));
    assert!(late.expect("not before its time") <= BOUND, "{late:?}");
    assert_eq!(stack.gateway.stat(STREAMS_ENDED).await, 1);
}

#[tokio::test]
async fn a_keyless_stream_ends_when_its_project_is_locked() {
    let (stack, _) = streaming().await;
    stack.control_plane.set_project("open", false);
    let key = mint_key(2);
    stack
        .control_plane
        .set_key(&key, "key_2", "open", Verdict::Valid, None);
    let mut keyless = Streaming::open(&stack, "open", None).await;
    let mut keyed = Streaming::open(&stack, "open", Some(&key)).await;
    stack.control_plane.set_project("open", true);
    keyless.ends(Instant::now()).await;
    keyed.lives().await;
    stack.control_plane.remove_project("open");
    keyed.ends(Instant::now()).await;
    assert_eq!(stack.gateway.stat(STREAMS_ENDED).await, 2);
}

#[tokio::test]
async fn fifty_streams_end_as_soon_as_one() {
    let (stack, key) = streaming().await;
    let call = || stack.gateway.call("GET", "/mcp/locked").key(&key).open();
    let mut clients = join_all((0..50).map(|_| call())).await;
    let upstream = stack.upstream.next_streams(50).await;
    set_key(&stack, &key, Verdict::Revoked);
    let since = Instant::now();
    let ended = join_all(
        clients
            .iter_mut()
            .map(|client| client.ended_within(PATIENCE)),
    )
    .await;
    let last = ended.into_iter().max().unwrap() - since;
    assert!(last <= BOUND, "{last:?}");
    for stream in upstream {
        stream.closed_within(BOUND).await;
    }
    assert_eq!(stack.gateway.stat(STREAMS_ENDED).await, 50);
}

#[tokio::test]
async fn a_stream_over_http2_ends_too() {
    let (stack, key) = streaming().await;
    let client = stack::http::http2_client();
    let request = client.get(stack.gateway.url("/mcp/locked"));
    let mut answer = request.header("x-api-key", &key).send().await.unwrap();
    let upstream = stack.upstream.next_stream().await;
    upstream.send_event("news").await;
    assert!(answer.chunk().await.unwrap().is_some());
    set_key(&stack, &key, Verdict::Revoked);
    let since = Instant::now();
    while let Ok(Some(_)) = answer.chunk().await {}
    assert!(since.elapsed() <= BOUND, "{:?}", since.elapsed());
    upstream.closed_within(BOUND).await;
}

#[tokio::test]
async fn an_answer_that_has_not_begun_is_waited_for_and_ends_as_soon_as_it_streams() {
    let (stack, key) = streaming().await;
    stack.upstream.hold_answers(true);
    let answer = tokio::spawn(stack.gateway.call("GET", "/mcp/locked").key(&key).open());
    let upstream = stack.upstream.next_stream().await;
    set_key(&stack, &key, Verdict::Revoked);
    eventually(PATIENCE, "the key is refused", async || {
        let call = stack.gateway.call("GET", "/mcp/locked").key(&key);
        // One that still goes through gets no answer.
        let answer = timeout(Duration::from_millis(200), call.open()).await;
        answer
            .is_ok_and(|answer| answer.status == 401)
            .then_some(())
    })
    .await;
    assert_eq!(stack.gateway.stat(STREAMS_ENDED).await, 0);
    let since = Instant::now();
    stack.upstream.hold_answers(false);
    let mut answer = answer.await.unwrap();
    assert_eq!(answer.status, 200);
    assert!(answer.ended_within(PATIENCE).await - since <= BOUND);
    upstream.closed_within(BOUND).await;
    assert_eq!(stack.gateway.stat(STREAMS_ENDED).await, 1);
}

#[tokio::test]
async fn streams_may_be_left_alone() {
    let (stack, key) =
        following(|options| options.plugin(json!({"end_streams_on_revoke": false}))).await;
    stack.upstream.stream_answers();
    let mut stream = Streaming::open(&stack, "locked", Some(&key)).await;
    set_key(&stack, &key, Verdict::Revoked);
    eventually(PATIENCE, "every worker refuses new requests", async || {
        // Each is a connection of its own, and the workers share them.
        for _ in 0..20 {
            let call = stack.gateway.call("GET", "/mcp/locked").key(&key);
            if call.open().await.status != 401 {
                return None;
            }
        }
        Some(())
    })
    .await;
    stream.lives().await;
    assert_eq!(stack.gateway.stat(STREAMS_ENDED).await, 0);
}

#[tokio::test]
async fn a_hiccup_of_the_control_plane_ends_no_stream() {
    let (stack, key) =
        following(|options| options.plugin(json!({"cache": {"unconfirmed_ttl_ms": 1_000}}))).await;
    stack.upstream.stream_answers();
    let mut stream = Streaming::open(&stack, "locked", Some(&key)).await;
    stack.control_plane.stop().await;
    // What the stream was admitted on is not confirmed any more, and nobody answers.
    let asked = "wasmcustom.mcp_key_auth.checks_asked.reason.stream";
    stack
        .gateway
        .wait_for_stat(asked, |count| count > 0, PATIENCE)
        .await;
    stream.lives().await;
    stack.control_plane.restart().await;
    super::connected(&stack).await;
    stream.lives().await;
    set_key(&stack, &key, Verdict::Revoked);
    stream.ends(Instant::now()).await;
}

#[tokio::test]
async fn a_check_that_failed_once_hides_no_revocation_when_the_feed_is_lost() {
    let brief =
        json!({"cache": {"unconfirmed_ttl_ms": 1_600}, "control_plane": {"timeout_ms": 500}});
    let (stack, key) = following(|options| options.plugin(brief)).await;
    stack.upstream.stream_answers();
    let mut stream = Streaming::open(&stack, "locked", Some(&key)).await;
    settled(&stack, "locked", Some(&key), 200).await;
    // On every worker the last check has failed; those that follow would be answered, but nobody asks anything.
    stack.control_plane.set_fault(Fault::Status(500));
    settled(&stack, "locked", Some(&mint_key(2)), 503).await;
    stack.control_plane.set_fault(Fault::None);
    stack.control_plane.set_feed_fault(Fault::Reset);
    set_key(&stack, &key, Verdict::Revoked);
    stream.client.ended_within(PATIENCE).await;
    settled(&stack, "locked", Some(&key), 401).await;
}

#[tokio::test]
async fn streams_of_many_keys_are_asked_about_as_fast_as_checks_are_answered() {
    let few = json!({"limits": {"max_checks": 4}});
    let (stack, _) = following(|options| options.plugin(few)).await;
    stack.upstream.stream_answers();
    let keys: Vec<_> = (100..250).map(mint_key).collect();
    let mut clients = Vec::new();
    for key in &keys {
        set_key(&stack, key, Verdict::Valid);
        clients.push(
            stack
                .gateway
                .call("GET", "/mcp/locked")
                .key(key)
                .open()
                .await,
        );
    }
    assert!(clients.iter().all(|client| client.status == 200));
    let streams = stack.upstream.next_streams(keys.len()).await;
    // One by one, two by each worker's review, they would take longer than this.
    let (since, bound) = (Instant::now(), Duration::from_secs(4));
    for key in &keys {
        set_key(&stack, key, Verdict::Revoked);
    }
    let ends = clients
        .iter_mut()
        .map(|client| client.ended_within(PATIENCE));
    let last = join_all(ends).await.into_iter().max().unwrap() - since;
    assert!(last <= bound, "{last:?}");
    drop(streams);
}

#[tokio::test]
async fn a_change_is_asked_about_at_once_though_the_last_check_failed() {
    let (stack, key) = streaming().await;
    let mut stream = Streaming::open(&stack, "locked", Some(&key)).await;
    stack.control_plane.set_fault(Fault::Status(500));
    set_key(&stack, &key, Verdict::Disabled);
    let failed = "wasmcustom.mcp_key_auth.checks.result.bad_status";
    stack
        .gateway
        .wait_for_stat(failed, |count| count > 0, PATIENCE)
        .await;
    stream.lives().await;
    stack.control_plane.set_fault(Fault::None);
    set_key(&stack, &key, Verdict::Revoked);
    stream.ends(Instant::now()).await;
}
