//! Attempts to get at a session, or to make its browser do what its user does not want.

use std::net::SocketAddr;

use axum::{Router, response::Html, routing::get};
use serde_json::json;
use tokio::net::TcpListener;

use crate::world::World;

/// Another site's page. A port is no border for cookies, so this one is closer than most attackers get.
async fn other_site() -> SocketAddr {
    let page = get(async || Html("<!doctype html><title>other</title>"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(page)).await });
    address
}

#[tokio::test]
async fn a_page_of_another_site_changes_and_reads_nothing() {
    let world = World::start().await;
    world.sign_in().await;
    let other = other_site().await;
    world.browser.open(&format!("http://{other}/")).await;
    let api = format!("http://{}", world.control_plane.public_addr());
    let attack = format!(
        "const done = arguments[arguments.length - 1];
         const config = '{api}/api/v3/org/project/config';
         const body = '{{\"require_mcp_api_key\": true}}';
         const json = {{'content-type': 'application/json'}};
         const all = [
             fetch(config, {{credentials: 'include'}}),
             fetch(config, {{credentials: 'include', headers: {{'x-dashboard': '1'}}}}),
             fetch(config, {{method: 'PATCH', credentials: 'include', body, headers: json}}),
             fetch(config, {{method: 'PATCH', credentials: 'include', body, headers: {{...json, 'x-dashboard': '1'}}}}),
             fetch(config, {{method: 'POST', mode: 'no-cors', credentials: 'include', body}}),
             fetch('{api}/dashboard/session', {{credentials: 'include', headers: {{'x-dashboard': '1'}}}}),
             fetch('{api}/dashboard/session', {{method: 'DELETE', credentials: 'include'}}),
         ];
         Promise.allSettled(all).then((ended) => done(ended.map((one) => one.value?.type ?? 'failed')));"
    );
    let ended = world.browser.run_async(&attack).await;
    // What is left of the seven is an answer that the page cannot look into.
    let expected = [
        "failed", "failed", "failed", "failed", "opaque", "failed", "failed",
    ];
    assert_eq!(ended, json!(expected));
    let config = world.api("GET", "config").send().await.json();
    assert_eq!(config["require_mcp_api_key"], false);
    world.open("keys").await;
    world.browser.control("Sign out").await;
}

#[tokio::test]
async fn the_dashboard_cannot_be_put_into_a_frame() {
    let world = World::start().await;
    world.sign_in().await;
    let other = other_site().await;
    world.browser.open(&format!("http://{other}/")).await;
    let frame = format!(
        "const done = arguments[arguments.length - 1];
         const frame = document.createElement('iframe');
         frame.onload = () => {{
             let path = 'barred';
             try {{ path = frame.contentWindow.location.pathname; }} catch {{}}
             done([path, frame.contentWindow.length]);
         }};
         frame.src = '{}';
         document.body.append(frame);",
        world.url("settings")
    );
    world.browser.run_async(&frame).await;
    let complaints = world.browser.complaints().await.join("\n");
    assert!(complaints.contains("frame-ancestors"), "{complaints}");
}

#[tokio::test]
async fn scripts_cannot_read_the_session() {
    let world = World::start().await;
    world.sign_in().await;
    let cookie = world.browser.run("return document.cookie").await;
    assert_eq!(cookie, "");
    let kept = "return JSON.stringify([{...localStorage}, {...sessionStorage}])";
    let kept = world.browser.run(kept).await.to_string();
    assert!(!kept.contains(&world.key.raw), "{kept}");
}

#[tokio::test]
async fn markup_in_names_is_text() {
    let world = World::start().await;
    let name = "<img src=x onerror=document.title=1><b>bold</b>";
    world.control_plane.create_key(&world.project, name, None);
    world.control_plane.create_server(&world.project, name);
    world.sign_in().await;
    for page in ["keys", "servers", "audit"] {
        world.open(page).await;
        world.browser.shows("<b>bold</b>").await;
        let markup = "return document.querySelectorAll('main b, main img[src=x]').length";
        assert_eq!(world.browser.run(markup).await, 0, "{page}");
    }
    world.assert_no_complaints().await;
}

#[tokio::test]
async fn a_script_from_elsewhere_does_not_run() {
    let world = World::start().await;
    world.sign_in().await;
    let inject = "
        const inline = document.createElement('script');
        let refused = '';
        try { inline.textContent = 'window.ran = 1'; document.head.append(inline); } catch (error) { refused = error.name; }
        try { document.body.innerHTML += '<img src=x onerror=\"window.ran = 2\">'; } catch (error) { refused += error.name; }
        return [window.ran ?? 0, refused];
    ";
    let ran = world.browser.run(inject).await;
    assert_eq!(ran[0], 0, "{ran}");
    assert!(ran[1].as_str().unwrap().contains("TypeError"), "{ran}");
}
