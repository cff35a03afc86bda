//! The OpenAPI document: complete, and the same wherever it comes from.

use axum::{body::Body, http::Request};
use serde_json::{Value, json};

use crate::rig::{
    app::{App, CONFIG},
    program::Database,
};

const PROJECTS: &str = "/api/v3/org/projects";
const SERVERS: &str = "/api/v3/org/project/mcp_servers";
const KEYS: &str = "/api/v3/org/project/api_keys";

async fn document() -> Value {
    let app = App::start().await;
    let reply = app
        .public(Request::get("/openapi.json").body(Body::empty()).unwrap())
        .await;
    assert_eq!(reply.status, 200);
    reply.json()
}

#[tokio::test]
async fn every_route_is_described_with_its_errors() {
    let document = document().await;
    let expected = [
        (
            "get",
            CONFIG,
            vec!["200", "304", "400", "401", "404", "412", "500", "503"],
        ),
        (
            "patch",
            CONFIG,
            vec![
                "200", "400", "401", "404", "412", "413", "415", "500", "503",
            ],
        ),
        (
            "get",
            "/api/v3/org/project/usage",
            vec!["200", "400", "401", "404", "500", "503"],
        ),
        (
            "get",
            "/api/v3/org/project/mcp_enforcement",
            vec!["200", "400", "401", "404", "500", "503"],
        ),
        (
            "get",
            "/api/v3/org/project/audit_log",
            vec!["200", "400", "401", "404", "500", "503"],
        ),
        ("get", KEYS, vec!["200", "400", "401", "404", "500", "503"]),
        (
            "post",
            KEYS,
            vec![
                "201", "400", "401", "404", "409", "413", "415", "500", "503",
            ],
        ),
        (
            "patch",
            "/api/v3/org/project/api_keys/{id}",
            vec![
                "200", "400", "401", "404", "409", "413", "415", "500", "503",
            ],
        ),
        (
            "delete",
            "/api/v3/org/project/api_keys/{id}",
            vec!["200", "400", "401", "404", "500", "503"],
        ),
        (
            "post",
            "/api/v3/org/project/api_keys/{id}/rotate",
            vec![
                "201", "400", "401", "404", "409", "413", "415", "500", "503",
            ],
        ),
        (
            "get",
            SERVERS,
            vec!["200", "400", "401", "404", "500", "503"],
        ),
        (
            "post",
            SERVERS,
            vec![
                "201", "400", "401", "404", "409", "413", "415", "500", "503",
            ],
        ),
        (
            "delete",
            "/api/v3/org/project/mcp_servers/{id}",
            vec!["204", "400", "401", "404", "500", "503"],
        ),
        ("get", PROJECTS, vec!["200", "400", "401", "500", "503"]),
        (
            "post",
            PROJECTS,
            vec!["201", "400", "401", "409", "413", "415", "500", "503"],
        ),
        (
            "patch",
            "/api/v3/org/projects/{id}",
            vec!["200", "400", "401", "404", "413", "415", "500", "503"],
        ),
        (
            "delete",
            "/api/v3/org/projects/{id}",
            vec!["204", "401", "404", "500", "503"],
        ),
        ("get", "/healthz", vec!["200"]),
        ("get", "/readyz", vec!["200", "503"]),
    ];
    for (method, path, statuses) in &expected {
        let responses = document["paths"][*path][*method]["responses"]
            .as_object()
            .unwrap();
        assert_eq!(
            responses.keys().collect::<Vec<_>>(),
            *statuses,
            "{method} {path}"
        );
        for (status, response) in responses
            .iter()
            .filter(|(status, _)| !status.starts_with(['2', '3']))
        {
            let schema = &response["content"]["application/json"]["schema"]["$ref"];
            assert_eq!(
                schema, "#/components/schemas/ErrorEnvelope",
                "{method} {path} {status}"
            );
        }
    }
    let operations: usize = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .map(|path| path.as_object().unwrap().len())
        .sum();
    assert_eq!(operations, expected.len());
}

#[tokio::test]
async fn the_settings_need_the_key_header() {
    let document = document().await;
    let scheme = &document["components"]["securitySchemes"]["ApiKey"];
    assert_eq!(
        (&scheme["type"], &scheme["in"], &scheme["name"]),
        (&json!("apiKey"), &json!("header"), &json!("x-api-key"))
    );
    for method in ["get", "patch"] {
        assert_eq!(
            document["paths"][CONFIG][method]["security"],
            json!([{"ApiKey": []}, {"OrgApiKey": [], "ProjectId": []}])
        );
    }
}

#[tokio::test]
async fn the_announcements_call_is_the_example() {
    let document = document().await;
    let patch = &document["paths"][CONFIG]["patch"];
    let request = &patch["requestBody"]["content"]["application/json"]["example"];
    assert_eq!(*request, json!({"require_mcp_api_key": true}));
    let answer = &patch["responses"]["200"]["content"]["application/json"]["example"];
    let golden: Value = serde_json::from_str(include_str!("../golden/patch_answer.json")).unwrap();
    assert_eq!(*answer, golden);
}

#[tokio::test]
async fn what_the_description_refers_to_is_in_it() {
    let document = document().await;
    let text = document.to_string();
    let references: Vec<&str> = text
        .split("\"$ref\":\"#")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(!references.is_empty());
    for reference in references {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn the_schemas_name_every_setting() {
    let document = document().await;
    let schemas = &document["components"]["schemas"];
    let names = [
        "require_mcp_api_key",
        "is_2FA_enabled",
        "mask_secret_keys_in_connected_account",
        "log_visibility_setting",
        "logo_url",
        "display_name",
        "is_composio_link_enabled_for_managed_auth",
        "signed_url_file_expiry_in_seconds",
    ];
    let whole = &schemas["ProjectConfig"];
    let patch = &schemas["ProjectConfigPatch"];
    for schema in [whole, patch] {
        assert_eq!(schema["properties"].as_object().unwrap().len(), names.len());
        for name in names {
            assert!(schema["properties"].get(name).is_some(), "{name}: {schema}");
        }
    }
    assert_eq!(whole["required"], json!(&names[..4]));
    assert_eq!(patch.get("required"), None);
    assert_eq!(patch["additionalProperties"], false);
    for name in &names[4..] {
        assert!(
            patch["properties"][name]["type"]
                .as_array()
                .unwrap()
                .contains(&json!("null")),
            "{name}"
        );
    }
    assert_eq!(
        patch["properties"]["require_mcp_api_key"]["type"],
        "boolean"
    );
}

#[tokio::test]
async fn the_command_prints_what_is_served() {
    let printed = Database::fresh().run(&["openapi"]);
    let printed: Value = serde_json::from_str(&printed.stdout).unwrap();
    assert_eq!(printed, document().await);
}

#[tokio::test]
async fn every_call_to_the_api_stands_in_readme() {
    let readme = include_str!("../../../../README.md");
    let document = document().await;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let call = format!("`{} {path}`", method.to_uppercase());
            let told = readme.contains(&call) || readme.contains(&format!("`{path}`"));
            assert!(told, "{call}");
        }
    }
}
