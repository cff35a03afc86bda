//! The dead end refuses what looks for a login, on the hosts that are named, and touches nothing else.

use edge_api::check::Subject;
use edge_api::id::Id;
use serde_json::json;

use super::*;

fn parse(hosts: &[&str]) -> Result<OAuthDeadEnd, String> {
    let hosts: Vec<_> = hosts.iter().map(|host| json!({"host": host})).collect();
    let json = json!({"oauth_dead_end": hosts}).to_string();
    let mut fields = Fields::parse(json.as_bytes()).unwrap();
    OAuthDeadEnd::parse(&mut fields).map_err(|error| error.to_string())
}

fn protected() -> Route {
    Route::Subject(Subject::ProjectId(Id::parse("p1").unwrap()))
}

fn turned(route: Route, method: &str, path: &str) -> Option<DeadEnd> {
    let ask = Ask {
        method: method.as_bytes(),
        authority: b"mcp.example",
        path: path.as_bytes(),
    };
    match parse(&["mcp.example"]).unwrap().turn(route, ask) {
        Route::DeadEnd(dead_end) => Some(dead_end),
        _ => None,
    }
}

#[test]
fn whoever_wants_to_register_or_looks_for_metadata_ends_here() {
    use DeadEnd::{Metadata, Registration};
    for (method, path, expected) in [
        ("POST", "/register", Some(Registration)),
        ("POST", "/register?a=b", Some(Registration)),
        ("GET", "/register", None),
        ("POST", "/register/", None),
        ("POST", "/REGISTER", None),
        ("POST", "/a/register", None),
        (
            "GET",
            "/.well-known/oauth-protected-resource",
            Some(Metadata),
        ),
        ("HEAD", "/.well-known/openid-configuration", Some(Metadata)),
        (
            "GET",
            "/.well-known/oauth-authorization-server/mcp/p1",
            Some(Metadata),
        ),
        (
            "GET",
            "/.well-known/oauth-protected-resource/mcp/p1?x",
            Some(Metadata),
        ),
        ("GET", "/.well-known/oauth-protected-resources", None),
        ("GET", "/.well-known/security.txt", None),
        ("POST", "/.well-known/openid-configuration", None),
        ("GET", "", None),
    ] {
        for route in [Route::Nowhere, Route::Outside] {
            assert_eq!(turned(route, method, path), expected, "{method} {path}");
        }
        assert_eq!(turned(Route::Exempt, method, path), None, "{method} {path}");
    }
}

#[test]
fn a_protected_path_is_not_shadowed_but_for_metadata_below_it() {
    for (method, path, expected) in [
        ("POST", "/register", None),
        (
            "GET",
            "/.well-known/oauth-protected-resource",
            Some(DeadEnd::Metadata),
        ),
        (
            "GET",
            "/mcp/p1/.well-known/openid-configuration",
            Some(DeadEnd::Metadata),
        ),
        (
            "GET",
            "/mcp/p1/.well-known/oauth-protected-resource?x=1",
            Some(DeadEnd::Metadata),
        ),
        ("POST", "/mcp/p1/.well-known/openid-configuration", None),
        ("DELETE", "/mcp/p1/.well-known/openid-configuration", None),
        ("GET", "/mcp/p1/.well-known/openid-configuration/more", None),
        ("GET", "/mcp/p1/openid-configuration", None),
        ("GET", "/mcp/p1?/.well-known/openid-configuration", None),
        ("POST", "/mcp/p1/register", None),
        ("POST", "/mcp/p1", None),
        ("GET", "/mcp/p1", None),
    ] {
        assert_eq!(
            turned(protected(), method, path),
            expected,
            "{method} {path}"
        );
    }
}

#[test]
fn only_the_hosts_that_are_named_have_the_dead_end() {
    for (hosts, authority, has) in [
        (&[][..], "mcp.example", false),
        (&["*"], "anything", true),
        (&["*"], "", true),
        (&["mcp.example"], "mcp.example", true),
        (&["MCP.example"], "mcp.EXAMPLE:8443", true),
        (&["mcp.example"], "mcp.example.", false),
        (&["mcp.example"], "mcp.example.evil", false),
        (&["mcp.example"], "evil:mcp.example", false),
        (&["mcp.example"], "", false),
        (&["a", "[::1]"], "[::1]:10000", true),
        (&["[::1]"], "[::1]", true),
    ] {
        let ask = Ask {
            method: b"POST",
            authority: authority.as_bytes(),
            path: b"/register",
        };
        let turned = parse(hosts).unwrap().turn(Route::Nowhere, ask);
        assert_eq!(turned != Route::Nowhere, has, "{hosts:?} {authority}");
    }
}

#[test]
fn what_is_no_host_name_is_refused() {
    for bad in [
        "",
        "https://mcp.example",
        "mcp.example:443",
        "mcp.example/x",
        "*.example",
        "a b",
    ] {
        let error = parse(&[bad]).unwrap_err();
        assert!(error.contains("oauth_dead_end[0].host"), "{error}");
    }
    assert!(parse(&["a"; 65]).unwrap_err().contains("at most 64"));
}
