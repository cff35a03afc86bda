//! What is wrong with a URL, or with what answers there.

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use stack::bootstrap;
use stack::gateway::GatewayOptions;
use stack::real_control_plane::Doctor;
use tokio::net::TcpListener;

use super::{World, assert_finds};

/// The URL of a server that answers everything like this.
async fn server(answer: impl Fn() -> Response + Clone + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(async move || answer());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

#[tokio::test]
async fn an_open_project_needs_no_key() {
    let world = World::start().await;
    let key = world.open_project();
    let doctor = Doctor::of(&world.url("/mcp/pr_open"));
    let keyed = doctor.clone().key(&key.raw);
    for examined in [
        doctor.examine().await,
        keyed.examine().await,
        world.as_owner(keyed.clone()).await,
        world.as_operator(keyed).await,
    ] {
        assert_finds(&examined, 0, "not_required");
    }
}

#[tokio::test]
async fn without_a_key_filter_nobody_looks_for_a_key() {
    let world = World::with(GatewayOptions::without_key_filter).await;
    let doctor = world.doctor().key(&world.key.raw);
    for examined in [doctor.examine().await, world.as_owner(doctor.clone()).await] {
        assert_finds(&examined, 0, "no_key_filter");
        assert_eq!(examined.step("key filter").0, "problem");
    }
}

#[tokio::test]
async fn a_url_that_names_nobody_is_told_from_one_that_is_not_found() {
    let world = World::start().await;
    let key = &world.key.raw;
    let nobody = Doctor::of(&world.url("/mcp/pr_nobody")).key(key);
    assert_finds(&nobody.examine().await, 1, "unknown_project");
    let examined = world.as_operator(nobody).await;
    assert_finds(&examined, 1, "unknown_project");
    assert!(
        examined.step("project").1.contains("no project"),
        "{}",
        examined.text
    );
    // The project exists, and no rule of the filter has such a path.
    let elsewhere = Doctor::of(&world.url("/other/pr_shop")).key(key);
    assert_finds(
        &world.as_owner(elsewhere.clone()).await,
        1,
        "unmatched_path",
    );
    assert_finds(&world.as_operator(elsewhere).await, 1, "unmatched_path");
}

#[tokio::test]
async fn a_key_in_another_header_than_the_gateways_is_not_seen() {
    let sources = json!({"key_sources": [{"header": "authorization", "scheme": "Bearer"}]});
    let world = World::with(|options| options.plugin(sources)).await;
    let doctor = world.doctor().key(&world.key.raw);
    let examined = doctor.examine().await;
    assert_finds(&examined, 1, "key_not_seen");
    assert!(
        examined.text.contains("authorization: Bearer"),
        "{}",
        examined.text
    );
    let right = doctor
        .option("--header", "authorization: Bearer")
        .examine()
        .await;
    assert_finds(&right, 0, "key_accepted");
}

#[tokio::test]
async fn a_proxy_that_adds_a_key_makes_them_several() {
    let world = World::with(|options| {
        options.edit(|envoy| {
            let mutation = json!({"append": {
                "header": {"key": "x-api-key", "value": stack::keys::mint_key(1)},
                "append_action": "APPEND_IF_EXISTS_OR_ADD",
            }});
            bootstrap::connection_manager(envoy)["early_header_mutation_extensions"] = json!([{
                "name": "envoy.http.early_header_mutation.header_mutation",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
                    "mutations": [mutation],
                },
            }]);
        })
    })
    .await;
    assert_finds(
        &world.doctor().key(&world.key.raw).examine().await,
        1,
        "several_keys",
    );
}

#[tokio::test]
async fn a_gateway_that_cannot_ask_says_so() {
    let world = World::with(|options| options.edge_token(Some("another-edge-token"))).await;
    let doctor = world.doctor().key(&world.key.raw);
    for examined in [doctor.examine().await, world.as_owner(doctor.clone()).await] {
        assert_finds(&examined, 1, "control_plane_fault");
        let (_, says) = examined.step("with the key");
        assert_eq!(says, "503 MCP_AUTH_UNAVAILABLE");
    }
}

#[tokio::test]
async fn a_key_that_is_accepted_may_find_no_server() {
    let nobody = "127.0.0.1:9".parse().unwrap();
    let world = World::with(|options| options.upstream(nobody)).await;
    let examined = world.doctor().key(&world.key.raw).examine().await;
    assert_finds(&examined, 1, "no_server");
    assert_eq!(examined.step("without a key").1, "401 MCP_API_KEY_MISSING");
    assert!(
        examined
            .step("with the key")
            .1
            .starts_with("503 by the gateway"),
        "{}",
        examined.text
    );
    let project_alone = Doctor::of(&world.url("/mcp/pr_shop/%zz")).key(&world.key.raw);
    assert_eq!(project_alone.examine().await.code, 1);
}

#[tokio::test]
async fn a_gateway_that_redirects_is_followed_by_hand() {
    let world = World::with(|options| {
        options.edit(|envoy| {
            let redirect = json!({"https_redirect": true});
            bootstrap::routes(envoy)
                .insert(0, json!({"match": {"prefix": "/"}, "redirect": redirect}));
        })
    })
    .await;
    let examined = world.doctor().key(&world.key.raw).examine().await;
    assert_finds(&examined, 1, "redirected");
    assert!(examined.text.contains("https://"), "{}", examined.text);
}

#[tokio::test]
async fn another_guard_is_told_from_the_key_filter() {
    let url = server(|| {
        let challenge = [(header::WWW_AUTHENTICATE, "Bearer realm=\"mcp\"")];
        (StatusCode::UNAUTHORIZED, challenge).into_response()
    })
    .await;
    let world = World::with(|options| options.upstream(url[7..].parse().unwrap())).await;
    let examined = world.doctor().key(&world.key.raw).examine().await;
    assert_finds(&examined, 1, "other_guard");
    assert!(examined.text.contains("Bearer realm"), "{}", examined.text);
}

#[tokio::test]
async fn what_others_answer_neither_steers_the_terminal_nor_repeats_the_key() {
    let key = stack::keys::mint_key(7);
    let told = key.clone();
    let url = server(move || {
        let message = format!("\u{1b}[2Jyou sent {told}\nbye");
        let error = json!({"slug": "MCP_SOMETHING_NEW", "message": message, "code": 1});
        let body = json!({"jsonrpc": "2.0", "id": null, "error": error});
        (StatusCode::FORBIDDEN, axum::Json(body)).into_response()
    })
    .await;
    let examined = Doctor::of(&format!("{url}/mcp/pr_a"))
        .key(&key)
        .examine()
        .await;
    assert_finds(&examined, 1, "other_refusal");
    assert!(
        examined.text.contains("you sent (the key)"),
        "{}",
        examined.text
    );
    let says = examined.json["says"].as_str().unwrap();
    assert!(!says.contains(char::is_control), "{says:?}");
    let text = examined.text.replace('\n', "");
    assert!(!text.contains(char::is_control), "{text:?}");
}
