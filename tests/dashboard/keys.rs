//! Keys: made, rotated, switched off and revoked in the page, with effect at the gateway.

use serde_json::json;
use stack::browser::{Browser, becomes_true};

use crate::world::World;

/// What the page shows of a key that was just made.
async fn secret(browser: &Browser) -> String {
    let shown = browser.find("#new-key-secret").await.text().await;
    assert!(shown.starts_with("ak_"), "{shown}");
    shown
}

async fn choose(browser: &Browser, key: &str, action: &str) {
    let menu = format!("Actions for {key}");
    browser.control(&menu).await.click().await;
    browser.control(action).await.click().await;
}

async fn create(browser: &Browser, name: &str) -> String {
    browser.find("#create-key").await.click().await;
    browser.field("Name").await.fill(name).await;
    browser
        .find("dialog button[type=submit]")
        .await
        .click()
        .await;
    secret(browser).await
}

#[tokio::test]
async fn a_key_made_in_the_page_works_and_is_shown_once() {
    let world = World::locked().await;
    world.sign_in().await;
    world.open("keys").await;
    let browser = &world.browser;
    let secret = create(browser, "Ada's laptop").await;
    assert_eq!(world.call(Some(&secret)).await, 200);

    browser.control("Done").await.click().await;
    browser.shows("Ada's laptop").await;
    browser.reload().await;
    browser.shows("Ada's laptop").await;
    let page = browser
        .run("return document.documentElement.outerHTML")
        .await;
    assert!(!page.as_str().unwrap().contains(&secret));
    world.assert_no_complaints().await;
}

#[tokio::test]
async fn a_new_key_comes_with_configuration_for_each_client() {
    let world = World::locked().await;
    let server = world.control_plane.create_server(&world.project, "Mail");
    world.sign_in().await;
    world.open("keys").await;
    let browser = &world.browser;
    let secret = create(browser, "CI").await;
    let url = format!("http://gateway.test/v3/mcp/{server}");
    for client in [
        "Claude Code",
        "Cursor",
        "VS Code",
        "mcp-remote",
        "Python",
        "TypeScript",
    ] {
        browser.control(client).await.click().await;
        let snippet = async || browser.find("dialog [role=tabpanel]").await.text().await;
        becomes_true(&format!("{client}: the URL"), async || {
            snippet().await.contains(&url)
        })
        .await;
        let snippet = snippet().await;
        for part in [&secret, "x-api-key"] {
            assert!(snippet.contains(part), "{client}: {snippet}");
        }
    }
    world.assert_no_complaints().await;
}

#[tokio::test]
async fn a_rotated_key_works_until_its_grace_ends() {
    let world = World::locked().await;
    let old = world.control_plane.create_key(&world.project, "CI", None);
    assert_eq!(world.call(Some(&old.raw)).await, 200);
    world.sign_in().await;
    world.open("keys").await;
    let browser = &world.browser;
    choose(browser, "CI", "Rotate…").await;
    browser.find("#key-grace").await.choose("86400").await;
    browser.control("Rotate key").await.click().await;
    let new = secret(browser).await;
    assert_eq!(world.call(Some(&new)).await, 200);
    assert_eq!(world.call(Some(&old.raw)).await, 200);
    browser.control("Done").await.click().await;

    let at_once = world
        .control_plane
        .create_key(&world.project, "Stops", None);
    assert_eq!(world.call(Some(&at_once.raw)).await, 200);
    browser.reload().await;
    choose(browser, "Stops", "Rotate…").await;
    browser.find("#key-grace").await.choose("0").await;
    browser.control("Rotate key").await.click().await;
    let new = secret(browser).await;
    world.becomes(Some(&at_once.raw), 401).await;
    assert_eq!(world.call(Some(&new)).await, 200);
    world.assert_no_complaints().await;
}

#[tokio::test]
async fn a_key_is_switched_off_and_on_and_revoked_in_the_page() {
    let world = World::locked().await;
    let key = world.control_plane.create_key(&world.project, "CI", None);
    assert_eq!(world.call(Some(&key.raw)).await, 200);
    world.sign_in().await;
    world.open("keys").await;
    let browser = &world.browser;

    choose(browser, "CI", "Disable…").await;
    browser.control("Disable key").await.click().await;
    world.becomes(Some(&key.raw), 401).await;
    browser.find("[data-status=disabled]").await;
    choose(browser, "CI", "Enable").await;
    world.becomes(Some(&key.raw), 200).await;

    choose(browser, "CI", "Rename…").await;
    browser.field("Name").await.fill("Build").await;
    browser.control("Rename key").await.click().await;
    choose(browser, "Build", "Revoke…").await;
    browser.shows("This cannot be undone.").await;
    browser.control("Cancel").await.click().await;
    assert_eq!(world.call(Some(&key.raw)).await, 200);
    choose(browser, "Build", "Revoke…").await;
    browser.control("Revoke key").await.click().await;
    world.becomes(Some(&key.raw), 401).await;

    browser.field("Show").await.choose("revoked").await;
    browser.find("[data-status=revoked]").await;
    browser.shows("Build").await;
    assert_eq!(world.call(Some(&world.key.raw)).await, 200);
    world.assert_no_complaints().await;
}

#[tokio::test]
async fn a_key_far_down_the_list_is_renamed_in_its_place() {
    let world = World::start().await;
    for number in 0..60 {
        let name = format!("Key {number}");
        let call = world.api("POST", "api_keys").json(&json!({"name": name}));
        assert_eq!(call.send().await.status, 201);
    }
    world.sign_in().await;
    world.open("keys").await;
    let browser = &world.browser;
    browser.control("Show more keys").await.click().await;
    // The list is newest first, so the key of the session is its last.
    browser.shows("Signed in with").await;
    let last_row = "document.querySelector('#keys tbody tr:last-child')";
    becomes_true("the first new row has the focus", async || {
        let first_new = "document.querySelectorAll('#keys tbody tr')[50]";
        let script = format!("return {first_new} === document.activeElement");
        browser.run(&script).await == json!(true)
    })
    .await;

    choose(browser, "Owner", "Rename…").await;
    browser.field("Name").await.fill("Proprietor").await;
    browser.control("Rename key").await.click().await;
    becomes_true("the row has its new name and the focus", async || {
        let script = format!(
            "return {last_row}.textContent.includes('Proprietor')
                && document.activeElement.getAttribute('aria-label')"
        );
        browser.run(&script).await == json!("Actions for Proprietor")
    })
    .await;
    let rows = "return document.querySelectorAll('#keys tbody tr').length";
    assert_eq!(browser.run(rows).await, json!(61));
    let scrolled = "return document.documentElement.scrollTop > 0";
    assert_eq!(browser.run(scrolled).await, json!(true));

    choose(browser, "Key 0", "Revoke…").await;
    browser.control("Revoke key").await.click().await;
    becomes_true(
        "the row is gone and the next one has the focus",
        async || {
            let script = "return document.querySelectorAll('#keys tbody tr').length === 60
            && document.activeElement.getAttribute('aria-label')";
            browser.run(script).await == json!("Actions for Proprietor")
        },
    )
    .await;
    world.assert_no_complaints().await;
}
