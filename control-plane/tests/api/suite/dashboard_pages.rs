//! The dashboard's pages and their files, as they are served.

use serde_json::Value;

use crate::rig::app::App;

#[tokio::test]
async fn pages_come_with_a_strict_policy() {
    let app = App::start().await;
    for path in [
        "/dashboard/",
        "/dashboard/settings",
        "/dashboard/no/such/page",
    ] {
        let reply = app.send("GET", path, &[], Value::Null).await;
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
        let policy = reply.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'"),
            "{policy}"
        );
        assert!(
            !policy.contains("unsafe") && !policy.contains("http"),
            "{policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("cache-control"), "no-cache");
    }
    // An error is guarded like what it stands in for.
    let session = "/dashboard/session";
    let error = app.send("GET", session, &[], Value::Null).await;
    assert!(error.json()["error"]["slug"].is_string(), "{}", error.text);
    let policy = error.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert_eq!(error.header("x-content-type-options"), "nosniff");

    let root = app.send("GET", "/", &[], Value::Null).await;
    assert_eq!(root.status, 303);
    assert_eq!(root.header("location"), "/dashboard/");

    let page = app.send("GET", "/dashboard/", &[], Value::Null).await;
    let known = [("if-none-match", page.header("etag"))];
    let again = app.send("GET", "/dashboard/", &known, Value::Null).await;
    assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));
}

#[tokio::test]
async fn nothing_but_assets_is_served() {
    let app = App::start().await;
    for path in [
        "/dashboard/assets/none.js",
        "/dashboard/assets/../Cargo.toml",
        "/dashboard/assets/..%2fCargo.toml",
        "/dashboard/assets/%2e%2e/Cargo.toml",
        "/dashboard/assets//etc/passwd",
        "/dashboard/assets/%2fetc%2fpasswd",
    ] {
        let reply = app.send("GET", path, &[], Value::Null).await;
        assert_eq!(reply.status, 404, "{path}: {}", reply.text);
    }
}
