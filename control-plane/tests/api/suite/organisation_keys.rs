//! Who may call with an organisation key, and what a key in the wrong place is told.

use serde_json::{Value, json};

use crate::rig::{
    app::{App, CONFIG, NOW, OrgKey, cli},
    program::Database,
    reply::Reply,
};

const KEYS: &str = "/api/v3/org/project/api_keys";
const LOG: &str = "/api/v3/org/project/audit_log";
const PROJECTS: &str = "/api/v3/org/projects";

async fn on(
    app: &App,
    key: &OrgKey,
    project: &str,
    method: &str,
    path: &str,
    body: Value,
) -> Reply {
    let headers = [
        ("x-org-api-key", key.plain.reveal()),
        ("x-project-id", project),
        ("x-request-id", "same"),
    ];
    app.send(method, path, &headers, body).await
}

#[tokio::test]
async fn an_organisation_key_works_on_every_project_of_its_own() {
    let app = App::start().await;
    app.project("pr_b").await;
    let key = app.organisation_key("org_old").await;
    for project in ["pr_a", "pr_b"] {
        let lock = json!({"require_mcp_api_key": true});
        let reply = on(&app, &key, project, "PATCH", CONFIG, lock).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let policy = app.check(project, None).await;
        assert_eq!(policy["project"]["require_mcp_api_key"], true);
        let reply = on(&app, &key, project, "POST", KEYS, json!({"name": "made"})).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        let listed = on(&app, &key, project, "GET", KEYS, Value::Null).await;
        assert_eq!(listed.json()["items"][0]["is_presented_key"], false);
        let log = on(&app, &key, project, "GET", LOG, Value::Null)
            .await
            .json();
        let actor = json!({
            "kind": "organisation_key", "id": key.id, "name": "Org key", "session_id": null
        });
        assert_eq!(log["items"][0]["actor"], actor);
        assert_eq!(log["items"][0]["project_id"], project);
    }
}

#[tokio::test]
async fn another_organisations_project_is_not_told_from_one_that_does_not_exist() {
    let app = App::start().await;
    app.organisation("org_other").await;
    let key = app.organisation_key("org_other").await;
    let revision = app.store.revision().await.unwrap();
    let target = format!("{KEYS}/{}", app.key("pr_a").await.id);
    for (method, path, body) in [
        ("GET", CONFIG, Value::Null),
        ("PATCH", CONFIG, json!({"require_mcp_api_key": true})),
        ("GET", KEYS, Value::Null),
        ("POST", KEYS, json!({"name": "mine"})),
        ("DELETE", &target, Value::Null),
        ("GET", LOG, Value::Null),
    ] {
        let whole = async |project: &str| {
            let reply = on(&app, &key, project, method, path, body.clone()).await;
            reply.error(404, "PROJECT_NOT_FOUND");
            format!("{:?} {}", reply.headers, reply.text)
        };
        let expected = whole("pr_unknown").await;
        for project in ["pr_a", "", "pr_a ", "a b", "../pr_a", &"x".repeat(65)] {
            assert_eq!(whole(project).await, expected, "{method} {path} {project}");
        }
    }
    assert_eq!(app.store.revision().await.unwrap(), revision + 1);
}

#[tokio::test]
async fn an_organisation_key_must_say_which_project() {
    let app = App::start().await;
    let key = app.organisation_key("org_old").await;
    let headers = [("x-org-api-key", key.plain.reveal())];
    app.send("GET", CONFIG, &headers, Value::Null)
        .await
        .error(400, "NO_PROJECT_ID");
    let twice = [
        headers[0],
        ("x-project-id", "pr_a"),
        ("x-project-id", "pr_a"),
    ];
    app.send("GET", CONFIG, &twice, Value::Null)
        .await
        .error(400, "NO_PROJECT_ID");
}

#[tokio::test]
async fn a_project_key_works_on_no_project_but_its_own_whatever_the_header_names() {
    let app = App::start().await;
    app.project("pr_b").await;
    let key = app.key("pr_a").await;
    let named = |project| [("x-api-key", key.plain.reveal()), ("x-project-id", project)];
    let reply = app.send("GET", CONFIG, &named("pr_a"), Value::Null).await;
    assert_eq!(reply.status, 200);
    for project in ["pr_b", "pr_unknown", ""] {
        let body = json!({"require_mcp_api_key": true});
        app.send("PATCH", CONFIG, &named(project), body)
            .await
            .error(404, "PROJECT_NOT_FOUND");
    }
}

#[tokio::test]
async fn a_key_of_another_kind_is_told_where_it_belongs() {
    let app = App::start().await;
    let (project, organisation) = (app.key("pr_a").await, app.organisation_key("org_old").await);
    let (project, organisation) = (project.plain.reveal(), organisation.plain.reveal());
    for (header, key, fix) in [
        ("x-api-key", organisation, "x-org-api-key"),
        ("x-api-key", "oak_anything", "x-project-id"),
        ("x-api-key", "uak_0123456789", "'x-api-key'"),
        ("x-api-key", "ck_0123456789", "project key (ak_…)"),
        ("x-org-api-key", project, "'x-api-key'"),
        ("x-org-api-key", "uak_0123456789", "ak_"),
    ] {
        let headers = [(header, key), ("x-project-id", "pr_a")];
        let reply = app.send("GET", CONFIG, &headers, Value::Null).await;
        let error = reply.error(401, "WRONG_KEY_KIND");
        let text = error["suggested_fix"].as_str().unwrap();
        assert!(text.contains(fix), "{text}");
        assert!(error["message"].as_str().unwrap().contains(header));
        assert!(!reply.text.contains(key), "{}", reply.text);
    }
    for headers in [
        [("x-api-key", project), ("x-org-api-key", organisation)],
        [
            ("x-org-api-key", organisation),
            ("x-org-api-key", organisation),
        ],
    ] {
        app.send("GET", CONFIG, &headers, Value::Null)
            .await
            .error(401, "AMBIGUOUS_AUTH_PROVIDED");
    }
}

