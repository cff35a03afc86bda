//! Requests that try to get round a rule. Each must be refused, and nothing of it may reach the upstream.

use std::time::Duration;

use edge_api::check::Verdict;
use serde_json::{Value, json};
use stack::http;
use stack::keys::mint_key;
use stack::scripted_control_plane::EDGE_TOKEN;
use stack::stack::Stack;

/// `open` and `locked`, where whoever gets to `locked` without its key has won.
async fn stack_with(edit: impl FnOnce(&mut Value) + Send + 'static) -> (Stack, String) {
    let stack = Stack::with(|options| options.edit(edit)).await;
    stack.control_plane.set_project("open", false);
    stack.control_plane.set_project("locked", true);
    let key = mint_key(1);
    stack
        .control_plane
        .set_key(&key, "key_1", "locked", Verdict::Valid, None);
    (stack, key)
}

async fn reference() -> (Stack, String) {
    stack_with(|_| {}).await
}

/// Envoy as careless as it can be configured: the filter alone stands between client and upstream.
fn no_normalization(bootstrap: &mut Value) {
    let manager = stack::bootstrap::connection_manager(bootstrap);
    manager["normalize_path"] = false.into();
    manager["merge_slashes"] = false.into();
    manager["path_with_escaped_slashes_action"] = "KEEP_UNCHANGED".into();
    manager["common_http_protocol_options"]["headers_with_underscores_action"] = "ALLOW".into();
    let everything = json!({
        "name": "everything",
        "match": {"prefix": "/"},
        "route": {"cluster": "mcp_servers"},
    });
    *stack::bootstrap::routes(bootstrap) = vec![everything];
}

/// Paths that somebody could read as `locked`'s while the filter reads another, and the other way round.
const DEVIOUS_PATHS: [&[u8]; 30] = [
    b"/mcp/locked",
    b"//mcp/locked",
    b"/mcp//locked",
    b"/./mcp/locked",
    b"/x/../mcp/locked",
    b"/mcp/%6cocked",
    b"/%6dcp/locked",
    b"/mcp%2flocked",
    b"/mcp\\locked",
    b"/mcp/locked;v=1",
    b"/mcp;v=1/locked",
    b"/MCP/locked",
    b"/mcp/open/../locked",
    b"/mcp/open/..",
    b"/mcp/open/../../mcp/locked",
    b"/mcp/open/%2e%2e/locked",
    b"/mcp/open/.%2E/locked",
    b"/mcp/open/..%2flocked",
    b"/mcp/open/..%5clocked",
    b"/mcp/open\\..\\locked",
    b"/mcp/open/..\\locked",
    b"/mcp/open/..;/locked",
    b"/mcp/open/%252e%252e/locked",
    b"/mcp/open/%c0%ae%c0%ae/locked",
    b"/mcp/open/%2e%2e%2flocked",
    b"/mcp/open%2f..%2flocked",
    b"/mcp/open%00/../locked",
    b"/mcp/open/..%00/locked",
    b"/mcp/open/;/../locked",
    b"/mcp/open#/../locked",
];

