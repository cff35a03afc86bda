//! The rig itself, without the key filter: every runner proxies, and each part does what it claims.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use edge_api::check::{CheckRequest, CheckResponse, Subject, Verdict};
use edge_api::id::Id;
use stack::envoy_runner::Runner;
use stack::gateway::{Gateway, GatewayOptions};
use stack::http::{self, Call};
use stack::keys::{self, mint_key};
use stack::real_control_plane::RealControlPlane;
use stack::scripted_control_plane::{EDGE_TOKEN, Fault, ScriptedControlPlane};
use stack::stack::Stack;

async fn plain_proxy() -> Stack {
    Stack::with(GatewayOptions::without_key_filter).await
}

#[tokio::test]
async fn every_runner_proxies_to_the_upstream() {
    let runners = Runner::usable();
    assert!(!runners.is_empty());
    for runner in runners {
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
async fn a_library_client_reaches_the_gateway() {
    let stack = plain_proxy().await;
    let url = stack.gateway.url("/mcp/pr_open");
    let answer = http::client().get(url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
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

fn check(addr: SocketAddr, project: &str, raw_key: &str) -> Call {
    let request = CheckRequest {
        subject: Subject::ProjectId(Id::parse(project).unwrap()),
        key_sha256: Some(keys::sha256(raw_key)),
    };
    Call::new(addr, "POST", edge_api::CHECK_PATH)
        .header("authorization", format!("Bearer {EDGE_TOKEN}"))
        .json(&serde_json::to_value(request).unwrap())
}

#[tokio::test]
async fn the_scripted_control_plane_decides_like_a_real_one() {
    let control_plane = ScriptedControlPlane::start().await;
    control_plane.set_project("pr_1", true);
    control_plane.set_project("pr_2", true);
    control_plane.set_key(&mint_key(1), "key_1", "pr_1", Verdict::Revoked, None);
    let addr = control_plane.addr();
    for (project, key, verdict) in [
        ("pr_1", mint_key(1), Some("revoked")),
        ("pr_1", mint_key(2), Some("unknown")),
        ("pr_2", mint_key(1), Some("other_project")),
        ("pr_3", mint_key(1), None),
    ] {
        let answer = check(addr, project, &key).send().await.json();
        assert_eq!(answer["key"]["verdict"].as_str(), verdict, "{project}");
    }
    let stranger = Call::new(addr, "POST", edge_api::CHECK_PATH).body("{}");
    assert_eq!(stranger.send().await.status, 401);
    let calls = control_plane.calls();
    let authorized: Vec<_> = calls.iter().map(|call| call.authorized).collect();
    assert_eq!(authorized, [true, true, true, true, false]);
}

#[tokio::test]
async fn every_scripted_fault_is_what_it_says() {
    let control_plane = ScriptedControlPlane::start().await;
    control_plane.set_project("pr_1", true);
    let ask = || check(control_plane.addr(), "pr_1", &mint_key(1)).try_send();
    for broken in [Fault::Reset, Fault::CutBody] {
        control_plane.set_fault(broken);
        assert!(ask().await.is_err(), "{broken:?}");
    }
    for unusable in [
        Fault::Garbage,
        Fault::WrongSchema,
        Fault::Empty,
        Fault::Truncated,
    ] {
        control_plane.set_fault(unusable);
        let answer = ask().await.unwrap();
        assert_eq!(answer.status, 200, "{unusable:?}");
        let parsed = serde_json::from_slice::<CheckResponse>(&answer.body);
        assert!(parsed.is_err(), "{unusable:?}");
    }
    control_plane.set_fault(Fault::Status(500));
    assert_eq!(ask().await.unwrap().status, 500);
    control_plane.set_fault(Fault::Oversized(1_000_000));
    assert!(ask().await.unwrap().body.len() >= 1_000_000);

    let moment = Duration::from_millis(50);
    control_plane.set_fault(Fault::Hang);
    assert!(tokio::time::timeout(moment, ask()).await.is_err());
    control_plane.set_fault(Fault::Delay(moment));
    let asked = Instant::now();
    assert_eq!(ask().await.unwrap().status, 200);
    assert!(asked.elapsed() >= moment);
}

#[tokio::test]
async fn checks_are_held_until_released() {
    let control_plane = ScriptedControlPlane::start().await;
    let held = control_plane.hold();
    let asking = tokio::spawn(check(control_plane.addr(), "pr_1", &mint_key(1)).send());
    control_plane.wait_for_calls(1).await;
    assert!(!asking.is_finished());
    control_plane.set_project("pr_1", true);
    held.release();
    assert_eq!(asking.await.unwrap().json()["project"]["id"], "pr_1");
}

#[tokio::test]
async fn a_stopped_control_plane_refuses_connections_until_it_is_restarted() {
    let control_plane = ScriptedControlPlane::start().await;
    let ask = || check(control_plane.addr(), "pr_1", &mint_key(1)).try_send();
    control_plane.stop().await;
    assert_eq!(
        ask().await.unwrap_err().kind(),
        ErrorKind::ConnectionRefused
    );
    control_plane.restart().await;
    assert_eq!(ask().await.unwrap().status, 200);
}

#[tokio::test]
async fn the_real_control_plane_is_commanded_killed_frozen_and_restarted() {
    let mut control_plane = RealControlPlane::start().await;
    let org = control_plane.create_org("Acme", None);
    let project = control_plane.create_project(&org, "Demo", Some(true));
    control_plane.create_server(&project, "Tools");
    let key = control_plane.create_key(&project, "laptop", None);
    let edge = control_plane.edge_addr();
    let ask = || check(edge, &project, &key.raw).try_send();
    let answer = ask().await.unwrap().json();
    assert_eq!(answer["project"]["require_mcp_api_key"], true);
    assert_eq!(answer["key"]["verdict"], "valid");
    assert_eq!(answer["key"]["id"], key.id.as_str());

    control_plane.pause();
    let moment = Duration::from_millis(50);
    assert!(tokio::time::timeout(moment, ask()).await.is_err());
    control_plane.resume();
    assert_eq!(ask().await.unwrap().status, 200);

    control_plane.kill();
    assert_eq!(
        ask().await.unwrap_err().kind(),
        ErrorKind::ConnectionRefused
    );
    control_plane.revoke_key(&key.id);
    control_plane.restart().await;
    assert_eq!(control_plane.edge_addr(), edge);
    assert_eq!(ask().await.unwrap().json()["key"]["verdict"], "revoked");
}
