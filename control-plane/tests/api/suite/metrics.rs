//! `GET /metrics`: what is counted, and that nobody but its own port tells it.

use std::{collections::BTreeSet, time::Duration};

use axum::{
    body::Body,
    http::{Method, Request},
};
use serde_json::{Value, json};
use sqlx::Executor as _;
use stack::deadline::eventually;

use crate::rig::{
    app::{App, CONFIG, EDGE_TOKEN, check_request},
    program::Database,
};

const PATIENCE: Duration = Duration::from_secs(10);

impl App {
    /// The value of a series, written as it is exposed but for the prefix; none when there is no such series.
    fn metric(&self, series: &str) -> Option<f64> {
        let prefix = format!("mcp_key_auth_control_plane_{series} ");
        let text = self.metrics.encode().unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(&prefix));
        value.map(|value| value.parse().unwrap())
    }

    /// All series, without their values.
    fn series(&self) -> BTreeSet<String> {
        let text = self.metrics.encode().unwrap();
        text.lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.rsplit_once(' ').unwrap().0.to_owned())
            .collect()
    }
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn requests_are_counted_by_route_and_outcome() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    for _ in 0..3 {
        assert_eq!(app.get_config(&key).await.status, 200);
    }
    assert_eq!(app.public(get(CONFIG)).await.status, 401);
    app.call(
        "DELETE",
        "/api/v3/org/project/api_keys/key_x",
        &key,
        Value::Null,
    )
    .await
    .error(404, "API_KEY_NOT_FOUND");
    app.public(get("/no/such/path"))
        .await
        .error(404, "NOT_FOUND");
    let of_config = format!(r#"{{api="public",method="GET",route="{CONFIG}""#);
    for (series, count) in [
        (format!("http_requests_total{of_config},status=\"2xx\"}}"), 3.0),
        (format!("http_requests_total{of_config},status=\"4xx\"}}"), 1.0),
        (format!("http_request_duration_seconds_count{of_config}}}"), 4.0),
        (
            r#"http_requests_total{api="public",method="DELETE",route="/api/v3/org/project/api_keys/{id}",status="4xx"}"#.to_owned(),
            1.0,
        ),
        (
            r#"http_requests_total{api="public",method="GET",route="none",status="4xx"}"#.to_owned(),
            1.0,
        ),
        (r#"errors_total{api="public",slug="NO_AUTH_PROVIDED"}"#.to_owned(), 1.0),
        (r#"errors_total{api="public",slug="API_KEY_NOT_FOUND"}"#.to_owned(), 1.0),
        (r#"http_requests_in_flight{api="public"}"#.to_owned(), 0.0),
    ] {
        assert_eq!(app.metric(&series), Some(count), "{series}");
    }
}

#[tokio::test]
async fn checks_are_counted_by_verdict() {
    let app = App::start().await;
    app.project("pr_b").await;
    let (live, foreign, expired) = (
        app.key("pr_a").await,
        app.key("pr_b").await,
        app.key_until("pr_a", Some("2026-01-01T00:00:00Z")).await,
    );
    let verdicts = [
        "valid",
        "other_project",
        "expired",
        "no_key",
        "unknown_project",
    ];
    let count = |verdict: &str| app.metric(&format!("checks_total{{verdict=\"{verdict}\"}}"));
    for verdict in verdicts
        .into_iter()
        .chain(["unknown", "revoked", "disabled"])
    {
        assert_eq!(
            count(verdict),
            Some(0.0),
            "{verdict} is told from the start"
        );
    }
    for key in [&live, &foreign, &expired] {
        app.check("pr_a", Some(key)).await;
    }
    app.check("pr_a", None).await;
    app.check("pr_x", Some(&live)).await;
    for verdict in verdicts {
        assert_eq!(count(verdict), Some(1.0), "{verdict}");
    }
    assert_eq!(app.metric("revision"), Some(5.0));
}

#[tokio::test]
async fn usage_batches_are_counted_by_what_became_of_them() {
    let app = App::start().await;
    let row = json!({"project_id": "pr_a", "key_id": null, "outcome": "denied_missing_key",
        "preview": null, "count": 7, "first_at": 1, "last_at": 2});
    let batch = |rows: Value| json!({"envoy": "e", "instance": "i", "sequence": 1, "in_force": null, "rows": rows});
    for _ in 0..2 {
        assert_eq!(app.report(&batch(json!([row, row]))).await.status, 200);
    }
    let mut bad = row.clone();
    bad["count"] = json!(0);
    app.report(&batch(json!([bad])))
        .await
        .error(400, "INVALID_BODY");
    app.report(&json!("nonsense"))
        .await
        .error(400, "INVALID_BODY");
    for (result, batches, rows) in [
        ("taken", 1.0, 2.0),
        ("repeated", 1.0, 2.0),
        ("refused", 2.0, 1.0),
    ] {
        let count = |name: &str| app.metric(&format!("{name}_total{{result=\"{result}\"}}"));
        assert_eq!(count("usage_batches"), Some(batches), "{result}");
        assert_eq!(count("usage_rows"), Some(rows), "{result}");
    }
}

#[tokio::test]
async fn a_poll_counts_while_it_waits_and_is_abandoned_when_its_caller_leaves() {
    let app = App::start().await;
    let abandoned = r#"http_requests_total{api="edge",method="GET",route="/edge/v1/changes",status="abandoned"}"#;
    {
        let mut poll = Box::pin(app.changes(1, 60_000));
        eventually(PATIENCE, "the poll waits", async || {
            let _ = tokio::time::timeout(Duration::from_millis(1), &mut poll).await;
            (app.metric("polls_waiting") == Some(1.0)).then_some(())
        })
        .await;
        assert_eq!(
            app.metric(r#"http_requests_in_flight{api="edge"}"#),
            Some(1.0)
        );
        assert_eq!(app.metric(abandoned), None);
    }
    assert_eq!(app.metric("polls_waiting"), Some(0.0));
    assert_eq!(
        app.metric(r#"http_requests_in_flight{api="edge"}"#),
        Some(0.0)
    );
    assert_eq!(app.metric(abandoned), Some(1.0));
    // Who lacks the token does not wait.
    app.edge(get("/edge/v1/changes?after=1&wait_ms=60000"))
        .await
        .error(401, "INVALID_EDGE_TOKEN");
}

#[tokio::test]
async fn what_the_database_fails_is_counted() {
    let app = App::start().await;
    let kind = |kind: &str| app.metric(&format!("database_errors_total{{kind=\"{kind}\"}}"));
    assert_eq!(kind("failed"), Some(0.0));
    app.database()
        .await
        .execute("ALTER TABLE revision RENAME TO lost")
        .await
        .unwrap();
    app.edge(check_request(
        r#"{"subject": {"project_id": "pr_a"}, "key_sha256": null}"#,
    ))
    .await
    .error(500, "INTERNAL_ERROR");
    assert_eq!(kind("failed"), Some(1.0));
    for pool in ["read", "write", "check"] {
        let series = format!("database_connections{{pool=\"{pool}\",state=\"in_use\"}}");
        assert_eq!(app.metric(&series), Some(0.0), "{series}");
    }
}

#[tokio::test]
async fn no_caller_can_make_up_a_series() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let attack = async |number: u32| {
        let odd = format!("x{number}");
        let token = format!("Bearer {EDGE_TOKEN}");
        for (method, path) in [
            (odd.as_str(), CONFIG.to_owned()),
            ("GET", format!("/{odd}")),
            ("GET", format!("{CONFIG}?{odd}={odd}")),
            ("GET", format!("/healthz/{odd}")),
            ("DELETE", format!("/api/v3/org/project/api_keys/{odd}")),
            ("PATCH", format!("/api/v3/org/projects/{odd}%22%0a")),
            ("OPTIONS", format!("/dashboard/{odd}/{odd}")),
            ("GET", format!("/edge/v1/changes?after={number}")),
            ("POST", "/edge/v1/check".to_owned()),
            ("POST", "/edge/v1/usage".to_owned()),
        ] {
            let request = || {
                Request::builder()
                    .method(Method::from_bytes(method.as_bytes()).unwrap())
                    .uri(&path)
                    .header("host", format!("{odd}.example"))
                    .header("user-agent", &odd)
                    .header("x-request-id", &odd)
                    .header("x-api-key", key.plain.reveal())
                    .header("authorization", &token)
                    .body(Body::from(format!(
                        r#"{{"subject": {{"project_id": "{odd}"}}, "key_sha256": null}}"#
                    )))
                    .unwrap()
            };
            app.public(request()).await;
            app.edge(request()).await;
        }
    };
    attack(0).await;
    let before = app.series();
    for number in 1..50 {
        attack(number).await;
    }
    let after = app.series();
    assert_eq!(before, after);
    let made_up: Vec<_> = after
        .iter()
        .filter(|series| series.contains("x0"))
        .collect();
    assert!(made_up.is_empty(), "{made_up:?}");
    let other = r#"http_requests_total{api="public",method="other",route="none",status="4xx"}"#;
    let of_config = other.replace("none", CONFIG);
    assert!(
        after.iter().any(|series| series.ends_with(&of_config)),
        "{after:#?}"
    );
}

#[tokio::test]
async fn only_a_port_of_its_own_tells_metrics() {
    let database = Database::fresh();
    let silent = database.serve(&[]);
    assert_eq!(silent.metrics, None);
    let server = database.serve(&["--metrics-listen", "127.0.0.1:0"]);
    let metrics = server.metrics.as_deref().unwrap();
    for url in [&silent.public, &silent.edge, &server.public, &server.edge] {
        let reply = reqwest::Client::new().get(format!("{url}/metrics"));
        let reply = reply.bearer_auth(EDGE_TOKEN).send().await.unwrap();
        assert_eq!(reply.status(), 404, "{url}");
    }
    for path in ["/api/v3/org/project/config", "/edge/v1/check", "/"] {
        let reply = reqwest::get(format!("{metrics}{path}")).await.unwrap();
        assert_eq!(reply.status(), 404, "{path}");
    }
    let reply = reqwest::get(format!("{metrics}/metrics")).await.unwrap();
    assert_eq!(reply.status(), 200);
    let kind = reply.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(
        kind.starts_with("application/openmetrics-text; version=1.0.0"),
        "{kind}"
    );
    let text = reply.text().await.unwrap();
    assert!(text.ends_with("# EOF\n"), "{text}");
    assert!(
        text.contains(r#"status="4xx""#),
        "the requests above are counted: {text}"
    );
    if cfg!(target_os = "linux") {
        assert!(text.contains("\nprocess_resident_memory_bytes "), "{text}");
    }
}
