//! The dashboard's session: signing in, what the cookie opens, and who may not use it.

use serde_json::{Value, json};

use crate::rig::{
    app::{App, CONFIG, MCP_URL, id},
    reply::Reply,
};

const SESSION: &str = "/dashboard/session";
/// What the dashboard's own page sends along.
const OWN: (&str, &str) = ("x-dashboard", "1");
const HOST: (&str, &str) = ("host", "127.0.0.1:8080");

/// A browser that has signed in.
struct Browser<'a> {
    app: &'a App,
    cookie: String,
}

impl<'a> Browser<'a> {
    async fn sign_in(app: &'a App, key: &str) -> Self {
        let reply = sign_in(app, key).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        let set = reply.header("set-cookie");
        let cookie = set.split(';').next().unwrap().to_owned();
        Self { app, cookie }
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Reply {
        self.send_with(method, path, &[OWN], body).await
    }

    async fn send_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Reply {
        let mut all = vec![HOST, ("cookie", self.cookie.as_str())];
        all.extend(headers);
        self.app.send(method, path, &all, body).await
    }
}

async fn sign_in(app: &App, key: &str) -> Reply {
    app.send("POST", SESSION, &[HOST, OWN], json!({"api_key": key}))
        .await
}

#[tokio::test]
async fn a_project_key_signs_in_to_its_project() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let browser = Browser::sign_in(&app, key.plain.reveal()).await;

    let session = browser.send("GET", SESSION, Value::Null).await.json();
    assert_eq!(
        session,
        json!({
            "kind": "project",
            "key": {"id": key.id, "name": "Key"},
            "project": {"id": "pr_a", "name": "Project"},
            "organisation": {"id": "org_old", "name": "Old"},
            "expires_at": "2026-11-24T00:00:00Z",
            "mcp_url": MCP_URL,
        })
    );
    let config = browser.send("GET", CONFIG, Value::Null).await;
    assert_eq!(config.json()["require_mcp_api_key"], false);
    let patch = json!({"require_mcp_api_key": true});
    let patched = browser.send("PATCH", CONFIG, patch).await;
    assert_eq!(patched.json()["require_mcp_api_key"], true);

    let entry = &app.list("/api/v3/org/project/audit_log", &key).await[0];
    assert_eq!(entry["action"], "settings.changed");
    assert_eq!(entry["actor"]["kind"], "dashboard_session");
    assert_eq!(entry["actor"]["id"], key.id.as_str());
    let id = entry["actor"]["session_id"].as_str().unwrap();
    assert!(id.starts_with("ses_"), "{id}");
}

#[tokio::test]
async fn an_organisation_key_signs_in_to_all_projects_of_its_organisation() {
    let app = App::start().await;
    app.organisation("org_other").await;
    app.project_of("pr_other", "org_other").await;
    let key = app.organisation_key("org_old").await;
    let browser = Browser::sign_in(&app, key.plain.reveal()).await;

    let session = browser.send("GET", SESSION, Value::Null).await.json();
    assert_eq!(session["kind"], "organisation");
    assert_eq!(session["project"], Value::Null);
    let projects = browser
        .send("GET", "/api/v3/org/projects", Value::Null)
        .await;
    assert_eq!(projects.json()["items"][0]["id"], "pr_a");

    let of = async |project| {
        let headers = [OWN, ("x-project-id", project)];
        browser
            .send_with("GET", CONFIG, &headers, Value::Null)
            .await
    };
    assert_eq!(of("pr_a").await.status, 200);
    of("pr_other").await.error(404, "PROJECT_NOT_FOUND");
}

#[tokio::test]
async fn a_key_that_is_not_good_does_not_sign_in() {
    let app = App::start().await;
    let revoked = app.key("pr_a").await;
    let by = app.key("pr_a").await;
    let path = format!("/api/v3/org/project/api_keys/{}", revoked.id);
    assert_eq!(
        app.call("DELETE", &path, &by, Value::Null).await.status,
        200
    );
    let unknown = control_plane::key::PlainKey::generate().unwrap();
    for bad in [revoked.plain.reveal(), unknown.reveal(), "ak_short", ""] {
        let reply = sign_in(&app, bad).await;
        reply.error(401, "INVALID_API_KEY");
        assert!(!reply.headers.contains_key("set-cookie"));
    }
    let reply = sign_in(&app, "uak_0123456789abcdefghijklmnopqrstuvwxyz").await;
    let error = reply.error(400, "INVALID_FIELDS");
    assert!(!reply.text.contains("0123456789"), "{error}");
}

