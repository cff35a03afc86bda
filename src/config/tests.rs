//! A configuration is taken whole or refused in one sentence that names the field.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// The smallest configuration that works, with `patch` merged over it.
fn config(patch: &Value) -> Result<Config, String> {
    let mut value = json!({
        "control_plane": {"cluster": "control_plane"},
        "rules": [{"path": "/mcp/{project_id}"}],
    });
    merge(&mut value, patch);
    parse(&value.to_string())
}

fn parse(json: &str) -> Result<Config, String> {
    let env = |name: &str| match name {
        "MCP_KEY_AUTH_EDGE_TOKEN" => Some("s3cret-token".to_owned()),
        "BLANK" => Some("  ".to_owned()),
        "BROKEN" => Some("two words".to_owned()),
        _ => None,
    };
    Config::parse(json.as_bytes(), env).map_err(|error| error.to_string())
}

fn merge(into: &mut Value, patch: &Value) {
    match (into, patch) {
        (Value::Object(into), Value::Object(patch)) => {
            for (name, value) in patch {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, patch) => *into = patch.clone(),
    }
}

#[test]
fn the_smallest_configuration_has_the_documented_defaults() {
    let config = config(&json!({})).unwrap();
    assert_eq!(config.control_plane.authority, "control_plane");
    assert_eq!(config.control_plane.timeout_ms, 1_000);
    assert_eq!(config.key_sources.preferred_header(), "x-api-key");
    assert_eq!(config.strip_key, StripKey::WhenRequired);
    assert_eq!(config.failure_mode, FailureMode::Deny);
    assert_eq!(config.retry_after_s, 5);
    assert_eq!(
        config.challenge.value(),
        Some("ApiKey realm=\"mcp\", header=\"x-api-key\"")
    );
    assert_eq!(config.cache.stale_if_error_ms, 600_000);
    assert_eq!(
        (config.limits.max_waiters, config.limits.max_checks),
        (8_192, 512)
    );
}

#[test]
fn every_field_can_be_set() {
    let config = config(&json!({
        "control_plane": {"authority": "cp.internal:8081", "timeout_ms": 250},
        "exempt": [{"path": "/healthz"}, {"prefix": "/.well-known/"}],
        "unmatched": "allow",
        "key_sources": [{"header": "Authorization", "scheme": "Bearer"}, {"header": "X-Api-Key"}],
        "strip_key": "never",
        "failure_mode_allow": true,
        "retry_after_s": 1,
        "challenge": "none",
        "cache": {"policies": 4, "unknown_projects": 4, "valid_keys": 4, "invalid_keys": 4,
                  "max_ttl_ms": 0, "max_negative_ttl_ms": 0, "stale_if_error_ms": 0},
        "limits": {"max_waiters": 1, "max_checks": 1},
    }))
    .unwrap();
    assert_eq!(config.key_sources.preferred_header(), "authorization");
    assert_eq!(config.failure_mode, FailureMode::Allow);
    assert_eq!(config.challenge.value(), None);
}

#[test]
fn a_bad_configuration_is_refused_by_the_name_of_its_field() {
    for (patch, field) in [
        (
            json!({"control_plane": {"cluster": " "}}),
            "control_plane.cluster",
        ),
        (
            json!({"control_plane": {"authority": "a b"}}),
            "control_plane.authority",
        ),
        (
            json!({"control_plane": {"authority": ""}}),
            "control_plane.authority",
        ),
        (
            json!({"control_plane": {"timeout_ms": 9}}),
            "control_plane.timeout_ms",
        ),
        (
            json!({"control_plane": {"timeout_ms": 60_001}}),
            "control_plane.timeout_ms",
        ),
        (
            json!({"control_plane": {"timeout_ms": "1s"}}),
            "control_plane.timeout_ms",
        ),
        (
            json!({"control_plane": {"timeout_ms": -1}}),
            "control_plane.timeout_ms",
        ),
        (
            json!({"control_plane": {"edge_token_env": "UNSET"}}),
            "control_plane.edge_token_env",
        ),
        (
            json!({"control_plane": {"edge_token_env": "BLANK"}}),
            "control_plane.edge_token_env",
        ),
        (
            json!({"control_plane": {"edge_token_env": "BROKEN"}}),
            "control_plane.edge_token_env",
        ),
        (
            json!({"control_plane": {"edge_token": "in the open"}}),
            "control_plane.edge_token",
        ),
        (json!({"control_plane": "cp"}), "control_plane"),
        (json!({"rules": []}), "rules"),
        (
            json!({"rules": [{"path": "mcp/{project_id}"}]}),
            "rules[0].path",
        ),
        (json!({"rules": [{"path": "/mcp"}]}), "rules[0].path"),
        (
            json!({"rules": [{"path": "/mcp/x{project_id}"}]}),
            "rules[0].path",
        ),
        (
            json!({"rules": [{"path": "/{project_id}/{server_id}"}]}),
            "rules[0].path",
        ),
        (
            json!({"rules": [{"path": "/a//{project_id}"}]}),
            "rules[0].path",
        ),
        (
            json!({"rules": [{"path": "/a/../{project_id}"}]}),
            "rules[0].path",
        ),
        (
            json!({"rules": [{"path": "/a%2f/{project_id}"}]}),
            "rules[0].path",
        ),
        (
            json!({"rules": [{"path": "/mcp/{tenant}"}]}),
            "rules[0].path",
        ),
        (
            json!({"rules": [{"prefix": "/mcp/{project_id}"}]}),
            "rules[0].path",
        ),
        (
            json!({"rules": [{"path": "/mcp/{project_id}"}, {"path": "/mcp/{server_id}/x"}]}),
            "rules[1].path",
        ),
        (json!({"exempt": [{}]}), "exempt[0]"),
        (
            json!({"exempt": [{"path": "/a", "prefix": "/a"}]}),
            "exempt[0]",
        ),
        (json!({"exempt": [{"prefix": "/"}]}), "exempt[0]"),
        (json!({"exempt": [{"path": "/a/../b"}]}), "exempt[0]"),
        (json!({"unmatched": "maybe"}), "unmatched"),
        (json!({"key_sources": []}), "key_sources"),
        (
            json!({"key_sources": [{"header": ""}]}),
            "key_sources[0].header",
        ),
        (
            json!({"key_sources": [{"header": ":path"}]}),
            "key_sources[0].header",
        ),
        (
            json!({"key_sources": [{"header": "host"}]}),
            "key_sources[0].header",
        ),
        (
            json!({"key_sources": [{"header": "x-mcp-key-id"}]}),
            "key_sources[0].header",
        ),
        (
            json!({"key_sources": [{"header": "a"}, {"header": "A"}]}),
            "key_sources[1].header",
        ),
        (
            json!({"key_sources": [{"header": "a", "scheme": "Be arer"}]}),
            "key_sources[0].scheme",
        ),
        (
            json!({"key_sources": [{"query": "api_key"}]}),
            "key_sources[0].header",
        ),
        (json!({"strip_key": true}), "strip_key"),
        (json!({"failure_mode_allow": "yes"}), "failure_mode_allow"),
        (json!({"retry_after_s": 0}), "retry_after_s"),
        (json!({"challenge": ""}), "challenge"),
        (json!({"challenge": "a\r\nset-cookie: b"}), "challenge"),
        (json!({"cache": {"policies": 3}}), "cache.policies"),
        (
            json!({"cache": {"valid_keys": 1_048_577}}),
            "cache.valid_keys",
        ),
        (
            json!({"cache": {"max_ttl_ms": 86_400_001}}),
            "cache.max_ttl_ms",
        ),
        (json!({"cache": {"ttl": 1}}), "cache.ttl"),
        (json!({"limits": {"max_waiters": 0}}), "limits.max_waiters"),
        (
            json!({"limits": {"max_checks": 65_537}}),
            "limits.max_checks",
        ),
        (json!({"require_mcp_api_key": true}), "require_mcp_api_key"),
    ] {
        let error = config(&patch)
            .err()
            .unwrap_or_else(|| panic!("taken: {patch}"));
        let named = error.split_whitespace().next().unwrap();
        assert_eq!(named, field, "{patch}: {error}");
        assert_eq!(error.lines().count(), 1, "one sentence: {error}");
    }
}

#[test]
fn what_is_no_json_object_is_refused() {
    for json in ["", "null", "[]", "{", "{} {}", "\u{0}", "{\"rules\": []}"] {
        assert!(parse(json).is_err(), "{json}");
    }
}

#[test]
fn the_edge_token_is_never_printed() {
    let config = config(&json!({})).unwrap();
    assert_eq!(config.control_plane.edge_token.expose(), "s3cret-token");
    assert!(!format!("{config:?}").contains("s3cret-token"));
}

proptest! {
    #[test]
    fn no_bytes_make_the_configuration_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Config::parse(&bytes, |_| None);
    }

    #[test]
    fn no_path_rule_makes_the_configuration_panic(path in "[/{}a-z_.%;\\\\]{0,40}") {
        let _ = config(&json!({"rules": [{"path": path}]}));
    }
}

