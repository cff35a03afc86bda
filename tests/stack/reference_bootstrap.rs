//! What `envoy/envoy.yaml` does around the key filter: paths, headers, routes, CORS, logs, clusters. The filter is taken
//! out unless the matter is what the two do together.

use std::time::Duration;

use stack::gateway::GatewayOptions;
use stack::scripted_control_plane::Fault;
use stack::stack::Stack;

async fn plain_proxy() -> Stack {
    Stack::with(GatewayOptions::without_key_filter).await
}

#[tokio::test]
async fn project_and_server_paths_are_rewritten_and_keep_their_query() {
    let stack = plain_proxy().await;
    for (sent, seen) in [
        ("/mcp/pr_1", "/mcp"),
        ("/mcp/pr_1?a=1&b=%2F", "/mcp?a=1&b=%2F"),
        ("/mcp/pr_1/", "/mcp/"),
        ("/mcp/pr_1/sse?x=1", "/mcp/sse?x=1"),
        ("/mcp/pr_1/mcp/other", "/mcp/mcp/other"),
        ("/v3/mcp/srv_1", "/mcp"),
        ("/v3/mcp/srv_1/mcp", "/mcp"),
        ("/v3/mcp/srv_1/mcp?user=u", "/mcp?user=u"),
        ("/x/../mcp//pr_1", "/mcp"),
        ("/mcp/%70r_1", "/mcp"),
    ] {
        let answer = stack.gateway.call("GET", sent).send().await;
        assert_eq!(answer.status, 200, "{sent}");
        assert_eq!(stack.upstream.last().target, seen, "{sent}");
    }
}

#[tokio::test]
async fn other_paths_reach_nobody() {
    let stack = plain_proxy().await;
    for (sent, status) in [
        ("/", 404),
        ("/mcp", 404),
        ("/mcp/", 404),
        ("/mcp/pr;v=1", 404),
        ("/mcp/pr%2F..%2Fother", 400),
        ("/mcp/pr%5Cother", 400),
        ("/v3/mcp/srv_1/other", 404),
        ("/MCP/pr_1", 404),
        ("/mcp/pr%00", 400),
    ] {
        let answer = stack.gateway.call("GET", sent).send().await;
        assert_eq!(answer.status, status, "{sent}");
    }
    assert!(stack.upstream.received().is_empty());
}

#[tokio::test]
async fn headers_with_underscores_do_not_reach_the_upstream() {
    let stack = plain_proxy().await;
    let call = || {
        stack
            .gateway
            .mcp("pr_1")
            .header("x_api_key", "forged")
            .header("x_mcp_project_id", "forged")
            .header("mcp-param-region", "eu")
            .header("mcp-param-a_b", "forged")
    };
    for answer in [call().send().await, call().send_http2().await.unwrap()] {
        assert_eq!(answer.status, 200);
        let received = stack.upstream.last();
        assert!(!format!("{:?}", received.headers).contains("forged"));
        assert_eq!(received.header("mcp-param-region").unwrap(), "eu");
    }
}

#[tokio::test]
async fn clients_choose_neither_request_id_nor_retries_nor_logged_path() {
    let stack = plain_proxy().await;
    let answer = stack
        .gateway
        .mcp("pr_1")
        .header("x-request-id", "chosen-by-the-client")
        .header("x-envoy-retry-on", "5xx")
        .header("x-envoy-upstream-rq-timeout-ms", "1")
        .header("x-envoy-original-path", "/forged")
        .send()
        .await;
    let received = stack.upstream.last();
    let id = answer.header("x-request-id").unwrap();
    assert_ne!(id, "chosen-by-the-client");
    assert_eq!(received.header("x-request-id").unwrap(), id);
    for steering in [
        "x-envoy-internal",
        "x-envoy-retry-on",
        "x-envoy-expected-rq-timeout-ms",
    ] {
        assert_eq!(received.header(steering), None, "{steering}");
    }
    assert_eq!(
        received.header("x-envoy-original-path").unwrap(),
        "/mcp/pr_1"
    );

    let entry = stack.gateway.wait_for_access_log(|_| true).await;
    assert_eq!(entry["request_id"], id.as_str());
    assert_eq!(entry["path"], "/mcp/pr_1");

    let refused = stack.gateway.call("GET", "/nowhere");
    refused
        .header("x-envoy-original-path", "/forged")
        .header("x-forwarded-for", "6.6.6.6")
        .send()
        .await;
    let entry = stack
        .gateway
        .wait_for_access_log(|entry| entry["response_code"] == 404)
        .await;
    assert_eq!(entry["path"], "/nowhere");
    assert_eq!(entry["client"], "127.0.0.1");
}

#[tokio::test]
async fn the_access_log_holds_no_query_and_tells_the_upstream() {
    let stack = plain_proxy().await;
    stack
        .gateway
        .call("POST", "/mcp/pr_1?token=secret")
        .body("12345")
        .send()
        .await;
    let entry = stack.gateway.wait_for_access_log(|_| true).await;
    assert!(!entry.to_string().contains("secret"), "{entry}");
    assert_eq!(entry["method"], "POST");
    assert_eq!(entry["protocol"], "HTTP/1.1");
    assert_eq!(entry["response_code"], 200);
    assert_eq!(entry["response_code_details"], "via_upstream");
    assert_eq!(entry["bytes_received"], 5);
    assert_eq!(entry["upstream_cluster"], "mcp_servers");
    assert_eq!(entry["upstream_host"], stack.upstream.addr().to_string());
    assert!(entry["duration"].is_u64() && entry["start_time"].is_string());
}