#[tokio::test]
async fn the_cookie_cannot_be_read_by_scripts_or_sent_by_other_sites() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let key = key.plain.reveal();
    let set = sign_in(&app, key).await;
    let set = set.header("set-cookie");
    for part in [
        "; HttpOnly",
        "; SameSite=Strict",
        "; Path=/",
        "; Max-Age=43200",
    ] {
        assert!(set.contains(part), "{set}");
    }
    let headers = [("host", "dash.example"), OWN];
    let set = app
        .send("POST", SESSION, &headers, json!({"api_key": key}))
        .await;
    let set = set.header("set-cookie");
    assert!(
        set.starts_with("__Host-") && set.contains("; Secure"),
        "{set}"
    );
}

#[tokio::test]
async fn a_page_of_another_site_can_do_nothing_with_the_cookie() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let browser = Browser::sign_in(&app, key.plain.reveal()).await;
    let patch = || json!({"require_mcp_api_key": true});

    // Without the page's header the cookie does not count.
    let reply = browser.send_with("PATCH", CONFIG, &[], patch()).await;
    reply.error(401, "NO_AUTH_PROVIDED");
    let reply = browser.send_with("GET", CONFIG, &[], Value::Null).await;
    reply.error(401, "NO_AUTH_PROVIDED");
    // With it, the browser still says where the page is from.
    for site in ["cross-site", "same-site", "none"] {
        let headers = [OWN, ("sec-fetch-site", site)];
        let reply = browser.send_with("PATCH", CONFIG, &headers, patch()).await;
        reply.error(403, "FOREIGN_PAGE");
        let reply = browser
            .send_with("DELETE", SESSION, &headers, Value::Null)
            .await;
        reply.error(403, "FOREIGN_PAGE");
        let headers = [HOST, OWN, ("sec-fetch-site", site)];
        let body = json!({"api_key": key.plain.reveal()});
        let reply = app.send("POST", SESSION, &headers, body).await;
        reply.error(403, "FOREIGN_PAGE");
    }
    // No preflight is granted.
    let preflight = [
        ("origin", "https://evil.example"),
        ("access-control-request-method", "PATCH"),
        ("access-control-request-headers", "x-dashboard"),
    ];
    let reply = browser
        .send_with("OPTIONS", CONFIG, &preflight, Value::Null)
        .await;
    assert!(!reply.headers.contains_key("access-control-allow-origin"));
    let config = app.get_config(&key).await.json();
    assert_eq!(config["require_mcp_api_key"], false);
}

#[tokio::test]
async fn a_session_ends_with_its_key() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let other = app.key("pr_a").await;
    let browser = Browser::sign_in(&app, key.plain.reveal()).await;
    let path = format!("/api/v3/org/project/api_keys/{}", key.id);
    for disabled in [true, false] {
        let body = json!({"disabled": disabled});
        assert_eq!(app.call("PATCH", &path, &other, body).await.status, 200);
        let status = browser.send("GET", CONFIG, Value::Null).await.status;
        assert_eq!(status, if disabled { 401 } else { 200 });
    }
    let revoked = app.call("DELETE", &path, &other, Value::Null).await;
    assert_eq!(revoked.status, 200);
    let reply = browser.send("GET", CONFIG, Value::Null).await;
    reply.error(401, "SESSION_MISSING");
    let reply = browser.send("GET", SESSION, Value::Null).await;
    reply.error(401, "SESSION_MISSING");
}

#[tokio::test]
async fn a_session_ends_when_its_organisation_key_is_revoked() {
    let app = App::start().await;
    let key = app.organisation_key("org_old").await;
    let browser = Browser::sign_in(&app, key.plain.reveal()).await;
    let cli = crate::rig::app::cli(crate::rig::app::NOW);
    app.store
        .revoke_organisation_key(&cli, &key.id)
        .await
        .unwrap();
    let reply = browser
        .send("GET", "/api/v3/org/projects", Value::Null)
        .await;
    reply.error(401, "SESSION_MISSING");
}

#[tokio::test]
async fn a_session_ends_in_time() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let browser = Browser::sign_in(&app, key.plain.reveal()).await;
    app.clock.set("2026-11-23T23:59:59.999Z");
    assert_eq!(browser.send("GET", CONFIG, Value::Null).await.status, 200);
    app.clock.set("2026-11-24T00:00:00Z");
    let reply = browser.send("GET", CONFIG, Value::Null).await;
    reply.error(401, "SESSION_MISSING");
}

