//! `/api/v3/org/projects`.

use serde_json::{Value, json};

use crate::rig::{
    app::{App, CONFIG, MAX_PROJECTS, NOW, OrgKey, cli},
    reply::Reply,
};

const PROJECTS: &str = "/api/v3/org/projects";
const KEYS: &str = "/api/v3/org/project/api_keys";
const LOG: &str = "/api/v3/org/project/audit_log";

async fn call(app: &App, key: &OrgKey, method: &str, path: &str, body: Value) -> Reply {
    let headers = [
        ("x-org-api-key", key.plain.reveal()),
        ("x-request-id", "same"),
    ];
    app.send(method, path, &headers, body).await
}

#[tokio::test]
async fn a_project_is_created_listed_and_renamed() {
    let app = App::start().await;
    let key = app.organisation_key("org_old").await;
    let created = call(&app, &key, "POST", PROJECTS, json!({"name": "shop"})).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let project = created.json();
    let id = project["id"].as_str().unwrap();
    assert!(id.starts_with("pr_"), "{project}");
    assert_eq!(
        (
            &project["name"],
            &project["created_at"],
            &project["config"]["require_mcp_api_key"]
        ),
        (&json!("shop"), &json!(NOW), &json!(false))
    );
    let path = format!("{PROJECTS}/{id}");
    let renamed = call(&app, &key, "PATCH", &path, json!({"name": "store"})).await;
    assert_eq!(renamed.json()["name"], "store", "{}", renamed.text);
    let listed = call(&app, &key, "GET", PROJECTS, Value::Null).await.json();
    let mut ids: Vec<_> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    let mut expected = vec![id.to_owned(), "pr_a".to_owned()];
    expected.sort();
    assert_eq!(ids, expected);
    let log = call(
        &app,
        &key,
        "GET",
        &format!("{LOG}?project_id={id}"),
        Value::Null,
    )
    .await;
    let log = log.json();
    assert_eq!(log["items"][0]["action"], "project.renamed");
    assert_eq!(log["items"][0]["before"], json!({"name": "shop"}));
    assert_eq!(log["items"][1]["action"], "project.created");
    assert_eq!(log["items"][1]["actor"]["id"], key.id.as_str());
}

#[tokio::test]
async fn the_switch_of_a_new_project_follows_the_organisations_age_unless_told() {
    let app = App::start().await;
    app.organisation("org_new").await;
    for (org, body, required) in [
        ("org_old", json!({"name": "p"}), false),
        (
            "org_old",
            json!({"name": "p", "require_mcp_api_key": true}),
            true,
        ),
        ("org_new", json!({"name": "p"}), true),
        (
            "org_new",
            json!({"name": "p", "require_mcp_api_key": false}),
            false,
        ),
    ] {
        let key = app.organisation_key(org).await;
        let reply = call(&app, &key, "POST", PROJECTS, body).await;
        assert_eq!(
            reply.json()["config"]["require_mcp_api_key"],
            required,
            "{}",
            reply.text
        );
    }
}

#[tokio::test]
async fn a_wrong_project_is_refused() {
    let app = App::start().await;
    let key = app.organisation_key("org_old").await;
    for body in [
        json!({}),
        json!({"name": "a\r\nb"}),
        json!({"name": "x".repeat(101)}),
        json!({"name": "a", "id": "pr_mine"}),
        json!({"name": "a", "organisation_id": "org_other"}),
        json!({"name": "a", "created_at": NOW}),
    ] {
        call(&app, &key, "POST", PROJECTS, body.clone())
            .await
            .error(400, "INVALID_FIELDS");
        let mut patch = body;
        patch["config"] = json!({});
        call(&app, &key, "PATCH", &format!("{PROJECTS}/pr_a"), patch)
            .await
            .error(400, "INVALID_FIELDS");
    }
    call(
        &app,
        &key,
        "GET",
        &format!("{PROJECTS}?cursor=x"),
        Value::Null,
    )
    .await
    .error(400, "INVALID_QUERY");
}