#[tokio::test]
async fn preflights_are_answered_before_the_key_filter() {
    let stack = plain_proxy().await;
    let preflight = stack
        .gateway
        .call("OPTIONS", "/mcp/pr_1")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "DELETE")
        .header("access-control-request-headers", "x-api-key,mcp-session-id")
        .send()
        .await;
    assert_eq!(preflight.status, 200);
    let header = |name: &str| preflight.header(name).unwrap_or_default();
    assert_eq!(header("access-control-allow-origin"), "https://app.example");
    for method in ["GET", "POST", "DELETE"] {
        assert!(header("access-control-allow-methods").contains(method));
    }
    for name in [
        "content-type",
        "accept",
        "x-api-key",
        "authorization",
        "mcp-session-id",
        "mcp-protocol-version",
        "last-event-id",
        "mcp-method",
        "mcp-name",
        "*",
    ] {
        let allowed = header("access-control-allow-headers");
        assert!(allowed.split(", ").any(|other| other == name), "{name}");
    }
    assert_eq!(preflight.header("access-control-allow-credentials"), None);
    assert!(stack.upstream.received().is_empty());
}

#[tokio::test]
async fn scripts_of_other_origins_can_read_answers() {
    let stack = plain_proxy().await;
    let call = stack.gateway.mcp("pr_1");
    let answer = call.header("origin", "https://app.example").send().await;
    assert_eq!(answer.status, 200);
    let allowed = answer.header("access-control-allow-origin");
    assert_eq!(allowed.as_deref(), Some("https://app.example"));
    let exposed = answer.header("access-control-expose-headers").unwrap();
    for name in [
        "mcp-session-id",
        "mcp-protocol-version",
        "www-authenticate",
        "retry-after",
        "x-request-id",
    ] {
        assert!(exposed.contains(name), "{name}");
    }
}

#[tokio::test]
async fn upgrades_and_tunnels_are_refused() {
    let stack = plain_proxy().await;
    let upgrade = stack
        .gateway
        .call("GET", "/mcp/pr_1")
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .send()
        .await;
    assert_eq!(upgrade.status, 403);
    let tunnel = stack.gateway.call("CONNECT", "upstream:80").send().await;
    assert_eq!(tunnel.status, 404);
    assert!(stack.upstream.received().is_empty());
}

#[tokio::test]
async fn the_gateway_adds_no_server_header() {
    let stack = plain_proxy().await;
    assert_eq!(
        stack.gateway.mcp("pr_1").send().await.header("server"),
        None
    );
    let nowhere = stack.gateway.call("GET", "/").send().await;
    assert_eq!(nowhere.header("server"), None);
}

#[tokio::test]
async fn scripts_of_other_origins_can_read_refusals_on_paths_that_lead_nowhere_too() {
    let stack = Stack::start().await;
    for path in ["/nowhere", "/mcp/pr;v=1", "/register"] {
        let call = stack.gateway.call("POST", path);
        let answer = call.header("origin", "https://app.example").send().await;
        assert_eq!(answer.status, 404, "{path}");
        let allowed = answer.header("access-control-allow-origin");
        assert_eq!(allowed.as_deref(), Some("https://app.example"), "{path}");
        let preflight = stack
            .gateway
            .call("OPTIONS", path)
            .header("origin", "https://app.example")
            .header("access-control-request-method", "POST");
        assert_eq!(preflight.send().await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn scripts_of_other_origins_can_read_refusals() {
    let stack = Stack::start().await;
    stack.control_plane.set_project("locked", true);
    for (fault, status) in [(Fault::None, 401), (Fault::Status(500), 503)] {
        stack.control_plane.set_fault(fault);
        let project = if status == 401 { "locked" } else { "unseen" };
        let call = stack
            .gateway
            .mcp(project)
            .header("origin", "https://app.example");
        let answer = call.send().await;
        assert_eq!(answer.status, status);
        let header = |name: &str| answer.header(name).unwrap_or_default();
        assert_eq!(header("access-control-allow-origin"), "https://app.example");
        assert!(header("access-control-expose-headers").contains("retry-after"));
    }
}

#[tokio::test]
async fn the_only_control_plane_is_not_ejected_for_its_errors() {
    let stack = Stack::start().await;
    stack.control_plane.set_fault(Fault::Status(500));
    for number in 0..10 {
        let answer = stack.gateway.mcp(&format!("project-{number}")).send().await;
        assert_eq!(answer.status, 503);
    }
    let outliers = "cluster.control_plane.outlier_detection";
    let spared = format!("{outliers}.ejections_overflow");
    let patience = Duration::from_secs(10);
    stack
        .gateway
        .wait_for_stat(&spared, |count| count > 0, patience)
        .await;
    assert_eq!(
        stack
            .gateway
            .stat(&format!("{outliers}.ejections_active"))
            .await,
        0
    );

    stack.control_plane.set_fault(Fault::None);
    stack.control_plane.set_project("open", false);
    assert_eq!(stack.gateway.mcp("open").send().await.status, 200);
}
