//! Each row of the outcome table, as a client and an upstream see it. Here is what the rows share.

use edge_api::check::Verdict;
use stack::http::Answer;
use stack::keys::mint_key;
use stack::stack::Stack;

mod allowed;
mod denied;
mod unavailable;

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
