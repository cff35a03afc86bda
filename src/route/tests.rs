//! A path leads to the one project it names for every reader, or nowhere.

use edge_api::id::Id;
use proptest::prelude::*;

use super::*;

fn routes(unmatched: &str) -> Routes {
    parse(&format!(
        r#"{{
            "rules": [{{"path": "/mcp/{{project_id}}"}}, {{"path": "/v3/mcp/{{server_id}}"}}, {{"path": "/projects/{{project_id}}/mcp"}}],
            "exempt": [{{"path": "/healthz"}}, {{"prefix": "/.well-known/"}}],
            "unmatched": "{unmatched}"
        }}"#
    ))
}

fn parse(json: &str) -> Routes {
    Routes::parse(&mut Fields::parse(json.as_bytes()).unwrap()).unwrap()
}

fn route(path: impl AsRef<[u8]>) -> Route {
    routes("deny").route(Some(path.as_ref()))
}

fn project(id: &str) -> Route {
    Route::Subject(Subject::ProjectId(Id::parse(id).unwrap()))
}

fn server(id: &str) -> Route {
    Route::Subject(Subject::ServerId(Id::parse(id).unwrap()))
}

#[test]
fn a_path_leads_to_the_project_or_server_it_names() {
    for (path, expected) in [
        ("/mcp/p1", project("p1")),
        ("/mcp/p1/", project("p1")),
        ("/mcp/p1/mcp", project("p1")),
        ("/mcp/p1?user_id=/mcp/p2", project("p1")),
        ("/mcp/p1/a//b", project("p1")),
        ("/mcp/p1/a%20b", project("p1")),
        ("/mcp/p1/...", project("p1")),
        ("/mcp/P-1_x", project("P-1_x")),
        ("/v3/mcp/0b3f-uuid/mcp?user_id=1", server("0b3f-uuid")),
        ("/projects/p1/mcp", project("p1")),
        ("/projects/p1/mcp/sse", project("p1")),
        ("/healthz", Route::Exempt),
        ("/healthz?full=1", Route::Exempt),
        (
            "/.well-known/oauth-protected-resource/mcp/p1",
            Route::Exempt,
        ),
        ("/.well-known", Route::Exempt),
    ] {
        assert_eq!(route(path), expected, "{path}");
    }
}

#[test]
fn a_path_that_another_reader_could_take_for_another_leads_nowhere() {
    for path in [
        "",
        "/",
        "*",
        "mcp/p1",
        "/mcp",
        "/mcp/",
        "/mcp//p1",
        "//mcp/p1",
        "/MCP/p1",
        "/mcpx/p1",
        "/mcp/p%31",
        "/mcp/p1;v=1",
        "/mcp;v=1/p1",
        "/mcp/p1\\..\\p2",
        "/mcp\\p1",
        "/mcp/./p1",
        "/mcp/../mcp/p1",
        "/mcp/..;/p1",
        "/mcp/p1/../p2",
        "/mcp/p1/..",
        "/mcp/p1/./x",
        "/mcp/p1/..;/p2",
        "/mcp/p1/..;a=b/p2",
        "/mcp/p1/%2e%2e/p2",
        "/mcp/p1/%2E./p2",
        "/mcp/p1/..%2fp2",
        "/mcp/p1/..%5Cp2",
        "/mcp/p1/%252e%252e/p2",
        "/mcp/p1/..%3b/p2",
        "/mcp/p1/%c0%ae%c0%ae/p2",
        "/mcp/p1/a%00",
        "/mcp/p1#/x",
        "/mcp/p1/\u{7f}",
        "/mcp/p 1",
        "/mcp/é",
        "/%6dcp/p1",
        "/projects/p1",
        "/projects/p1/mcpx",
        "/projects/p1/other",
        "/healthz/",
        "/healthz/x",
        "/healthz%2f..",
        "/.well-known/../mcp/p1",
        "/.well-known/%2e%2e/mcp/p1",
        "/.well-known/..;/mcp/p1",
        "/.well-knownx",
        "/other",
    ] {
        assert_eq!(route(path), Route::Nowhere, "{path}");
    }
    assert_eq!(route(b"/mcp/p1/\xff"), Route::Nowhere);
    assert_eq!(route(format!("/mcp/{}", "x".repeat(65))), Route::Nowhere);
    assert_eq!(routes("deny").route(None), Route::Nowhere);
}

#[test]
fn unmatched_allow_lets_through_only_what_lies_clearly_outside() {
    let routes = routes("allow");
    for path in [
        "/",
        "/docs",
        "/docs/",
        "/v3",
        "/v3/other/x",
        "/mcpx/p1",
        "/a/mcp/p1",
        "/x?y=%2f..",
    ] {
        assert_eq!(
            routes.route(Some(path.as_bytes())),
            Route::Outside,
            "{path}"
        );
    }
    for path in [
        "/mcp",
        "/mcp/",
        "/mcp/p%31",
        "/MCP/p1",
        "/Mcp",
        "/v3/mcp",
        "/V3/Mcp/x",
        "/projects/p1/other",
        "/PROJECTS/p1/mcp",
        "//mcp/p1",
        "/docs/../mcp/p1",
        "/docs/%2e%2e/mcp/p1",
        "/docs;x",
        "/docs\\x",
        "/docs//x",
        "/é",
        "/x#y",
    ] {
        assert_eq!(
            routes.route(Some(path.as_bytes())),
            Route::Nowhere,
            "{path}"
        );
    }
    assert_eq!(routes.route(None), Route::Nowhere);
}

#[test]
fn a_rule_on_the_root_protects_everything() {
    let routes = parse(r#"{"rules": [{"path": "/{project_id}"}], "unmatched": "allow"}"#);
    assert_eq!(routes.route(Some(b"/p1/x")), project("p1"));
    assert_eq!(routes.route(Some(b"/p.1")), Route::Nowhere);
    assert_eq!(routes.route(Some(b"/")), Route::Nowhere);
}

proptest! {
    /// Whatever the bytes: no panic, and a path that leads to a project has the project's id in its place.
    #[test]
    fn a_route_is_never_guessed(tail in proptest::collection::vec(any::<u8>(), 0..40)) {
        let path = [b"/mcp/".as_slice(), &tail].concat();
        if let Route::Subject(Subject::ProjectId(id)) = route(&path) {
            prop_assert!(tail.starts_with(id.as_str().as_bytes()));
            prop_assert!(matches!(tail.get(id.as_str().len()), None | Some(b'/' | b'?')));
        }
        let _ = routes("allow").route(Some(&tail));
    }
}
