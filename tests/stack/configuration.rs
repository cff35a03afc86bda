//! A configuration that is wrong never runs, and says what is wrong with it.

use serde_json::json;
use stack::gateway::{Gateway, GatewayOptions};

async fn refused(options: GatewayOptions) -> String {
    let log = Gateway::try_start(options).await.expect_err("it started");
    let line = log
        .lines()
        .find(|line| line.contains("mcp-key-auth configuration refused:"))
        .unwrap_or_else(|| panic!("no word of why:\n{log}"));
    line.split_once("refused: ").unwrap().1.to_owned()
}

#[tokio::test]
async fn a_wrong_field_keeps_envoy_from_starting_and_is_named_in_the_log() {
    let plugin = |patch| GatewayOptions::default().plugin(patch);
    for (options, said) in [
        (
            plugin(json!({"control_plane": {"cluster": ""}})),
            "control_plane.cluster is empty",
        ),
        (
            plugin(json!({"rules": [{"path": "/mcp"}]})),
            "rules[0].path is /mcp, which captures neither",
        ),
        (
            plugin(json!({"retry_after_s": 0})),
            "retry_after_s is 0; write a number from 1 to 3600",
        ),
        (
            plugin(json!({"require_key": true})),
            "require_key is unknown; the fields here are key_sources, ",
        ),
        (
            GatewayOptions::default().plugin_text("{"),
            "the configuration is no JSON",
        ),
        (
            GatewayOptions::default().edge_token(None),
            "control_plane.edge_token_env names the environment variable",
        ),
        (
            GatewayOptions::default().edge_token(Some("")),
            "control_plane.edge_token_env names the environment variable",
        ),
    ] {
        let line = refused(options).await;
        assert!(line.starts_with(said), "{line}");
    }
}

#[tokio::test]
async fn the_configuration_may_be_text_as_well_as_a_structure() {
    let text = r#"{"control_plane": {"cluster": "control_plane"}, "rules": [{"path": "/mcp/{project_id}"}]}"#;
    let gateway = Gateway::start(GatewayOptions::default().plugin_text(text)).await;
    // Nobody listens where the control plane should be.
    assert_eq!(gateway.mcp("p1").send().await.status, 503);
}
