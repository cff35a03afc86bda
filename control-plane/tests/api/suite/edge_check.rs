//! `POST /edge/v1/check`: one row per verdict.

use serde_json::{Value, json};

use crate::rig::app::{App, check_request, cli};

const EARLIER: &str = "2026-11-23T11:00:00Z";

#[tokio::test]
async fn a_live_key_of_the_project_is_valid() {
    let app = App::start().await;
    let key = app.key_until("pr_a", Some("2026-11-24T12:00:00Z")).await;
    let revision = app.store.revision().await.unwrap();
    assert_eq!(
        app.check("pr_a", Some(&key)).await,
        json!({
            "revision": revision,
            "project": {"id": "pr_a", "require_mcp_api_key": false},
            "key": {"verdict": "valid", "id": key.id.as_str(), "expires_at": 1_795_521_600_000_u64},
            "ttl_ms": 30_000
        })
    );
}

#[tokio::test]
async fn a_policy_is_answered_without_a_key() {
    let app = App::start().await;
    let revision = app.store.revision().await.unwrap();
    assert_eq!(
        app.check("pr_a", None).await,
        json!({
            "revision": revision,
            "project": {"id": "pr_a", "require_mcp_api_key": false},
            "key": null,
            "ttl_ms": 30_000
        })
    );
}

#[tokio::test]
async fn an_unknown_subject_has_neither_project_nor_key() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let revision = app.store.revision().await.unwrap();
    let expected = json!({"revision": revision, "project": null, "key": null, "ttl_ms": 5_000});
    for subject in [
        json!({"project_id": "pr_x"}),
        json!({"server_id": "x"}),
        json!({"server_id": "pr_a"}),
    ] {
        assert_eq!(
            app.check_subject(subject.clone(), None).await,
            expected,
            "{subject}"
        );
        assert_eq!(
            app.check_subject(subject.clone(), Some(&key)).await,
            expected,
            "{subject}"
        );
    }
}

#[tokio::test]
async fn a_server_stands_for_its_project() {
    let app = App::start().await;
    app.project("pr_b").await;
    app.server("server-b", "pr_b").await;
    let (a, b) = (app.key("pr_a").await, app.key("pr_b").await);
    let subject = json!({"server_id": "server-b"});
    let answer = app.check_subject(subject.clone(), Some(&b)).await;
    assert_eq!(answer["project"]["id"], "pr_b");
    assert_eq!(answer["key"]["verdict"], "valid");
    assert_eq!(
        app.check_subject(subject, Some(&a)).await["key"]["verdict"],
        "other_project"
    );
}

#[tokio::test]
async fn each_state_of_a_key_has_its_verdict_and_a_short_life() {
    let app = App::start().await;
    let verdict = async |key| {
        let answer = app.check("pr_a", Some(key)).await;
        assert_eq!(answer["ttl_ms"], 5_000);
        (
            answer["key"]["verdict"].clone(),
            answer["key"]["id"].clone(),
        )
    };
    let id = |key: &crate::rig::app::TestKey| json!(key.id.as_str());

    let revoked = app.key("pr_a").await;
    app.store
        .revoke_key(&cli(EARLIER), None, &revoked.id)
        .await
        .unwrap();
    assert_eq!(verdict(&revoked).await, (json!("revoked"), id(&revoked)));

    let disabled = app.key("pr_a").await;
    app.store
        .disable_key(&cli(EARLIER), None, &disabled.id)
        .await
        .unwrap();
    assert_eq!(verdict(&disabled).await, (json!("disabled"), id(&disabled)));

    let expired = app.key_until("pr_a", Some("2026-11-23T12:00:00Z")).await;
    assert_eq!(verdict(&expired).await, (json!("expired"), id(&expired)));
    app.store
        .disable_key(&cli(EARLIER), None, &expired.id)
        .await
        .unwrap();
    assert_eq!(
        verdict(&expired).await.0,
        "expired",
        "expired before disabled"
    );
    app.store
        .revoke_key(&cli(EARLIER), None, &expired.id)
        .await
        .unwrap();
    assert_eq!(
        verdict(&expired).await.0,
        "revoked",
        "revoked before expired"
    );

    let unknown = crate::rig::app::TestKey {
        id: crate::rig::app::id("none"),
        plain: control_plane::key::PlainKey::generate().unwrap(),
    };
    assert_eq!(verdict(&unknown).await, (json!("unknown"), Value::Null));
}