#[tokio::test]
async fn no_spelling_of_a_path_reaches_a_locked_project() {
    let (stack, _) = stack_with(no_normalization).await;
    for path in DEVIOUS_PATHS {
        for answer in [
            stack.gateway.call("POST", path).try_send().await,
            stack.gateway.call("POST", path).send_http2().await,
        ] {
            let name = path.escape_ascii();
            // Envoy itself refuses some of them, over HTTP/2 by a reset.
            if let Ok(answer) = answer {
                assert!(
                    matches!(answer.status, 400 | 401 | 404),
                    "{name}: {}",
                    answer.status
                );
            }
        }
    }
    let received = stack.upstream.received();
    assert!(
        received.is_empty(),
        "{:?}",
        received.iter().map(|r| &r.target).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn with_the_reference_bootstrap_a_traversal_is_judged_where_it_ends() {
    let (stack, _) = reference().await;
    for path in DEVIOUS_PATHS {
        drop(stack.gateway.call("POST", path).try_send().await);
    }
    for received in stack.upstream.received() {
        assert_eq!(
            received.header("x-mcp-project-id").as_deref(),
            Some("open"),
            "{}",
            received.target
        );
    }
    assert_eq!(stack.outcomes("allowed").await, 0);
}

#[tokio::test]
async fn unmatched_allow_opens_no_side_door() {
    let (stack, _) = stack_with(|bootstrap| {
        no_normalization(bootstrap);
        stack::bootstrap::edit_plugin_configuration(bootstrap, |config| {
            config["unmatched"] = "allow".into();
        });
    })
    .await;
    for path in DEVIOUS_PATHS {
        drop(stack.gateway.call("POST", path).try_send().await);
    }
    assert!(stack.upstream.received().is_empty());
    assert_eq!(stack.gateway.call("GET", "/docs").send().await.status, 200);
}

#[tokio::test]
async fn bytes_that_are_no_text_do_not_kill_the_filter() {
    let (stack, key) = stack_with(no_normalization).await;
    let odd: &[&[u8]] = &[b"\xff", b"\x80\xfe", b"a\xc3\x28b", b"\xed\xa0\x80"];
    for bytes in odd {
        for header in [
            "x-api-key",
            "origin",
            "x-request-id",
            "x-mcp-key-id",
            "x-whatever",
            "user-agent",
        ] {
            let answer = stack
                .gateway
                .mcp("locked")
                .header(header, bytes)
                .send()
                .await;
            assert_eq!(answer.status, 401, "{header} {}", bytes.escape_ascii());
            let answer = stack
                .gateway
                .mcp("locked")
                .header(header, bytes)
                .send_http2()
                .await;
            assert_eq!(answer.unwrap().status, 401, "{header} over HTTP/2");
        }
        let path = [b"/mcp/locked/", *bytes].concat();
        drop(stack.gateway.call("POST", &path).send_http2().await);
        drop(stack.gateway.call("POST", &path).try_send().await);
    }
    let answer = stack.gateway.mcp("locked").key(&key).send().await;
    assert_eq!(answer.status, 200, "the filter still lives");
    assert_eq!(stack.upstream.received().len(), 1);
    let deaths: Vec<_> = stack
        .gateway
        .stats("wasm.")
        .await
        .into_iter()
        .filter(|(name, count)| name.contains("vm_reload") && *count > 0)
        .collect();
    assert_eq!(deaths, []);
}

#[tokio::test]
async fn a_body_does_not_carry_a_waiting_request_past_the_check() {
    for stop_iteration in [false, true] {
        let (stack, key) = stack_with(move |bootstrap| {
            stack::bootstrap::plugin(bootstrap)["allow_on_headers_stop_iteration"] =
                stop_iteration.into();
        })
        .await;
        let held = stack.control_plane.hold();
        let keyless = stack.gateway.mcp("locked").body(vec![b'x'; 20_000]).send();
        let keyed = stack
            .gateway
            .mcp("locked")
            .key(&key)
            .body(vec![b'y'; 20_000])
            .send();
        let trailers = http::raw(
            stack.gateway.addr(),
            "POST /mcp/locked HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\ntrailer: x-t\r\n\r\n\
             5\r\nhello\r\n0\r\nx-t: 1\r\n\r\n",
        );
        let release = async {
            stack
                .gateway
                .wait_for_stat(
                    "wasmcustom.mcp_key_auth.waiters",
                    |n| n == 3,
                    Duration::from_secs(10),
                )
                .await;
            // All three wait, their bodies are sent: whatever is going to slip by has had its chance when
            // a fourth request, to another project, has gone through after them.
            stack.gateway.call("GET", "/nowhere").send().await;
            assert!(
                stack.upstream.received().is_empty(),
                "stop_iteration {stop_iteration}"
            );
            held.release();
        };
        let (keyless, keyed, trailers, ()) = tokio::join!(keyless, keyed, trailers, release);
        assert_eq!(keyless.status, 401, "stop_iteration {stop_iteration}");
        assert_eq!(
            trailers.unwrap().status,
            401,
            "stop_iteration {stop_iteration}"
        );
        assert_eq!(
            keyed.status,
            200,
            "stop_iteration {stop_iteration}: {}",
            keyed.text()
        );
        let received = stack.upstream.received();
        assert_eq!(
            received.len(),
            1,
            "sent upstream once, and only the one with the key"
        );
        assert_eq!(received[0].body, vec![b'y'; 20_000]);
    }
}

#[tokio::test]
async fn a_denied_request_with_a_body_never_reaches_the_upstream() {
    for stop_iteration in [false, true] {
        let (stack, _) = stack_with(move |bootstrap| {
            stack::bootstrap::plugin(bootstrap)["allow_on_headers_stop_iteration"] =
                stop_iteration.into();
        })
        .await;
        for _ in 0..3 {
            // The first waits for a check, the others are refused at once.
            let answer = stack
                .gateway
                .mcp("locked")
                .body(vec![b'x'; 300_000])
                .try_send()
                .await;
            if let Ok(answer) = answer {
                // Under allow_on_headers_stop_iteration Envoy keeps the body of a waiting request, up to its buffer limit.
                let refused = answer.status == 401 || (stop_iteration && answer.status == 413);
                assert!(refused, "{}", answer.status);
            }
        }
        assert!(stack.upstream.received().is_empty());
    }
}

#[tokio::test]
async fn a_session_or_a_former_request_is_no_credential() {
    let (stack, key) = reference().await;
    assert_eq!(
        stack.gateway.mcp("locked").key(&key).send().await.status,
        200
    );
    for method in ["POST", "GET", "DELETE"] {
        let answer = stack
            .gateway
            .call(method, "/mcp/locked/messages?session_id=1")
            .header("mcp-session-id", "1")
            .header("last-event-id", "7")
            .send()
            .await;
        assert_eq!(answer.status, 401, "{method}");
    }
}

#[tokio::test]
async fn a_preflight_with_a_twist_is_no_preflight() {
    let (stack, _) = reference().await;
    for (method, headers) in [
        ("OPTIONS", vec![("origin", "https://a")]),
        ("OPTIONS", vec![("access-control-request-method", "POST")]),
        (
            "POST",
            vec![
                ("origin", "https://a"),
                ("access-control-request-method", "POST"),
            ],
        ),
        (
            "POST",
            vec![
                ("x-http-method-override", "OPTIONS"),
                ("origin", "https://a"),
                ("access-control-request-method", "POST"),
            ],
        ),
    ] {
        let mut call = stack.gateway.call(method, "/mcp/locked");
        for (name, value) in headers {
            call = call.header(name, value);
        }
        assert_eq!(call.send().await.status, 401, "{method}");
    }
}

#[tokio::test]
async fn a_key_named_in_connection_is_no_way_round() {
    let (stack, key) = reference().await;
    // Envoy drops the headers that Connection names: the key is gone, and with it the permission.
    let answer = stack
        .gateway
        .call("POST", "/mcp/locked")
        .key(&key)
        .header("connection", "x-api-key")
        .send()
        .await;
    assert_eq!(answer.status, 401);
    // It must not be a way to keep our own headers from the upstream either.
    let answer = stack
        .gateway
        .call("POST", "/mcp/open")
        .header("connection", "x-mcp-project-id")
        .header("x-mcp-project-id", "admin")
        .send()
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        stack.upstream.last().header("x-mcp-project-id").unwrap(),
        "open"
    );
}

#[tokio::test]
async fn a_key_with_an_underscore_header_or_in_a_cookie_opens_nothing() {
    let (stack, key) = stack_with(no_normalization).await;
    for (name, value) in [
        ("x_api_key", key.clone()),
        ("X-API_KEY", key.clone()),
        ("cookie", format!("x-api-key={key}")),
        ("authorization", format!("Bearer {key}")),
        ("x-api-key-2", key.clone()),
    ] {
        let answer = stack
            .gateway
            .mcp("locked")
            .header(name, &value)
            .send()
            .await;
        assert_eq!(answer.status, 401, "{name}");
        assert_eq!(
            answer.json()["error"]["slug"],
            "MCP_API_KEY_MISSING",
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_key_of_another_project_is_told_from_no_key_by_nobody_but_the_log() {
    let (stack, key) = reference().await;
    stack.control_plane.set_project("other", true);
    let foreign = stack.gateway.mcp("other").key(&key).send().await;
    let unknown = stack.gateway.mcp("other").key(&mint_key(9)).send().await;
    assert_eq!(
        foreign.json()["error"]["message"],
        unknown.json()["error"]["message"]
    );
    assert_eq!(foreign.json()["error"]["slug"], "MCP_API_KEY_INVALID");
}

#[tokio::test]
async fn grpc_and_upgrade_requests_are_checked_like_any_other() {
    let (stack, key) = reference().await;
    let grpc = stack
        .gateway
        .call("POST", "/mcp/locked")
        .header("content-type", "application/grpc")
        .send_http2()
        .await
        .unwrap();
    // gRPC carries the refusal in its own status: 16, unauthenticated.
    assert_eq!(grpc.header("grpc-status").unwrap(), "16");
    let upgrade = stack
        .gateway
        .call("GET", "/mcp/locked")
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .send()
        .await;
    assert!(matches!(upgrade.status, 401 | 403), "{}", upgrade.status);
    let connect = http::raw(
        stack.gateway.addr(),
        "CONNECT locked:443 HTTP/1.1\r\nhost: locked:443\r\n\r\n",
    )
    .await;
    assert!(
        connect.is_err() || matches!(connect.as_ref().unwrap().status, 400 | 404),
        "{connect:?}"
    );
    assert!(stack.upstream.received().is_empty());
    assert_eq!(
        stack.gateway.mcp("locked").key(&key).send().await.status,
        200
    );
}

#[tokio::test]
async fn the_raw_key_and_the_edge_token_are_in_no_log_statistic_or_dump() {
    let (stack, key) = stack_with(|_| {}).await;
    stack.gateway.mcp("locked").key(&key).send().await;
    stack.gateway.mcp("open").key(&mint_key(2)).send().await;
    stack.gateway.mcp("locked").key(&mint_key(3)).send().await;
    stack
        .gateway
        .wait_for_access_log(|entry| entry["response_code"] == 401)
        .await;
    let dump = stack.gateway.admin().get("/config_dump").await.text();
    let stats = stack.gateway.admin().get("/stats").await.text();
    let log = stack.gateway.log();
    let access_log = json!(stack.gateway.access_log()).to_string();
    for (place, text) in [
        ("dump", dump),
        ("stats", stats),
        ("log", log),
        ("access log", access_log),
    ] {
        for secret in [&*key, &*mint_key(2), &*mint_key(3), EDGE_TOKEN] {
            assert!(!text.contains(secret), "{place}");
        }
    }
    for call in stack.control_plane.calls() {
        assert!(
            !String::from_utf8_lossy(&call.body).contains("ak_"),
            "the raw key never leaves Envoy"
        );
        assert!(!format!("{:?}", call.headers).contains("ak_"));
    }
}
