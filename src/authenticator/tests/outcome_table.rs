//! The outcome table, row by row.

use super::*;

#[test]
fn a_cors_preflight_continues_whatever_its_path() {
    let config = config(&json!({}));
    let preflight = [
        ("origin", "https://a"),
        ("access-control-request-method", "POST"),
    ];
    for path in ["/mcp/p1", "/nowhere", "/mcp/p%31"] {
        let request = request(&config, "OPTIONS", path, &preflight);
        assert_eq!(
            outcome(step(&config, &request, &required(1_000))),
            "allowed_preflight"
        );
    }
}

#[test]
fn what_only_looks_like_a_preflight_is_checked() {
    let config = config(&json!({}));
    let (origin, asks) = (
        ("origin", "https://a"),
        ("access-control-request-method", "POST"),
    );
    for (method, headers) in [
        ("OPTIONS", vec![origin]),
        ("OPTIONS", vec![asks]),
        ("OPTIONS", vec![]),
        ("options", vec![origin, asks]),
        ("POST", vec![origin, asks]),
    ] {
        let request = request(&config, method, "/mcp/p1", &headers);
        assert_eq!(
            outcome(step(&config, &request, &required(1_000))),
            "denied_missing_key",
            "{method} {headers:?}"
        );
    }
}

#[test]
fn an_exempt_path_continues_and_an_unmatched_one_does_not() {
    let config = config(&json!({}));
    let exempt = request(&config, "GET", "/healthz", &[]);
    assert_eq!(
        outcome(step(&config, &exempt, &Known::default())),
        "allowed_exempt"
    );
    let nowhere = request(&config, "GET", "/other", &[("x-api-key", &key())]);
    assert_eq!(
        outcome(step(&config, &nowhere, &Known::default())),
        "denied_unmatched_path"
    );
}

#[test]
fn an_unknown_policy_is_asked_about_with_the_key() {
    let config = config(&json!({}));
    for request in [keyed(&config), keyless(&config)] {
        assert_eq!(step(&config, &request, &Known::default()), Step::Ask);
    }
    assert!(keyed(&config).credential.key().is_some());
    assert!(keyless(&config).credential.key().is_none());
}

#[test]
fn a_project_known_to_be_unknown_is_not_found() {
    let config = config(&json!({}));
    let known = Known {
        policy: policy(Policy::UnknownProject, 1_000),
        verdict: None,
    };
    assert_eq!(
        outcome(step(&config, &keyed(&config), &known)),
        "denied_unknown_project"
    );
}

#[test]
fn an_open_project_is_never_delayed_or_refused() {
    let config = config(&json!({}));
    let two_keys = request(
        &config,
        "POST",
        "/mcp/p1",
        &[("x-api-key", "a"), ("x-api-key", "b")],
    );
    let bad_key = request(&config, "POST", "/mcp/p1", &[("x-api-key", "garbage")]);
    for (request, background) in [
        (keyless(&config), false),
        (two_keys, false),
        (bad_key, false),
        (keyed(&config), true),
    ] {
        let decision = decided(step(&config, &request, &open(1_000)));
        assert_eq!(decision.outcome().name(), "allowed_not_required");
        assert_eq!(decision.errand.is_some(), background, "{request:?}");
        assert_eq!(decision.key_id, None);
        assert_eq!(decision.project, Some(id("p1")));
    }
}