#[tokio::test]
async fn an_organisation_has_so_many_projects_and_no_more() {
    let app = App::start().await;
    let key = app.organisation_key("org_old").await;
    for _ in 1..MAX_PROJECTS {
        let reply = call(&app, &key, "POST", PROJECTS, json!({"name": "p"})).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
    }
    call(&app, &key, "POST", PROJECTS, json!({"name": "p"}))
        .await
        .error(409, "LIMIT_REACHED");
    let mut seen = 0;
    let mut path = format!("{PROJECTS}?limit=2");
    loop {
        let page = call(&app, &key, "GET", &path, Value::Null).await.json();
        seen += page["items"].as_array().unwrap().len();
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("{PROJECTS}?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, MAX_PROJECTS as usize);
}

#[tokio::test]
async fn a_deleted_projects_keys_end_at_once_and_its_log_stays() {
    let app = App::start().await;
    let key = app.organisation_key("org_old").await;
    let project_key = app.key("pr_a").await;
    app.server("srv", "pr_a").await;
    let changed = app.store.revision().await.unwrap();
    let path = format!("{PROJECTS}/pr_a");
    let deleted = call(&app, &key, "DELETE", &path, Value::Null).await;
    assert_eq!((deleted.status.as_u16(), deleted.text.as_str()), (204, ""));
    app.get_config(&project_key)
        .await
        .error(401, "INVALID_API_KEY");
    for subject in [json!({"project_id": "pr_a"}), json!({"server_id": "srv"})] {
        let answer = app.check_subject(subject, Some(&project_key)).await;
        assert_eq!(answer["project"], Value::Null);
        assert_eq!(answer["key"], Value::Null);
    }
    let told = app.changes(changed, 0).await;
    assert_eq!(
        told["changes"],
        json!([{"project_id": "pr_a", "revision": changed + 1}])
    );
    let log = call(
        &app,
        &key,
        "GET",
        &format!("{LOG}?project_id=pr_a"),
        Value::Null,
    )
    .await;
    let log = log.json();
    assert_eq!(log["items"][0]["action"], "project.deleted");
    assert_eq!(log["items"][0]["after"], Value::Null);
    assert_eq!(log["items"][0]["before"]["name"], "Project");
    assert_eq!(log["items"][2]["target"]["id"], project_key.id.as_str());
    call(&app, &key, "DELETE", &path, Value::Null)
        .await
        .error(404, "PROJECT_NOT_FOUND");
}

#[tokio::test]
async fn a_later_project_of_that_id_and_another_owner_does_not_inherit_the_log() {
    let app = App::start().await;
    app.organisation("org_other").await;
    app.key("pr_a").await;
    let id = crate::rig::app::id("pr_a");
    app.store.delete_project(&cli(NOW), &id).await.unwrap();
    app.project_of("pr_a", "org_other").await;
    let log = app.list(LOG, &app.key("pr_a").await).await;
    let actions: Vec<_> = log.iter().map(|entry| entry["action"].as_str()).collect();
    assert_eq!(actions, [Some("api_key.created"), Some("project.created")]);
}

#[tokio::test]
async fn another_organisations_project_is_out_of_reach() {
    let app = App::start().await;
    app.organisation("org_other").await;
    let key = app.organisation_key("org_other").await;
    let listed = call(&app, &key, "GET", PROJECTS, Value::Null).await.json();
    assert_eq!(listed["items"], json!([]));
    let revision = app.store.revision().await.unwrap();
    for (method, body) in [("PATCH", json!({"name": "mine"})), ("DELETE", Value::Null)] {
        let send = async |id: &str| {
            let path = format!("{PROJECTS}/{id}");
            let reply = call(&app, &key, method, &path, body.clone()).await;
            reply.error(404, "PROJECT_NOT_FOUND");
            format!("{:?} {}", reply.headers, reply.text)
        };
        let expected = send("pr_unknown").await;
        for id in ["pr_a", "%ff", "a%20b"] {
            assert_eq!(send(id).await, expected);
        }
    }
    assert_eq!(app.store.revision().await.unwrap(), revision);
}

#[tokio::test]
async fn a_project_key_manages_no_projects() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    for (method, path) in [
        ("GET", PROJECTS),
        ("POST", PROJECTS),
        ("PATCH", "/api/v3/org/projects/pr_a"),
        ("DELETE", "/api/v3/org/projects/pr_a"),
    ] {
        app.call(method, path, &key, json!({"name": "mine"}))
            .await
            .error(401, "ORGANISATION_KEY_NEEDED");
        app.send(method, path, &[], json!({"name": "mine"}))
            .await
            .error(401, "NO_AUTH_PROVIDED");
    }
    assert_eq!(app.get_config(&key).await.status, 200);
    // Nor would it if a handler let it.
    let author = control_plane::model::audit::Author {
        actor: control_plane::model::audit::Actor::ProjectKey(key.id.clone()),
        ..cli(NOW)
    };
    let id = crate::rig::app::id("pr_a");
    assert!(app.store.delete_project(&author, &id).await.is_err());
    assert_eq!(app.get_config(&key).await.status, 200);
}

#[tokio::test]
async fn an_organisation_key_revoked_since_changes_nothing() {
    let app = App::start().await;
    let key = app.organisation_key("org_old").await;
    app.store
        .revoke_organisation_key(&cli(NOW), &key.id)
        .await
        .unwrap();
    let author = control_plane::model::audit::Author {
        actor: control_plane::model::audit::Actor::OrganisationKey(key.id.clone()),
        ..cli(NOW)
    };
    let id = crate::rig::app::id("pr_a");
    let refused = app.store.delete_project(&author, &id).await;
    assert!(
        matches!(
            refused,
            Err(control_plane::store::StoreError::NotAuthorised)
        ),
        "{refused:?}"
    );
    let project = app.key("pr_a").await;
    assert_eq!(
        app.call("GET", CONFIG, &project, Value::Null).await.status,
        200
    );
    assert_eq!(app.list(KEYS, &project).await.len(), 1);
}