#[tokio::test]
async fn who_signs_out_is_out() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let browser = Browser::sign_in(&app, key.plain.reveal()).await;
    let other = Browser::sign_in(&app, key.plain.reveal()).await;
    let reply = browser.send("DELETE", SESSION, Value::Null).await;
    assert_eq!(reply.status, 204);
    assert!(reply.header("set-cookie").contains("Max-Age=0"));
    let reply = browser.send("GET", CONFIG, Value::Null).await;
    reply.error(401, "SESSION_MISSING");
    assert_eq!(
        browser.send("DELETE", SESSION, Value::Null).await.status,
        204
    );
    assert_eq!(other.send("GET", CONFIG, Value::Null).await.status, 200);
}

#[tokio::test]
async fn a_made_up_or_altered_cookie_opens_nothing() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let mut browser = Browser::sign_in(&app, key.plain.reveal()).await;
    let good = browser.cookie.clone();
    let made_up = format!("mcp_key_auth_session={}", "a".repeat(43));
    let twice = format!("{good}; {good}");
    for cookie in [
        "mcp_key_auth_session=",
        &made_up,
        &twice,
        &good[..60],
        key.plain.reveal(),
    ] {
        browser.cookie = cookie.to_owned();
        let reply = browser.send("GET", CONFIG, Value::Null).await;
        reply.error(401, "SESSION_MISSING");
    }
    browser.cookie = good;
    assert_eq!(browser.send("GET", CONFIG, Value::Null).await.status, 200);
}

#[tokio::test]
async fn a_key_in_a_header_counts_before_the_cookie() {
    let app = App::start().await;
    app.project("pr_b").await;
    let (a, b) = (app.key("pr_a").await, app.key("pr_b").await);
    let browser = Browser::sign_in(&app, a.plain.reveal()).await;
    let headers = [OWN, ("x-api-key", b.plain.reveal())];
    let patch = json!({"require_mcp_api_key": true});
    let reply = browser.send_with("PATCH", CONFIG, &headers, patch).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let a = app.get_config(&a).await.json();
    assert_eq!(a["require_mcp_api_key"], false);
}

#[tokio::test]
async fn attempts_to_sign_in_are_limited() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let browser = Browser::sign_in(&app, key.plain.reveal()).await;
    for _ in 0..9 {
        sign_in(&app, "ak_short")
            .await
            .error(401, "INVALID_API_KEY");
    }
    let reply = sign_in(&app, "ak_short").await;
    reply.error(429, "TOO_MANY_SIGN_INS");
    let wait: u64 = reply.header("retry-after").parse().unwrap();
    assert!((1..=7).contains(&wait), "{wait}");
    assert_eq!(browser.send("GET", CONFIG, Value::Null).await.status, 200);
}

#[tokio::test]
async fn neither_token_nor_key_is_stored() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let browser = Browser::sign_in(&app, key.plain.reveal()).await;
    let token = browser.cookie.split('=').nth(1).unwrap();
    let rows = sqlx::query("SELECT id, key_id, token_sha256 FROM dashboard_sessions")
        .fetch_all(&mut app.database().await)
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
    let stored: Vec<u8> = sqlx::Row::get(&rows[0], "token_sha256");
    assert_eq!(stored.len(), 32);
    assert_ne!(stored, token.as_bytes());
    let key_id: String = sqlx::Row::get(&rows[0], "key_id");
    assert_eq!(id(&key_id), key.id);
}

#[tokio::test]
async fn a_key_has_a_bounded_number_of_sessions() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let first = Browser::sign_in(&app, key.plain.reveal()).await;
    for number in 0..60 {
        let session = control_plane::model::session::Session {
            id: id(&format!("ses_{number}")),
            key: control_plane::model::session::SessionKey::Project(key.id.clone()),
            created_at: format!("2026-11-23T12:{number:02}:01Z").parse().unwrap(),
            expires_at: "2026-11-24T12:00:00Z".parse().unwrap(),
        };
        let token = control_plane::session_token::SessionToken::generate().unwrap();
        let created = app.store.create_session(&session, token.sha256());
        created.await.unwrap();
    }
    let count = sqlx::query("SELECT CAST(count(*) AS BIGINT) AS sessions FROM dashboard_sessions")
        .fetch_one(&mut app.database().await)
        .await
        .unwrap();
    assert_eq!(sqlx::Row::get::<i64, _>(&count, "sessions"), 50);
    let reply = first.send("GET", CONFIG, Value::Null).await;
    reply.error(401, "SESSION_MISSING");
}
