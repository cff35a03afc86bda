//! Each row of the outcome table, as a client and an upstream see it.

use std::time::Duration;

use edge_api::check::Verdict;
use serde_json::json;
use stack::http::Answer;
use stack::keys::mint_key;
use stack::scripted_control_plane::Fault;
use stack::stack::Stack;

const PATIENCE: Duration = Duration::from_secs(10);

/// An open project, a locked one, and the locked one's key.
async fn open_and_locked() -> (Stack, String) {
    let stack = Stack::start().await;
    stack.control_plane.set_project("open", false);
    stack.control_plane.set_project("locked", true);
    let key = mint_key(1);
    stack
        .control_plane
        .set_key(&key, "key_1", "locked", Verdict::Valid, None);
    (stack, key)
}

fn refused(answer: &Answer, status: u16, slug: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("content-type").unwrap(), "application/json");
    assert_eq!(answer.header("cache-control").unwrap(), "no-store");
    let body = answer.json();
    assert_eq!(body["jsonrpc"], "2.0");
    assert!(body["id"].is_null() && body.get("id").is_some());
    assert_eq!(body["error"]["slug"], slug);
    assert_eq!(body["error"]["status"], status);
    let request_id = body["error"]["request_id"].as_str().unwrap();
    assert_eq!(answer.header("x-request-id").unwrap(), request_id);
}

#[tokio::test]
async fn a_cors_preflight_is_answered_before_any_check() {
    let (stack, _) = open_and_locked().await;
    let answer = stack
        .gateway
        .call("OPTIONS", "/mcp/locked")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "x-api-key")
        .send()
        .await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("access-control-allow-headers").unwrap().contains("x-api-key"));
    assert!(stack.control_plane.calls().is_empty());
}

#[tokio::test]
async fn without_a_cors_filter_a_preflight_still_passes() {
    let stack = Stack::with(|options| {
        options.edit(|bootstrap| {
            stack::bootstrap::http_filters(bootstrap)
                .retain(|filter| filter["name"] != "envoy.filters.http.cors");
        })
    })
    .await;
    let answer = stack
        .gateway
        .call("OPTIONS", "/mcp/locked")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "POST")
        .send()
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(stack.upstream.last().method, "OPTIONS");
    assert_eq!(stack.outcomes("allowed_preflight").await, 1);
}

#[tokio::test]
async fn an_exempt_path_continues_unchecked() {
    let stack = Stack::with(|options| {
        options.plugin(json!({"exempt": [{"prefix": "/mcp/public"}]}))
    })
    .await;
    assert_eq!(stack.gateway.mcp("public").send().await.status, 200);
    assert!(stack.control_plane.calls().is_empty());
    assert_eq!(stack.outcomes("allowed_exempt").await, 1);
}

#[tokio::test]
async fn a_path_that_names_nobody_and_an_unknown_project_look_the_same() {
    let (stack, key) = open_and_locked().await;
    let unmatched = stack.gateway.call("POST", "/elsewhere").key(&key).send().await;
    let unknown = stack.gateway.mcp("nobody").key(&key).send().await;
    let mut bodies = Vec::new();
    for answer in [&unmatched, &unknown] {
        refused(answer, 404, "MCP_PROJECT_NOT_FOUND");
        assert_eq!(answer.header("www-authenticate"), None);
        let mut body = answer.json();
        body["error"]["request_id"].take();
        bodies.push(body.to_string());
    }
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(stack.outcomes("denied_unmatched_path").await, 1);
    assert_eq!(stack.outcomes("denied_unknown_project").await, 1);
    assert!(stack.upstream.received().is_empty());
}

#[tokio::test]
async fn unmatched_allow_lets_a_path_outside_through() {
    let stack = Stack::with(|options| options.plugin(json!({"unmatched": "allow"}))).await;
    // Past the filter, the reference bootstrap's own last route answers.
    let outside = stack.gateway.call("GET", "/docs").send().await;
    assert_eq!((outside.status, outside.body.len()), (404, 0));
    assert_eq!(stack.outcomes("allowed_unmatched").await, 1);
    for inside in ["/MCP/p1", "/mcp", "/mcp/a.b"] {
        let answer = stack.gateway.call("GET", inside).send().await;
        refused(&answer, 404, "MCP_PROJECT_NOT_FOUND");
    }
}