#[test]
fn on_an_open_project_a_key_known_to_be_valid_is_attributed_and_others_are_let_be() {
    let config = config(&json!({}));
    let known = Known {
        verdict: verdict(Verdict::Valid, 1_000),
        ..open(1_000)
    };
    let decision = decided(step(&config, &keyed(&config), &known));
    assert_eq!(decision.key_id, Some(id("k1")));
    assert_eq!(decision.errand, None);
    for bad in [
        Verdict::Revoked,
        Verdict::Unknown,
        Verdict::OtherProject,
        Verdict::Disabled,
    ] {
        let known = Known {
            verdict: verdict(bad, 1_000),
            ..open(1_000)
        };
        let decision = decided(step(&config, &keyed(&config), &known));
        assert_eq!(decision.outcome().name(), "allowed_not_required");
        assert_eq!(
            decision.key_id, None,
            "a key that is not valid here tells nothing"
        );
        let preview = decision.preview.unwrap();
        let known_here = bad != Verdict::Unknown;
        assert_eq!(preview.refused_key, known_here.then(|| id("k1")));
        assert_eq!(
            decision.errand, None,
            "and is not asked about again and again"
        );
    }
}

#[test]
fn a_locked_project_wants_exactly_one_live_key_of_its_own() {
    let config = config(&json!({}));
    let denied = |headers: &[(&str, &str)]| {
        outcome(step(
            &config,
            &request(&config, "POST", "/mcp/p1", headers),
            &required(1_000),
        ))
    };
    assert_eq!(denied(&[]), "denied_missing_key");
    assert_eq!(denied(&[("x-api-key", "")]), "denied_missing_key");
    assert_eq!(
        denied(&[("mcp-session-id", "s1")]),
        "denied_missing_key",
        "a session is no credential"
    );
    assert_eq!(
        denied(&[("x-api-key", &key()), ("x-api-key", &key())]),
        "denied_ambiguous_key"
    );
    assert_eq!(
        denied(&[("x-api-key", "ak_your_api_key")]),
        "denied_malformed_key"
    );
    for (key, kind) in [
        ("uak_a1b2", "denied_user_key"),
        ("oak_a1b2", "denied_organisation_key"),
        ("ck_a1b2", "denied_consumer_key"),
    ] {
        assert_eq!(denied(&[("x-api-key", key)]), kind);
    }
    for (against, name) in [
        (Verdict::Valid, "allowed"),
        (Verdict::Unknown, "denied_unknown_key"),
        (Verdict::Revoked, "denied_revoked_key"),
        (Verdict::Expired, "denied_expired_key"),
        (Verdict::Disabled, "denied_disabled_key"),
        (Verdict::OtherProject, "denied_key_of_other_project"),
    ] {
        let known = Known {
            verdict: verdict(against, 1_000),
            ..required(1_000)
        };
        let decision = decided(step(&config, &keyed(&config), &known));
        assert_eq!(decision.outcome().name(), name);
        assert_eq!(
            decision.key_id.is_some(),
            against != Verdict::Unknown,
            "the log names the key"
        );
    }
    assert!(matches!(
        step(&config, &keyed(&config), &required(1_000)),
        Step::Ask
    ));
}

#[test]
fn every_method_is_checked() {
    let config = config(&json!({}));
    for method in [
        "POST", "GET", "DELETE", "PUT", "HEAD", "OPTIONS", "CONNECT", "FOO",
    ] {
        let request = request(&config, method, "/mcp/p1", &[]);
        assert_eq!(
            outcome(step(&config, &request, &required(1_000))),
            "denied_missing_key",
            "{method}"
        );
    }
}

#[test]
fn the_key_is_stripped_as_configured() {
    let strips = |strip_key: &str, known: &Known| {
        let config = config(&json!({"strip_key": strip_key}));
        match decided(step(&config, &keyed(&config), known)).ruling {
            Ruling::Continue { strip_key, .. } => strip_key,
            Ruling::Deny(denial) => panic!("{denial:?}"),
        }
    };
    let locked = Known {
        verdict: verdict(Verdict::Valid, 1_000),
        ..required(1_000)
    };
    for (setting, on_open, on_locked) in [
        ("when_required", false, true),
        ("always", true, true),
        ("never", false, false),
    ] {
        assert_eq!(strips(setting, &open(1_000)), on_open, "{setting} open");
        assert_eq!(strips(setting, &locked), on_locked, "{setting} locked");
    }
}
