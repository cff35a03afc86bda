//! The rig itself, without the key filter: every runner proxies, and each part does what it claims.

use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use stack::bootstrap::{self, MCP_SERVERS};
use stack::deadline::PATIENCE;
use stack::envoy_runner::Runner;
use stack::gateway::{Gateway, GatewayOptions};
use stack::http;
use stack::stack::Stack;

mod change_feed;
mod control_planes;

async fn plain_proxy() -> Stack {
    Stack::with(GatewayOptions::without_key_filter).await
}

#[tokio::test]
async fn every_runner_proxies_to_the_upstream() {
    for runner in Runner::usable().unwrap() {
        let stack = Stack::with(|options| options.without_key_filter().runner(runner)).await;
        let answer = stack.gateway.mcp("pr_open").send().await;
        assert_eq!(answer.status, 200, "{runner:?}: {}", answer.text());
        assert_eq!(answer.json()["method"], "POST");
        assert_eq!(stack.upstream.received().len(), 1);
        assert!(stack.control_plane.calls().is_empty());
    }
}

#[tokio::test]
async fn requests_go_out_byte_for_byte() {
    let stack = plain_proxy().await;
    let call = || {
        stack
            .gateway
            .call("POST", "/mcp/pr?x=/../%2e")
            .header("x-twice", "one")
            .header("x-twice", b"t\xffwo")
            .body("hello")
    };
    for answer in [call().send().await, call().send_http2().await.unwrap()] {
        assert_eq!(answer.status, 200);
        let received = stack.upstream.last();
        assert_eq!(received.target, "/mcp?x=/../%2e");
        assert_eq!(received.body, b"hello");
        let twice: Vec<_> = received.headers.get_all("x-twice").iter().collect();
        assert_eq!(twice, [&b"one"[..], b"t\xffwo"]);
    }
}

#[tokio::test]
async fn library_clients_reach_the_gateway_on_every_worker() {
    let stack = Stack::with(|options| options.without_key_filter().concurrency(2)).await;
    assert_eq!(stack.gateway.stat("server.concurrency").await, 2);
    let url = stack.gateway.url("/mcp/pr_open");
    for client in [http::client(), http::http2_client()] {
        let answer = client.get(&url).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
}

#[tokio::test]
async fn the_upstream_speaks_http2_too() {
    let stack = Stack::with(|options| {
        options.without_key_filter().edit(|bootstrap| {
            let options =
                &mut bootstrap::cluster(bootstrap, MCP_SERVERS)["typed_extension_protocol_options"];
            let http = &mut options["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"];
            http["explicit_http_config"] = json!({"http2_protocol_options": {}});
        })
    })
    .await;
    stack.gateway.mcp("pr_open").send().await;
    assert_eq!(format!("{:?}", stack.upstream.last().version), "HTTP/2.0");
}

#[tokio::test]
async fn streams_arrive_piece_by_piece_and_a_client_that_leaves_is_noticed() {
    let stack = plain_proxy().await;
    stack.upstream.stream_answers();
    let mut client = stack.gateway.call("GET", "/mcp/pr_open").open().await;
    let stream = stack.upstream.next_stream().await;
    for event in ["one", "two"] {
        stream.send_event(event).await;
        let piece = client.next_piece().await.unwrap().unwrap();
        assert_eq!(piece, format!("data: {event}\n\n").into_bytes());
    }
    assert!(!stream.is_closed());
    drop(client);
    stream.closed_within(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_stream_that_breaks_is_no_proper_end() {
    let stack = plain_proxy().await;
    stack.upstream.stream_answers();
    let mut client = stack.gateway.call("GET", "/mcp/pr_open").open().await;
    let stream = stack.upstream.next_stream().await;
    stream.send_event("one").await;
    assert!(client.next_piece().await.unwrap().is_some());
    stream.cut().await;
    assert!(client.next_piece().await.is_err());

    let mut client = stack.gateway.call("GET", "/mcp/pr_open").open().await;
    stack.upstream.next_stream().await.finish();
    assert_eq!(client.next_piece().await.unwrap(), None);
}

#[tokio::test]
async fn many_streams_are_told_apart_and_each_end_is_seen() {
    let stack = plain_proxy().await;
    stack.upstream.stream_answers();
    let count = 50;
    let mut clients = join_all((0..count).map(|number| {
        let call = stack.gateway.call("GET", format!("/mcp/p{number}"));
        call.header("x-number", number.to_string()).open()
    }))
    .await;
    let streams = stack.upstream.next_streams(count).await;
    let mut ended = 0;
    for stream in streams {
        let number: usize = stream
            .request()
            .header("x-number")
            .unwrap()
            .parse()
            .unwrap();
        if number.is_multiple_of(2) {
            stream.cut().await;
            clients[number].ended_within(PATIENCE).await;
            ended += 1;
        } else {
            stream.send_event("still here").await;
            assert!(clients[number].next_piece().await.unwrap().is_some());
        }
    }
    assert_eq!(ended, count / 2);
}

#[tokio::test]
async fn statistics_memory_and_logs_can_be_read() {
    let stack = plain_proxy().await;
    stack.gateway.mcp("pr_open").send().await;
    let name = "cluster.mcp_servers.upstream_rq_completed";
    let patience = Duration::from_secs(5);
    let count = stack
        .gateway
        .wait_for_stat(name, |count| count > 0, patience)
        .await;
    assert_eq!(count, 1);
    assert_eq!(stack.gateway.stat("no.such.counter").await, 0);
    assert!(!stack.gateway.stats("cluster.mcp_servers.").await.is_empty());
    assert!(stack.gateway.memory().await > 1_000_000);
    assert!(stack.gateway.log().contains("all dependencies initialized"));
    let entry = stack
        .gateway
        .wait_for_access_log(|entry| entry["response_code"] == 200)
        .await;
    assert_eq!(entry["path"], "/mcp/pr_open");
}

#[tokio::test]
async fn a_refused_bootstrap_is_an_error_with_envoys_words() {
    let options = GatewayOptions::default()
        .without_key_filter()
        .edit(|bootstrap| bootstrap["no_such_field"] = 1.into());
    let error = Gateway::try_start(options).await.unwrap_err();
    assert!(error.contains("no_such_field"), "{error}");
}

#[tokio::test]
async fn a_taken_port_is_one_clear_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap();
    let error = Gateway::try_start(GatewayOptions::default().listener(addr)).await;
    let error = error.unwrap_err();
    assert!(
        error.starts_with(&format!("{addr} is wanted for the gateway")),
        "{error}"
    );
}
