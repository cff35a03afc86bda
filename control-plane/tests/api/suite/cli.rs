//! The admin commands, through the real program.

use std::{process::Command, thread};

use control_plane::store::DatabaseUrl;
use edge_api::key_format;
use serde_json::json;
use sqlx::Connection as _;

use crate::{
    TestDatabase,
    rig::{
        app::EDGE_TOKEN,
        program::{Database, Finished, finish},
    },
};

#[test]
fn a_system_is_set_up_and_listed() {
    let database = Database::fresh();
    let org = database.json(&[
        "org",
        "create",
        "--name",
        "Demo",
        "--created-at",
        "2026-01-08T00:00:00Z",
    ]);
    assert_eq!(
        (&org["name"], &org["created_at"]),
        (&json!("Demo"), &json!("2026-01-08T00:00:00Z"))
    );
    let org_id = org["id"].as_str().unwrap();
    assert!(org_id.starts_with("org_"), "{org}");

    let project = database.json(&["project", "create", "--org", org_id, "--name", "Open"]);
    let project_id = project["id"].as_str().unwrap();
    assert!(project_id.starts_with("pr_"), "{project}");
    assert_eq!(project["organisation_id"], org_id);

    let server = database.json(&[
        "server",
        "create",
        "--project",
        project_id,
        "--name",
        "Tools",
    ]);
    let uuid = uuid::Uuid::parse_str(server["id"].as_str().unwrap()).unwrap();
    assert_eq!(uuid.get_version_num(), 4);

    let expiry = "2027-01-31T12:00:00Z";
    let key = database.json(&[
        "key",
        "create",
        "--project",
        project_id,
        "--name",
        "CI",
        "--expires-at",
        expiry,
    ]);
    assert!(key["id"].as_str().unwrap().starts_with("key_"), "{key}");
    assert_eq!(key["expires_at"], expiry);
    assert!(
        key_format::is_well_formed(key["key"].as_str().unwrap().as_bytes()),
        "{key}"
    );

    let mut stored = key;
    stored.as_object_mut().unwrap().remove("key");
    assert_eq!(database.json(&["list", "orgs"]), json!([org]));
    assert_eq!(database.json(&["list", "projects"]), json!([project]));
    assert_eq!(database.json(&["list", "servers"]), json!([server]));
    assert_eq!(database.json(&["list", "keys"]), json!([stored]));
}

#[test]
fn text_output_shows_the_key_once_and_says_so() {
    let database = Database::fresh();
    let (id, raw) = database.seed();
    let created = database
        .run(&["key", "create", "--project", "pr_a", "--name", "Second"])
        .stdout;
    assert!(
        created.contains("ak_") && created.contains("cannot be shown again"),
        "{created}"
    );
    let listed = database.run(&["list", "keys"]).stdout;
    assert!(listed.contains(&id) && listed.contains("live"), "{listed}");
    assert!(
        !listed.contains("ak_") && !listed.contains(&raw),
        "{listed}"
    );
    for (what, expected) in [
        ("orgs", "org_a"),
        ("projects", "pr_a"),
        ("servers", "PROJECT"),
    ] {
        let listed = database.run(&["list", what]).stdout;
        assert!(listed.contains(expected), "{listed}");
    }
}

#[test]
fn ids_can_be_chosen_once() {
    let database = Database::fresh();
    database.seed();
    database.run(&[
        "server",
        "create",
        "--project",
        "pr_a",
        "--name",
        "S",
        "--id",
        "srv-1",
    ]);
    for (args, what) in [
        (
            &["org", "create", "--name", "O", "--id", "org_a"][..],
            "organisation \"org_a\"",
        ),
        (
            &[
                "project", "create", "--org", "org_a", "--name", "P", "--id", "pr_a",
            ],
            "project \"pr_a\"",
        ),
        (
            &[
                "server",
                "create",
                "--project",
                "pr_a",
                "--name",
                "S",
                "--id",
                "srv-1",
            ],
            "server \"srv-1\"",
        ),
    ] {
        refused(&database, args, &format!("there is already a {what}"));
    }
    for (args, flag) in [
        (&["org", "create", "--name", "O", "--id", "a/b"][..], "--id"),
        (
            &["project", "create", "--org", "..", "--name", "P"],
            "--org",
        ),
        (&["org", "create", "--name", ""], "--name"),
        (
            &["org", "create", "--name", "O", "--created-at", "yesterday"],
            "--created-at",
        ),
        (
            &[
                "project",
                "create",
                "--org",
                "org_a",
                "--name",
                "P",
                "--require-mcp-api-key",
                "maybe",
            ],
            "--require-mcp-api-key",
        ),
    ] {
        let finished = database.try_run(args);
        assert_eq!(finished.status.code(), Some(2), "{args:?}");
        assert!(finished.stderr.contains(flag), "{}", finished.stderr);
    }
}

