//! What a refused client sees.

use serde_json::json;

use super::*;
use crate::config::Fields;
use crate::key_source::KeySources;

fn sources(header: &str, scheme: Option<&str>) -> KeySources {
    let source = json!({"header": header, "scheme": scheme});
    let mut source = json!({"key_sources": [source]});
    if scheme.is_none() {
        source["key_sources"][0]
            .as_object_mut()
            .unwrap()
            .remove("scheme");
    }
    let mut fields = Fields::parse(source.to_string().as_bytes()).unwrap();
    KeySources::parse(fields.objects("key_sources").unwrap()).unwrap()
}

fn bodies(scheme: Option<&str>) -> Bodies {
    let header = if scheme.is_some() {
        "Authorization"
    } else {
        "x-api-key"
    };
    Bodies::new(&sources(header, scheme))
}

#[test]
fn the_body_is_a_json_rpc_error_and_the_settings_apis_error_at_once() {
    let text = bodies(None).render(Refusal::MissingKey, Some("req-1"));
    let body: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(body["jsonrpc"], "2.0");
    assert!(
        body.as_object().unwrap().contains_key("id"),
        "present, and null"
    );
    assert!(body["id"].is_null());
    let error = &body["error"];
    assert_eq!(error["code"], 10_401);
    assert_eq!(error["slug"], "MCP_API_KEY_MISSING");
    assert_eq!(error["status"], 401);
    assert_eq!(error["request_id"], "req-1");
    let message = error["message"].as_str().unwrap();
    assert!(message.starts_with(
        "Missing API key: this MCP server requires your project's API key in the x-api-key header."
    ));
    assert!(
        message.contains("'x-api-key: <your project API key>'"),
        "the whole remedy: {message}"
    );
    assert!(
        error["suggested_fix"]
            .as_str()
            .unwrap()
            .contains("x-api-key")
    );
}

#[test]
fn every_refusal_has_a_sound_body_with_and_without_a_request_id() {
    for scheme in [None, Some("Bearer")] {
        for refusal in Refusal::ALL {
            if matches!(refusal, Refusal::NoOAuth | Refusal::NoMetadata) {
                continue;
            }
            for id in [None, Some("abc")] {
                let text = bodies(scheme).render(refusal, id);
                let body: serde_json::Value = serde_json::from_str(&text).unwrap();
                assert_eq!(body["error"]["status"], refusal.status(), "{text}");
                assert_eq!(body["error"]["request_id"].as_str(), id);
            }
        }
    }
}

#[test]
fn a_configured_scheme_is_part_of_the_remedy() {
    let text = bodies(Some("Bearer")).render(Refusal::MissingKey, None);
    assert!(
        text.contains("'authorization: Bearer <your project API key>'"),
        "{text}"
    );
}

#[test]
fn bad_keys_of_all_kinds_look_the_same() {
    for denial in Denial::ALL {
        if let Denial::InvalidKey(_) = denial {
            assert_eq!(denial.refusal(), Refusal::InvalidKey);
        }
    }
    assert_eq!(
        Denial::UnknownProject.refusal(),
        Denial::UnmatchedPath.refusal()
    );
}

#[test]
fn a_key_of_another_kind_is_told_by_its_prefix_and_pointed_to_the_right_kind() {
    for (kind, owner) in [
        (KeyKind::User, "uak_… is a user's key"),
        (KeyKind::Organisation, "oak_… is an organisation's key"),
        (KeyKind::Consumer, "ck_… is a consumer's key"),
    ] {
        let refusal = Denial::OtherKind(kind).refusal();
        let body = bodies(None).render(refusal, None);
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        let message = body["error"]["message"].as_str().unwrap();
        assert!(message.contains(owner), "{message}");
        assert!(message.contains("'x-api-key: <your project API key>'"));
        assert_eq!(refusal.status(), 401);
    }
}

#[test]
fn the_dead_end_speaks_oauth_and_holds_the_whole_remedy() {
    let body = bodies(None).render(Refusal::NoOAuth, Some("req-1"));
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["error"], "access_denied", "a text, as OAuth has it");
    let description = body["error_description"].as_str().unwrap();
    assert!(description.starts_with(
        "This MCP server does not use OAuth. Send your project's API key in the x-api-key header"
    ));
    assert_eq!(body.as_object().unwrap().len(), 2);
    assert_eq!(bodies(None).render(Refusal::NoMetadata, None), "Not Found");
}

#[test]
fn every_denial_has_its_own_place_name_and_details() {
    let mut names = std::collections::BTreeSet::new();
    for (index, denial) in Denial::ALL.into_iter().enumerate() {
        assert_eq!(denial.index(), index);
        assert!(names.insert(denial.outcome_name()));
        assert!(names.insert(denial.details()));
        assert!(
            !denial.details().contains(' '),
            "Envoy's log would change it"
        );
    }
}

#[test]
fn the_challenge_can_be_changed_and_dropped() {
    let value = |configured, scheme| {
        Challenge::parse(configured, &sources("X-Key", scheme))
            .unwrap()
            .value()
            .map(str::to_owned)
    };
    assert_eq!(
        value(None, None).unwrap(),
        "ApiKey realm=\"mcp\", header=\"x-key\""
    );
    assert_eq!(value(None, Some("Bearer")).unwrap(), "Bearer realm=\"mcp\"");
    assert_eq!(value(Some("Custom x=1"), None).unwrap(), "Custom x=1");
    assert_eq!(value(Some("none"), None), None);
}
