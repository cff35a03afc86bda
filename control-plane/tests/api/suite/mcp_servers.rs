//! `/api/v3/org/project/mcp_servers`, and the command that removes one.

use serde_json::{Value, json};

use crate::rig::{
    app::{App, MAX_SERVERS, NOW, cli, id},
    program::Database,
};

const SERVERS: &str = "/api/v3/org/project/mcp_servers";

/// The project that an MCP server's id stands for.
async fn project(app: &App, server: &str) -> Value {
    let answer = app.check_subject(json!({"server_id": server}), None).await;
    answer["project"]["id"].clone()
}

#[tokio::test]
async fn a_server_is_registered_listed_and_removed() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let made = app
        .call("POST", SERVERS, &key, json!({"name": "made"}))
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    let made_id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(
        uuid::Uuid::parse_str(&made_id).unwrap().get_version_num(),
        4
    );
    let chosen = json!({"name": "chosen", "id": "srv_1"});
    let chosen = app.call("POST", SERVERS, &key, chosen).await;
    assert_eq!(
        chosen.json(),
        json!({"id": "srv_1", "name": "chosen", "created_at": NOW})
    );
    assert_eq!(project(&app, &made_id).await, "pr_a");
    assert_eq!(project(&app, "srv_1").await, "pr_a");
    assert_eq!(app.list(SERVERS, &key).await.len(), 2);

    let revision = app.store.revision().await.unwrap();
    let path = format!("{SERVERS}/srv_1");
    let removed = app.call("DELETE", &path, &key, Value::Null).await;
    assert_eq!((removed.status.as_u16(), removed.text.as_str()), (204, ""));
    assert_eq!(project(&app, "srv_1").await, Value::Null);
    assert_eq!(app.store.revision().await.unwrap(), revision + 1);
    assert_eq!(app.list(SERVERS, &key).await, [made.json()]);
    app.call("DELETE", &path, &key, Value::Null)
        .await
        .error(404, "MCP_SERVER_NOT_FOUND");
    let log = app.list("/api/v3/org/project/audit_log", &key).await;
    assert_eq!(log[0]["action"], "mcp_server.removed");
    assert_eq!(log[0]["before"]["name"], "chosen");
    assert_eq!(log[1]["action"], "mcp_server.created");
}

#[tokio::test]
async fn a_wrong_server_is_refused() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    for body in [
        json!({}),
        json!({"id": "a"}),
        json!({"name": "a", "id": ""}),
        json!({"name": "a", "id": "a/b"}),
        json!({"name": "a", "id": "a\r\nb"}),
        json!({"name": "a", "id": "x".repeat(65)}),
        json!({"name": "a", "id": null}),
        json!({"name": "a\u{0}b"}),
        json!({"name": "a", "project_id": "pr_b"}),
    ] {
        app.call("POST", SERVERS, &key, body)
            .await
            .error(400, "INVALID_FIELDS");
    }
    assert_eq!(app.list(SERVERS, &key).await, Vec::<Value>::new());
}

#[tokio::test]
async fn nobody_takes_or_removes_another_projects_server() {
    let app = App::start().await;
    app.project("pr_b").await;
    let (a, b) = (app.key("pr_a").await, app.key("pr_b").await);
    app.server("srv", "pr_a").await;
    let mine = json!({"name": "mine", "id": "srv"});
    app.call("POST", SERVERS, &b, mine)
        .await
        .error(409, "MCP_SERVER_ID_TAKEN");
    let mut answers = Vec::new();
    for id in ["srv", "unknown", "%ff", "a%2Fb"] {
        let headers = [("x-api-key", b.plain.reveal()), ("x-request-id", "same")];
        let path = format!("{SERVERS}/{id}");
        let reply = app.send("DELETE", &path, &headers, Value::Null).await;
        reply.error(404, "MCP_SERVER_NOT_FOUND");
        answers.push(format!("{:?} {}", reply.headers, reply.text));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(app.list(SERVERS, &b).await, Vec::<Value>::new());
    assert_eq!(app.list(SERVERS, &a).await.len(), 1);
    assert_eq!(project(&app, "srv").await, "pr_a");
}

#[tokio::test]
async fn a_removed_servers_id_stays_with_its_organisation() {
    let app = App::start().await;
    app.organisation("org_other").await;
    app.project_of("pr_other", "org_other").await;
    app.project("pr_b").await;
    let (own, other) = (app.key("pr_b").await, app.key("pr_other").await);
    app.server("srv", "pr_a").await;
    app.server("gone", "pr_a").await;
    app.store
        .remove_server(&cli(NOW), None, &id("srv"))
        .await
        .unwrap();
    // Also with its project.
    app.store
        .delete_project(&cli(NOW), &id("pr_a"))
        .await
        .unwrap();
    for server in ["srv", "gone"] {
        let body = json!({"name": "s", "id": server});
        app.call("POST", SERVERS, &other, body.clone())
            .await
            .error(409, "MCP_SERVER_ID_TAKEN");
        let reply = app.call("POST", SERVERS, &own, body).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
    }
}

#[tokio::test]
async fn a_project_has_so_many_servers_and_no_more_on_pages() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    for _ in 0..MAX_SERVERS {
        let reply = app.call("POST", SERVERS, &key, json!({"name": "s"})).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
    }
    app.call("POST", SERVERS, &key, json!({"name": "s"}))
        .await
        .error(409, "LIMIT_REACHED");
    let expected = app.list(SERVERS, &key).await;
    let mut seen = Vec::new();
    let mut path = format!("{SERVERS}?limit=2");
    loop {
        let page = app.call("GET", &path, &key, Value::Null).await.json();
        seen.extend(page["items"].as_array().unwrap().clone());
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("{SERVERS}?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, expected);
    app.call("GET", &format!("{SERVERS}?cursor=x"), &key, Value::Null)
        .await
        .error(400, "INVALID_QUERY");
}

#[test]
fn the_command_removes_a_server() {
    let database = Database::fresh();
    database.seed();
    let create = [
        "server",
        "create",
        "--project",
        "pr_a",
        "--name",
        "S",
        "--id",
        "srv",
    ];
    let created = database.json(&create);
    assert_eq!(database.json(&["server", "remove", "--id", "srv"]), created);
    assert_eq!(database.json(&["list", "servers"]), json!([]));
    assert_eq!(
        database
            .try_run(&["server", "remove", "--id", "srv"])
            .status
            .code(),
        Some(1)
    );
    assert_eq!(database.json(&create)["id"], "srv");
}