#[test]
fn what_does_not_exist_is_named_with_a_way_to_find_it() {
    let database = Database::fresh();
    database.seed();
    for (args, error) in [
        (
            &["project", "create", "--org", "x", "--name", "P"][..],
            "no organisation \"x\"; list them with `control-plane list orgs`",
        ),
        (
            &["server", "create", "--project", "x", "--name", "S"],
            "no project \"x\"; list them with `control-plane list projects`",
        ),
        (
            &["key", "create", "--project", "x", "--name", "K"],
            "no project \"x\"; list them with `control-plane list projects`",
        ),
        (
            &["key", "revoke", "--id", "x"],
            "no key \"x\"; list them with `control-plane list keys`",
        ),
        (&["key", "disable", "--id", "x"], "no key \"x\""),
        (&["key", "enable", "--id", "x"], "no key \"x\""),
    ] {
        refused(&database, args, error);
    }
    assert_eq!(
        database
            .json(&["list", "projects"])
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn new_organisations_projects_require_a_key_unless_told_otherwise() {
    let database = Database::fresh();
    for (id, created_at) in [
        ("before", "2026-02-28T23:59:59Z"),
        ("from", "2026-03-01T00:00:00Z"),
    ] {
        database.run(&[
            "org",
            "create",
            "--name",
            "O",
            "--id",
            id,
            "--created-at",
            created_at,
        ]);
    }
    database.run(&["org", "create", "--name", "O", "--id", "today"]);
    let required = |org: &str, more: &[&str]| {
        let args = [&["project", "create", "--org", org, "--name", "P"], more].concat();
        database.json(&args)["config"]["require_mcp_api_key"]
            .as_bool()
            .unwrap()
    };
    assert!(!required("before", &[]));
    assert!(required("from", &[]));
    assert!(required("today", &[]));
    assert!(required("before", &["--require-mcp-api-key", "true"]));
    assert!(!required("from", &["--require-mcp-api-key", "false"]));
}

#[test]
fn a_revoked_key_stays_revoked_at_its_first_time() {
    let database = Database::fresh();
    let (id, _) = database.seed();
    let first = database.json(&["key", "revoke", "--id", &id]);
    assert!(first["revoked_at"].is_string(), "{first}");
    assert_eq!(database.json(&["key", "revoke", "--id", &id]), first);
    assert!(database.run(&["list", "keys"]).stdout.contains("revoked"));
}

#[test]
fn a_key_is_disabled_and_enabled() {
    let database = Database::fresh();
    let (id, _) = database.seed();
    assert!(database.json(&["key", "disable", "--id", &id])["disabled_at"].is_string());
    assert!(database.run(&["list", "keys"]).stdout.contains("disabled"));
    assert!(database.json(&["key", "enable", "--id", &id])["disabled_at"].is_null());
    assert!(database.run(&["list", "keys"]).stdout.contains("live"));
}

#[tokio::test]
async fn only_the_first_step_makes_a_database() {
    let database = Database::fresh();
    for args in [
        &["list", "orgs"][..],
        &["project", "create", "--org", "o", "--name", "P"],
        &["key", "revoke", "--id", "k"],
    ] {
        refused(&database, args, TestDatabase::NOT_SET_UP);
        assert!(!database.database.is_set_up().await);
    }
    let finished = database.try_run(&[
        "list",
        "orgs",
        "--database",
        "mysql://user:secret@localhost/a",
    ]);
    assert_eq!(finished.status.code(), Some(2));
    assert!(
        finished.stderr.contains("--database") && !finished.stderr.contains("secret"),
        "{}",
        finished.stderr
    );
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let database = Database::fresh();
    database.seed();
    let mut connection = database.database.connect().await;
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time)
         VALUES (999999, 'later', CURRENT_TIMESTAMP, TRUE, $1, 0)",
    )
    .bind(vec![0_u8])
    .execute(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    let serve = &[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--edge-listen",
        "127.0.0.1:0",
    ];
    for args in [&["list", "orgs"][..], serve] {
        let finished = finish_with_token(&database, args);
        assert_eq!(finished.status.code(), Some(1), "{args:?}");
        assert_eq!(
            finished.stderr,
            format!(
                "error: the database {} was written by a newer version (migration 999999); run that version\n",
                database.database.url().parse::<DatabaseUrl>().unwrap()
            )
        );
    }
}

#[test]
fn programs_that_start_together_set_up_one_database() {
    for _ in 0..5 {
        let database = Database::fresh();
        let commands: Vec<Command> = (0..6)
            .map(|n| {
                database.command(&["org", "create", "--name", "O", "--id", &format!("org_{n}")])
            })
            .collect();
        let running: Vec<_> = commands
            .into_iter()
            .map(|command| thread::spawn(|| finish(command)))
            .collect();
        for finished in running {
            let finished = finished.join().unwrap();
            assert!(finished.status.success(), "{}", finished.stderr);
        }
        assert_eq!(
            database.json(&["list", "orgs"]).as_array().unwrap().len(),
            6
        );
    }
}

fn finish_with_token(database: &Database, args: &[&str]) -> Finished {
    let mut command = database.command(args);
    command.env("MCP_KEY_AUTH_EDGE_TOKEN", EDGE_TOKEN);
    finish(command)
}

#[track_caller]
fn refused(database: &Database, args: &[&str], error: &str) {
    let finished = database.try_run(args);
    assert_eq!(finished.status.code(), Some(1), "{args:?}");
    assert_eq!(finished.stdout, "", "{args:?}");
    assert!(
        finished.stderr.starts_with("error: "),
        "{}",
        finished.stderr
    );
    assert_eq!(finished.stderr.lines().count(), 1, "{}", finished.stderr);
    assert!(finished.stderr.contains(error), "{}", finished.stderr);
}
