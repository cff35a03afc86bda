//! Odd spellings of a path, and bytes that are no text.

use super::{no_normalization, reference, stack_with};

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