#[tokio::test]
async fn an_open_project_works_as_if_there_were_no_gate() {
    let (stack, _) = open_and_locked().await;
    assert_eq!(stack.gateway.mcp("open").send().await.status, 200);
    for odd in ["", "garbage", &mint_key(77), "a,b"] {
        let answer = stack.gateway.mcp("open").key(odd).send().await;
        assert_eq!(answer.status, 200, "{odd:?}");
        let seen = stack.upstream.last();
        assert_eq!(seen.header("x-api-key").as_deref(), Some(odd), "passed on untouched");
        assert_eq!(seen.header("x-mcp-project-id").unwrap(), "open");
        assert_eq!(seen.header("x-mcp-key-id"), None);
    }
    let twice = stack.gateway.mcp("open").key("a").key("b").send().await;
    assert_eq!(twice.status, 200);
}

#[tokio::test]
async fn on_an_open_project_a_valid_key_is_attributed_without_delay() {
    let (stack, _) = open_and_locked().await;
    let key = mint_key(2);
    stack
        .control_plane
        .set_key(&key, "key_2", "open", Verdict::Valid, None);
    stack.gateway.mcp("open").send().await;
    // The policy is known; the key is not, and the control plane does not answer: nobody waits for it.
    let held = stack.control_plane.hold();
    let first = stack.gateway.mcp("open").key(&key).send().await;
    assert_eq!(first.status, 200);
    assert_eq!(stack.upstream.last().header("x-mcp-key-id"), None);
    held.release();
    stack.control_plane.wait_for_calls(2).await;
    stack::deadline::eventually(PATIENCE, "the key is attributed", async || {
        stack.gateway.mcp("open").key(&key).send().await;
        stack.upstream.last().header("x-mcp-key-id").filter(|id| id == "key_2")
    })
    .await;
    assert_eq!(stack.control_plane.calls().len(), 2, "asked once, in the background");
    assert_eq!(stack.gateway.stat("wasmcustom.mcp_key_auth.checks_background").await, 1);
}

#[tokio::test]
async fn a_locked_project_opens_to_its_own_key() {
    let (stack, key) = open_and_locked().await;
    for path in ["/mcp/locked", "/mcp/locked/mcp?user_id=1"] {
        for method in ["POST", "GET", "DELETE"] {
            let answer = stack.gateway.call(method, path).key(&key).send().await;
            assert_eq!(answer.status, 200, "{method} {path}");
            let seen = stack.upstream.last();
            assert_eq!(seen.header("x-api-key"), None, "the upstream never sees the key");
            assert_eq!(seen.header("x-mcp-project-id").unwrap(), "locked");
            assert_eq!(seen.header("x-mcp-key-id").unwrap(), "key_1");
        }
    }
    assert_eq!(stack.outcomes("allowed").await, 6);
}

#[tokio::test]
async fn a_server_id_leads_to_its_project() {
    let (stack, key) = open_and_locked().await;
    let server = "0b3f8c1e-6f0d-4a5e-9d55-2f3a1c0e9b77";
    stack.control_plane.set_server(server, "locked");
    let path = format!("/v3/mcp/{server}/mcp?user_id=u");
    let refused_answer = stack.gateway.call("POST", &path).send().await;
    refused(&refused_answer, 401, "MCP_API_KEY_MISSING");
    let answer = stack.gateway.call("POST", &path).key(&key).send().await;
    assert_eq!(answer.status, 200);
    let seen = stack.upstream.last();
    assert_eq!(seen.header("x-mcp-project-id").unwrap(), "locked");
    assert_eq!(seen.target, "/mcp?user_id=u");
}

#[tokio::test]
async fn a_locked_project_says_what_to_do_when_no_key_is_sent() {
    let (stack, _) = open_and_locked().await;
    for method in ["POST", "GET", "DELETE", "PUT", "OPTIONS", "PATCH"] {
        let answer = stack.gateway.call(method, "/mcp/locked").send().await;
        refused(&answer, 401, "MCP_API_KEY_MISSING");
        assert_eq!(
            answer.header("www-authenticate").unwrap(),
            "ApiKey realm=\"mcp\", header=\"x-api-key\""
        );
        let body = answer.json();
        assert_eq!(body["error"]["code"], 10401);
        assert!(body["error"]["message"].as_str().unwrap().contains("x-api-key"));
    }
    let head = stack.gateway.call("HEAD", "/mcp/locked").send().await;
    assert_eq!((head.status, head.body.len()), (401, 0));
    assert!(stack.upstream.received().is_empty());
}

