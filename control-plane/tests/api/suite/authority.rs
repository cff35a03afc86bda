//! A change is judged in the transaction that makes it: who lost the right to it since the request
//! was let in, changes nothing.

use std::sync::Arc;

use control_plane::{
    model::{
        audit::{Actor, Author},
        project_config::ConfigPatch,
    },
    store::StoreError,
};
use sqlx::Executor as _;
use stack::deadline::{PATIENCE, eventually};

use crate::{
    TestDatabase,
    rig::app::{App, NOW, TestKey, cli, id},
};

fn author(key: &TestKey) -> Author {
    Author {
        actor: Actor::ProjectKey(key.id.clone()),
        ..cli(NOW)
    }
}

fn lock() -> ConfigPatch {
    ConfigPatch {
        require_mcp_api_key: Some(true),
        ..ConfigPatch::default()
    }
}

#[tokio::test]
async fn a_key_that_ended_since_the_request_was_let_in_changes_nothing() {
    let app = App::start().await;
    let (revoked, disabled) = (app.key("pr_a").await, app.key("pr_a").await);
    let expired = app.key_until("pr_a", Some(NOW)).await;
    app.store
        .revoke_key(&cli(NOW), None, &revoked.id)
        .await
        .unwrap();
    app.store
        .disable_key(&cli(NOW), None, &disabled.id)
        .await
        .unwrap();
    let revision = app.store.revision().await.unwrap();
    let target = app.key("pr_a").await;
    for key in [&revoked, &disabled, &expired] {
        let author = author(key);
        let refused = app
            .store
            .update_project_config(&author, &id("pr_a"), &lock(), |_| true)
            .await;
        assert!(
            matches!(refused, Err(StoreError::NotAuthorised)),
            "{refused:?}"
        );
        let refused = app.store.revoke_key(&author, None, &target.id).await;
        assert!(
            matches!(refused, Err(StoreError::NotAuthorised)),
            "{refused:?}"
        );
    }
    assert_eq!(app.store.revision().await.unwrap(), revision + 1);
}

#[tokio::test]
async fn a_key_changes_nothing_of_another_project_whatever_a_handler_asks() {
    let app = App::start().await;
    app.project("pr_b").await;
    let (a, b) = (app.key("pr_a").await, app.key("pr_b").await);
    let revision = app.store.revision().await.unwrap();
    let refused = app
        .store
        .update_project_config(&author(&a), &id("pr_b"), &lock(), |_| true)
        .await;
    assert!(
        matches!(refused, Err(StoreError::NotFound { .. })),
        "{refused:?}"
    );
    let refused = app.store.revoke_key(&author(&a), None, &b.id).await;
    assert!(
        matches!(refused, Err(StoreError::NotFound { .. })),
        "{refused:?}"
    );
    assert_eq!(app.store.revision().await.unwrap(), revision);
}

/// The request is let in, then waits for another process's change, which revokes its key.
#[tokio::test]
async fn a_request_that_waits_while_its_key_is_revoked_is_refused() {
    let app = Arc::new(App::start().await);
    let key = Arc::new(app.key("pr_a").await);
    let reads = app.clock.reads();
    let mut other = app.database().await;
    other.execute(TestDatabase::BEGIN_CHANGE).await.unwrap();
    sqlx::query("UPDATE api_keys SET revoked_at = 1 WHERE id = $1")
        .bind(key.id.as_str())
        .execute(&mut other)
        .await
        .unwrap();
    let waiting = tokio::spawn({
        let (app, key) = (Arc::clone(&app), Arc::clone(&key));
        async move {
            app.patch_config(&key, r#"{"require_mcp_api_key": true}"#)
                .await
        }
    });
    // Who is let in is judged by the clock, after the key was read, which waits for nobody.
    eventually(PATIENCE, "the request is let in", async || {
        (app.clock.reads() > reads).then_some(())
    })
    .await;
    other.execute("COMMIT").await.unwrap();
    waiting.await.unwrap().error(401, "INVALID_API_KEY");
    let policy = app.check("pr_a", None).await;
    assert_eq!(policy["project"]["require_mcp_api_key"], false);
}