#[tokio::test]
async fn an_organisation_key_opens_no_mcp_server() {
    let app = App::start().await;
    let key = app.organisation_key("org_old").await;
    let hash = key.plain.sha256().to_hex();
    let question = json!({"subject": {"project_id": "pr_a"}, "key_sha256": hash}).to_string();
    let answer = app.edge(crate::rig::app::check_request(&question)).await;
    assert_eq!(answer.json()["key"]["verdict"], "unknown");
}

#[tokio::test]
async fn organisation_keys_that_open_nothing_cannot_be_told_apart() {
    let app = App::start().await;
    let revoked = app.organisation_key("org_old").await;
    app.store
        .revoke_organisation_key(&cli(NOW), &revoked.id)
        .await
        .unwrap();
    let expired = app.organisation_key_until("org_old", Some(NOW)).await;
    let malformed = format!("{}x", revoked.plain.reveal());
    let mut answers = Vec::new();
    for key in [
        revoked.plain.reveal(),
        expired.plain.reveal(),
        &malformed,
        "oak_your_key",
        "",
    ] {
        for path in [CONFIG, PROJECTS] {
            let headers = [
                ("x-org-api-key", key),
                ("x-project-id", "pr_a"),
                ("x-request-id", "same"),
            ];
            let reply = app.send("GET", path, &headers, Value::Null).await;
            reply.error(401, "INVALID_API_KEY");
            answers.push(reply.text);
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn the_whole_organisations_log_is_its_own_alone() {
    let app = App::start().await;
    app.project("pr_b").await;
    app.organisation("org_other").await;
    let (key, other) = (
        app.organisation_key("org_old").await,
        app.organisation_key("org_other").await,
    );
    let log = async |key: &OrgKey, query: &str| {
        let headers = [("x-org-api-key", key.plain.reveal())];
        let path = format!("{LOG}{query}");
        let reply = app.send("GET", &path, &headers, Value::Null).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let actions = |entry: &Value| {
            format!(
                "{} {}",
                entry["action"].as_str().unwrap(),
                entry["target"]["id"].as_str().unwrap()
            )
        };
        let items = reply.json()["items"].as_array().unwrap().clone();
        items.iter().map(actions).collect::<Vec<_>>()
    };
    let own = format!("organisation_key.created {}", key.id);
    assert_eq!(
        log(&key, "").await,
        [
            &own,
            "project.created pr_b",
            "project.created pr_a",
            "organisation.created org_old"
        ]
    );
    assert_eq!(
        log(&key, "?project_id=pr_b").await,
        ["project.created pr_b"]
    );
    let own = format!("organisation_key.created {}", other.id);
    assert_eq!(
        log(&other, "").await,
        [&own, "organisation.created org_other"]
    );
    assert_eq!(log(&other, "?project_id=pr_a").await, Vec::<String>::new());
    assert_eq!(log(&other, "?cursor=3").await, Vec::<String>::new());
    // A project key asks for no other project.
    let path = format!("{LOG}?project_id=pr_b");
    app.call("GET", &path, &app.key("pr_a").await, Value::Null)
        .await
        .error(404, "PROJECT_NOT_FOUND");
}

#[test]
fn the_command_creates_lists_and_revokes_them() {
    let database = Database::fresh();
    database.seed();
    database.run(&["org", "create", "--name", "Other", "--id", "org_b"]);
    let create = ["org", "key", "create", "--org", "org_a", "--name", "Admin"];
    let mut created = database.json(&create);
    let raw = created.as_object_mut().unwrap().remove("key").unwrap();
    assert!(raw.as_str().unwrap().starts_with("oak_"), "{raw}");
    let id = created["id"].as_str().unwrap();
    assert!(id.starts_with("okey_"), "{created}");
    assert_eq!(database.json(&["org", "key", "list"]), json!([created]));
    let others = database.json(&["org", "key", "list", "--org", "org_b"]);
    assert_eq!(others, json!([]));
    let revoked = database.json(&["org", "key", "revoke", "--id", id]);
    assert!(revoked["revoked_at"].is_string(), "{revoked}");
    assert_eq!(
        database.json(&["org", "key", "revoke", "--id", id]),
        revoked
    );
    let shown = database.run(&create).stdout;
    assert!(
        shown.contains("oak_") && shown.contains("cannot be shown again"),
        "{shown}"
    );
    let listed = database.run(&["org", "key", "list"]).stdout;
    assert!(!listed.contains(raw.as_str().unwrap()), "{listed}");
    for (args, error) in [
        (
            ["org", "key", "create", "--org", "x", "--name", "A"].as_slice(),
            "no organisation \"x\"",
        ),
        (
            &["org", "key", "revoke", "--id", "x"],
            "no organisation key \"x\"; list them with `control-plane org key list`",
        ),
    ] {
        let finished = database.try_run(args);
        assert_eq!(finished.status.code(), Some(1));
        assert!(finished.stderr.contains(error), "{}", finished.stderr);
    }
}