#[tokio::test]
async fn two_keys_or_a_repeated_header_are_refused() {
    let (stack, key) = open_and_locked().await;
    let other = mint_key(5);
    for second in [&key, &other, ""] {
        let answer = stack.gateway.mcp("locked").key(&key).key(second).send().await;
        refused(&answer, 401, "MCP_API_KEY_AMBIGUOUS");
        let answer = stack.gateway.mcp("locked").key(second).key(&key).send_http2().await;
        refused(&answer.unwrap(), 401, "MCP_API_KEY_AMBIGUOUS");
    }
    assert!(stack.upstream.received().is_empty());
}

#[tokio::test]
async fn bad_keys_of_every_kind_get_one_answer_and_the_log_gets_the_reason() {
    let (stack, _) = open_and_locked().await;
    stack.control_plane.set_project("elsewhere", true);
    let long_ago = Some(1_000);
    let kinds = [
        ("denied_unknown_key", "mcp_key_auth_unknown_api_key", None),
        ("denied_revoked_key", "mcp_key_auth_revoked_api_key", Some(("locked", Verdict::Revoked, None))),
        ("denied_expired_key", "mcp_key_auth_expired_api_key", Some(("locked", Verdict::Expired, long_ago))),
        ("denied_expired_key", "mcp_key_auth_expired_api_key", Some(("locked", Verdict::Valid, long_ago))),
        ("denied_disabled_key", "mcp_key_auth_disabled_api_key", Some(("locked", Verdict::Disabled, None))),
        ("denied_key_of_other_project", "mcp_key_auth_api_key_of_other_project", Some(("elsewhere", Verdict::Valid, None))),
    ];
    let mut bodies = Vec::new();
    for (seed, (outcome, details, row)) in (100..).zip(kinds) {
        let key = mint_key(seed);
        let key_id = format!("key_{seed}");
        if let Some((project, verdict, expires_at)) = row {
            stack.control_plane.set_key(&key, &key_id, project, verdict, expires_at);
        }
        let answer = stack.gateway.mcp("locked").key(&key).send().await;
        refused(&answer, 401, "MCP_API_KEY_INVALID");
        let mut headers = answer.headers.clone();
        headers.retain(|(name, _)| name != "x-request-id" && name != "date");
        let mut body = answer.json();
        let request_id = body["error"]["request_id"].take();
        bodies.push((body.to_string(), headers));
        let entry = stack
            .gateway
            .wait_for_access_log(|entry| entry["request_id"] == request_id)
            .await;
        assert_eq!(entry["outcome"], outcome);
        assert_eq!(entry["response_code_details"], details);
        assert_eq!(entry["project_id"], "locked");
        match row {
            Some(_) => assert_eq!(entry["key_id"], key_id.as_str()),
            None => assert!(entry["key_id"].is_null()),
        }
    }
    let malformed = stack.gateway.mcp("locked").key("ak_your_api_key").send().await;
    refused(&malformed, 401, "MCP_API_KEY_INVALID");
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "{bodies:?}");
    assert!(stack.upstream.received().is_empty());
}

#[tokio::test]
async fn a_malformed_key_is_refused_without_a_question() {
    let (stack, _) = open_and_locked().await;
    stack.gateway.mcp("locked").send().await;
    let asked = stack.control_plane.calls().len();
    for garbage in ["x", "ak_", "ak_your_api_key", &mint_key(1)[1..], "uak_0123456789"] {
        let answer = stack.gateway.mcp("locked").key(garbage).send().await;
        refused(&answer, 401, "MCP_API_KEY_INVALID");
    }
    assert_eq!(stack.control_plane.calls().len(), asked);
    assert_eq!(stack.outcomes("denied_malformed_key").await, 5);
}

#[tokio::test]
async fn what_cannot_be_learnt_is_a_503_that_says_when_to_come_back() {
    let (stack, key) = open_and_locked().await;
    stack.control_plane.set_fault(Fault::Status(500));
    for call in [stack.gateway.mcp("open"), stack.gateway.mcp("locked"), stack.gateway.mcp("locked").key(&key)] {
        let answer = call.send().await;
        refused(&answer, 503, "MCP_AUTH_UNAVAILABLE");
        assert_eq!(answer.header("retry-after").unwrap(), "5");
        assert_eq!(answer.header("www-authenticate"), None);
    }
    assert_eq!(stack.outcomes("denied_control_plane_fault").await, 3);
    assert!(stack.upstream.received().is_empty());
}

