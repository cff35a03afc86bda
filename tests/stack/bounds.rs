//! Whatever clients make up, Envoy's memory stays flat.

use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use stack::keys::mint_key;
use stack::stack::Stack;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

const PATIENCE: Duration = Duration::from_secs(20);
const CONNECTIONS: u64 = 32;
const BUCKETS: &str = "wasmcustom.mcp_key_auth.cache_buckets";
const SHARED_EVICTIONS: &str = "wasmcustom.mcp_key_auth.shared_evictions";

/// Entries of each of the two regions that clients can fill, and the buckets that makes.
const ENTRIES: u64 = 1_024;
const BUCKETS_PER_REGION: u64 = ENTRIES / 4;
/// Good answers that a worker keeps for itself; a quarter as many others.
const LOCAL: u64 = 256;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_keys_and_projects_leave_slots_waiters_and_memory_at_their_bound() {
    let stack = Stack::with(|options| {
        // Every key is asked about, as if there were no budget for bad ones: the bounds must hold without it.
        options.plugin(json!({
            "cache": {"unknown_projects": ENTRIES, "invalid_keys": ENTRIES, "local_entries": LOCAL},
            "limits": {"bad_key_checks_per_s": 100_000},
        }))
    })
    .await;
    stack.control_plane.set_project("locked", true);
    flood(&stack, 0..40_000).await;
    let early = stack.gateway.memory().await;
    flood(&stack, 40_000..200_000).await;
    let late = stack.gateway.memory().await;

    // Both regions are full; the last bucket is that of the one known policy.
    assert_eq!(
        stack.gateway.stat(BUCKETS).await,
        2 * BUCKETS_PER_REGION + 1
    );
    // It fits in none of them, and much of it is pushed out before its time.
    assert!(stack.gateway.stat(SHARED_EVICTIONS).await > 0);
    let local = stack
        .gateway
        .stat("wasmcustom.mcp_key_auth.local_entries")
        .await;
    assert!(
        (LOCAL / 4..=LOCAL / 4 + 1).contains(&local),
        "{local} made-up answers and the policy"
    );
    for gauge in ["waiters", "checks_in_flight"] {
        let name = format!("wasmcustom.mcp_key_auth.{gauge}");
        stack
            .gateway
            .wait_for_stat(&name, |n| n == 0, PATIENCE)
            .await;
    }
    let growth = late.saturating_sub(early);
    assert!(
        growth < 2 << 20,
        "160,000 more made-up keys and projects took {growth} bytes"
    );
    let refused: u64 =
        stack.outcomes("denied_unknown_key").await + stack.outcomes("denied_unknown_project").await;
    assert_eq!(refused, 200_000);
}

/// One request per seed, each with a key of its own: to the locked project, and to one that does not exist.
async fn flood(stack: &Stack, seeds: std::ops::Range<u64>) {
    join_all((0..CONNECTIONS).map(|connection| {
        let seeds = seeds
            .clone()
            .skip(connection as usize)
            .step_by(CONNECTIONS as usize);
        let addr = stack.gateway.addr();
        let control_plane = stack.control_plane.clone();
        tokio::spawn(async move {
            let mut stream = BufReader::new(TcpStream::connect(addr).await.unwrap());
            for seed in seeds {
                let project = if seed % 2 == 0 {
                    "locked".to_owned()
                } else {
                    format!("made-up-{seed}")
                };
                let key = mint_key(seed);
                let request =
                    format!("GET /mcp/{project} HTTP/1.1\r\nhost: a\r\nx-api-key: {key}\r\n\r\n");
                stream.write_all(request.as_bytes()).await.unwrap();
                let status = read_answer(&mut stream).await;
                assert!(matches!(status, 401 | 404), "{project}: {status}");
                if seed % 1_024 == 0 {
                    control_plane.forget_calls();
                }
            }
        })
    }))
    .await
    .into_iter()
    .for_each(|connection| connection.unwrap());
}

/// Reads one answer with a content-length and returns its status.
async fn read_answer(stream: &mut BufReader<TcpStream>) -> u16 {
    let mut status = 0;
    let mut length = 0;
    let mut line = String::new();
    loop {
        line.clear();
        stream.read_line(&mut line).await.unwrap();
        let text = line.trim_end();
        if text.is_empty() {
            break;
        }
        if let Some(rest) = text.strip_prefix("HTTP/1.1 ") {
            status = rest[..3].parse().unwrap();
        } else if let Some(value) = text.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    status
}
