//! The rows where a request is answered 401 or 404.

use edge_api::check::Verdict;
use serde_json::json;
use stack::keys::mint_key;
use stack::stack::Stack;

use super::{open_and_locked, refused};

#[tokio::test]
async fn a_path_that_names_nobody_and_an_unknown_project_look_the_same() {
    let (stack, key) = open_and_locked().await;
    let unmatched = stack
        .gateway
        .call("POST", "/elsewhere")
        .key(&key)
        .send()
        .await;
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
        assert!(
            body["error"]["message"]
                .as_str()
                .unwrap()
                .contains("x-api-key")
        );
    }
    let head = stack.gateway.call("HEAD", "/mcp/locked").send().await;
    assert_eq!((head.status, head.body.len()), (401, 0));
    assert!(stack.upstream.received().is_empty());
}

#[tokio::test]
async fn a_key_of_another_kind_is_told_which_kind_is_right_and_costs_no_check() {
    let (stack, _) = open_and_locked().await;
    stack.gateway.mcp("locked").send().await;
    let asked = stack.control_plane.calls().len();
    for (key, kind) in [
        ("uak_a1b2c3d4e5f6g7h8i9j0", "user"),
        ("oak_a1b2c3d4e5f6g7h8i9j0", "organisation"),
        ("ck_a1b2c3d4e5f6g7h8i9j0", "consumer"),
    ] {
        // Twice: the first time it is worked out, the second time it is remembered.
        for _ in 0..2 {
            let answer = stack.gateway.mcp("locked").key(key).send().await;
            refused(&answer, 401, "MCP_API_KEY_WRONG_KIND");
            let text = answer.json()["error"]["message"].to_string();
            assert!(text.contains(kind) && text.contains("ak_…"), "{text}");
            assert!(!text.contains("a1b2"), "the key itself is not repeated");
        }
        assert_eq!(stack.outcomes(&format!("denied_{kind}_key")).await, 2);
    }
    assert_eq!(stack.control_plane.calls().len(), asked);
    assert!(stack.upstream.received().is_empty());
}

#[tokio::test]
async fn two_keys_or_a_repeated_header_are_refused() {
    let (stack, key) = open_and_locked().await;
    let other = mint_key(5);
    for second in [&key, &other, ""] {
        let answer = stack
            .gateway
            .mcp("locked")
            .key(&key)
            .key(second)
            .send()
            .await;
        refused(&answer, 401, "MCP_API_KEY_AMBIGUOUS");
        let answer = stack
            .gateway
            .mcp("locked")
            .key(second)
            .key(&key)
            .send_http2()
            .await;
        refused(&answer.unwrap(), 401, "MCP_API_KEY_AMBIGUOUS");
    }
    assert!(stack.upstream.received().is_empty());
}

#[tokio::test]
async fn bad_keys_of_every_kind_get_one_answer_and_the_log_gets_the_reason() {
    let (stack, _) = open_and_locked().await;
    stack.control_plane.set_project("elsewhere", true);
    // The filter looks at a key's time itself.
    stack.control_plane.stop_expiring();
    let long_ago = Some(1_000);
    let kinds = [
        ("denied_unknown_key", "mcp_key_auth_unknown_api_key", None),
        (
            "denied_revoked_key",
            "mcp_key_auth_revoked_api_key",
            Some(("locked", Verdict::Revoked, None)),
        ),
        (
            "denied_expired_key",
            "mcp_key_auth_expired_api_key",
            Some(("locked", Verdict::Expired, long_ago)),
        ),
        (
            "denied_expired_key",
            "mcp_key_auth_expired_api_key",
            Some(("locked", Verdict::Valid, long_ago)),
        ),
        (
            "denied_disabled_key",
            "mcp_key_auth_disabled_api_key",
            Some(("locked", Verdict::Disabled, None)),
        ),
        (
            "denied_key_of_other_project",
            "mcp_key_auth_api_key_of_other_project",
            Some(("elsewhere", Verdict::Valid, None)),
        ),
    ];
    let mut bodies = Vec::new();
    for (seed, (outcome, details, row)) in (100..).zip(kinds) {
        let key = mint_key(seed);
        let key_id = format!("key_{seed}");
        if let Some((project, verdict, expires_at)) = row {
            stack
                .control_plane
                .set_key(&key, &key_id, project, verdict, expires_at);
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
    let malformed = stack
        .gateway
        .mcp("locked")
        .key("ak_your_api_key")
        .send()
        .await;
    refused(&malformed, 401, "MCP_API_KEY_INVALID");
    assert!(
        bodies.windows(2).all(|pair| pair[0] == pair[1]),
        "{bodies:?}"
    );
    assert!(stack.upstream.received().is_empty());
}

#[tokio::test]
async fn a_malformed_key_is_refused_without_a_question() {
    let (stack, _) = open_and_locked().await;
    stack.gateway.mcp("locked").send().await;
    let asked = stack.control_plane.calls().len();
    for garbage in ["x", "ak_", "ak_your_api_key", &mint_key(1)[1..]] {
        let answer = stack.gateway.mcp("locked").key(garbage).send().await;
        refused(&answer, 401, "MCP_API_KEY_INVALID");
    }
    assert_eq!(stack.control_plane.calls().len(), asked);
    assert_eq!(stack.outcomes("denied_malformed_key").await, 4);
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
    stack
        .control_plane
        .set_key(&key, "key_1", "locked", Verdict::Valid, None);
    let no_source = stack.gateway.mcp("locked").key(&key).send().await;
    refused(&no_source, 401, "MCP_API_KEY_MISSING");
    assert_eq!(no_source.header("www-authenticate"), None);
    assert!(no_source.text().contains("authorization: Bearer"));
    for (header, value) in [
        ("Authorization", format!("bearer {key}")),
        ("X-MCP-Key", key.clone()),
    ] {
        let answer = stack
            .gateway
            .mcp("locked")
            .header(header, &value)
            .send()
            .await;
        assert_eq!(answer.status, 200, "{header}");
        assert_eq!(
            stack.upstream.last().header(header),
            Some(value),
            "not stripped"
        );
    }
    let in_query = stack
        .gateway
        .call("POST", format!("/mcp/locked?api_key={key}&x-api-key={key}"));
    refused(&in_query.send().await, 401, "MCP_API_KEY_MISSING");
}
