//! Bodies that try to carry a request past the check.

use std::time::Duration;

use stack::http;

use super::stack_with;

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