/// What each object of the configuration is called in README's table, and a configuration with an unknown field in it.
#[test]
fn every_field_stands_in_readmes_table_and_nothing_else_does() {
    let objects = [
        ("", json!({"?": 1})),
        ("control_plane.", json!({"control_plane": {"?": 1}})),
        (
            "rules[].",
            json!({"rules": [{"path": "/mcp/{project_id}", "?": 1}]}),
        ),
        (
            "oauth_dead_end[].",
            json!({"oauth_dead_end": [{"host": "*", "?": 1}]}),
        ),
        ("exempt[].", json!({"exempt": [{"path": "/a", "?": 1}]})),
        (
            "key_sources[].",
            json!({"key_sources": [{"header": "a", "?": 1}]}),
        ),
        ("cache.", json!({"cache": {"?": 1}})),
        ("limits.", json!({"limits": {"?": 1}})),
    ];
    let mut fields = std::collections::BTreeSet::new();
    for (prefix, patch) in &objects {
        let error = config(patch).unwrap_err();
        let (_, known) = error.split_once("the fields here are ").expect(&error);
        fields.extend(known.split(", ").map(|field| format!("{prefix}{field}")));
    }
    for (object, _) in &objects {
        fields.remove(object.trim_end_matches("[].").trim_end_matches('.'));
    }
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let (_, section) = readme.split_once("## Configuring the filter").unwrap();
    let rows = section
        .lines()
        .skip_while(|line| !line.starts_with("| ---"));
    let documented = rows
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .filter_map(|line| line.split('|').nth(1))
        .flat_map(|cell| cell.split(", "))
        .map(|field| field.trim().trim_matches('`').to_owned());
    assert_eq!(
        documented.collect::<std::collections::BTreeSet<_>>(),
        fields
    );
}