#[tokio::test]
async fn a_key_of_another_project_is_that_whatever_its_state() {
    let app = App::start().await;
    app.project("pr_b").await;
    let live = app.key("pr_b").await;
    let revoked = app.key("pr_b").await;
    app.store
        .revoke_key(&cli(EARLIER), None, &revoked.id)
        .await
        .unwrap();
    let expired = app.key_until("pr_b", Some(EARLIER)).await;
    for key in [live, revoked, expired] {
        let answer = app.check("pr_a", Some(&key)).await;
        assert_eq!(answer["key"]["verdict"], "other_project");
        assert_eq!(answer["key"]["id"], key.id.as_str());
        assert_eq!(answer["ttl_ms"], 5_000);
    }
}

#[tokio::test]
async fn an_answer_is_not_served_beyond_the_keys_expiry() {
    let app = App::start().await;
    let key = app.key_until("pr_a", Some("2026-11-23T12:00:10Z")).await;
    assert_eq!(app.check("pr_a", Some(&key)).await["ttl_ms"], 10_000);
    app.clock.set("2026-11-23T12:00:09.999Z");
    let answer = app.check("pr_a", Some(&key)).await;
    assert_eq!(
        (&answer["ttl_ms"], &answer["key"]["verdict"]),
        (&json!(1), &json!("valid"))
    );
    app.clock.set("2026-11-23T12:00:10Z");
    let answer = app.check("pr_a", Some(&key)).await;
    assert_eq!(
        (&answer["ttl_ms"], &answer["key"]["verdict"]),
        (&json!(5_000), &json!("expired"))
    );
}

#[tokio::test]
async fn a_change_of_policy_or_key_is_in_the_next_answer() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let before = app.check("pr_a", Some(&key)).await;
    app.patch_config(&key, r#"{"require_mcp_api_key": true}"#)
        .await;
    let locked = app.check("pr_a", Some(&key)).await;
    assert_eq!(locked["project"]["require_mcp_api_key"], true);
    assert_eq!(
        locked["revision"].as_u64(),
        before["revision"].as_u64().map(|r| r + 1)
    );
    app.store
        .revoke_key(&cli(EARLIER), None, &key.id)
        .await
        .unwrap();
    let revoked = app.check("pr_a", Some(&key)).await;
    assert_eq!(revoked["key"]["verdict"], "revoked");
    assert_eq!(
        revoked["revision"].as_u64(),
        before["revision"].as_u64().map(|r| r + 2)
    );
}

#[tokio::test]
async fn a_question_of_another_form_is_refused() {
    let app = App::start().await;
    for body in [
        "",
        "{}",
        "null",
        r#"{"subject":{"project_id":"pr_a"},"key_sha256":"ab"}"#,
        r#"{"subject":{"project_id":"a/b"},"key_sha256":null}"#,
        r#"{"subject":{"project_id":"a","server_id":"b"},"key_sha256":null}"#,
        r#"{"subject":{},"key_sha256":null}"#,
    ] {
        app.edge(check_request(body))
            .await
            .error(400, "INVALID_BODY");
    }
    app.edge(check_request(&" ".repeat(65_537)))
        .await
        .error(413, "BODY_TOO_LARGE");
}

#[tokio::test]
async fn the_golden_questions_of_the_wire_types_are_understood() {
    let app = App::start().await;
    for question in [
        include_str!("../../../api/golden/check_request_project.json"),
        include_str!("../../../api/golden/check_request_server.json"),
    ] {
        let reply = app.edge(check_request(question)).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        serde_json::from_str::<edge_api::check::CheckResponse>(&reply.text).unwrap();
    }
}