#[tokio::test]
async fn failure_mode_allow_lets_by_what_cannot_be_learnt_without_its_key() {
    let stack = Stack::with(|options| options.plugin(json!({"failure_mode_allow": true}))).await;
    stack.control_plane.set_fault(Fault::Reset);
    let answer = stack.gateway.mcp("locked").key(&mint_key(1)).send().await;
    assert_eq!(answer.status, 200);
    assert_eq!(stack.upstream.last().header("x-api-key"), None);
    assert_eq!(stack.outcomes("allowed_control_plane_fault").await, 1);
}

#[tokio::test]
async fn a_policy_known_to_lock_stays_locked_under_failure_mode_allow() {
    let stack = Stack::with(|options| options.plugin(json!({"failure_mode_allow": true}))).await;
    stack.control_plane.set_project("locked", true);
    let refused_answer = stack.gateway.mcp("locked").send().await;
    refused(&refused_answer, 401, "MCP_API_KEY_MISSING");
    stack.control_plane.stop().await;
    let refused_answer = stack.gateway.mcp("locked").send().await;
    refused(&refused_answer, 401, "MCP_API_KEY_MISSING");
}

#[tokio::test]
async fn other_key_sources_the_challenge_and_stripping_are_configurable() {
    let stack = Stack::with(|options| {
        options.plugin(json!({
            "key_sources": [{"header": "authorization", "scheme": "Bearer"}, {"header": "x-mcp-key"}],
            "challenge": "none",
            "strip_key": "never",
            "retry_after_s": 7,
        }))
    })
    .await;
    stack.control_plane.set_project("locked", true);
    let key = mint_key(1);
    stack.control_plane.set_key(&key, "key_1", "locked", Verdict::Valid, None);
    let no_source = stack.gateway.mcp("locked").key(&key).send().await;
    refused(&no_source, 401, "MCP_API_KEY_MISSING");
    assert_eq!(no_source.header("www-authenticate"), None);
    assert!(no_source.text().contains("authorization: Bearer"));
    for (header, value) in [("Authorization", format!("bearer {key}")), ("X-MCP-Key", key.clone())] {
        let answer = stack.gateway.mcp("locked").header(header, &value).send().await;
        assert_eq!(answer.status, 200, "{header}");
        assert_eq!(stack.upstream.last().header(header), Some(value), "not stripped");
    }
    let in_query = stack.gateway.call("POST", format!("/mcp/locked?api_key={key}&x-api-key={key}"));
    refused(&in_query.send().await, 401, "MCP_API_KEY_MISSING");
}

#[tokio::test]
async fn identity_headers_of_the_client_never_reach_the_upstream() {
    let stack = Stack::with(|options| {
        // Envoy's own guard off, so that what arrives is up to the filter alone.
        options
            .plugin(json!({"exempt": [{"prefix": "/mcp/public"}], "failure_mode_allow": true}))
            .edit(|bootstrap| {
                stack::bootstrap::connection_manager(bootstrap)["common_http_protocol_options"]
                    ["headers_with_underscores_action"] = "ALLOW".into();
            })
    })
    .await;
    let key = mint_key(1);
    stack.control_plane.set_project("locked", true);
    stack.control_plane.set_project("open", false);
    stack.control_plane.set_key(&key, "key_1", "locked", Verdict::Valid, None);
    for (project, key_id) in [("open", None), ("locked", Some("key_1")), ("public", None)] {
        let answer = stack
            .gateway
            .mcp(project)
            .key(&key)
            .header("x-mcp-project-id", "admin")
            .header("X-MCP-Key-Id", "key_root")
            .header("x-mcp-key-id", "key_root_2")
            .header("x_mcp_key_id", "key_root")
            .header("x_mcp-project_id", "admin")
            .send()
            .await;
        assert_eq!(answer.status, 200);
        let seen = stack.upstream.last();
        let identity: Vec<_> = seen
            .headers
            .iter()
            .filter(|(name, _)| name.as_str().replace('_', "-").starts_with("x-mcp-"))
            .map(|(name, value)| format!("{name}={}", value.to_str().unwrap()))
            .collect();
        let mut expected = Vec::new();
        if project != "public" {
            expected.push(format!("x-mcp-project-id={project}"));
        }
        expected.extend(key_id.map(|id| format!("x-mcp-key-id={id}")));
        let sorted = |mut list: Vec<String>| {
            list.sort();
            list
        };
        assert_eq!(sorted(identity), sorted(expected), "{project}");
    }
}
