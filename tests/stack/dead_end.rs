//! Clients that look for a login, at a gateway whose hosts have none: they are told what to do instead, and whatever they or
//! others try with the paths in question, nothing gets through.

use edge_api::check::Verdict;
use serde_json::json;
use stack::bootstrap;
use stack::gateway::GatewayOptions;
use stack::http::Answer;
use stack::keys::mint_key;
use stack::stack::Stack;

/// What clients ask for, by what was read and seen of them.
const METADATA: [&str; 9] = [
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-protected-resource/mcp/locked",
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-authorization-server/mcp/locked",
    "/.well-known/openid-configuration",
    "/.well-known/openid-configuration/mcp/locked",
    "/mcp/locked/.well-known/openid-configuration",
    "/mcp/locked/.well-known/oauth-protected-resource",
    "/mcp/locked/.well-known/oauth-authorization-server",
];

async fn dead_end(hosts: &[&str], change: fn(GatewayOptions) -> GatewayOptions) -> (Stack, String) {
    let hosts: Vec<_> = hosts.iter().map(|host| json!({"host": host})).collect();
    let stack =
        Stack::with(|options| change(options.plugin(json!({"oauth_dead_end": hosts})))).await;
    stack.control_plane.set_project("locked", true);
    let key = mint_key(1);
    stack
        .control_plane
        .set_key(&key, "key_1", "locked", Verdict::Valid, None);
    (stack, key)
}

/// A gateway whose routes would let everything through: only the filter stands between client and upstream.
fn every_path_has_a_route(options: GatewayOptions) -> GatewayOptions {
    options.edit(|bootstrap| {
        let everything = json!({
            "name": "everything",
            "match": {"prefix": "/"},
            "route": {"cluster": "mcp_servers"},
        });
        *bootstrap::routes(bootstrap) = vec![everything];
    })
}

fn is_plain_not_found(answer: &Answer) -> bool {
    answer.status == 404
        && answer.header("content-type").as_deref() == Some("text/plain")
        && answer.text() == "Not Found"
}

#[tokio::test]
async fn who_wants_to_register_is_told_to_send_a_key() {
    let (stack, key) = dead_end(&["*"], |options| options).await;
    for keyed in [false, true] {
        let mut call = stack.gateway.call("POST", "/register");
        if keyed {
            call = call.key(&key);
        }
        let answer = call.json(&json!({"client_name": "c"})).send().await;
        assert_eq!(answer.status, 403);
        assert_eq!(answer.json()["error"], "access_denied");
        let description = answer.json()["error_description"].to_string();
        assert!(
            description.contains("does not use OAuth. Send your project's API key"),
            "{description}"
        );
        assert_eq!(answer.header("www-authenticate"), None);
    }
    for path in METADATA {
        let answer = stack.gateway.call("GET", path).key(&key).send().await;
        assert!(is_plain_not_found(&answer), "{path}: {}", answer.status);
    }
    assert_eq!(stack.outcomes("denied_oauth_registration").await, 2);
    let looked = u64::try_from(METADATA.len()).unwrap();
    assert_eq!(stack.outcomes("denied_oauth_metadata").await, looked);
    assert!(stack.control_plane.calls().is_empty(), "no check is made");
    assert!(stack.upstream.received().is_empty());
    let logged = stack
        .gateway
        .wait_for_access_log(|entry| entry["response_code"] == 403)
        .await;
    assert_eq!(
        logged["response_code_details"],
        "mcp_key_auth_oauth_registration"
    );
}

#[tokio::test]
async fn without_the_setting_and_on_other_hosts_there_is_no_dead_end() {
    let (off, key) = dead_end(&[], |options| options).await;
    let (elsewhere, _) = dead_end(&["mcp.example"], |options| options).await;
    for stack in [&off, &elsewhere] {
        let answer = stack.gateway.call("POST", "/register").send().await;
        assert_eq!(answer.status, 404);
        let metadata = stack.gateway.call("GET", METADATA[6]).send().await;
        assert_eq!(metadata.status, 401, "a protected path like any other");
    }
    let named = elsewhere.gateway.call("POST", "/register");
    let named = named.header("host", "MCP.example:8443").send().await;
    assert_eq!(named.status, 403);
    let through = off.gateway.call("GET", METADATA[6]).key(&key).send().await;
    assert_eq!(through.status, 200, "the upstream has an answer of its own");
}

#[tokio::test]
async fn the_dead_end_opens_no_path_to_the_upstream() {
    let (stack, _) = dead_end(&["*"], every_path_has_a_route).await;
    let names = METADATA.map(str::to_owned);
    let twists = [
        "/register",
        "/register/",
        "/register/mcp/locked",
        "/register/../mcp/locked",
        "/register?/mcp/locked",
        "/mcp/locked/register",
        "/mcp/locked?/register",
        "/mcp/locked/../locked/.well-known/openid-configuration",
        "/mcp/.well-known/openid-configuration",
        "/.well-known/oauth-protected-resource/../../mcp/locked",
        "/.well-known/oauth-protected-resource/%2e%2e/%2e%2e/mcp/locked",
        "/.well-known/oauth-protected-resource;/../../mcp/locked",
        "/mcp/locked/.well-known/openid-configuration/../..",
        "/mcp/locked;/.well-known/openid-configuration",
        "/mcp/%6cocked/.well-known/openid-configuration",
    ];
    let paths = names.into_iter().chain(twists.map(str::to_owned));
    for path in paths {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
            for host in ["127.0.0.1", "mcp.example", "evil@mcp.example", ""] {
                let call = stack.gateway.call(method, &path).header("host", host);
                let Ok(answer) = call.try_send().await else {
                    continue;
                };
                let refused = [400, 401, 403, 404].contains(&answer.status);
                assert!(refused, "{method} {path} at {host:?}: {}", answer.status);
            }
        }
    }
    assert!(stack.upstream.received().is_empty());
}

#[tokio::test]
async fn the_dead_end_shadows_no_protected_path() {
    let (stack, key) = dead_end(&["*"], |options| {
        let rules = json!([{"path": "/{project_id}"}]);
        every_path_has_a_route(options).plugin(json!({"rules": rules}))
    })
    .await;
    stack.control_plane.set_project("register", true);
    stack
        .control_plane
        .set_key(&key, "key_1", "register", Verdict::Valid, None);
    let keyless = stack.gateway.call("POST", "/register").send().await;
    assert_eq!(keyless.status, 401, "a project of that name is a project");
    for path in ["/register", "/register?x=1", "/register/mcp"] {
        let answer = stack.gateway.call("POST", path).key(&key).send().await;
        assert_eq!(answer.status, 200, "{path}");
    }
    let (stack, _) = dead_end(&["*"], |options| {
        let exempt = json!([{"prefix": "/.well-known"}, {"path": "/register"}]);
        every_path_has_a_route(options).plugin(json!({"exempt": exempt}))
    })
    .await;
    for (method, path) in [("POST", "/register"), ("GET", METADATA[0])] {
        let answer = stack.gateway.call(method, path).send().await;
        assert_eq!(answer.status, 200, "{path}: what is exempt stays exempt");
    }
}
